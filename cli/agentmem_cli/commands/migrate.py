"""`agentmem migrate`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.redaction import redacted
from agent_memory.transfer import places
from agentmem_cli import hints, options
from agentmem_cli.commands import moved
from agentmem_cli.context import Invocation
from agentmem_cli.output import plain

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory
    from agent_memory.transfer.fleet import AgentMoved, Fleet


def migrate(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="URL|PATH", help="Where to: a backend's URL, or the path of a file or folder."
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="URL|PATH", help="Where from, if not the memory in use."),
    ] = None,
    on_conflict: moved.WhenDifferent = "refuse",
    switch: Annotated[
        bool,
        typer.Option(
            "--switch", help="Move what is in use: writes are refused here once all of it is there."
        ),
    ] = False,
    all_: Annotated[
        bool, typer.Option("--all", help="All agents of a server, or of a folder of files.")
    ] = False,
    agents: Annotated[
        list[str] | None,
        typer.Option(
            "--agents", metavar="GLOB", help="Only these agents, such as 'team-*'; may be repeated."
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="How many agents at once.")
    ] = 4,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Take --switch back: let the old place take writes again.")
    ] = False,
    dry_run: options.DryRun = False,
) -> None:
    """Copy everything of one agent, or of many, into another store, and compare both.

    With ids, times, tags, history, archived memories and vectors; nothing is embedded anew. What the other backend
    cannot keep is said before anything is written. The source is only read. A second run changes nothing, and one
    that was stopped is run again.

    With --switch the agent may be in use. What is written meanwhile comes along; then writes are refused here, by
    every process, with a message that says where the agent is. Nothing is deleted here.

    Examples:
        agentmem migrate --to postgresql://me@db.example.org/memory
        agentmem migrate --all --switch --to redis+cluster://redis.example.org -j 8
    """
    invocation = Invocation.of(context)
    patterns = ["*"] if all_ else list(agents or ())
    if all_ and agents:
        raise ValidationError("--all and --agents exclude each other", hint="give one of them")
    if reopen and (to is not None or switch):
        raise ValidationError("--reopen has no other place", hint="leave --to and --switch out")
    if to is None and not reopen:
        raise ValidationError("nothing says where to", hint="give --to URL or --to PATH")
    if patterns:
        fleet = _fleet(invocation, from_, patterns, jobs)
        if to is None:
            _reopen_all(invocation, fleet)
        else:
            _migrate_all(invocation, fleet, to, on_conflict, switch=switch, dry_run=dry_run)
    elif to is None:
        _reopen(invocation, from_)
    else:
        _migrate(invocation, from_, to, on_conflict, switch=switch, dry_run=dry_run)


# --- one agent -------------------------------------------------------------------------------------------------


def _migrate(
    invocation: Invocation, from_: str | None, to: str, on_conflict: str, *, switch: bool, dry_run: bool
) -> None:
    with _source(invocation, from_) as memory:
        agent = memory.agent_id
        target = places.target(_place(invocation, to), agent, dry_run=dry_run)
        with invocation.progress("migrating") as report:
            done = memory.migrate_to(
                target,
                on_conflict=on_conflict,  # type: ignore[arg-type]
                switch=switch,
                dry_run=dry_run,
                progress=report,
            )
        pending = done.pending if memory.has_semantic else 0
    moved.say(invocation, done, dry_run=dry_run, where="there")
    if dry_run:
        return
    if done.switched:
        invocation.output.note(_switched(done.refused_seconds))
    if pending:
        invocation.output.note(
            f"{plain.many(pending, 'text')} there still to embed: run `agentmem index` there"
        )
    setting = "backend" if "://" in to else "db"
    invocation.output.note(
        f"to use it from now on: agentmem config set {setting} {shlex.quote(redacted(to))}"
    )


def _switched(seconds: float) -> str:
    return f"writes are refused here now; for {seconds:.2f} s they were refused everywhere"


def _reopen(invocation: Invocation, from_: str | None) -> None:
    with _source(invocation, from_) as memory:
        place = memory.reopen()
    if place is None:
        invocation.output.note("it was not moved, and takes writes")
    else:
        invocation.output.note(f"it takes writes again; what was written in {place} since is not here")


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


# --- many agents -----------------------------------------------------------------------------------------------


def _fleet(invocation: Invocation, from_: str | None, patterns: Sequence[str], jobs: int) -> Fleet:
    from agent_memory.transfer.fleet import Fleet

    settings = invocation.settings
    if from_ is None and settings.get("db") is not None:
        raise ValidationError(
            f"{settings.get('db')} holds one agent",
            hint="give the folder of many with --from, or leave --db out",
        )
    return Fleet(
        source=_place(invocation, str(settings.get("backend")) if from_ is None else from_),
        agents=patterns,
        jobs=jobs,
        home=settings.get("home"),
        offline=bool(settings.get("offline")),
        actor=invocation.actor,
        session=settings.get("session"),
    )


def _migrate_all(
    invocation: Invocation, fleet: Fleet, to: str, on_conflict: str, *, switch: bool, dry_run: bool
) -> None:
    from agent_memory.sync.fleet import migrate_agents
    from agentmem_cli import progress

    with progress.agents(invocation.output.note, quiet=invocation.flags.quiet) as report:
        results = migrate_agents(
            fleet,
            _place(invocation, to),
            on_conflict=on_conflict,  # type: ignore[arg-type]
            switch=switch,
            dry_run=dry_run,
            report=report,
        )
    rows = []
    for one in results:
        row: dict[str, object] = {"agent": one.agent_id}
        if one.moved is not None:
            row |= moved.counts(one.moved)
        row |= {"problem": None if one.error is None else hints.told(one.error)}
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    invocation.output.rows([{name: row.get(name) for name in names} for row in rows], id="agent")
    _end(invocation, results)


def _reopen_all(invocation: Invocation, fleet: Fleet) -> None:
    from agent_memory.sync.fleet import reopen_agents

    results = reopen_agents(fleet)
    rows = [
        {"agent": one.agent_id, "problem": None if one.error is None else hints.told(one.error)}
        for one in results
    ]
    invocation.output.rows(rows, id="agent")
    _end(invocation, results)


def _end(invocation: Invocation, results: Sequence[AgentMoved]) -> None:
    """Print how many could not be moved, and exit as the first of them would have."""
    from agent_memory.transfer.fleet import failed
    from agentmem_cli import exit_codes

    wrong = failed(results)
    for one in wrong:
        assert one.error is not None
        invocation.output.note(f"{one.agent_id}: {hints.told(one.error)}")
    if wrong and wrong[0].error is not None:
        invocation.output.note(f"{len(wrong)} of {plain.many(len(results), 'agent')} failed: run it again")
        raise typer.Exit(exit_codes.of(wrong[0].error))
