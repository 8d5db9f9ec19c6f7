"""The server's start: the first answers within the time that clients wait, and then the SDK.

Until the SDK is called for, nothing is imported but the standard library.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final, NoReturn

from agentmem_mcp import answers, ending, options, parent
from agentmem_mcp.front import Front
from agentmem_mcp.options import Options
from agentmem_mcp.wire import Line, Wire

_PATIENCE: Final = 2.0
"""Seconds after which the SDK is imported though the client has not asked for the tools yet: on a busy machine a
client takes a second for that, and an import beside would hold its answer up."""
_LONGEST_END: Final = 60.0
"""Seconds after the client's end in which what it asked for before may be carried out, the SDK's import included."""
_LOADED: Final = object()
_BY_HAND: Final = "this is for a coding agent to start, and waits for lines of JSON; Ctrl-C ends it"


def serve_if_plain(arguments: Sequence[str]) -> None:
    """Serve until the client has gone, if the words behind the program's name ask for just that.

    Where they are for Typer (another command, or something that has to be explained), it returns at once.
    """
    asked = options.parse(arguments)
    if asked is not None and installed() and not unknown(asked) and offered(asked):
        run(asked)


def installed() -> bool:
    """Return whether the SDK is installed, in a version that can be used."""
    return find_spec("mcp_types") is not None


def unknown(asked: Options) -> list[str]:
    """Return the names of tools that were asked for and do not exist."""
    return [name for name in asked.tools or () if name not in answers.tool_names()]


def offered(asked: Options) -> tuple[str, ...]:
    """Return the names of the tools that are offered."""
    return answers.offered(asked.tools, read_only=asked.read_only)


def run(asked: Options) -> NoReturn:
    """Serve on stdin and stdout until the client has gone, and end the process."""
    from agent_memory.version import __version__

    if os.isatty(0):
        print(_BY_HAND, file=sys.stderr)  # noqa: T201 - a person who waits for an answer would wait for ever
    pipes = Wire.take_standard_streams(lambda: ending.leave_within(_LONGEST_END))
    loader = _Loader(pipes.backlog.put)
    parent.watch(pipes.end)
    pipes.start()
    front = Front(offered(asked), __version__)
    waiting: list[Line] = []
    asked_for = False
    while (line := pipes.backlog.get()) is not _LOADED:
        if line is None and not asked_for:
            ending.leave()
        answer = front.answer(line) if line is not None else None
        if answer is not None:
            pipes.write(answer)
        else:
            waiting.append(line)
            asked_for = asked_for or (line is not None and b'"id"' in line)
        if front.listed or asked_for:
            loader.wanted.set()
    loader.converse(asked, pipes, front.opening, waiting)
    ending.leave()


class _Loader:
    """Imports the SDK in a thread, once there is time or need.

    Args:
        tell: called with a mark of its own when that is done.
    """

    def __init__(self, tell: Callable[[object], None]) -> None:
        self.wanted = threading.Event()
        self._tell = tell
        self._converse: Callable[..., None] | None = None
        self._error: BaseException | None = None
        threading.Thread(target=self._load, name="agentmem-import", daemon=True).start()

    def _load(self) -> None:
        self.wanted.wait(_PATIENCE)
        try:
            from agentmem_mcp import session

            self._converse = session.converse
        except BaseException as error:  # `converse` raises it, where somebody hears of it
            self._error = error
        self._tell(_LOADED)

    def converse(self, *arguments: Any) -> None:
        """Hand the conversation over to the SDK."""
        if self._converse is None:
            raise self._error or AssertionError("it was not loaded yet")
        self._converse(*arguments)
