"""`agentmem model verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def verify(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Its name, as in `agentmem model list`.")
    ] = "local",
) -> None:
    """Check a model's weights from end to end, and print their sha256.

    Examples:
        agentmem model verify
        agentmem model verify BAAI/bge-small-en-v1.5
    """
    from agent_memory.embeddings import models

    invocation = Invocation.of(context)
    invocation.output.value(models.verify_model(name, invocation.model_folder))
