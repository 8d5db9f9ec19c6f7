"""`agentmem recall`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agent_memory.choices import formats, listed, modes
from agentmem_cli import exit_codes, options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory import PackedItem, Recall


@filtered
def recall(
    context: typer.Context,
    query: Annotated[
        str | None,
        typer.Argument(metavar="[QUERY|-]", help="What the prompt is about; none is the session's brief."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            "-b",
            metavar="TOKENS",
            help="How long it may be; 2000 unless the setting says otherwise.",
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", "-f", metavar="FORMAT", help=f"{listed(formats())}.")
    ] = "markdown",
    *,
    filters: Filters,
    min_relevance: Annotated[
        float | None,
        typer.Option(
            "--min-relevance",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="Leave out what is less relevant; 0 fills the budget. By default unrelated memories are left out.",
        ),
    ] = None,
    last: Annotated[int, typer.Option("--last", metavar="N", min=0, help="Add the latest N messages.")] = 0,
    mode: Annotated[str, typer.Option("--mode", metavar="MODE", help=f"{listed(modes())}.")] = "hybrid",
    rerank: options.Rerank = False,
    standing_share: Annotated[
        float | None,
        typer.Option(
            "--standing-share",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="How much of it standing context may take; 0 leaves that out.",
        ),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say on stderr what was taken, and why.")
    ] = False,
    fail_empty: Annotated[
        bool, typer.Option("--fail-empty", help="Exit with 3 if nothing that was found is relevant enough.")
    ] = False,
) -> None:
    """Pack what matters into a prompt of a given size.

    With no query it is the brief for the start of a session: pinned memories, working memory, preferences and
    recent events. What does not fit is shortened before it is dropped.

    Pinned and standing memories, preferences, goals and instructions such as "always answer in German" have a
    section of their own, whatever the query is. --explain says why each is there.

    Examples:
        agentmem recall "why did the build fail" --budget 1500 --format xml > prompt.txt
        agentmem recall --budget 500
    """
    invocation = Invocation.of(context)
    text = text_input.one(query) if query is not None else None
    size = invocation.settings.get("budget") if budget is None else budget
    with invocation.memory() as memory:
        result = memory.recall(
            text,
            size,
            form,  # type: ignore[arg-type]  # the library says what is wrong with it
            last=last,
            mode=mode,  # type: ignore[arg-type]
            explain=explain,
            rerank=rerank,
            min_relevance=min_relevance,
            standing_share=standing_share,
            **filters,
        )
    invocation.output.recall(result)
    shows = explain or invocation.flags.verbose
    if shows:
        for item in (*result.items, *result.dropped, *result.left_out):
            invocation.output.note(_explained(item))
    if shows or result.shortened or result.dropped or result.left_out:
        invocation.output.note(_summary(result))
    if result.doubt is not None:
        shown = (
            "shown is what comes nearest"
            if min_relevance is not None
            else "--min-relevance 0 shows the nearest"
        )
        invocation.output.note(f"{result.doubt}; {shown}")
    if fail_empty and not any(item.scored is not None for item in result.items):
        raise typer.Exit(exit_codes.NOT_FOUND)


def _explained(item: PackedItem) -> str:
    """Write what became of one memory on one line."""
    why = f": {item.reason}" if item.reason else ""
    relevance = f"{item.scored.relevance:.2f} " if item.scored is not None else ""
    start = f"  {item.form:<9} {item.tokens:>4} tokens  {relevance}{item.memory.id[:8]}  "
    room = max(16, min(60, plain.line_width() - len(start) - len(why)))
    return start + plain.cut(item.memory.content, room) + why


def _summary(recall: Recall) -> str:
    """Write on one line what the text takes, and what is not in it."""
    result = f"{recall.tokens} of {recall.budget} tokens: {plain.many(len(recall.items), 'memory')}"
    repeated = len(recall.repeated)
    dropped = len(recall.dropped) - repeated
    if recall.shortened or dropped:
        result += f", {len(recall.shortened)} shortened, {dropped} dropped"
    if repeated:
        result += f"; {plain.many(repeated, 'repetition')} left out"
    return result + (f"; {len(recall.left_out)} left out as not relevant" if recall.left_out else "")
