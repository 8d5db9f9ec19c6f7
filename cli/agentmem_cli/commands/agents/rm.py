"""`agentmem agents rm`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def rm(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Whose memory.")],
    dry_run: options.DryRun = False,
) -> None:
    """Delete an agent with everything that is kept of it. This cannot be undone.

    Its file, or where a server is in use what that has.

    Examples:
        agentmem agents rm alice --dry-run
        agentmem agents rm alice -y
    """
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    if (server := invocation.server) is not None:
        _of_server(invocation, server, agent, dry_run)
        return
    home = invocation.settings.get("home")
    agent_file = agents.check_removable(agent, home)
    what = f"{agent_file.path} with {plain.many(agent_file.total, 'memory')}"
    if dry_run:
        invocation.output.note(f"would delete {what}")
    elif confirm.ask(invocation, f"delete {what}, for good"):
        agents.remove_agent(agent, home)
        invocation.output.note(f"deleted {what}")


def _of_server(invocation: Invocation, backend: str, agent: str, dry_run: bool) -> None:
    from agent_memory.sync.fleet import look_at_stored_agent, remove_stored_agent

    place = (backend, invocation.settings.options("backend_config"))
    offline = bool(invocation.settings.get("offline"))
    stored = look_at_stored_agent(agent, *place, offline=offline)
    memories = plain.many(stored["total"], "memory")
    what = f"the agent '{stored['agent_id']}' of {stored['location']} with {memories}"
    if dry_run:
        invocation.output.note(f"would delete {what}")
    elif confirm.ask(invocation, f"delete {what}, for good"):
        remove_stored_agent(agent, *place, offline=offline)
        invocation.output.note(f"deleted {what}")
