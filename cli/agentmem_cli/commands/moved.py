"""What `import` and `migrate` share: their option, and how they tell what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.transfer.moving import Moved
    from agentmem_cli.context import Invocation

WhenDifferent = Annotated[
    str,
    typer.Option(
        "--on-conflict",
        metavar="WAY",
        help="Where one differs there: refuse (write nothing), keep it, or replace it.",
    ),
]


def say(invocation: Invocation, done: Moved, *, dry_run: bool, where: str = "here") -> None:
    """Print the counts, and what is left to do."""
    invocation.output.details(counts(done))
    if dry_run:
        invocation.output.note(f"would write {plain.many(done.changed, 'memory')}")
    elif not done.changed:
        invocation.output.note(f"everything was {where} already")


def counts(done: Moved) -> dict[str, int | float]:
    """Return what is told of an import or a migration."""
    row: dict[str, int | float] = {
        "added": done.added,
        "updated": done.updated,
        "gone": done.gone,
        "same": done.same,
    }
    if done.kept or done.settled:
        row |= {"kept": done.kept, "replaced": done.settled}
    if done.verified:
        row |= {"verified": done.verified}
    if done.switched:
        row |= {"refused_seconds": round(done.refused_seconds, 3)}
    return row
