"""The library's notices on stderr, which agents keep in a log; the model gets those of its call beside the result."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress

from agentmem_mcp import hints


class StderrHandler(logging.Handler):
    """Writes each notice on one line, in the words of the server."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a notice; where stderr takes none, that changes nothing."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        words = tuple(hints.worded(item) if isinstance(item, str) else item for item in arguments)
        message = hints.worded(record.msg if isinstance(record.msg, str) else str(record.msg))
        said = message % words if words else message
        with suppress(OSError, ValueError):
            print(f"agentmem: {said}", file=sys.stderr)  # noqa: T201


def begin() -> None:
    """Write what the library says from now on."""
    logger = logging.getLogger("agent_memory")
    logger.addHandler(StderrHandler(logging.WARNING))
    logger.propagate = False
