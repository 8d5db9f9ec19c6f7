"""What only Pinecone does: limits, names of indexes, keys, and writes that are readable later."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import pinecone
import pytest
from servers.pinecone import PineconeServer
from servers.ports import free_port
from servers.surviving import survives

from agent_memory import MemoryConfig
from agent_memory.errors import BackendError, ConfigurationError, StoreUnreachableError, ValidationError
from agent_memory.storage.changes import new_id
from agent_memory.storage.pinecone import PineconeStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, change, opened, put, texts

from ..damaged import stops_nothing_but_itself

pytestmark = pytest.mark.anyio


def store(server: PineconeServer, agent_id: str = "tester", **options: Any) -> PineconeStore:
    named = {"url": "pinecone://main", "host": server.host, "api_key": server.api_key, "dimension": 8}
    return PineconeStore(agent_id, **{**named, **options})


@pytest.fixture
def server(emulator: PineconeServer) -> PineconeServer:
    emulator.indexes.clear()
    return emulator


# --- the emulator refuses what the service refuses -------------------------------------------------------------


async def _refusals(index: Any) -> dict[str, Any]:
    one = [1.0, 0.0, 0.0]
    return {
        "dimension": lambda: index.upsert(vectors=[{"id": "a", "values": [1.0]}]),
        "non-zero": lambda: index.upsert(vectors=[{"id": "a", "values": [0.0, 0.0, 0.0]}]),
        "at most 1000": lambda: index.upsert(vectors=[{"id": str(n), "values": one} for n in range(1001)]),
        "exceeds the limit": lambda: index.upsert(
            vectors=[{"id": "a", "values": one, "metadata": {"text": "x" * 41_000}}]
        ),
        "must be a string": lambda: index.upsert(
            vectors=[{"id": "a", "values": one, "metadata": {"inner": {"x": 1}}}]
        ),
        "top_k": lambda: index.query(vector=one, top_k=10_001),
        "takes a number": lambda: index.query(vector=one, top_k=1, filter={"n": {"$gt": "x"}}),
        "Namespace not found": lambda: index.delete(ids=["a"], namespace="none"),
    }


async def test_the_emulator_enforces_the_limits_of_the_service(server: PineconeServer) -> None:
    client = pinecone.AsyncPinecone(api_key=server.api_key, host=server.host)
    await client.indexes.create(
        name="limits",
        dimension=3,
        metric="cosine",
        spec=pinecone.ServerlessSpec(cloud="aws", region="us-east-1"),
    )
    index = await client.index(host=(await client.indexes.describe("limits")).host)
    await index.upsert(vectors=[{"id": "a", "values": [1.0, 0.0, 0.0]}])
    for said, ask in (await _refusals(index)).items():
        with pytest.raises(pinecone.errors.PineconeError, match=said):
            await ask()
    assert (await index.describe_index_stats()).total_vector_count == 1
    await index.close()
    await client.close()


async def test_metadata_filters_of_the_emulator_mean_what_the_service_says(server: PineconeServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        await put(made, builders.fact("one", tags=("a", "b")), builders.fact("two", tags=("b",)))
        index = await made._service.index()

        async def found(wanted: dict[str, Any]) -> int:
            page = await index.fetch_by_metadata(filter=wanted, namespace=made._space("memories"))
            return len(page.vectors)

        assert await found({"tags": "a"}) == 1
        assert await found({"tags": {"$in": ["b"]}}) == 2
        assert await found({"tags": {"$nin": ["a"]}}) == 1
        assert await found({"importance": {"$gte": 0.5}, "type": {"$ne": "note"}}) == 2
        assert await found({"$or": [{"tags": "a"}, {"created": {"$lt": 0}}]}) == 1
        assert await found({"source": {"$exists": True}}) == 0


# --- the store -------------------------------------------------------------------------------------------------


async def test_what_is_too_large_is_refused_before_anything_is_written(server: PineconeServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        with pytest.raises(ValidationError, match="a record of pinecone takes 40960"):
            await put(made, builders.event("fits"), builders.event("x" * 45_000))
        assert await made.count(EVERYTHING) == 0
        await put(made, builders.event("é" * 15_000))
        assert await made.count(EVERYTHING) == 1


async def test_vectors_of_another_dimension_go_to_an_index_beside_it(server: PineconeServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        await made.add_space(builders.space(dimension=3))
        vectors = builders.vectors_of(east=[builders.vector(1, dimension=3)])
        await put(made, builders.fact("east"), vectors=vectors)
        assert sorted(server.indexes) == ["main", "main-3"]
        assert len(await made.by_vector(builders.vector(1, dimension=3), Where(), 5)) == 1
    server.indexes["main-3"].dimension = 4
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        with pytest.raises(ConfigurationError, match="has 4 dimensions"):
            await made.by_vector(builders.vector(1, dimension=3), Where(), 5)


async def test_the_key_is_asked_for_and_never_shown(
    server: PineconeServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="PINECONE_API_KEY"):
        store(server, api_key=None)
    with pytest.raises(BackendError, match="refuses the API key") as caught:
        await store(server, api_key="wrong-secret").open()
    assert "wrong-secret" not in str(caught.value)
    file = tmp_path / "key"
    file.write_text(f"{server.api_key}\n")
    async with opened(lambda agent_id: store(server, agent_id, api_key=None, api_key_file=file)) as made:
        assert server.api_key not in str(await made.describe())
    monkeypatch.setenv("PINECONE_API_KEY", server.api_key)
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", server.host)
    async with opened(lambda agent_id: store(server, agent_id, api_key=None, host=None)) as made:
        assert await made.count(Where()) == 0
    with pytest.raises(ConfigurationError, match="no Pinecone index"):
        store(server, url=None)


async def test_a_service_that_is_down_is_said_in_one_line() -> None:
    with pytest.raises(StoreUnreachableError) as caught:
        await PineconeStore("x", index="i", host=f"http://127.0.0.1:{free_port()}", api_key="hush").open()
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_what_was_written_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    with PineconeServer(delay=0.15) as slow:
        async with opened(lambda agent_id: store(slow, agent_id)) as made:
            record = (await put(made, builders.fact("late")))[0]
            assert texts((await made.get([record.id])).values()) == ["late"]
            changed = await change(made, record, content="later")
            assert texts((await made.get([record.id])).values()) == ["later"]
            assert changed.revision != record.revision
        async with opened(lambda agent_id: store(slow, agent_id, wait_readable=0), f"{new_id()}") as made:
            record = (await put(made, builders.fact("late")))[0]
            assert await made.get([record.id]) == {}
            await anyio.sleep(0.3)
            assert texts((await made.get([record.id])).values()) == ["late"]
        slow.delay = 1.0
        with caplog.at_level(logging.WARNING, "agent_memory"):
            async with opened(lambda agent_id: store(slow, agent_id, wait_readable=0.05), "x") as made:
                await put(made, builders.fact("late"))
        assert "cannot be read yet" in caplog.text


async def test_nothing_acknowledged_is_lost_when_the_service_goes_away() -> None:
    with PineconeServer() as server:
        async with opened(lambda agent_id: store(server, agent_id)) as made:
            await survives(made, server, writers=1, writes=40, pause=0.2)


@pytest.mark.parametrize("document", [{"document": "{"}, {"document": "{}"}, {}])
async def test_what_cannot_be_a_memory_stops_nothing_but_itself(
    server: PineconeServer, document: dict[str, str], tmp_path: Path
) -> None:
    options = {"host": server.host, "api_key": server.api_key, "dimension": 64}
    config = MemoryConfig(
        backend="pinecone",
        backend_config={"url": "pinecone://main", **options},
        embedding_provider="dummy",
        embedding_config={"dimension": 64},
    )

    def done(memory_id: str) -> None:
        for namespace in server.indexes["main"].namespaces.values():
            for name in [item for item in namespace.metadata if item == memory_id]:
                kept = {key: value for key, value in namespace.metadata[name].items() if key != "document"}
                namespace.metadata[name] = kept | document

    await stops_nothing_but_itself(config, done, tmp_path)
