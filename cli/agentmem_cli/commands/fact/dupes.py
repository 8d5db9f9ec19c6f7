"""`agentmem fact dupes`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.records import to_dict
from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain


def dupes(
    context: typer.Context,
    threshold: Annotated[
        float,
        typer.Option(
            "--threshold",
            metavar="0..1",
            min=0.0,
            max=1.0,
            help="The least cosine of what is shown as similar.",
        ),
    ] = 0.9,
    merge: Annotated[
        bool, typer.Option("--merge", help="Merge those that say the same; `agentmem undo` takes that back.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Show facts that say the same, and similar ones; merge the same if asked to.

    The same are those in the same words and order, but for the first letter's case, white space, a final full
    stop and articles. Of each group the most important one stays and takes over the others' tags. Nothing is
    deleted, and what is only similar is never merged.

    Examples:
        agentmem fact dupes --threshold 0.8
        agentmem fact dupes --merge -y
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        groups = memory.long_term.find_duplicates(threshold)
        merges = [len(group.merged) for group in groups if group.merged]
        if merge and not merges:
            invocation.output.note("nothing to merge: no two say the same")
        elif merge and not dry_run:
            confirm.ask(invocation, f"merge {plain.many(sum(merges), 'fact')} into {len(merges)} other")
            count = memory.long_term.consolidate_duplicates(groups)
            invocation.output.note(f"merged {plain.many(count, 'fact')} (agentmem undo takes it back)")
    rows = [
        {
            "kept": to_dict(group.kept),
            "merged": [to_dict(item) for item in group.merged],
            "similar": [to_dict(item) for item in group.similar],
        }
        for group in groups
    ]
    invocation.output.groups(rows)
