"""`agentmem agents show`."""

from __future__ import annotations

from collections.abc import Mapping
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

    Of an agent on a server, where it is and how much is in it.

    Examples:
        agentmem agents show
        agentmem agents show alice --json | jq -r .path
    """
    from agent_memory.memories import agents
    from agentmem_cli.output import plain

    invocation = Invocation.of(context)
    settings = invocation.settings
    if (server := invocation.server) is not None:
        _of_server(invocation, server, name or str(settings.get("agent")))
        return
    agent_file = agents.get_agent(name or settings.get("agent"), settings.get("home"))
    if invocation.output.form in ("json", "ndjson", "csv"):
        invocation.output.details(agents.to_dict(agent_file))
        return
    row = {
        "agent": agent_file.agent_id,
        "file": str(agent_file.path),
        "size": plain.size(agent_file.bytes),
        "memories": _counted(agent_file.total, agent_file.memories),
        "last write": agent_file.last_write,
        "embedder": agent_file.embedded_with,
        "schema": agent_file.schema_version,
        "problem": agent_file.problem,
    }
    invocation.output.details({name: value for name, value in row.items() if value is not None})


def _of_server(invocation: Invocation, backend: str, agent: str) -> None:
    from agent_memory.sync.fleet import look_at_stored_agent

    settings = invocation.settings
    stored = look_at_stored_agent(
        agent, backend, settings.options("backend_config"), offline=bool(settings.get("offline"))
    )
    if invocation.output.form not in ("json", "ndjson", "csv"):
        stored = {
            "agent": stored["agent_id"],
            "place": stored["location"],
            "memories": _counted(stored["total"], stored["memories"]),
        }
    invocation.output.details(stored)


def _counted(total: int, memories: Mapping[str, int]) -> str:
    counts = ", ".join(f"{count} {name.replace('_', '-')}" for name, count in memories.items())
    return f"{total} ({counts})" if counts else str(total)
