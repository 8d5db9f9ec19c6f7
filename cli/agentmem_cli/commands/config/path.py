"""`agentmem config path`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def path(
    context: typer.Context,
    project: Annotated[
        bool, typer.Option("--project", help="The project file that counts here instead.")
    ] = False,
) -> None:
    """Print where the user's config file is, or would be.

    Examples:
        agentmem config path
        cat "$(agentmem config path)"
    """
    from agent_memory.errors import MemoryNotFoundError
    from agentmem_cli.settings import files

    invocation = Invocation.of(context)
    if not project:
        invocation.output.value(str(files.user_config()))  # also where that file cannot be read
    elif invocation.settings.project_file is not None:
        invocation.output.value(str(invocation.settings.project_file.path))
    else:
        raise MemoryNotFoundError(
            ".agentmem.toml",
            what="project file",
            hint="it is looked for from here up to the repository's root",
        )
