"""`agentmem agents list`."""

from __future__ import annotations

import typer

from agentmem_cli.context import Invocation


def list_(context: typer.Context) -> None:
    """List the agents that have a file here, or that the server in use keeps.

    Of a file its size and age, too; of a Redis Cluster the agents of every server.

    Examples:
        agentmem agents list -o id
        agentmem --backend redis://localhost:6379 agents list
    """
    from agent_memory import clock
    from agent_memory.memories import agents
    from agentmem_cli.output import plain

    invocation = Invocation.of(context)
    if (server := invocation.server) is not None:
        _of_server(invocation, server)
        return
    agent_files = agents.list_agents(invocation.settings.get("home"))
    if invocation.output.form in ("json", "ndjson", "csv", "id"):
        readable = (
            [result for result in agent_files if result.agent_id is not None]
            if invocation.output.form == "id"
            else agent_files
        )
        invocation.output.rows([agents.to_dict(item) for item in readable], id="agent_id")
    else:
        invocation.output.rows(
            [
                {
                    "agent": result.agent_id or f"({result.path.name})",
                    "memories": result.total,
                    "size": plain.size(result.bytes),
                    "last write": plain.age(clock.from_text(result.last_write)) if result.last_write else "",
                    "embedder": result.embedded_with or "",
                }
                for result in agent_files
            ]
        )
    for result in agent_files:
        if result.problem is not None:
            invocation.output.note(result.problem)


def _of_server(invocation: Invocation, backend: str) -> None:
    from agent_memory.sync.fleet import list_stored_agents

    names = list_stored_agents(
        backend,
        invocation.settings.options("backend_config"),
        offline=bool(invocation.settings.get("offline")),
    )
    key = "agent_id" if invocation.output.form in ("json", "ndjson", "csv", "id") else "agent"
    invocation.output.rows([{key: name} for name in names], id="agent_id")
