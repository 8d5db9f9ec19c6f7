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
    found = agents.get_agent(name or settings.get("agent"), settings.get("home"))
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(agents.to_dict(found))
        return
    counts = ", ".join(f"{count} {name.replace('_', '-')}" for name, count in found.memories.items())
    row = {
        "agent": found.agent_id,
        "file": str(found.path),
        "size": plain.size(found.bytes),
        "memories": f"{found.total}" + (f" ({counts})" if counts else ""),
        "last write": found.last_write,
        "embedder": found.embedded_with,
        "schema": found.schema_version,
        "problem": found.problem,
    }
    invocation.output.details({name: value for name, value in row.items() if value is not None})
