"""`agentmem search`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.choices import listed, modes
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered


@filtered
def search(
    context: typer.Context,
    query: Annotated[
        str | None, typer.Argument(metavar="QUERY|-", help="Words, a question, or a key.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", metavar="N", min=1, help="How many at most.")
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", metavar="MODE", help=f"{listed(modes())}; keyword loads no model.")
    ] = "hybrid",
    *,
    filters: Filters,
    min_relevance: Annotated[
        float | None,
        typer.Option(
            "--min-relevance",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="Only what answers with this probability; .5 is as likely as not, in every store.",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            "--min-score",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="Only from this score on; it orders one search and is no probability.",
        ),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the parts of each score.")] = False,
    rerank: options.Rerank = False,
    fail_empty: Annotated[
        bool,
        typer.Option("--fail-empty", help="Exit with 3 if nothing is found, or reaches what is asked for."),
    ] = False,
) -> None:
    """Find memories by words and meaning together, best first.

    Examples:
        agentmem search "which theme should the interface have?"
        agentmem search deploy --type event --since 7d --ndjson | jq -r .content
    """
    invocation = Invocation.of(context)
    text = text_input.one(query)
    with invocation.memory() as memory:
        results = memory.search(
            text,
            limit or invocation.settings.get("limit"),
            mode=mode,  # type: ignore[arg-type]  # the library says what is wrong with it
            explain=explain,
            min_relevance=min_relevance,
            min_score=min_score,
            rerank=rerank,
            **filters,
        )
    from agent_memory.text.analysis import query_terms

    invocation.output.scored(results, query_terms(text), explain=explain)
    if results.doubt is not None:
        invocation.output.note(f"{results.doubt}; shown is what comes nearest")
    if not results and fail_empty:
        raise typer.Exit(3)
