"""Opening stores and looking at their files from behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from agent_memory.records import MemoryRecord
from agent_memory.storage.changes import Add, Operation, Remove, Replace, Written
from agent_memory.storage.sqlite import SqliteStore, driver
from agent_memory.storage.where import Where

ALL = Where(statuses=(), expired=None)


@asynccontextmanager
async def opened(path: Path, agent_id: str | None = "tester", **options: Any) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(agent_id, path=path, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def raw(path: Path, *, extension: bool = False) -> Iterator[driver.Connection]:
    """Open the file behind the store's back, with the library that this process uses anyway."""
    connection = driver.connect(str(path))
    try:
        if extension:
            assert driver.load_vector_extension(connection)
        yield connection
    finally:
        connection.close()


async def add(store: SqliteStore, *records: MemoryRecord, vectors: Any = None) -> list[MemoryRecord]:
    written = await store.commit(Operation(verb="add"), [Add(record) for record in records], vectors)
    return [write.record for write in written]


async def replace(store: SqliteStore, *records: MemoryRecord, verb: str = "update") -> list[MemoryRecord]:
    changes = [Replace(record, verb) for record in records]
    return [item.record for item in await store.commit(Operation(verb=verb), changes)]


async def remove(store: SqliteStore, *records: MemoryRecord, erase: bool = False) -> list[Written]:
    return await store.commit(Operation(verb="remove"), [Remove(record, erase) for record in records])


def child(program: str, *arguments: object, timeout: float = 120, **environment: str) -> str:
    """Run a program in a fresh interpreter and return what it printed; anything on stderr fails the test."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    # On a busy machine asyncio says in its development mode that a step took more than a tenth of a second.
    said = [line for line in done.stderr.splitlines() if not re.match(r"Executing <.* took \d", line)]
    assert said == []
    return done.stdout


def bytes_of(path: Path) -> bytes:
    """Return everything that is on the disk of a store that nobody has open in this process."""
    beside: Sequence[Path] = [path, Path(f"{path}-wal"), Path(f"{path}-journal")]
    return b"".join(item.read_bytes() for item in beside if item.exists())
