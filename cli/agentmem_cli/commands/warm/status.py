"""`agentmem warm status`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def status(context: typer.Context) -> None:
    """Say whether the warm process runs, since when, what it takes, and what it has answered.

    Examples:
        agentmem warm status
        agentmem warm status --json | jq .memory_bytes
    """
    from agentmem_cli.warm import asking

    invocation = Invocation.of(context)
    known = asking.status()
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(known)
    else:
        invocation.output.details(asking.shown(known))
    if not known["running"]:
        invocation.output.note("no warm process is running; `agentmem warm` starts one")
