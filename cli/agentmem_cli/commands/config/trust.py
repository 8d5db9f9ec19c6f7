"""`agentmem config trust`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agentmem_cli import confirm
from agentmem_cli.context import Invocation


def trust(
    context: typer.Context,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Trust it no longer.")] = False,
) -> None:
    """Let this project's .agentmem.toml decide where memory goes.

    As long as nobody changes the file, that is. Shows what it would decide, asks, and records the file's hash.

    Examples:
        agentmem config trust
        agentmem config trust --withdraw
    """
    from agentmem_cli.settings import project

    invocation = Invocation.of(context)
    settings = invocation.settings
    project_file = settings.project_file
    if project_file is None:
        raise MemoryNotFoundError(
            ".agentmem.toml",
            what="project file",
            hint="it is looked for from here up to the repository's root",
        )
    if withdraw:
        project.distrust(project_file.path, settings.user_config)
        invocation.output.note(f"no longer trusted: {project_file.path}")
        return
    if not settings.ignored:
        invocation.output.note(
            f"{project_file.path} needs no trust: it is trusted already, or sets nothing that needs it"
        )
        return
    # Nothing in the file may move the cursor or hide what stands in it.
    lines = project_file.content.decode(errors="replace").rstrip().split("\n")
    for line in lines:
        invocation.output.note(
            "  " + "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
        )
    if confirm.ask(invocation, f"trust {project_file.path} with {', '.join(settings.ignored)}"):
        project.trust(project_file, settings.user_config)
        invocation.output.note(f"trusted: {project_file.path}")
