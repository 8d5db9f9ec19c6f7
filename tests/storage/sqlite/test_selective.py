"""Filters that leave few of many: worked out first, remembered, and never stale."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemory, clock
from agent_memory.storage.sqlite import binary_quantisation, nearest, words
from agent_memory.storage.where import Where
from tests.recall.test_finding import local

pytestmark = pytest.mark.anyio

WORDS = ("river", "stone", "paper", "silver", "candle", "bridge")


@pytest.fixture(params=["selective", "walking"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have small stores answered as large ones are."""
    share = 1.1 if request.param == "selective" else 0.0
    monkeypatch.setattr(nearest, "FEW", 0)
    monkeypatch.setattr(nearest, "SELECTIVE", share)
    monkeypatch.setattr(words, "SELECTIVE", share)
    monkeypatch.setattr(nearest, "SHORTLIST", 20)


async def fill(memory: AgentMemory, count: int = 300) -> list[str]:
    chance = random.Random(3)
    return await memory.add_many(
        [
            {
                "type": "long_term",
                "content": " ".join(chance.choices(WORDS, k=6)) + f" {number}",
                "tags": ["rare"] if number % 10 == 0 else ["common"],
                "importance": (number % 7) / 7,
            }
            for number in range(count)
        ]
    )


FILTERS = [
    Where(tags_any=("rare",)),
    Where(tags_all=("common",), min_importance=0.5),
    Where(min_importance=0.8),
    Where(tags_any=("nobody has it",)),
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("where", FILTERS)
async def test_a_filter_finds_just_what_comparing_everything_finds(tmp_path: Path, where: Where) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db", embedding_provider="dummy")) as memory:
        ids = await fill(memory)
        store = memory.backend
        embedder = memory.embedding_provider
        assert embedder is not None
        records = await store.get(ids)
        admitted = {id for id, record in records.items() if where.matches(record, clock.now())}
        for query in ("river stone", "a silver candle on the bridge"):
            vector = await embedder.embed_query(query)
            everything = await store.by_vector(vector, Where(), len(ids))
            expected = [pair for pair in everything if pair[0] in admitted]
            for _ in range(2):  # worked out, then remembered
                found = await store.by_vector(vector, where, len(ids))
                assert [id for id, _ in found] == [id for id, _ in expected]
            every_word = await store.by_keyword(query.split(), Where(), len(ids))
            for _ in range(2):
                matched = await store.by_keyword(query.split(), where, len(ids))
                assert dict(matched) == pytest.approx({id: s for id, s in every_word if id in admitted})
                scores = [score for _, score in matched]
                assert scores == sorted(scores, reverse=True)


@pytest.mark.usefixtures("way")
async def test_what_a_filter_left_is_forgotten_when_any_memory_changes(tmp_path: Path) -> None:
    where = Where(tags_any=("rare",))
    config = local(tmp_path / "a.db", embedding_provider="dummy")
    async with AgentMemory(config=config) as memory, AgentMemory(config=config) as other:
        ids = await fill(memory, 60)
        embedder = memory.embedding_provider
        assert embedder is not None
        vector = await embedder.embed_query("river")

        async def both() -> tuple[set[str], set[str]]:
            store = memory.backend
            near = {id for id, _ in await store.by_vector(vector, where, 100)}
            named = {id for id, _ in await store.by_keyword(["river"], where, 100)}
            return near, named

        near, _ = await both()
        assert near == set(ids[::10])
        await other.update(ids[1], tags=["rare"])
        await other.update(ids[0], tags=["common"])
        added = await other.long_term.add("the river again", tags=["rare"])
        near, named = await both()
        assert near == {*ids[10::10], ids[1], added}
        assert added in named
        assert ids[0] not in named
        await other.forget(added, shred=True)
        near, named = await both()
        assert added not in near | named
        again = await other.long_term.add("another river", tags=["rare"])
        near, named = await both()
        assert again in near & named, "the journal may number this as it did what was erased"


@pytest.mark.usefixtures("way")
async def test_what_expires_is_left_out_though_nothing_was_written(tmp_path: Path) -> None:
    where, tombstoned = Where(tags_any=("rare",)), Where(tags_any=("rare",), expired=True)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    async with AgentMemory(config=local(tmp_path / "a.db", embedding_provider="dummy")) as memory:
        with clock.fixed(start):
            await fill(memory, 40)
            note = await memory.short_term.add("a river for a while", tags=["rare"], ttl=60)
            embedder = memory.embedding_provider
            assert embedder is not None
            vector = await embedder.embed_query("river")
            for filter, there in ((where, True), (tombstoned, False)):
                assert (note in dict(await memory.backend.by_vector(vector, filter, 100))) is there
                assert (note in dict(await memory.backend.by_keyword(["river"], filter, 100))) is there
        with clock.fixed(start + timedelta(minutes=2)):
            for filter, there in ((where, False), (tombstoned, True)):
                assert (note in dict(await memory.backend.by_vector(vector, filter, 100))) is there
                assert (note in dict(await memory.backend.by_keyword(["river"], filter, 100))) is there


def test_the_smallest_distances_are_exact_whatever_the_sample_says() -> None:
    import numpy as np

    chance = np.random.default_rng(1)
    for distances in (
        chance.integers(0, 384, 20_000).astype(np.uint16),
        np.concatenate([np.full(9_990, 300), np.arange(10)]).astype(np.uint16),
        np.full(5_000, 7, np.uint16),
        np.sort(chance.integers(0, 384, 10_000))[::-1].astype(np.uint16),
    ):
        for count in (1, 10, 400, 4_999):
            expected = np.argsort(distances, kind="stable")[:count]
            assert (binary_quantisation._smallest(distances, count)[:count] == expected).all()


@pytest.mark.parametrize("dimension", [8, 24, 64, 384])
def test_distances_count_the_signs_that_differ(dimension: int) -> None:
    import numpy as np

    chance = np.random.default_rng(2)
    vectors = chance.normal(size=(binary_quantisation._BLOCK + 77, dimension)).astype("<f4")
    held = binary_quantisation.BinaryCodes(
        1,
        1,
        np.arange(len(vectors)),
        binary_quantisation.columns_of(binary_quantisation.binary_codes_of(vectors)),
    )
    expected = ((vectors > 0) != (vectors[5] > 0)).sum(axis=1)
    query = binary_quantisation.columns_of(binary_quantisation.binary_codes_of(vectors[5:6]))[:, 0]
    assert (held._distances(query) == expected).all()
    (first, *_) = held.by_distance(vectors[5].tobytes())
    assert first[0] == 5
