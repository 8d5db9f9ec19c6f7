"""`agentmem model path`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def path(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Its name, as in `agentmem model list`.")
    ] = "local",
) -> None:
    """Print the folder of a model on this machine.

    Examples:
        agentmem model path
        du -sh "$(agentmem model path BAAI/bge-small-en-v1.5)"
    """
    from agent_memory.embeddings import models

    invocation = Invocation.of(context)
    invocation.output.value(str(models.model_path(name, invocation.model_folder)))
