"""`agentmem agents list`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def list_(context: typer.Context) -> None:
    """List the agents that have a file here, with its size and age.

    Examples:
        agentmem agents list
        agentmem agents list -o id
    """
    from agent_memory import clock
    from agent_memory.memories import agents
    from agentmem_cli.output import plain

    invocation = Invocation.of(context)
    found = agents.list_agents(invocation.settings.get("home"))
    if invocation.output.form in ("json", "ndjson", "id"):
        readable = (
            [each for each in found if each.agent_id is not None] if invocation.output.form == "id" else found
        )
        invocation.output.rows([agents.to_dict(each) for each in readable], id="agent_id")
    else:
        invocation.output.rows(
            [
                {
                    "agent": each.agent_id or f"({each.path.name})",
                    "memories": each.total,
                    "size": plain.size(each.bytes),
                    "last write": plain.age(clock.from_text(each.last_write)) if each.last_write else "",
                    "embedder": each.embedded_with or "",
                }
                for each in found
            ]
        )
    for each in found:
        if each.problem is not None:
            invocation.output.note(each.problem)
