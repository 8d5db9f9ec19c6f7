"""`agentmem index`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import progress
from agentmem_cli.context import Invocation


def index(
    context: typer.Context,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many texts.")
    ] = None,
) -> None:
    """Embed what is still owed, so that it is found by meaning too.

    It may be stopped at any time; what was done stays done.

    Examples:
        agentmem index
        agentmem index --limit 1000
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory, progress.bar(invocation, "embedding") as report:
        done = memory.index(limit=limit, progress=report)
        left = memory.get_status()["owed_embeddings"]
    invocation.output.details({"embedded": done, "owed": left})
