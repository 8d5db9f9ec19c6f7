"""What is pending is embedded piece by piece, and a text that an embedder fails on stands in nobody's way."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from embeddings.wire import EmbeddingServer, Failure

from agent_memory import AgentMemory, BackendError, EmbeddingError, MemoryConfig
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.recall import constants, pending
from agent_memory.storage.sqlite import SqliteStore

pytestmark = pytest.mark.anyio
BAD = "the zucchini budget was refused"
TEXTS = [f"note number {number} about {word}" for number, word in enumerate("abcdefghijklmnopqrs")]
Twist = Callable[[list[str], list[dict[str, Any]]], Any]


@pytest.fixture
def server(embedding_server: EmbeddingServer) -> EmbeddingServer:
    return embedding_server


def vector_is(value: Any) -> Twist:
    """Answer with this in the place of the bad text's vector."""

    def twist(texts: list[str], data: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for text, item in zip(texts, data, strict=True):
            if BAD in text:
                item["embedding"] = value(item["embedding"]) if callable(value) else value
        return data

    return twist


def answer(status: int, body: str = "") -> Twist:
    """Refuse whatever the bad text is part of."""
    return lambda texts, data: Failure(status, body, {"retry-after": "0"}) if _any(texts) else data


def numbers(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Twist:
    """Change an answer as a whole, if the bad text is part of it."""
    return lambda texts, data: change(data) if _any(texts) else data


def _any(texts: Sequence[str]) -> bool:
    return any(BAD in text for text in texts)


FAULTS: dict[str, Twist] = {
    "NaN": vector_is(lambda values: [float("nan"), *values[1:]]),
    "infinity": vector_is(lambda values: [*values[:-1], float("-inf")]),
    "no vector": vector_is(None),
    "no number": vector_is(lambda values: [None, *values[1:]]),
    "a word": vector_is(lambda values: ["much", *values[1:]]),
    "half a vector": vector_is(lambda values: values[: len(values) // 2]),
    "a longer vector": vector_is(lambda values: values + values),
    "an empty vector": vector_is([]),
    "zeros": vector_is(lambda values: [0.0] * len(values)),
    "a number too large": vector_is(lambda values: [10**400, *values[1:]]),
    "one too few": numbers(lambda data: data[:-1]),
    "one too many": numbers(lambda data: [*data, data[0]]),
    "the same index twice": numbers(lambda data: [{**datum, "index": 7} for datum in data]),
    "an index left out": numbers(lambda data: [{**data[0], "index": None}, *data[1:], *data[:1]]),
    "no answer": numbers(lambda data: {"sorry": "no"}),  # type: ignore[arg-type,return-value]
    "400": answer(400, '{"error": {"message": "this input is refused"}}'),
    "413": answer(413, "too large"),
    "429": answer(429),
    "500": answer(500, "<html>oh</html>"),
}


@asynccontextmanager
async def opened(path: Path, provider: Any = "none", **config: Any) -> AsyncIterator[AgentMemory]:
    """Open a store under an embedder, in the way of a new process."""
    named = {} if isinstance(provider, str) else {"embedding_provider": provider}
    settings = MemoryConfig(
        backend_config={"path": path},
        embedding_provider=provider if isinstance(provider, str) else "local",
        embedding_config=config,
    )
    async with AgentMemory(config=settings, **named) as memory:
        yield memory


def reached(server: EmbeddingServer) -> dict[str, Any]:
    return {"base_url": server.url, "model": "m", "native_dimension": 32, "max_retries": 1, "api_key": "k"}


async def _store_pending(path: Path, texts: Sequence[str]) -> list[str]:
    async with opened(path) as memory:
        return await memory.long_term.add_many(list(texts))


@pytest.mark.parametrize("fault", FAULTS)
class TestATextThatAServerFailsOn:
    async def test_all_others_are_embedded_by_a_search(
        self, server: EmbeddingServer, tmp_path: Path, fault: str
    ) -> None:
        path = tmp_path / "a.db"
        *good, bad = await _store_pending(path, [*TEXTS, BAD])
        server.twist = FAULTS[fault]
        async with opened(path, "openai", **reached(server)) as memory:
            for _ in range(3):
                found = await memory.search("note about c", limit=50, mode="vector")
            assert {result.memory.id for result in found} == set(good)
            by_keyword = await memory.search("zucchini")
            assert bad in [item.memory.id for item in by_keyword]
            assert "words" in by_keyword.retrievers
            assert "meaning" in by_keyword.retrievers
            status = await memory.get_status()
            assert (status["owed_embeddings"], status["failed_embeddings"]) == (1, 1)
            (failure,) = status["failures"]
            assert failure["id"] == bad
            assert failure["reason"]
            assert any(
                "1 memory is found by words only, as its text" in notice for notice in by_keyword.notices
            )

    async def test_it_is_left_alone_until_it_is_asked_for(
        self, server: EmbeddingServer, tmp_path: Path, fault: str
    ) -> None:
        path = tmp_path / "a.db"
        (*_, bad) = await _store_pending(path, [*TEXTS[:3], BAD])
        server.twist = FAULTS[fault]
        async with opened(path, "openai", **reached(server)) as memory:
            assert await memory.index() == 3
            assert (await memory.get_status())["failures"][0]["id"] == bad
            server.requests.clear()
            for _ in range(3):
                await memory.search("note about c")
            assert not _any(server.texts)
            assert await memory.index() == 0
            assert _any(server.texts)
            server.twist = None
            assert await memory.index() == 1
            status = await memory.get_status()
            assert (status["owed_embeddings"], status["failed_embeddings"], status["failures"]) == (0, 0, [])
            assert (await memory.search("zucchini budget", mode="vector"))[0].memory.id == bad

    async def test_what_is_embedded_as_it_is_added_is_embedded_all_the_same(
        self, server: EmbeddingServer, tmp_path: Path, fault: str
    ) -> None:
        server.twist = FAULTS[fault]
        async with opened(tmp_path / "a.db", "openai", **reached(server)) as memory:
            ids = await memory.long_term.add_many([*TEXTS[:5], BAD, *TEXTS[5:]])
            status = await memory.get_status()
            assert (status["owed_embeddings"], status["failed_embeddings"]) == (1, 1)
            assert [statu["id"] for statu in status["failures"]] == [ids[5]]
            found = await memory.search("note about c", limit=50, mode="vector")
            assert {result.memory.id for result in found} == set(ids) - {ids[5]}
            # Other words, another text: what could not be embedded is forgotten.
            await memory.update(ids[5], content="the marrow budget was granted")
            assert (await memory.get_status())["owed_embeddings"] == 0

    async def test_embedding_anew_passes_it(
        self, server: EmbeddingServer, tmp_path: Path, fault: str
    ) -> None:
        path = tmp_path / "a.db"
        server.twist = FAULTS[fault]
        async with opened(path, "dummy") as memory:
            ids = await memory.long_term.add_many([*TEXTS, BAD])
            await memory.reembed("openai", reached(server))
            assert [status["id"] for status in (await memory.get_status())["failures"]] == [ids[-1]]
        async with opened(path, "openai", **reached(server)) as memory:
            found = await memory.search("note about c", limit=50, mode="vector")
            assert {result.memory.id for result in found} == set(ids[:-1])


class TestAServerThatFailsAltogether:
    @pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
    async def test_no_text_is_blamed(self, server: EmbeddingServer, tmp_path: Path, status: int) -> None:
        path = tmp_path / "a.db"
        await _store_pending(path, TEXTS)
        async with opened(path, "openai", **reached(server)) as memory:
            server.twist = lambda texts, data: Failure(status, "closed", {"retry-after": "0"})
            with pytest.raises(EmbeddingError, match=str(status)):
                await memory.index()
            with pytest.raises(EmbeddingError, match=str(status)):
                await memory.search("note about c", mode="vector")
            found = await memory.search("note about c")
            assert found
            assert any("searched by words only: 127.0.0.1" in notice for notice in found.notices)
            told = await memory.get_status()
            assert (told["owed_embeddings"], told["failed_embeddings"]) == (len(TEXTS), 0)
            server.twist = None
            assert await memory.index() == len(TEXTS)

    async def test_a_full_server_is_waited_for_and_no_text_blamed(
        self, server: EmbeddingServer, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.db"
        await _store_pending(path, TEXTS)
        busy = iter([True, False, True, True, False, True] + [False] * 100)

        def twist(texts: list[str], data: list[dict[str, Any]]) -> Any:
            return Failure(429, "slowly", {"retry-after": "0"}) if next(busy) else data

        async with opened(path, "openai", **reached(server), batch_size=4) as memory:
            server.twist = twist
            assert await memory.index() == len(TEXTS)
            assert (await memory.get_status())["failed_embeddings"] == 0

    async def test_a_query_that_cannot_be_embedded_is_answered_by_words(
        self, server: EmbeddingServer, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.db"
        ids = await _store_pending(path, [*TEXTS, "zucchini are green"])
        server.twist = answer(400, "not this one")
        async with opened(path, "openai", **reached(server)) as memory:
            found = await memory.search(BAD)
            assert found[0].memory.id == ids[-1]
            assert tuple(found.retrievers) == ("words",)
            assert any("not this one" in notice for notice in found.notices)
            with pytest.raises(EmbeddingError, match="not this one"):
                await memory.search(BAD, mode="vector")
            assert (await memory.search("note about c", mode="vector")) != []


class TestASearchThatMayNotWait:
    async def test_it_does_not_ask_a_failing_server_again_and_again(
        self, server: EmbeddingServer, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.db"
        await _store_pending(path, [*TEXTS[:3], BAD])
        server.twist = answer(503)
        async with opened(path, "openai", **reached(server) | {"max_retries": 5}) as memory:
            await memory.search("note about c")
            # With the others, with one of them, alone, and once more after a word that works.
            assert len([request for request in server.requests if _any(request.body["input"])]) == 4
            server.requests.clear()
            await memory.index()
            assert len([request for request in server.requests if _any(request.body["input"])]) == 12

    async def test_what_it_has_no_time_to_find_out_is_left_to_index(
        self, server: EmbeddingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.db"
        (*_, bad) = await _store_pending(path, [*TEXTS, BAD])
        server.twist = answer(400, "refused")
        monkeypatch.setattr(pending, "PATIENCE", 0.0)
        async with opened(path, "openai", **reached(server)) as memory:
            assert await memory.search("note about c") != []
            status = await memory.get_status()
            assert status["failed_embeddings"] > 1
            assert "left to a later run: 127.0.0.1" in status["failures"][0]["reason"]
            assert await memory.index() == len(TEXTS)
            assert [item["id"] for item in (await memory.get_status())["failures"]] == [bad]

    async def test_a_store_that_takes_nothing_is_no_fault_of_the_query(self, tmp_path: Path) -> None:
        class Full(SqliteStore):
            async def _put_vectors(self, *_: Any) -> None:
                raise BackendError("the disk is full")

        path = tmp_path / "a.db"
        await _store_pending(path, TEXTS)
        for mode in ("hybrid", "vector"):
            async with AgentMemory(
                backend=Full(None, path=path), embedding_provider=DummyEmbedder()
            ) as memory:
                found = await memory.search("note about c", mode=mode)  # type: ignore[arg-type]
                assert (found != []) == (mode == "hybrid")
                assert any(
                    "could not be embedded now: the disk is full" in notice for notice in found.notices
                )


# --- long texts ------------------------------------------------------------------------------------------------


class SegmentEmbedder(DummyEmbedder):
    """Reads eight words at once, cuts texts into segments of 96, and can be told to stop."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.read: list[str] = []
        self.stop_after = 10**9

    def _split_into_parts(self, text: str) -> list[str]:
        return _parts(text, 96)

    def _split(self, text: str) -> list[str]:
        return _parts(text, 8)

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        await anyio.sleep(0)
        if not query:
            if len(self.read) + len(texts) > self.stop_after:
                raise KeyboardInterrupt
            self.read += texts
        return await super()._embed(texts, query=query)


def _parts(text: str, count: int) -> list[str]:
    words = text.split(" ")
    return [" ".join(words[start : start + count]) for start in range(0, len(words), count)]


def book(seed: int, words: int = 4_000) -> str:
    """Return a text of made-up words; no two of its pieces are alike."""
    choose = random.Random(seed)
    return " ".join(f"w{choose.randrange(10**9)}" for _ in range(words))


@pytest.mark.parametrize("length", [520, 1_000, 4_000])
async def test_a_search_embeds_some_of_a_long_text_and_the_next_goes_on(tmp_path: Path, length: int) -> None:
    path, text = tmp_path / "a.db", book(length, length)
    (memory_id,) = await _store_pending(path, [text])
    segments = await SegmentEmbedder().split(text)
    read: list[str] = []
    searches = 0
    pending = True
    while pending:
        embedder = SegmentEmbedder()
        async with opened(path, embedder) as memory:
            found = await memory.search("nothing of that")
            now = [item for item in embedder.read if item in set(segments)]
            assert 0 < len(now) <= constants.PENDING_SEGMENTS
            read += now
            pending = bool((await memory.get_status())["owed_embeddings"])
            assert (
                any("1 memory is found by words only until" in notice for notice in found.notices) == pending
            )
            searches += 1
            assert searches < 500
    assert read == segments
    async with opened(path, SegmentEmbedder()) as memory:
        (vectors,) = (await memory.backend.vectors([memory_id])).values()
        assert len(vectors) == len(segments)
        assert (await memory.search(segments[-1], mode="vector"))[0].similarity == pytest.approx(1, abs=1e-3)
        assert await memory.check() == []


async def test_what_was_embedded_before_a_kill_is_not_embedded_again(tmp_path: Path) -> None:
    path, text = tmp_path / "a.db", book(1, 8_000)
    await _store_pending(path, [text, "a short note"])
    segments = await SegmentEmbedder().split(text)
    first = SegmentEmbedder()
    first.stop_after = 700
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        async with opened(path, first) as memory:
            await memory.index()
    assert 300 < len(first.read) <= 700
    second = SegmentEmbedder()
    seen: list[tuple[int, int]] = []
    async with opened(path, second) as memory:
        assert (await memory.get_status())["owed_embeddings"] == 1
        assert await memory.index(progress=lambda done, total: seen.append((done, total))) == 1
        assert (await memory.get_status())["owed_embeddings"] == 0
    assert [item for item in first.read + second.read if item in set(segments)] == segments
    assert seen[-1][0] == seen[-1][1] == len(second.read)
    assert len(seen) > 1
    assert all(done <= total for done, total in seen)


async def test_a_book_does_not_hold_up_the_notes_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    notes = await _store_pending(path, [f"note number {number}" for number in range(30)])
    await _store_pending(path, [book(seed, 20_000) for seed in range(3)])
    embedder = SegmentEmbedder()
    async with opened(path, embedder) as memory:
        for _ in range(12):
            found = await memory.search("note number", limit=40, mode="vector")
        assert {result.memory.id for result in found} == set(notes)
        # Nor do the notes hold up the books.
        assert sum("w" in item for item in embedder.read) > 30


async def test_a_long_text_is_stored_before_it_is_embedded(tmp_path: Path) -> None:
    embedder = SegmentEmbedder()
    embedder.stop_after = 300
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        async with opened(tmp_path / "a.db", embedder) as memory:
            await memory.long_term.add_many(["a short note", book(3, 8_000)])
    again = SegmentEmbedder()
    async with opened(tmp_path / "a.db", again) as memory:
        assert await memory.count() == 2
        assert await memory.index() == 1
        assert not set(embedder.read) & set(again.read)


async def test_embedding_anew_goes_on_within_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with opened(path, DummyEmbedder(dimension=8)) as memory:
        await memory.long_term.add(book(4, 8_000))
    first = SegmentEmbedder()
    first.stop_after = 600
    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
        async with opened(path) as memory:
            memory._core.index._embedder = first
            await memory.reembed()
    second = SegmentEmbedder()
    async with opened(path) as memory:
        memory._core.index._embedder = second
        space = await memory.reembed()
        assert (space.dimension, space.current) == (64, True)
        assert await memory.backend.pending_count() == 0
    assert len(first.read) + len(second.read) == 1_000
    assert not set(first.read) & set(second.read)


@pytest.mark.parametrize("mended", [False, True], ids=["embedded", "mended"])
@pytest.mark.parametrize(
    "damage",
    [
        "update embedding_part set vectors = zeroblob(length(vectors))",
        "update embedding_part set first = first + 1",
        "update embedding_attempt set kept = kept + 1",
        "update embedding_attempt set segment = 'ten'",
        "update embedding_attempt set reason = 'none', failed_at = 'never'",
        "delete from embedding_part",
    ],
)
async def test_damage_to_what_is_kept_of_a_text_costs_the_work_and_nothing_else(
    tmp_path: Path, damage: str, mended: bool
) -> None:
    path, text = tmp_path / "a.db", book(5, 1_536)
    (memory_id,) = await _store_pending(path, [text])
    async with opened(path, SegmentEmbedder()) as memory:
        await memory.search("anything")
        assert isinstance(memory.backend, SqliteStore)
        await memory.backend._write(lambda connection: connection.execute(damage))
    async with opened(path, SegmentEmbedder()) as memory:
        assert len(await memory.check()) == (not damage.startswith("delete"))
        assert (await memory.get_status())["failures"] == []
        if mended:
            assert await memory.repair() == []
        assert len(await memory.search(text.split(" ")[0])) == 1
        assert await memory.index() == 1
        (vectors,) = (await memory.backend.vectors([memory_id])).values()
        assert len(vectors) == 192
        assert all(any(vector) for vector in vectors)
        assert await memory.check() == []


async def test_an_engine_that_raises_is_an_embedder_that_fails(tmp_path: Path) -> None:
    class Fragile(SegmentEmbedder):
        async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
            if _any(texts):
                raise ZeroDivisionError("in\nthe engine")
            return await super()._embed(texts, query=query)

    async with opened(tmp_path / "a.db", Fragile()) as memory:
        *_, bad = await memory.long_term.add_many([*TEXTS, BAD])
        (failure,) = (await memory.get_status())["failures"]
        assert failure["id"] == bad
        assert "ZeroDivisionError: in the engine" in failure["reason"]
