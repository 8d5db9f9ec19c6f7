"""`agentmem migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agent_memory.errors import MemoryNotFoundError
from agent_memory.redaction import redacted
from agent_memory.transfer import places
from agentmem_cli import options
from agentmem_cli.commands import moved
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory


def migrate(
    context: typer.Context,
    to: Annotated[
        str, typer.Option("--to", metavar="URL|PATH", help="Where to: a backend's URL, or a file's path.")
    ],
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="URL|PATH", help="Where from, if not the memory in use."),
    ] = None,
    on_conflict: moved.WhenDifferent = "refuse",
    dry_run: options.DryRun = False,
) -> None:
    """Bring everything of one agent into another store, and compare both afterwards.

    With ids, times, tags, history, archived memories and vectors; nothing is embedded anew. What the other backend
    cannot keep is said before anything is written. The source is only read. A second run changes nothing, and one
    that was stopped is run again.

    Examples:
        agentmem migrate --to postgresql://me@db.example.org/memory
        agentmem migrate --from old.db --to redis://localhost:6379 --dry-run
    """
    invocation = Invocation.of(context)
    with _source(invocation, from_) as memory:
        agent = memory.agent_id
        target = places.target(_place(invocation, to), agent, dry_run=dry_run)
        with invocation.progress("migrating") as report:
            done = memory.migrate_to(
                target,
                on_conflict=on_conflict,  # type: ignore[arg-type]
                dry_run=dry_run,
                progress=report,
            )
        pending = done.pending if memory.has_semantic else 0
    moved.say(invocation, done, dry_run=dry_run, where="there")
    if dry_run:
        return
    if pending:
        invocation.output.note(
            f"{plain.many(pending, 'text')} there still to embed: run `agentmem index` there"
        )
    setting = "backend" if "://" in to else "db"
    invocation.output.note(f"to use it from now on: agentmem config set {setting} {redacted(to)}")


@contextmanager
def _source(invocation: Invocation, name: str | None) -> Iterator[SyncAgentMemory]:
    if name is None:
        with invocation.memory() as memory:
            if invocation.missing is not None:
                raise MemoryNotFoundError(hint=f"there is no file {invocation.missing}; nothing was written")
            yield memory
        return
    place = _place(invocation, name)
    agent = invocation.flags.agent
    if place.backend != "sqlite" and agent is None:
        agent = str(invocation.settings.get("agent"))
    with invocation.memory_in(places.source(place, agent)) as memory:
        yield memory


def _place(invocation: Invocation, name: str) -> places.Place:
    settings = invocation.settings
    return places.place(
        name, backend=str(settings.get("backend")), options=settings.options("backend_config")
    )
