"""`agentmem agents rename`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def rename(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its present name.")],
    new_name: Annotated[str, typer.Argument(metavar="NEW-NAME", help="A name that no agent has.")],
) -> None:
    """Give an agent another name, in its file and as its file's name.

    Examples:
        agentmem agents rename default alice
        agentmem agents rename "old bot" bot
    """
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    path = agents.rename_agent(agent, new_name, invocation.settings.get("home"))
    invocation.output.note(f"{agent} is now {new_name} ({path})")
