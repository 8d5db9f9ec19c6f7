"""`agentmem doc related`."""

from __future__ import annotations

from typing import Annotated

import typer

from agentmem_cli import options
from agentmem_cli.context import Invocation


def related(
    context: typer.Context,
    reference: options.Reference,
    limit: options.FewLimit = 5,
    min_similarity: Annotated[
        float,
        typer.Option(
            "--min-similarity", metavar="0..1", min=0.0, max=1.0, help="The least cosine that counts."
        ),
    ] = 0.5,
) -> None:
    """Find knowledge near a piece of it in meaning, nearest first.

    Examples:
        agentmem doc related 7f3k2m9q
        agentmem doc related 7f3k2m9q --min-similarity 0.3 --limit 10
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        results = memory.semantic.find_related(reference, limit, min_similarity)
    invocation.output.scored(results)
