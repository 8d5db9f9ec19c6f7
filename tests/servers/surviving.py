"""Killing a server in the middle of writing, and starting it again: nothing acknowledged may be lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import anyio
from anyio.to_thread import run_sync

from agent_memory.errors import BackendError
from agent_memory.storage.base import Order, Store
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, put, texts

_SECONDS = 120
"""After which a server that is started again is not waited for any more."""


class Killable(Protocol):
    """A server that can be killed and comes back with what it had on disk."""

    def kill(self) -> None:
        """Kill it."""

    def restart(self) -> None:
        """Start it again."""


async def survives(
    store: Store, server: Killable, *, writers: int, writes: int, pause: float = 0.3
) -> list[str]:
    """Write while the server is killed and comes back; return what was acknowledged, all of which is there.

    Each writer goes on until the server is back and that many of its writes are acknowledged, however long it takes.
    """
    acknowledged: list[str] = []
    unsure = 0
    back = anyio.Event()

    async def write(writer: int) -> None:
        nonlocal unsure
        done = 0
        for number in count():
            if done >= writes and back.is_set():
                return
            text = f"{writer} {number}"
            try:
                await put(store, builders.message(text))
                acknowledged.append(text)
                done += 1
            except BackendError:
                unsure += 1
                await anyio.sleep(0.1)

    with anyio.fail_after(_SECONDS):
        async with anyio.create_task_group() as tasks:
            for writer in range(writers):
                tasks.start_soon(write, writer)
            await anyio.sleep(pause)
            await run_sync(server.kill)
            await anyio.sleep(pause)
            await run_sync(server.restart)
            back.set()
    stored = texts(await store.select(EVERYTHING, Order("position", descending=False)))
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored)) <= len(acknowledged) + unsure
    assert await store.check() == []
    return acknowledged


@dataclass
class Course:
    """What writers met while something happened to their server."""

    acknowledged: list[str] = field(default_factory=list)
    errors: list[tuple[float, BackendError]] = field(default_factory=list)
    """With the moment of each."""
    longest: float = 0.0
    """Seconds that one write took at most."""

    @property
    def in_error(self) -> float:
        """Seconds from the first error to the last."""
        moments = [moment for moment, _ in self.errors]
        return max(moments, default=0.0) - min(moments, default=0.0)


async def written_through(
    stores: Sequence[Store], happens: Callable[[], object], *, before: float = 0.5, after: float = 1.0
) -> Course:
    """Write by each store without a pause while something happens; check that all is there, and nothing twice.

    Args:
        stores: open stores of one agent.
        happens: what happens meanwhile, in a thread.
        before: seconds of writing before it.
        after: seconds of writing after it.

    Returns:
        What was acknowledged, what was refused, and how long that took.
    """
    course = Course()
    over = False

    async def write(writer: int, store: Store) -> None:
        number = 0
        while not over:
            text, began = f"writer {writer} wrote {number}", anyio.current_time()
            number += 1
            try:
                await put(store, builders.message(text))
                course.acknowledged.append(text)
            except BackendError as error:
                course.errors.append((anyio.current_time(), error))
                await anyio.sleep(0.1)
            course.longest = max(course.longest, anyio.current_time() - began)

    async with anyio.create_task_group() as tasks:
        for writer, store in enumerate(stores):
            tasks.start_soon(write, writer, store)
        try:
            await anyio.sleep(before)
            await run_sync(happens)
            await anyio.sleep(after)
        finally:
            over = True
    stored = texts(await stores[0].select(EVERYTHING, Order("position", descending=False)))
    lost = set(course.acknowledged) - set(stored)
    assert not lost, f"{len(lost)} of {len(course.acknowledged)} acknowledged writes are lost"
    assert len(stored) == len(set(stored)) <= len(course.acknowledged) + len(course.errors)
    assert await stores[0].check() == []
    return course
