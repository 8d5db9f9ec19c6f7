"""Files to be damaged: made once, and what stands in their rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from agent_memory.records import MemoryRecord
from agent_memory.storage.sqlite import driver
from agent_memory.testing import builders

from ..support import ALL, add, opened

DIMENSION = 16
TABLES = (
    *("memory", "memory_tag", "usage", "short_term", "long_term", "conversation", "episodic", "semantic"),
    *("procedural", "embedding_space", "embedding", "setting", "bookkeeping", "operation", "journal"),
    *(
        "memory_fts_content",
        "memory_fts_docsize",
        "memory_fts_data",
        "memory_vec_chunks",
        "memory_vec_rowids",
    ),
    *("memory_vec_vector_chunks00", "memory_vec_info"),
)
"""Whose rows are damaged."""


async def filled(path: Path, count: int) -> list[MemoryRecord]:
    """Make a file of memories of all types, facts above all, each with a word of its own."""
    async with opened(path) as store:
        await store.add_space(builders.space(dimension=DIMENSION))
        facts = [
            builders.fact(
                f"Fact word{number} of the zebra",
                tags=("striped", "wild") if number % 3 == 0 else (),
                metadata={"number": number} if number % 2 else {},
            )
            for number in range(count)
        ]
        supply = builders.random_vectors(count, dimension=DIMENSION)
        given = {builders.digest(f): [v] for f, v in zip(facts, supply, strict=True)}
        for start in range(0, count, 50):
            await add(store, *facts[start : start + 50], vectors=given)
        await add(
            store,
            builders.note(),
            builders.message(),
            builders.event(participants=("Ann", "Bo")),
            builders.document(),
            builders.skill(triggers=("deploy", "ship"), steps=("build", "push")),
        )
        await store.touch([fact.id for fact in facts[:5]])
        await store.set_setting("conversation", "the-one")
        return await store.select(ALL)


def dump(path: Path) -> dict[str, int]:
    """Return a number for each table that changes when anything in its rows does.

    Raises:
        driver.Error: SQLite cannot read it all.
    """
    connection = driver.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    connection.text_factory = bytes
    try:
        return {table: hash(str(connection.execute(f"select * from {table}").fetchall())) for table in TABLES}
    finally:
        connection.close()


def answers(path: Path) -> int:
    """Return a number that changes when the full-text index answers anything else than before."""
    connection = driver.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)
    connection.text_factory = bytes
    try:
        connection.execute("create virtual table temp.places using fts5vocab(main, memory_fts, instance)")
        places = connection.execute("select term, doc, offset from temp.places").fetchall()
        query = "select rowid from memory_fts where memory_fts match ?"
        terms = sorted({term.decode() for term, *_ in places})
        return hash(str([places, [connection.execute(query, (f'"{term}"',)).fetchall() for term in terms]]))
    except (driver.Error, UnicodeDecodeError):
        return 0
    finally:
        connection.close()


class Flip(NamedTuple):
    """A byte of a value in a row that became another."""

    table: str
    content: bytes
    """Of the whole file."""


def flips(path: Path, count: int, seed: int) -> Iterator[Flip]:
    """Give copies of a file that differ from it in one byte of one value in a row, of each table alike often."""
    chance = random.Random(seed)
    whole, before = path.read_bytes(), dump(path)
    values = _values(path)
    answered = answers(path)
    damaged = path.with_name("damaged.db")
    given = 0
    while given < count:
        value = chance.choice(values[TABLES[given % len(TABLES)]])
        start = chance.randrange(max(1, len(value) - 200))
        part = value[start : start + 200]  # a long value lies in several pages
        places = list(islice(_places(whole, part), 1000))
        if not places:
            continue
        content = bytearray(whole)
        content[chance.choice(places) + chance.randrange(len(part))] ^= chance.choice(
            (1, 4, 32, 64, 128, 255)
        )
        damaged.write_bytes(content)
        try:
            after = dump(damaged)
        except (driver.Error, UnicodeDecodeError):
            continue  # it was not in a row, but in what holds the rows together
        changed = [table for table in after if after[table] != before[table]]
        if changed == ["memory_fts_data"] and answers(damaged) == answered:
            continue  # a byte of it that no search ever reads
        if changed:
            given += 1
            yield Flip(changed[0], bytes(content))


def _places(whole: bytes, value: bytes) -> Iterator[int]:
    sequence = whole.find(value)
    while sequence >= 0:
        yield sequence
        sequence = whole.find(value, sequence + 1)


def _values(path: Path) -> dict[str, list[bytes]]:
    connection = driver.connect(str(path))
    connection.text_factory = bytes
    try:
        return {
            table: [
                value
                for row in connection.execute(f"select * from {table} limit 2000")
                for value in row
                if isinstance(value, bytes) and len(value) > 1
            ]
            or [b"memory"]
            for table in TABLES
        }
    finally:
        connection.close()
