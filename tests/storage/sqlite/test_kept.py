"""What is kept in memory from one search to the next never shows: a handle that was just opened finds the same."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agent_memory import SyncAgentMemory, clock
from agent_memory.errors import AgentMemoryError
from agent_memory.settings import Settings
from agent_memory.storage.sqlite import SqliteStore, driver, kept_memories, kept_vectors
from agent_memory.storage.sqlite.kept_vectors import KeptVectors
from agent_memory.storage.sqlite.vectors import matrix, widened_rows

WORDS = ("apple", "river", "running", "code", "deploy", "theme", "dark", "ticket", "Oslo", "certificate")
CONTENTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join)
QUERIES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
TAGS = st.sampled_from(["red", "green"])
FILTERS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"tags": ["red"]}, {"types": ["fact"]}, {"metadata": {"n": 1}}]
)
MODES = st.sampled_from(["hybrid", "hybrid", "keyword", "vector"])


def opened(path: Path) -> SyncAgentMemory:
    return SyncAgentMemory(
        None, Settings(backend_config={"path": str(path)}, embedding_provider="dummy")
    ).open()


def shown(memory: SyncAgentMemory, query: str, mode: Any, filters: dict[str, Any]) -> list[Any]:
    found = memory.search(query, 20, mode=mode, explain=True, count_access=False, **filters)
    return [(item.memory, item.score, item.relevance, item.similarity, item.explanation) for item in found]


class Kept(RuleBasedStateMachine):
    """Two handles that stay open write and search by turns; each search is compared with one by a new handle."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "a.db"
        self.ids: list[str] = []
        self.dimension = 0
        self.moment = datetime(2026, 5, 8, 12, 0, tzinfo=UTC)

    @initialize()
    def open(self) -> None:
        self.clock = clock.fixed(self.moment)
        self.clock.__enter__()
        self.handles = [opened(self.path), opened(self.path)]

    def teardown(self) -> None:
        for memory in self.handles:
            memory.close()
        self.clock.__exit__(None, None, None)
        self.folder.cleanup()

    def id(self, number: int) -> str | None:
        return self.ids[number % len(self.ids)] if self.ids else None

    @rule(handle=st.integers(0, 1), contents=st.lists(CONTENTS, min_size=1, max_size=5), tag=TAGS)
    def add(self, handle: int, contents: list[str], tag: str) -> None:
        memory = self.handles[handle]
        self.ids += [memory.add(text, "fact", tags=[tag], metadata={"n": len(text) % 2}) for text in contents]

    @rule(handle=st.integers(0, 1), contents=st.lists(CONTENTS, min_size=1, max_size=4))
    def say(self, handle: int, contents: list[str]) -> None:
        for number, text in enumerate(contents):
            role = "assistant" if number % 2 else "user"
            self.ids.append(
                self.handles[handle].conversation.add_message(role, f"{text}?", conversation_id="c")
            )

    @rule(handle=st.integers(0, 1), content=CONTENTS)
    def set_for_a_minute(self, handle: int, content: str) -> None:
        self.ids.append(self.handles[handle].add(content, "note", ttl=60))

    @rule(minutes=st.sampled_from([0.5, 5]))
    def wait(self, minutes: float) -> None:
        self.clock.__exit__(None, None, None)
        self.moment += timedelta(minutes=minutes)
        self.clock = clock.fixed(self.moment)
        self.clock.__enter__()

    @rule(handle=st.integers(0, 1), number=st.integers(0, 50), content=CONTENTS)
    def update(self, handle: int, number: int, content: str) -> None:
        if (memory_id := self.id(number)) is not None:
            with suppress(AgentMemoryError):
                self.handles[handle].update(memory_id, content=content)

    @rule(handle=st.integers(0, 1), number=st.integers(0, 50), shred=st.booleans())
    def forget(self, handle: int, number: int, shred: bool) -> None:
        if (memory_id := self.id(number)) is not None:
            with suppress(AgentMemoryError):
                self.handles[handle].forget(memory_id, shred=shred)

    @rule(handle=st.integers(0, 1), number=st.integers(0, 50))
    def restore(self, handle: int, number: int) -> None:
        if (memory_id := self.id(number)) is not None:
            with suppress(AgentMemoryError):
                self.handles[handle].restore(memory_id)

    @rule(handle=st.integers(0, 1))
    def undo(self, handle: int) -> None:
        with suppress(AgentMemoryError):
            self.handles[handle].undo()

    @rule(handle=st.integers(0, 1), content=CONTENTS)
    def fail(self, handle: int, content: str) -> None:
        """Write something in a transaction that is rolled back."""
        memory = self.handles[handle]
        store = memory.backend

        def work(connection: driver.Connection) -> None:
            connection.execute("update memory set content = 'never', importance = 1.0")
            connection.execute("delete from embedding")
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            assert isinstance(store, SqliteStore)
            memory.run(lambda: store._write(work))

    @rule(handle=st.integers(0, 1))
    def embed_anew(self, handle: int) -> None:
        self.dimension = 64 if self.dimension != 64 else 32
        self.handles[handle].reembed("dummy", {"dimension": self.dimension})
        self.handles[1 - handle].close()
        self.handles[1 - handle] = opened(self.path)

    @rule(handle=st.integers(0, 1))
    def repair(self, handle: int) -> None:
        self.handles[handle].repair()

    @rule(handle=st.integers(0, 1), query=QUERIES)
    def search_and_count(self, handle: int, query: str) -> None:
        self.handles[handle].search(query, 5)

    @rule(handle=st.integers(0, 1), query=QUERIES)
    def spoil_what_was_found(self, handle: int, query: str) -> None:
        for item in self.handles[handle].search(query, 5, count_access=False):
            item.memory.metadata["spoilt"] = True  # type: ignore[index]

    @rule(handle=st.integers(0, 1), number=st.integers(0, 50))
    def pin(self, handle: int, number: int) -> None:
        if (memory_id := self.id(number)) is not None:
            with suppress(AgentMemoryError):
                self.handles[handle].pin(memory_id)

    @rule(query=QUERIES, mode=MODES, filters=FILTERS)
    def compare(self, query: str, mode: str, filters: dict[str, Any]) -> None:
        self.compared(query, mode, filters)

    @rule(handle=st.integers(0, 1), query=st.sampled_from(WORDS), mode=MODES, data=st.data())
    def compare_around_a_write(self, handle: int, query: str, mode: str, data: st.DataObject) -> None:
        self.compared(query, mode, {})
        if self.ids:
            memory_id, memory = data.draw(st.sampled_from(self.ids)), self.handles[handle]
            writes: list[Callable[[str], object]] = [memory.pin, memory.unpin, memory.forget, memory.get]
            with suppress(AgentMemoryError):
                data.draw(st.sampled_from(writes))(memory_id)
        self.compared(query, mode, {})

    def compared(self, query: str, mode: str, filters: dict[str, Any]) -> None:
        found = [shown(memory, query, mode, filters) for memory in self.handles]
        with opened(self.path) as fresh:
            expected = shown(fresh, query, mode, filters)
        assert found == [expected, expected]

    @invariant()
    def nothing_erased_is_kept(self) -> None:
        for memory in getattr(self, "handles", ()):
            store = memory.backend
            assert isinstance(store, SqliteStore)
            assert store._kept.vectors.size <= kept_vectors.BOUND


TestKept = Kept.TestCase
TestKept.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


# --- what is let go ------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


def store_of(memory: SyncAgentMemory) -> SqliteStore:
    assert isinstance(memory.backend, SqliteStore)
    return memory.backend


def in_memory(memory: SyncAgentMemory) -> set[str]:
    return set(store_of(memory)._kept.memories._records)


def test_a_search_keeps_what_it_read(path: Path) -> None:
    with opened(path) as memory:
        memory_id = memory.add("a river in Oslo", "fact")
        memory.search("river", count_access=False)
        assert memory_id in in_memory(memory)
        assert store_of(memory)._kept.vectors.size > 0


def test_erasing_lets_go_of_texts_and_vectors_at_once(path: Path) -> None:
    with opened(path) as memory:
        memory_id, other = memory.add("a river in Oslo", "fact"), memory.add("a certificate", "fact")
        memory.search("river", count_access=False)
        memory.forget(memory_id, shred=True)
        kept = store_of(memory)._kept
        assert not in_memory(memory)
        assert kept.vectors.size == 0
        assert kept.codes is None
        assert kept.sample is None
        assert [item.memory.id for item in memory.search("river certificate")] == [other]


def test_what_another_handle_erased_goes_with_the_next_search(path: Path) -> None:
    with opened(path) as memory, opened(path) as other:
        memory_id = memory.add("a river in Oslo", "fact")
        for number in range(3):
            memory.add(f"certificate {number}", "fact")
        memory.search("river", count_access=False)
        other.forget(memory_id, shred=True)
        memory.search("certificate", count_access=False)
        assert memory_id not in in_memory(memory)
        table = store_of(memory)._kept.vectors._table
        assert table is not None
        with driver.connect(str(path)) as connection:
            assert set(table.keys) <= {row[0] for row in connection.execute("select id from embedding")}


def test_closing_lets_go_of_everything(path: Path) -> None:
    memory = opened(path)
    memory.add("a river in Oslo", "fact")
    memory.search("river")
    store = store_of(memory)
    memory.close()
    assert store._kept.vectors.size == 0
    assert store._kept.codes is None
    assert not store._kept.memories._records


def test_an_access_that_was_counted_is_known_and_nothing_read_again(path: Path) -> None:
    with opened(path) as memory, opened(path) as other:
        first, second = memory.add("a river in Oslo", "fact"), memory.add("a river in Rome", "fact")
        memory.search("river", count_access=False)
        memory.get(first)
        assert in_memory(memory) == {first, second}
        (again,) = (item.memory for item in memory.search("Oslo river", 1, count_access=False))
        assert (again.id, again.access_count) == (first, 1)
        assert again == other.get(first, count_access=False)


def test_an_access_that_could_not_be_counted_is_not(path: Path) -> None:
    with opened(path) as memory, driver.connect(str(path)) as writer:
        memory_id = memory.add("a river in Oslo", "fact")
        memory.search("river", count_access=False)
        writer.execute("begin immediate")
        memory.get(memory_id)
        writer.execute("rollback")
        (again,) = (item.memory for item in memory.search("river", count_access=False))
        assert (again.access_count, again.accessed_at) == (0, None)


def test_only_so_many_memories_are_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_memories, "MEMORIES", 3)
    with opened(path) as memory:
        memory.add_many([{"type": "fact", "content": f"river {number}"} for number in range(9)])
        found = memory.search("river", 9, count_access=False)
        assert len(found) == 9
        assert len(in_memory(memory)) == 3
    monkeypatch.setattr(kept_memories, "CHARACTERS", 20)
    with opened(path) as memory:
        memory.search("river", 9, count_access=False)
        assert sum(len(item.content) for item in store_of(memory)._kept.memories._records.values()) <= 20


# --- vectors -------------------------------------------------------------------------


@contextmanager
def table_of(vectors: dict[int, Any]) -> Iterator[driver.Connection]:
    connection = driver.connect(":memory:")
    connection.execute("create table embedding (id integer primary key, dtype text, vector blob)")
    rows = [(key, "float16", np.array(value, "<f2").tobytes()) for key, value in vectors.items()]
    connection.executemany("insert into embedding values (?, ?, ?)", rows)
    yield connection
    connection.close()


def units(count: int, dimension: int = 8) -> dict[int, Any]:
    rows = np.random.default_rng(1).normal(size=(count, dimension))
    return dict(enumerate(rows / np.linalg.norm(rows, axis=1, keepdims=True), 1))


def test_every_number_in_half_precision_is_widened_as_numpy_does() -> None:
    halves = np.arange(2**16, dtype="<u2").view("<f2")
    wide, finite = widened_rows(halves), np.isfinite(halves)
    assert wide[finite].tobytes() == halves[finite].astype("<f4").tobytes()
    assert (np.abs(wide[~finite]) > 65_000).all()


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan])
def test_a_vector_with_what_is_no_number_is_zeros(number: float) -> None:
    stored = [np.array(numbers, "<f2").tobytes() for numbers in ([0.6, number], [0.6, 0.8])]
    rows = matrix(stored, ["float16"] * 2, 2)
    assert rows.tolist() == [[0, 0], np.array([0.6, 0.8], "<f2").astype("<f4").tolist()]


def test_kept_and_read_vectors_are_the_same_in_every_mixture() -> None:
    with table_of(units(40)) as connection:
        kept = KeptVectors()
        fresh = {
            key: row.tolist()
            for key, row in zip(*KeptVectors().rows(connection, range(1, 41), 8), strict=True)
        }
        for wanted in ([3, 9], [9, 3, 11], [40, 99, 3], [1, 2, 4], [3, 9], [99], [39, 2, 5, 40, 99, 1, 38]):
            keys, rows = kept.rows(connection, wanted, 8)
            assert list(keys) == [key for key in wanted if key != 99]
            assert rows.tolist() == [fresh[key] for key in keys]


def test_a_damaged_vector_is_zeros_and_is_read_again() -> None:
    with table_of(units(3)) as connection:
        connection.execute("update embedding set vector = x'00' where id = 2")
        kept = KeptVectors()
        kept.rows(connection, [1, 2, 3], 8)
        assert not kept.rows(connection, [1, 2, 3], 8)[1][1].any()
        whole = np.array(units(3)[2], "<f2")
        connection.execute("update embedding set vector = ? where id = 2", (whole.tobytes(),))
        assert kept.rows(connection, [1, 2, 3], 8)[1][1].tolist() == whole.astype("<f4").tolist()


def test_all_stores_share_one_bound_and_the_last_used_gives_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_vectors, "BOUND", 40 * 16)
    monkeypatch.setattr(kept_vectors, "_LEAST_ROWS", 1)
    with table_of(units(60)) as connection:
        first, second, third = KeptVectors(), KeptVectors(), KeptVectors()
        first.rows(connection, range(1, 16), 8)
        second.rows(connection, range(1, 16), 8)
        first.rows(connection, range(1, 16), 8)
        third.rows(connection, range(1, 16), 8)
        assert (first.size > 0, second.size) == (True, 0)
        assert len(first.rows(connection, range(1, 61), 8)[0]) == 60
        assert first.size <= 40 * 16
        assert first.size + second.size + third.size <= 40 * 16


def test_a_store_that_is_searched_often_reads_ahead() -> None:
    with table_of(units(60)) as connection:
        kept = KeptVectors()
        for _ in range(kept_vectors._SEARCHES + 1):
            kept.read_ahead(connection, np.arange(1, 61), 8)
            kept.rows(connection, [1, 2], 8)
        assert kept._table is not None
        assert set(kept._table.keys) == set(range(1, 61))


def test_archived_memories_are_no_candidates(path: Path) -> None:
    with opened(path) as memory:
        memory_id = memory.add("a river in Oslo", "fact")
        memory.search("river")
        memory.forget(memory_id)
        assert memory.search("river") == []
        memory.restore(memory_id)
        assert [item.memory.id for item in memory.search("river")] == [memory_id]


def test_whether_a_memory_has_expired_is_compared_as_sqlite_does() -> None:
    now = "2026-05-08T12:00:00.000000Z"
    expires = [None, "2026-05-08T12:00:00.000001Z", now, "", 5, 9.5, b"", b"2026"]
    with contextlib.closing(driver.connect(":memory:")) as connection:
        connection.execute("create table embedding (id integer primary key, text_hash blob)")
        connection.execute(
            "create table memory (pk integer primary key, id, embedded_hash blob, status text, expires_at)"
        )
        connection.execute("insert into embedding values (1, x'01')")
        connection.executemany(
            "insert into memory values (?, ?, x'01', 'active', ?)",
            [(place, str(place), value) for place, value in enumerate(expires)],
        )
        wanted = connection.execute(
            "select pk from memory where expires_at is null or expires_at > ?", (now,)
        ).fetchall()
        found = kept_memories.KeptOwners().of(connection, [1, 2], now)
        assert sorted(place for _, place, _ in found) == [row[0] for row in wanted]
