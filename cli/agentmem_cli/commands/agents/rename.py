"""`agentmem agents rename`."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def rename(
    context: typer.Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Its present name.")],
    new_name: Annotated[str, typer.Argument(metavar="NEW-NAME", help="A name that no agent has.")],
) -> None:
    """Give an agent another name, in its file and as its file's name.

    On a server, an agent is copied under its new name by export and import, and the old one removed.

    Examples:
        agentmem agents rename default alice
        agentmem agents rename "old bot" bot
    """
    from agent_memory.errors import ValidationError
    from agent_memory.memories import agents

    invocation = Invocation.of(context)
    if invocation.server is not None:
        old, new = (shlex.quote(name) for name in (agent, new_name))
        raise ValidationError(
            f"only agents in files can be renamed, and the backend is {invocation.server}",
            hint=f"agentmem -a {old} export --history - | agentmem -a {new} import -, then agentmem agents rm {old}",
        )
    path = agents.rename_agent(agent, new_name, invocation.settings.get("home"))
    invocation.output.note(f"{agent} is now {new_name} ({path})")
