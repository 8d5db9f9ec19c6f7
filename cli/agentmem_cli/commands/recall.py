"""`agentmem recall`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.choices import formats, listed, modes
from agentmem_cli import options, text_input
from agentmem_cli.context import Invocation
from agentmem_cli.filters import Filters, filtered
from agentmem_cli.output import plain


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
            standing_share=standing_share,
            **filters,
        )
    invocation.output.recall(result)
    if result.items and result.nothing_relevant:
        invocation.output.note("nothing here seems to answer this; recalled is what comes nearest")
    if explain or invocation.flags.verbose:
        for item in (*result.items, *result.dropped):
            why = f": {item.reason}" if item.reason else ""
            score = f"{item.scored.score:.2f} " if item.scored is not None else ""
            start = f"  {item.form:<9} {item.tokens:>4} tokens  {score}{item.memory.id[:8]}  "
            room = max(16, min(60, plain.line_width() - len(start) - len(why)))
            invocation.output.note(start + plain.cut(item.memory.content, room) + why)
    if explain or invocation.flags.verbose or result.shortened or result.dropped:
        invocation.output.note(
            f"{result.tokens} of {result.budget} tokens: {plain.many(len(result.items), 'memory')}, "
            f"{len(result.shortened)} shortened, {len(result.dropped)} dropped"
        )
