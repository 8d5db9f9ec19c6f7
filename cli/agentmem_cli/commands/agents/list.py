"""`agentmem agents list`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def list_(context: typer.Context) -> None:
    """List every agent that has a file here: how many memories, how large, when last written.

    Examples:
        agentmem agents list
        agentmem agents list -o id
    """
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    rows = [agents.to_dict(each) for each in agents.list_agents()]
    invocation.output.rows(rows, id="agent")
