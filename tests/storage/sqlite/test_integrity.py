"""What is damaged is found, what is derived is made anew, what is erased is gone, what is owed is known."""

from __future__ import annotations

import re
import struct
import sys
from array import array
from dataclasses import replace as changed
from pathlib import Path

import pytest

from agent_memory.errors import StoreBusyError
from agent_memory.records import MemoryType, Status
from agent_memory.storage.changes import Add, Operation
from agent_memory.storage.sqlite import SqliteStore, word_index
from agent_memory.storage.sqlite.vectors import narrowed, widened
from agent_memory.storage.where import Where, conditions
from agent_memory.testing import builders

from .support import ALL, add, bytes_of, opened, raw, remove, replace

pytestmark = pytest.mark.anyio
DIMENSION = 64
SPACE = builders.space(dimension=DIMENSION)


async def filled(path: Path, count: int = 20) -> None:
    """Make a file with memories of all types, half of the facts with vectors."""
    async with opened(path) as store:
        await store.add_space(SPACE)
        facts = [builders.fact(f"fact {number}", tags=("t",)) for number in range(count)]
        supply = builders.random_vectors(count // 2, dimension=DIMENSION)
        await add(
            store, *facts, vectors={builders.digest(f): [v] for f, v in zip(facts, supply, strict=False)}
        )
        await add(store, builders.note(), builders.message(), builders.event(), builders.document())
        await add(store, builders.skill())


# --- damage ----------------------------------------------------------------------------------------------------

DAMAGE = {
    "spine": (
        "update memory set content = 'fakt 1' where content = 'fact 1'",
        "row or its tags were changed",
    ),
    "number": (
        "update memory set importance = 0.51 where content = 'fact 1'",
        "row or its tags were changed",
    ),
    "tag": ("delete from memory_tag where memory = 1", "row or its tags were changed"),
    "type table": ("update long_term set category = 'x' where memory = 1", "row of long_term was changed"),
    "lost row": ("delete from episodic", "no row in episodic"),
    "vector": (
        "update embedding set vector = zeroblob(length(vector)) where id = 1",
        "embedding 1: its row was changed",
    ),
    "journal": (
        "update journal set after = replace(after, 'fact 1', 'fact l')",
        "row of the journal was changed",
    ),
    "lost journal": ("delete from journal where seq = 1", "the journal does not know it"),
    "words": ("update memory_fts set words = 'others' where rowid = 1", "other words are indexed"),
    "lost words": ("delete from memory_fts where rowid = 1", "words are not indexed"),
    "stray words": ("insert into memory_fts (rowid, words) values (999, 'x')", "row 999, which is no memory"),
    "bookkeeping": ("update memory set embedded_in = null", "wrongly noted as embedded or owed"),
    "lost signs": ("delete from memory_vec where rowid = 1", "embedding 1: it is not in the vector index"),
    "other signs": (
        "update memory_vec_vector_chunks00 set vectors = zeroblob(length(vectors))",
        "embedding 1: the vector index has other signs",
    ),
    "stray signs": (
        "insert into memory_vec (rowid, bits) values (999, vec_bit(zeroblob(8)))",
        "embedding 999: it is in the vector index but",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
async def test_damage_is_reported(tmp_path: Path, name: str) -> None:
    statement, told = DAMAGE[name]
    path = tmp_path / "a.db"
    await filled(path)
    with raw(path, extension=True) as connection:
        connection.execute(statement)
    async with opened(path) as store:
        faults = await store.check()
    assert any(re.search(told, fault) for fault in faults), faults


def in_file(vector: bytes) -> bytes:
    """Return a vector as it stands in the file: in half precision."""
    numbers = array("f", vector)
    return struct.pack(f"<{len(numbers)}e", *numbers)


@pytest.mark.parametrize(("was", "now"), [(b"zebra", b"zebrb"), (b"heron", b"iesou"), (b"kiwi", b"kiwj")])
async def test_words_are_compared_though_fts5_finds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, was: bytes, now: bytes
) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store:
        await add(
            store, *(builders.fact(word) for word in ("the zebra", "a heron", "one kiwi", "nothing else"))
        )
    monkeypatch.setattr(word_index, "check", lambda connection: None)
    async with opened(path) as store:
        assert await store.check() == []
    with raw(path) as connection:
        # The first letters of a word may stand with the word before it.
        blocks = connection.execute("select id, block from memory_fts_data").fetchall()
        altered = [(block.replace(was[1:], now[1:]), number) for number, block in blocks if was[1:] in block]
        assert altered
        with connection:
            connection.executemany("update memory_fts_data set block = ? where id = ?", altered)
    async with opened(path) as store:
        assert any("full-text index" in fault for fault in await store.check())
        await store.rebuild()
        assert await store.check() == []


async def test_a_flipped_bit_in_the_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    whole = path.read_bytes()
    vector = in_file(builders.random_vectors(1, dimension=DIMENSION)[0])
    places = [whole.index(vector) + 17, whole.index(b"fact 13"), whole.rindex(b'"fact 13"') + 3]
    for sequence in places:
        damaged = bytearray(whole)
        damaged[sequence] ^= 0b100
        path.write_bytes(damaged)
        async with opened(path) as store:
            assert await store.check() != []
    path.write_bytes(whole)
    async with opened(path) as store:
        assert await store.check() == []


async def test_rebuilding_makes_anew_what_is_derived(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    with raw(path, extension=True) as connection:
        for name in ("words", "lost words", "stray words", "bookkeeping", "lost signs", "other signs"):
            connection.execute(DAMAGE[name][0])
    async with opened(path) as store:
        before = await store.select(ALL)
        assert await store.check() != []
        await store.rebuild()
        assert await store.check() == []
        assert await store.select(ALL) == before


async def test_rebuilding_does_not_bless_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    with raw(path) as connection:
        connection.execute(DAMAGE["spine"][0])
    async with opened(path) as store:
        await store.rebuild()
        assert any("were changed outside" in fault for fault in await store.check())


# --- the vector index, and processes without it ----------------------------------------------------------------


async def test_what_a_process_without_the_extension_wrote_is_found_and_caught_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    supply = builders.random_vectors(40, dimension=DIMENSION, seed=5)
    facts = [builders.fact(f"fact {number}") for number in range(40)]
    given = {builders.digest(f): [v] for f, v in zip(facts, supply, strict=True)}

    async def nearest(store: SqliteStore, number: int) -> tuple[str, float]:
        return (await store.by_vector(supply[number], Where(), 1))[0]

    async with opened(path) as store:
        await store.add_space(SPACE)
        stored = await add(store, *facts[:20], vectors=given)
        assert (await nearest(store, 7))[0] == facts[7].id
    with monkeypatch.context() as without:
        without.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
        async with opened(path) as store:
            assert (await store.describe()).level == "exact-scan"
            stored += await add(store, *facts[20:], vectors=given)
            await replace(store, changed(stored[7], status=Status.ARCHIVED), verb="archive")
            await remove(store, stored[8], erase=True)
            for number in (3, 30):
                assert await nearest(store, number) == (facts[number].id, pytest.approx(1.0, abs=5e-4))
            for number in (7, 8):
                assert (await nearest(store, number))[1] < 0.999
            assert await store.check() == []
    with raw(path) as connection:
        assert connection.execute("select count(*) from memory_vec_pending").fetchone()[0] > 20
    async with opened(path) as store:
        for number in (3, 30):
            assert await nearest(store, number) == (facts[number].id, pytest.approx(1.0, abs=5e-4))
        for number in (7, 8):
            assert (await nearest(store, number))[1] < 0.999
        assert (await store.describe()).details["vector_index"] is True
        assert await store.check() == []
    with raw(path, extension=True) as connection:
        assert connection.execute("select count(*) from memory_vec_pending").fetchone() == (0,)
        assert connection.execute("select count(*) from memory_vec").fetchone() == (38,)


async def test_a_stale_index_is_not_used_while_nobody_may_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    fact, vector = builders.fact("the late one"), builders.vector(1, dimension=DIMENSION)
    with monkeypatch.context() as without:
        without.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
        async with opened(path) as store:
            await add(store, fact, vectors={builders.digest(fact): [vector]})
    async with opened(path) as store:
        with raw(path) as other:
            other.execute("begin immediate")
            assert (await store.by_vector(vector, Where(), 1))[0][0] == fact.id
            assert (await store.describe()).details["vector_index"] is False
            other.execute("rollback")


async def test_the_index_may_be_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    with raw(path, extension=True) as connection:
        connection.execute("drop table memory_vec")
    vector = builders.random_vectors(1, dimension=DIMENSION)[0]
    async with opened(path) as store:
        assert (await store.by_vector(vector, Where(), 1))[0][1] == pytest.approx(1.0, abs=5e-4)
        assert (await store.describe()).details["vector_index"] is True
        assert await store.check() == []


@pytest.mark.parametrize("dimension", [1, 3, 12])
async def test_dimensions_that_are_no_whole_bytes(tmp_path: Path, dimension: int) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(builders.space(dimension=dimension))
        supply = builders.random_vectors(30, dimension=dimension)
        facts = [builders.fact(f"fact {number}") for number in range(30)]
        await add(
            store, *facts, vectors={builders.digest(f): [v] for f, v in zip(facts, supply, strict=True)}
        )
        found = await store.by_vector(supply[4], Where(), 30)
        assert len(found) == 30
        assert dict(found) == {
            fact.id: pytest.approx(builders.cosine(supply[4], vector), abs=5e-4)
            for fact, vector in zip(facts, supply, strict=True)
        }
        assert await store.check() == []


async def test_the_short_list_holds_nearly_all_of_the_true_best(tmp_path: Path) -> None:
    import numpy as np

    chance = np.random.default_rng(3)
    centres = chance.normal(size=(60, 384))
    matrix = (centres[chance.integers(0, 60, 3000)] + chance.normal(size=(3000, 384))).astype("<f4")
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    facts = [builders.fact(f"fact {number}") for number in range(3000)]
    places = {fact.id: sequence for sequence, fact in enumerate(facts)}
    hit = 0
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(builders.space(dimension=384))
        given = {builders.digest(f): [row.tobytes()] for f, row in zip(facts, matrix, strict=True)}
        await add(store, *facts, vectors=given)
        for query in matrix[:50]:
            best = set(np.argsort(-(matrix @ query))[:10].tolist())
            found = await store.by_vector(query.tobytes(), Where(), 10)
            hit += len(best & {places[memory_id] for memory_id, _ in found})
        narrow = Where(metadata=conditions({"no": "such"}))
        assert await store.by_vector(matrix[0].tobytes(), narrow, 10) == []
    assert hit / 500 >= 0.99


async def test_a_vector_in_full_precision_is_read_rightly(tmp_path: Path) -> None:
    """Files may hold them, beside those in half precision."""
    path = tmp_path / "a.db"
    fact, other = builders.fact("one"), builders.fact("other")
    one, two = builders.random_vectors(2, dimension=DIMENSION)
    async with opened(path) as store:
        await store.add_space(SPACE)
        await add(store, fact, other, vectors={builders.digest(fact): [one], builders.digest(other): [two]})
    with raw(path, extension=True) as connection:
        with pytest.raises(Exception, match="CHECK constraint failed"):
            connection.execute("update embedding set vector = ? where id = 1", (one,))
        connection.execute("update embedding set vector = ?, dtype = 'float32' where id = 1", (one,))
        connection.execute("drop table memory_vec")
    async with opened(path) as store:
        found = await store.by_vector(one, Where(), 2)
        assert found[0] == (fact.id, pytest.approx(1.0, abs=1e-6))
        assert (await store.vectors([fact.id]))[fact.id] == [one]
        assert set(await store.sample_vectors(2)) == {one, *(await store.vectors([other.id]))[other.id]}
        assert await store.check() == ["embedding 1: its row was changed outside this program"]


# --- owed ------------------------------------------------------------------------------------------------------


async def test_what_is_owed_is_found_by_an_index(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(SPACE)
        stored = await add(store, *(builders.fact(f"fact {number}") for number in range(50)))
        given = {builders.digest(record): [builders.vector(1, dimension=DIMENSION)] for record in stored[:48]}
        space = await store.current_space()
        assert space is not None
        await store.put_vectors(space, given)
        assert {record.id for record in await store.pending(10)} == {record.id for record in stored[48:]}
        assert await store.pending_count() == 2
        await replace(store, changed(stored[0], content="another text"))
        assert await store.pending_count() == 3
        plan = await store._run(
            lambda connection: connection.execute(
                "explain query plan select count(*) from memory"
                " where embedded_in is null and status = 'active' and expires_at is null"
            ).fetchall()
        )
        assert "memory_owed" in str(plan)
        assert await store.check() == []


async def test_a_text_that_comes_back_is_not_owed(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(SPACE)
        fact = builders.fact("again and again")
        (stored,) = await add(
            store, fact, vectors={builders.digest(fact): [builders.vector(1, dimension=DIMENSION)]}
        )
        await remove(store, stored)
        await add(store, builders.fact("again and again"))
        assert await store.pending_count() == 0
        assert len(await store.by_vector(builders.vector(1, dimension=DIMENSION), Where(), 5)) == 1
        assert await store.check() == []


# --- erasing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [True, False])
async def test_nothing_of_an_erased_memory_is_left_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: bool
) -> None:
    if not index:
        monkeypatch.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
    path = tmp_path / "a.db"
    await filled(path, 200)
    secret = builders.fact("the Zyxowort is under the qqmattress", key="kkdoorkey", tags=("ttquiet",))
    later = "the Vvlater is behind the wwclock"
    vectors = builders.random_vectors(2, dimension=DIMENSION, seed=99)
    async with opened(path) as store:
        await add(store, secret, vectors={builders.digest(secret): [vectors[0]]})
        (stored,) = await store.select(Where(keys=("kkdoorkey",)))
        (stored,) = await replace(store, changed(stored, content=later, metadata={"mmhint": "nnhint"}))
        space = await store.current_space()
        assert space is not None
        await store.put_vectors(space, {builders.digest(stored): [vectors[1]]})
    codes = bytes(
        sum((value > 0) << bit for bit, value in enumerate(_numbers(vectors[0])[start : start + 8]))
        for start in range(0, DIMENSION, 8)
    )
    stored_vectors = [in_file(vector) for vector in vectors]
    traces = [b"Zyxowort", b"zyxowort", b"qqmattress", b"kkdoorkey", b"ttquiet", b"Vvlater", b"wwclock"]
    traces += [b"mmhint", b"nnhint", *stored_vectors, builders.digest(secret), builders.digest(stored)]
    before = bytes_of(path)
    assert all(trace in before for trace in traces[:3] + traces[5:7] + stored_vectors)
    async with opened(path) as store:
        await remove(store, stored, erase=True)
        await store.secure_vacuum()
        assert await store.check() == []
        history = await store.history(stored.id)
        assert [(version.verb, version.before, version.after) for version in history] == [
            *(("add", None, None), ("update", None, None), ("shred", None, None)),
        ]
    after = bytes_of(path)
    assert [trace for trace in traces if trace in after] == []
    assert codes not in after
    assert not Path(f"{path}-wal").exists() or Path(f"{path}-wal").stat().st_size == 0


def _numbers(vector: bytes) -> list[float]:
    return array("f", vector).tolist()


async def test_a_vector_that_another_memory_shares_stays(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.db") as store:
        await store.add_space(SPACE)
        one, other = builders.note("the same words"), builders.note("the same words")
        vector = builders.vector(1, dimension=DIMENSION)
        stored = await add(store, one, other, vectors={builders.digest(one): [vector]})
        await replace(store, changed(stored[0], status=Status.ARCHIVED), verb="archive")
        assert [memory_id for memory_id, _ in await store.by_vector(vector, Where(), 5)] == [other.id]
        (archived,) = (await store.get([one.id])).values()
        await remove(store, archived, erase=True)
        assert (await store.vectors([other.id]))[other.id] == [vector]
        assert [memory_id for memory_id, _ in await store.by_vector(vector, Where(), 5)] == [other.id]
        assert await store.check() == []


async def test_short_term_memory_forgets_older_versions_and_their_vectors(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    vectors = builders.random_vectors(3, dimension=DIMENSION, seed=4)
    async with opened(path) as store:
        await store.add_space(SPACE)
        space = await store.current_space()
        assert space is not None
        for number, vector in enumerate(vectors):
            note = builders.note(f"value {number}", key="k", kind="working", value=number)
            await store.commit(Operation(verb="set"), [Add(note)], {builders.digest(note): [vector]})
        (record,) = await store.select(Where(types=(MemoryType.SHORT_TERM,)))
        (version,) = await store.history(record.id)
        assert version.before is not None
        assert (version.before.content, version.after and version.after.content) == ("value 1", "value 2")
        assert await store.check() == []
    with raw(path) as connection:
        kept = {row[0] for row in connection.execute("select vector from embedding")}
    assert kept == set(map(in_file, vectors[1:]))


async def test_scrubbing_says_when_a_reader_is_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    await filled(path)
    async with opened(path, busy_timeout=0.05) as store:
        with raw(path) as reader:
            reader.execute("begin")
            reader.execute("select count(*) from memory").fetchone()
            with pytest.raises(StoreBusyError, match=r"a\.db"):
                await store.secure_vacuum()
            reader.execute("rollback")
        await store.secure_vacuum()


# --- what the version counts -----------------------------------------------------------------------------------


async def test_every_write_of_anybody_moves_the_version(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path) as store, opened(path) as other:
        seen = [await store.version()]

        async def moved() -> None:
            seen.append(await store.version())
            assert seen[-1] != seen[-2]

        (fact,) = await add(store, builders.fact())
        await moved()
        await add(other, builders.fact("another"))
        await moved()
        await store.set_setting("a", "b")
        await moved()
        space = await other.add_space(SPACE)
        await moved()
        await store.put_vectors(space, {builders.digest(fact): [builders.vector(1, dimension=DIMENSION)]})
        await moved()
        await store.count(Where())
        assert await store.version() == seen[-1]
        assert len(set(seen)) == len(seen)


def test_a_vector_is_widened_the_same_with_and_without_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    (stored,) = narrowed([builders.random_vectors(1, dimension=DIMENSION)[0]])
    with_numpy = widened(stored, "float16")
    assert with_numpy == np.frombuffer(stored, "<f2").astype("<f4").tobytes()
    monkeypatch.delitem(sys.modules, "numpy")
    assert widened(stored, "float16") == with_numpy
    assert "numpy" not in sys.modules
