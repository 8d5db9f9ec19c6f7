"""`agentmem agents show`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def show(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="AGENT", help="Whose; the present one if left out.")
    ] = None,
) -> None:
    """Show one agent's file: where it is, what is in it, and what embedded it.

    Examples:
        agentmem agents show
        agentmem agents show alice --json | jq -r .path
    """
    from agent_memory.memories import agents
    from agentmem_cli.output import plain

    invocation = Invocation.of(context)
    settings = invocation.settings
    agent_file = agents.get_agent(name or settings.get("agent"), settings.get("home"))
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(agents.to_dict(agent_file))
        return
    counts = ", ".join(f"{count} {name.replace('_', '-')}" for name, count in agent_file.memories.items())
    row = {
        "agent": agent_file.agent_id,
        "file": str(agent_file.path),
        "size": plain.size(agent_file.bytes),
        "memories": f"{agent_file.total}" + (f" ({counts})" if counts else ""),
        "last write": agent_file.last_write,
        "embedder": agent_file.embedded_with,
        "schema": agent_file.schema_version,
        "problem": agent_file.problem,
    }
    invocation.output.details({name: value for name, value in row.items() if value is not None})
