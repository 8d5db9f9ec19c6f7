"""`agentmem model pull`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli.context import Invocation


def pull(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="MODEL", help="Its name, as in `agentmem model list`.")
    ] = "local",
) -> None:
    """Download a model into the cache folder, or what is missing of it, and check it.

    This is the one command that uses the network for a model. The default model and `multilingual` need no download.

    Examples:
        agentmem model pull BAAI/bge-small-en-v1.5
        agentmem model pull paraphrase-multilingual-MiniLM-L12-v2
    """
    from agent_memory.embeddings import models

    invocation = Invocation.of(context)
    with invocation.progress("downloading", unit="bytes") as report:
        path = models.pull_model(
            name,
            progress=report,
            offline=invocation.settings.get("offline"),
            cache_dir=invocation.model_folder,
        )
    invocation.output.value(str(path))
