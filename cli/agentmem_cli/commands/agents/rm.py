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
    """Delete an agent's file with everything in it. This cannot be undone.

    Examples:
        agentmem agents rm alice --dry-run
        agentmem agents rm alice -y
    """
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    home = invocation.settings.get("home")
    agent_file = agents.check_removable(agent, home)
    what = f"{agent_file.path} with {plain.many(agent_file.total, 'memory')}"
    if dry_run:
        invocation.output.note(f"would delete {what}")
    elif confirm.ask(invocation, f"delete {what}, for good"):
        agents.remove_agent(agent, home)
        invocation.output.note(f"deleted {what}")
