"""`agentmem warm stop`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def stop(context: typer.Context) -> None:
    """End the warm process; commands that it is in the middle of are finished first.

    Examples:
        agentmem warm stop
        agentmem warm stop && agentmem config set warm false
    """
    from agentmem_cli.warm import asking

    invocation = Invocation.of(context)
    invocation.output.note("the warm process has ended" if asking.stop() else "no warm process is running")
