"""A person who opens the file with any SQLite tool understands it; old and new SQLite serve it in turn."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from agent_memory.records import OWN_FIELDS, MemoryType
from agent_memory.storage.sqlite import migrate
from agent_memory.storage.where import Where
from agent_memory.testing import builders

from .support import add, child, opened, raw

pytestmark = pytest.mark.anyio
ONE_OF_EACH = [
    builders.note("the build is running", context_type="task"),
    builders.fact("Alice lives in Lisbon", tags=("home", "people")),
    builders.message("Hello!", name="Alice"),
    builders.event("Finished the review", event_type="task_completed", participants=("Alice", "Bob")),
    builders.document("Python was created by Guido van Rossum", title="Python"),
    builders.skill("On 429, wait and try again", name="error handling", triggers=("429",)),
]


async def test_each_type_has_its_table_and_its_view(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        stored = await add(store, *ONE_OF_EACH)
    with raw(tmp_path / "a.db") as connection:
        for record in stored:
            kind = record.memory_type
            columns = [row[1] for row in connection.execute(f"pragma table_info({kind})")]
            assert sorted(columns) == sorted(["memory", *(own.name for own in OWN_FIELDS[kind]), "checksum"])
            found = connection.execute(f"select id, content from {kind}_memory").fetchall()
            assert found == [(record.id, record.content)]


async def test_what_is_left_out_of_an_insert_is_null(tmp_path: Path) -> None:
    """`driver.insert_many` counts on it: a column that may be NULL has no other default."""
    async with opened(tmp_path / "a.db"):
        pass
    with raw(tmp_path / "a.db") as connection:
        for table in ("memory", "embedding", "journal", *MemoryType):
            for _, name, _, filled, default, _ in connection.execute(f"pragma table_info({table})"):
                assert filled or default is None, f"{table}.{name}"


async def test_plain_sql_tells_everything(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await add(store, *ONE_OF_EACH)
    with raw(tmp_path / "a.db") as connection:

        def one(sql: str) -> object:
            return connection.execute(sql).fetchone()

        assert one("select participants from episodic_memory") == ('["Alice","Bob"]',)
        assert one("select conversation_id, position, role, name from conversation_memory") == (
            *("chat-1", 0, "user", "Alice"),
        )
        assert one("select group_concat(tag) from memory_tag") == ("home,people",)
        assert one("select count(*), count(distinct command) from history") == (6, 1)
        assert one("select value from setting where name = 'agent_id'") == ("tester",)
        assert one("select words from memory_fts where memory_fts match 'lisbon'") == (
            "alice lives in lisbon home people",
        )
        assert one("pragma application_id") == (0x41474D31,)
        assert one("pragma journal_mode") == ("wal",)
        assert one("pragma user_version") == (migrate.newest(),)


async def test_the_vector_index_can_be_asked_in_sql(tmp_path: Path) -> None:
    facts = [builders.fact(f"fact {number}") for number in range(20)]
    given = dict(zip(map(builders.digest, facts), builders.random_vectors(20, dimension=64), strict=True))
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(builders.space(dimension=64))
        await add(store, *facts, vectors={digest: [vector] for digest, vector in given.items()})
    with raw(tmp_path / "a.db", extension=True) as connection:
        nearest = connection.execute(
            "select memory.content from memory_vec join embedding on embedding.id = memory_vec.rowid"
            " join memory on memory.embedded_hash = embedding.text_hash"
            " where memory_vec.bits match vec_quantize_binary(?) and k = 1",
            (given[builders.digest(facts[7])],),
        ).fetchall()
    assert nearest == [("fact 7",)]


def test_the_types_of_the_schema_are_those_of_the_records(tmp_path: Path) -> None:
    from agent_memory.storage.sqlite.connection import open_file

    connection, _ = open_file(str(tmp_path / "a.db"), busy_timeout=1, synchronous="full")
    tables = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
    connection.close()
    assert {kind.value for kind in MemoryType} <= tables


_IN_TURN = """
import asyncio, sys
from agent_memory.storage.sqlite import SqliteStore, driver
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.where import Where
from agent_memory.testing import builders

async def main(path, number):
    store = SqliteStore("tester", path=path)
    await store.open()
    record = builders.fact(f"lion number{number}", metadata={"n": number, "x": 0.1})
    space = await store.add_space(builders.space(dimension=16))
    vector = builders.random_vectors(number + 1, dimension=16)[number]
    await store.commit(Operation(verb="add"), [Add(record)], {builders.digest(record): [vector]})
    words = await store.by_keyword(["lions"], Where(), 100)
    nearest = await store.by_vector(vector, Where(), 1)
    assert nearest[0][0] == record.id, nearest
    assert len(words) == number + 1, words
    assert await store.count(Where(metadata=builders_conditions(number))) == 1
    assert await store.check() == [], await store.check()
    await store.close()
    print(driver.module.__name__, driver.module.sqlite_version)

def builders_conditions(number):
    from agent_memory.storage.where import conditions
    return conditions({"n": number, "x": 0.1})

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


def test_old_and_new_sqlite_use_one_file_in_turn(tmp_path: Path) -> None:
    libraries = ["sqlite3", *(name for name in ("pysqlite3", "sqlean") if find_spec(name))]
    assert sys.platform != "linux" or len(libraries) > 1, "a second SQLite belongs to the development tools"
    versions = [
        child(_IN_TURN, tmp_path / "a.db", number, AGENTMEM_SQLITE_DRIVER=libraries[number % len(libraries)])
        for number in range(4)
    ]
    assert len(set(versions)) == len(libraries)


async def test_a_short_fact_takes_no_more_than_2600_bytes(tmp_path: Path) -> None:
    from numpy.random import default_rng

    from agent_memory.embeddings.base import pack_rows

    chance, facts = default_rng(1), []
    names = ["".join(row) for row in chance.choice(list("aeioubcdfglmnprst"), size=(3000, 6))]
    for number in range(10_000):
        chosen = " ".join(names[int(sequence)] for sequence in chance.zipf(1.3, size=10) % 3000)
        facts.append(builders.fact(f"{chosen} {number}"))
    assert 70 < sum(len(fact.content) for fact in facts) / len(facts) < 90
    vectors = pack_rows(chance.normal(size=(10_000, 384)))
    path = tmp_path / "a.db"
    async with opened(path) as store:
        await store.add_space(builders.space(dimension=384))
        await add(
            store, *facts, vectors={builders.digest(f): [v] for f, v in zip(facts, vectors, strict=True)}
        )
        assert await store.count(Where()) == 10_000
    assert path.stat().st_size / 10_000 <= 2600


ORDERED = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from agent_memory.storage.base import Order
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders

START = datetime(2026, 5, 8, 12, 0, 33, tzinfo=UTC)
FRACTIONS = [999_700, 1, 499_999, 999_499, 500_000, 999_999, 0, 999_500]

async def main():
    store = SqliteStore("tester", path=sys.argv[1])
    await store.open()
    if sys.argv[2] == "write":
        times = [START + timedelta(microseconds=each, seconds=each % 2) for each in FRACTIONS]
        facts = [builders.fact(f"fact {each}", created_at=each, updated_at=each) for each in times]
        await store.commit(Operation(verb="add"), [Add(each) for each in facts])
    listed = await store.select(Where(), Order("created"))
    assert [each.created_at for each in listed] == sorted((each.created_at for each in listed), reverse=True)
    assert len(listed) == len(FRACTIONS)
    assert await store.check() == []
    await store.close()

asyncio.run(main())
"""


def test_times_with_fractions_are_in_order_for_every_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    libraries = [name for name in ("pysqlite3", "sqlean", "sqlite3") if find_spec(name)]
    child(ORDERED, path, "write", AGENTMEM_SQLITE_DRIVER=libraries[0])
    for library in libraries:
        child(ORDERED, path, "read", AGENTMEM_SQLITE_DRIVER=library)


async def test_no_index_holds_what_a_version_of_sqlite_makes_of_a_time(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await add(store, builders.fact())
    with raw(tmp_path / "a.db") as connection:
        made = [
            row[0]
            for row in connection.execute("select sql from sqlite_master where type = 'index' and sql <> ''")
        ]
    assert made
    clocks = ("unixepoch", "strftime", "julianday", "datetime(")
    assert [entry for entry in made if any(name in entry for name in clocks)] == []
