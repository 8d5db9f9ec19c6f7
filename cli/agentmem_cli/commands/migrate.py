"""`agentmem migrate`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent_memory import filesystem, paths
from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.redaction import redacted
from agentmem_cli import options
from agentmem_cli.commands import moved
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.storage.base import Store
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
        target = _target(invocation, to, agent, dry_run=dry_run)
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
def _source(invocation: Invocation, place: str | None) -> Iterator[SyncAgentMemory]:
    if place is None:
        with invocation.memory() as memory:
            if invocation.missing is not None:
                raise MemoryNotFoundError(hint=f"there is no file {invocation.missing}; nothing was written")
            yield memory
        return
    backend, config = _named(invocation, place)
    agent = invocation.flags.agent
    if backend == "sqlite":
        config["create"] = False  # a slip of the pen must not make an empty store
    elif agent is None:
        agent = str(invocation.settings.get("agent"))
    from agent_memory.storage.registry import create_store

    with invocation.memory_in(create_store(backend, agent, config)) as memory:
        yield memory


def _target(invocation: Invocation, place: str, agent: str, *, dry_run: bool) -> Store:
    from agent_memory.storage.registry import create_store

    backend, config = _named(invocation, place)
    if backend == "sqlite":
        if not config.get("path"):
            raise ValidationError("sqlite names no file", hint="give the file's path, or sqlite:///PATH")
        path = paths.expanded(config["path"])
        if not path.parent.is_dir():
            raise ValidationError(f"there is no folder {path.parent}", hint="make it first")
        if dry_run and filesystem.kind(path) is None:
            backend, config = "memory", {}  # only looking makes no file
    return create_store(backend, agent, config)


def _named(invocation: Invocation, place: str) -> tuple[str, dict[str, Any]]:
    """Return the backend and its options that a URL, a backend's name or a path means."""
    from agent_memory.storage.registry import BACKENDS, check_backend_name

    scheme, separator, rest = place.partition("://")
    if separator and scheme.lower() == "sqlite":
        return "sqlite", {"path": rest}
    if not separator and place not in BACKENDS.names():
        return "sqlite", {"path": place}
    used = str(invocation.settings.get("backend")).partition("://")[0]
    config = dict(invocation.settings.options("backend_config")) if used == scheme else {}
    return check_backend_name(place), config
