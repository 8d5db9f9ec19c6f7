"""Asking before something destructive."""

from __future__ import annotations

import sys

from agentmem_cli.context import Invocation
from agentmem_cli.errors import NotConfirmedError


def ask(invocation: Invocation, what: str) -> bool:
    """Ask on a terminal whether to go on; with --yes, go on.

    Returns:
        True, always; it raises where the answer is no.

    Raises:
        NotConfirmedError: there is nobody to ask, and --yes was not given; or the answer is no.
    """
    if invocation.flags.yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise NotConfirmedError(f"would {what}", hint="say -y to do it, or --dry-run to see what it is")
    print(f"{what[:1].upper()}{what[1:]}? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise NotConfirmedError("nothing was done", hint="answer y to go on")
    return True
