"""`agentmem fact dupes`."""

from __future__ import annotations

from typing import Annotated

import typer

from agent_memory.records import to_dict
from agentmem_cli import confirm, options
from agentmem_cli.context import Invocation


def dupes(
    context: typer.Context,
    threshold: Annotated[
        float,
        typer.Option("--threshold", metavar="0..1", min=0.0, max=1.0, help="The least cosine that counts."),
    ] = 0.9,
    merge: Annotated[
        bool, typer.Option("--merge", help="Merge them; `agentmem undo` takes that back.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Show facts that say nearly the same, and merge them if asked to.

    Of each group the most important one stays and takes over the others' tags. Nothing is deleted.

    Examples:
        agentmem fact dupes
        agentmem fact dupes --threshold 0.95 --merge -y
    """
    invocation = Invocation.of(context)
    with invocation.memory() as memory:
        found = memory.long_term.find_duplicates(threshold)
        count = sum(len(group.merged) for group in found)
        if (
            merge
            and found
            and not dry_run
            and confirm.ask(invocation, f"merge {count} facts into {len(found)}")
        ):
            count = memory.long_term.consolidate_duplicates(threshold)
            invocation.output.note(f"merged {count} facts (agentmem undo takes it back)")
    rows = [
        {"kept": to_dict(group.kept), "merged": [to_dict(each) for each in group.merged]} for group in found
    ]
    invocation.output.groups(rows)
