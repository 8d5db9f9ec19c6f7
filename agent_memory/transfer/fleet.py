"""Moving many agents at once, each as a single one is moved; one that cannot be moved stops no other."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Protocol

import anyio

from agent_memory import paths
from agent_memory.errors import (
    AgentMemoryError,
    IntegrityError,
    MemoryNotFoundError,
    StoreBusyError,
    StoreUnreachableError,
    ValidationError,
)
from agent_memory.hints import Hint
from agent_memory.storage.base import Store
from agent_memory.transfer import moving, places, switching
from agent_memory.transfer.deciding import OnConflict
from agent_memory.transfer.moving import Moved
from agent_memory.transfer.places import Place
from agent_memory.transfer.switching import Turns

_PASSING: Final = (StoreBusyError, StoreUnreachableError, IntegrityError)
"""What a server that was away for a moment leads to, or one that took over and lacks what had been acknowledged."""
_TRIES: Final = 3
_PAUSE: Final = 1.0
"""Seconds from one try to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMoved:
    """What became of one agent."""

    agent_id: str
    moved: Moved | None = None
    """None: it could not be moved, or was only opened again."""
    error: AgentMemoryError | None = None
    """Why it could not be moved."""
    seconds: float = 0.0
    """How long it took."""


class Report(Protocol):
    """Is told how far each agent is."""

    def __call__(self, agent_id: str, phase: str, done: int = 0, total: int = 0) -> None:
        """Take note.

        Args:
            agent_id: which agent.
            phase: what is being done; `waiting` at first of every agent, `done` or `failed` at the end.
            done: how many memories are copied, while they are copied.
            total: how many there are to copy.
        """


def unreported(agent_id: str, phase: str, done: int = 0, total: int = 0) -> None:
    """Take no note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Many agents of one place, and how they are to be moved."""

    source: Place
    """A folder of SQLite files, or a server."""
    agents: Sequence[str] = ("*",)
    """Which agents: their names, or patterns such as `team-*`."""
    jobs: int = 4
    """How many at once."""
    home: Path | None = None
    """The folder with the files of the agents; None for the usual one."""
    offline: bool = False
    """Whether the network may not be used."""
    actor: str | None = None
    """Who does it, for the logs of the targets."""
    session: str | None = None
    """In which session."""

    async def chosen(self) -> dict[str, Place]:
        """List the agents that are meant, each with its place.

        Returns:
            The places, by name of the agent.

        Raises:
            MemoryNotFoundError: no agent fits one of the patterns.
        """
        self._check(self.source)
        known = await places.agents(self.source, self._home)
        for pattern in self.agents:
            if not any(_fits(name, pattern) for name in known):
                raise MemoryNotFoundError(
                    pattern, what="agent", hint=Hint("{AGENTS} shows those there are in the memory in use")
                )
        return {
            name: place
            for name, place in known.items()
            if any(_fits(name, pattern) for pattern in self.agents)
        }

    async def migrate_to(
        self,
        target: Place,
        *,
        on_conflict: OnConflict = "refuse",
        switch: bool = False,
        dry_run: bool = False,
        report: Report = unreported,
    ) -> list[AgentMoved]:
        """Copy all of them to another place, or with `switch` move them while they are in use.

        Args:
            target: a folder of SQLite files, or a server.
            on_conflict: as in `AgentMemory.migrate_to`.
            switch: as in `AgentMemory.migrate_to`.
            dry_run: only say what would be done.
            report: told how far each agent is.

        Returns:
            What became of each agent, by name.

        Raises:
            ValidationError: a file is named where many agents need a folder.
            MemoryNotFoundError: there is no such agent.
        """
        self._check(target)
        turns, who = Turns(), {"actor": self.actor, "session": self.session}

        async def move(agent_id: str, place: Place) -> Moved:
            there = places.of_agent(target, agent_id, self._home)
            one, other = (
                places.source(place, agent_id),
                places.target(there, agent_id, dry_run=dry_run),
            )

            def progress(done: int, total: int) -> None:
                report(agent_id, "copying", done, total)

            def phase(name: str) -> None:
                report(agent_id, name)

            async def once() -> Moved:
                if switch and not dry_run:
                    return await switching.switch(
                        one,
                        other,
                        on_conflict=on_conflict,
                        who=who,
                        progress=progress,
                        turns=turns,
                        phase=phase,
                    )
                phase("copying")
                return await moving.migrate(
                    one, other, on_conflict=on_conflict, dry_run=dry_run, who=who, progress=progress
                )

            async with AsyncExitStack() as stack:
                for store in (one, other):
                    await _opened(store, stack)
                for _ in range(_TRIES - 1):
                    try:
                        return await once()
                    except _PASSING:
                        if not await _may_be_repeated(one, other):
                            raise
                    await anyio.sleep(_PAUSE)
                return await once()

        return await self._each(await self.chosen(), move, report)

    async def reopen(self, report: Report = unreported) -> list[AgentMoved]:
        """Accept writes in the stores of all of them again, as `AgentMemory.reopen` does.

        Returns:
            What became of each agent that had been moved, by name.
        """

        async def reopen(agent_id: str, place: Place) -> Moved | None:
            async with AsyncExitStack() as stack:
                store = places.source(place, agent_id)
                await _opened(store, stack)
                mark = await switching.reopen(store)
                return None if mark is None else _nothing()

        results = await self._each(await self.chosen(), reopen, report)
        return [replace(one, moved=None) for one in results if one.moved or one.error]

    # --- each of them --------------------------------------------------------------------------------------

    @property
    def _home(self) -> Path:
        return self.home or paths.home()

    def _check(self, place: Place) -> None:
        if self.jobs < 1:
            raise ValidationError(f"{self.jobs} at once are none", hint="give a number from 1 on")
        if place.backend != "sqlite":
            places.source(place, "default").check_allowed(offline=self.offline)

    async def _each(
        self,
        chosen: Mapping[str, Place],
        work: Callable[[str, Place], Awaitable[Moved | None]],
        report: Report,
    ) -> list[AgentMoved]:
        results: dict[str, AgentMoved] = {}
        for agent_id in sorted(chosen):
            report(agent_id, "waiting")
        waiting = iter(sorted(chosen.items()))

        async def serve() -> None:
            for agent_id, place in waiting:  # one iterator for all: each agent is taken once
                begin, moved, error = time.monotonic(), None, None
                try:
                    moved = await work(agent_id, place)
                except AgentMemoryError as problem:
                    error = problem
                results[agent_id] = AgentMoved(
                    agent_id=agent_id, moved=moved, error=error, seconds=time.monotonic() - begin
                )
                report(agent_id, "done" if error is None else "failed")

        async with anyio.create_task_group() as tasks:
            for _ in range(min(self.jobs, len(chosen))):
                tasks.start_soon(serve)
        return [results[agent_id] for agent_id in sorted(results)]


def _fits(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


async def _may_be_repeated(source: Store, target: Store) -> bool:
    """Return whether another run would notice what is missing: once moved, only a journal of the target tells."""
    if target.capabilities.journal:
        return True
    mark = await source.moved()
    return mark is None or not mark.done


async def _opened(store: Store, stack: AsyncExitStack) -> None:
    await store.open()
    stack.push_async_callback(store.close)


def _nothing() -> Moved:
    return Moved(added=0, updated=0, gone=0, same=0, kept=0, settled=0)


def failed(results: Iterable[AgentMoved]) -> list[AgentMoved]:
    """Return those that could not be moved."""
    return [one for one in results if one.error is not None]
