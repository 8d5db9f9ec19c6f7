"""`agentmem agents show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    agent: Annotated[
        str | None, typer.Argument(metavar="AGENT", help="Whose; the present one if left out.")
    ] = None,
) -> None:
    """Show one agent's file: where it is, what is in it, and what embedded it.

    Examples:
        agentmem agents show
        agentmem agents show alice --json | jq -r .path
    """
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    found = agents.get_agent(agent or invocation.settings.get("agent"))
    invocation.output.details(agents.to_dict(found))
