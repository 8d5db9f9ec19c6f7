"""What only Chroma does: one process to a folder, values that merge, and servers that vanish."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import anyio
import chromadb
import pytest
from servers.chroma import ChromaServer
from servers.ports import free_port
from servers.surviving import survives

from agent_memory import MemoryConfig
from agent_memory.errors import BackendError, ConfigurationError, StoreBusyError, StoreUnreachableError
from agent_memory.records import Status
from agent_memory.storage.changes import new_id
from agent_memory.storage.chroma import ChromaStore
from agent_memory.storage.chroma.connection import location_of
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, change, opened, put, texts

from ..damaged import stops_nothing_but_itself
from . import QUIET

pytestmark = [pytest.mark.anyio, *QUIET]

_HOLD = """
import asyncio, sys
from agent_memory.storage.chroma import ChromaStore
async def main():
    store = ChromaStore("tester", path=sys.argv[1]); await store.open()
    print("open", flush=True); sys.stdin.readline(); await store.close()
asyncio.run(main())
"""


async def test_without_tls_no_authorities_are_read(
    chroma_server: ChromaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "is not there"))
    async with opened(lambda agent_id: ChromaStore(agent_id, url=chroma_server.url, prefix="plain")) as store:
        await put(store, builders.fact("mine"))
        assert await store.count(EVERYTHING) == 1


async def test_a_folder_is_for_one_process_at_a_time(tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    with pytest.raises(StoreBusyError, match="in use by another process") as caught:
        await ChromaStore("tester", path=tmp_path).open()
    assert "chroma run --path" in str(caught.value)
    other.communicate("\n")
    async with (
        opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as one,
        opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path), "another") as two,
    ):
        await put(one, builders.fact("mine"))
        assert await two.count(EVERYTHING) == 0
    async with opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as again:
        assert texts(await again.select(Where())) == ["mine"]


async def test_nobody_else_may_look_into_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    async with opened(lambda agent_id: ChromaStore(agent_id, path=folder)) as made:
        await put(made, builders.fact("secret"))
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "chroma.sqlite3").stat().st_mode & 0o077 == 0


@pytest.mark.timeout(60)
async def test_what_others_have_in_the_folder_is_left_alone(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("mine")
    notes.chmod(0o644)
    async with opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as made:
        await put(made, builders.fact("secret"))
    assert (notes.read_text(), notes.stat().st_mode & 0o777) == ("mine", 0o644)


@pytest.mark.timeout(60)
async def test_what_is_no_folder_is_neither_opened_nor_waited_for(tmp_path: Path) -> None:
    letter, pipe, piped = tmp_path / "letter", tmp_path / "pipe", tmp_path / "piped"
    letter.write_text("mine")
    os.mkfifo(pipe)
    piped.mkdir()
    os.mkfifo(piped / "agentmem.lock")
    for sequence, said in ((letter, "is a file"), (pipe, "is a named pipe"), (piped, "lock is a named pipe")):
        with pytest.raises(BackendError, match=said):
            await ChromaStore("tester", path=sequence).open()
    assert letter.read_text() == "mine"


async def test_a_folder_needs_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("something was looked up or connected to")

    for name in ("socket.socket.connect", "socket.getaddrinfo", "socket.create_connection"):
        monkeypatch.setattr(name, refuse)
    async with opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as made:
        await made.add_space(builders.space())
        await put(made, builders.fact("east"), vectors=builders.vectors_of(east=[builders.vector(1)]))
        assert len(await made.by_vector(builders.vector(1), Where(), 5)) == 1


async def test_values_are_replaced_and_never_merged(tmp_path: Path) -> None:
    async with opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as made:
        await made.add_space(builders.space())
        vectors = builders.vectors_of(east=[builders.vector(1)])
        record = (await put(made, builders.fact("east", tags=("a", "b"), source="x"), vectors=vectors))[0]
        await change(made, record, tags=("b",), source=None, status=Status.ARCHIVED)
        for part in ("memories", "space-1"):
            (values,) = (await made._collection(part)).get(include=["metadatas"])["metadatas"]
            assert [name for name in values if name.startswith("tag:")] == ["tag:62"]
            assert "source" not in values
            assert values["status"] == "archived"


async def test_among_many_vectors_none_is_missed(tmp_path: Path) -> None:
    count = 1500
    facts = [builders.fact(str(number), tags=("rare",) * (number % 300 == 0)) for number in range(count)]
    supply = builders.random_vectors(count, dimension=16)
    given = {builders.digest(item): [one] for item, one in zip(facts, supply, strict=True)}
    async with opened(lambda agent_id: ChromaStore(agent_id, path=tmp_path)) as made:
        await made.add_space(builders.space(dimension=16))
        await put(made, *facts, vectors=given)
        query = builders.random_vectors(1, dimension=16, seed=9)[0]
        cosines = {item.id: builders.cosine(query, one) for item, one in zip(facts, supply, strict=True)}
        best = sorted(cosines, key=lambda item: -cosines[item])
        found = [memory_id for memory_id, _ in await made.by_vector(query, Where(), 10)]
        assert len(set(found) & set(best[:10])) >= 9
        rare = {fact.id for fact in facts if fact.tags}
        few = [memory_id for memory_id, _ in await made.by_vector(query, Where(tags_any=("rare",)), 10)]
        assert few == [item for item in best if item in rare]


def test_where_it_is_can_be_said_in_several_ways() -> None:
    assert location_of({"path": "/a/b"}) == "/a/b"
    assert location_of({"url": "chroma:///a/b"}) == "/a/b"
    assert location_of({"url": "chroma+http://h:1"}) == location_of({"url": "http://h:1"}) == "http://h:1"
    assert location_of({}).endswith("chroma")
    for wrong in ({"path": "a", "url": "http://h"}, {"url": "redis://h"}):
        with pytest.raises(ConfigurationError):
            location_of(wrong)


async def test_a_server_that_is_down_is_said_in_one_line_and_soon() -> None:
    began = time.monotonic()
    with pytest.raises(StoreUnreachableError) as caught:
        await ChromaStore("tester", url=f"http://user:secret@127.0.0.1:{free_port()}", token="hush").open()
    assert "secret" not in str(caught.value)
    assert "hush" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 30


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed() -> None:
    with ChromaServer() as server:
        async with opened(lambda agent_id: ChromaStore(agent_id, url=server.url)) as made:
            await made.add_space(builders.space())
            await survives(made, server, writers=1, writes=40, pause=0.5)


async def test_a_server_that_never_answers_is_an_error_and_no_hang() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        store = ChromaStore("ada", url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=1)
        with anyio.fail_after(30), pytest.raises(StoreUnreachableError):
            await store.open()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://", "names no host"),
        ("http://h:abc", "a port is a number"),
        ("https://h:99999", "a port is a number"),
        ("http://u:hush@h:8000/x", "more than a host and a port"),
        ("http://h:8000/api", "more than a host and a port"),
        ("chroma+http://h?tenant=mine", "more than a host and a port"),
    ],
)
def test_a_url_that_cannot_be_used_is_said_in_words(url: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as caught:
        location_of({"url": url})
    assert "hush" not in str(caught.value)


async def test_a_server_that_is_no_chroma_is_said_to_be_none() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(ConfigurationError, match="is no Chroma server"):
            await ChromaStore("tester", url=f"http://127.0.0.1:{server.server_port}").open()
        server.shutdown()


async def test_what_cannot_be_a_memory_stops_nothing_but_itself(
    chroma_server: ChromaServer, tmp_path: Path
) -> None:
    places = {"url": chroma_server.url, "prefix": f"test-{new_id()}"}
    config = MemoryConfig(backend="chroma", backend_config=places, embedding_provider="dummy")

    def done(memory_id: str) -> None:
        address = urlsplit(chroma_server.url)
        client = chromadb.HttpClient(host=address.hostname or "", port=address.port or 0)
        for collection in client.list_collections():
            there = collection.get(ids=[memory_id], include=["embeddings"])
            if collection.name.startswith(places["prefix"]) and there["ids"]:
                collection.update(ids=[memory_id], documents=["{"], embeddings=there["embeddings"])
        for part in (
            client,
            client._admin_client,
        ):  # each has a session of its own, which `close` leaves open
            part._server._session.close()
        client.close()

    await stops_nothing_but_itself(config, done, tmp_path)
