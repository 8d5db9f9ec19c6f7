"""Killing a server in the middle of writing, and starting it again: nothing acknowledged may be lost."""

from __future__ import annotations

from typing import Protocol

import anyio
from anyio.to_thread import run_sync

from agent_memory.errors import BackendError
from agent_memory.storage.base import Order, Store
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, put, texts


class Killable(Protocol):
    """A server that can be killed and comes back with what it had on disk."""

    def kill(self) -> None:
        """Kill it."""

    def restart(self) -> None:
        """Start it again."""


async def survives(
    store: Store, server: Killable, *, writers: int, writes: int, pause: float = 0.3
) -> list[str]:
    """Write while the server is killed and comes back; return what was acknowledged, all of which is there."""
    acknowledged: list[str] = []
    unsure = 0

    async def write(writer: int) -> None:
        nonlocal unsure
        for number in range(writes):
            text = f"{writer} {number}"
            try:
                await put(store, builders.message(text))
                acknowledged.append(text)
            except BackendError:
                unsure += 1
                await anyio.sleep(0.1)

    async with anyio.create_task_group() as tasks:
        for writer in range(writers):
            tasks.start_soon(write, writer)
        await anyio.sleep(pause)
        await run_sync(server.kill)
        await anyio.sleep(pause)
        await run_sync(server.restart)
    stored = texts(await store.select(EVERYTHING, Order("position", descending=False)))
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored)) <= len(acknowledged) + unsure
    assert len(acknowledged) > writers * writes // 4
    assert await store.check() == []
    return acknowledged
