"""What only Redis does: three modes, its own expiry, and servers that refuse, vanish and come back."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from servers.ports import free_port
from servers.redis import RedisServer, redis_search, redis_vectorsets, valkey
from servers.surviving import survives

from agent_memory import AgentMemory, MemoryConfig, clock
from agent_memory.errors import (
    BackendError,
    ConfigurationError,
    IntegrityError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnreachableError,
)
from agent_memory.settings import Settings
from agent_memory.storage.base import Order
from agent_memory.storage.redis import RedisStore
from agent_memory.storage.redis.writing import GRACE
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, change, opened, put, texts

from ..damaged import history_stops_nothing_but_itself, stops_nothing_but_itself
from .conftest import start

pytestmark = pytest.mark.anyio
_ABLE = [("search", "search"), ("vector-sets", "vector-sets"), ("valkey", "plain")]
_CHANGES = [("plain", "search", "plain"), ("vector-sets", "plain", "vector-sets")]


def store(server: RedisServer, agent_id: str = "tester", **options: Any) -> RedisStore:
    return RedisStore(agent_id, url=server.url, **options)


async def mode_of(server: RedisServer, **options: Any) -> Any:
    async with opened(lambda agent_id: store(server, agent_id, **options)) as made:
        return (await made.describe()).details["mode"]


@pytest.mark.parametrize(("kind", "able"), _ABLE)
async def test_the_server_is_asked_what_it_can_do(
    servers: dict[str, RedisServer], kind: str, able: str
) -> None:
    assert await mode_of(start(kind, servers)) == able


async def test_less_than_the_server_can_do_may_be_asked_for_and_never_more(
    servers: dict[str, RedisServer],
) -> None:
    assert await mode_of(start("search", servers), mode="plain") == "plain"
    with pytest.raises(ConfigurationError, match="cannot do the mode 'search'"):
        await mode_of(start("valkey", servers), mode="search")
    with pytest.raises(ConfigurationError, match="fast"):
        store(start("valkey", servers), mode="fast")


@pytest.mark.parametrize("modes", _CHANGES, ids="-".join)
async def test_a_server_that_learns_or_forgets_something_finds_all_the_same(
    servers: dict[str, RedisServer], modes: tuple[str, ...]
) -> None:
    server = start("search", servers)
    east, north = builders.vector(1), builders.vector(0, 1)
    for number, mode in enumerate(modes):
        async with opened(lambda agent_id, mode=mode: store(server, agent_id, mode=mode)) as made:  # type: ignore[misc]
            if not number:
                await made.add_space(builders.space())
                given = builders.vectors_of({"apples are red": [east], "pears": [north]})
                await put(made, builders.fact("apples are red"), builders.fact("pears"), vectors=given)
            else:
                await put(made, builders.fact(f"apple {number}"))
            assert len(await made.by_keyword(["apple"], Where(), 9)) == number + 1
            assert len(await made.by_vector(east, Where(), 9)) == 2
            assert (await made.word_statistics(["apple"])).document_frequency == {"appl": number + 1}
            assert await made.check() == []


async def test_the_server_drops_short_term_memories_by_itself(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        ends = clock.now() + timedelta(hours=1)
        note, fact = await put(
            made,
            builders.note("passing thought a1b2c3d4", expires_at=ends),
            builders.fact("passing", expires_at=ends),
        )
        client, keys = made._client, made._keys
        left = await client.pttl(keys.document(note.id))
        assert 0 < left <= (timedelta(hours=1) + GRACE) / timedelta(milliseconds=1)
        assert await client.pttl(keys.document(fact.id)) == -1
        longer = await change(made, note, "extend", expires_at=None)
        assert await client.pttl(keys.document(note.id)) == -1
        await change(made, longer, "extend", expires_at=ends)
        # As if its time had come: the server drops the hash, and the next write takes it out of the indexes.
        await client.delete(keys.document(note.id))
        assert note.id not in await made.get([note.id, fact.id])
        with clock.fixed(ends + GRACE + timedelta(minutes=1)):
            await put(made, builders.fact("later"))
            assert await made.count(EVERYTHING) == 2
            assert (await made.word_statistics(["thought"])).documents == 2
            assert await made.terms_beginning("a1b2c3d", 5) == []
        assert await made.check() == []


@pytest.mark.parametrize("kind", ["search", "vector-sets"])
async def test_what_the_server_dropped_is_counted_out_once_where_indexes_are_made_anew(
    servers: dict[str, RedisServer], kind: str
) -> None:
    server = start(kind, servers)
    ends = clock.now() + timedelta(hours=1)
    async with opened(lambda agent_id: store(server, agent_id, mode="plain")) as made:
        note, _ = await put(made, builders.note("passing thought", expires_at=ends), builders.fact("lasting"))
        await made._client.delete(made._keys.document(note.id))
    with clock.fixed(ends + GRACE + timedelta(minutes=1)):
        async with opened(lambda agent_id: store(server, agent_id)) as made:
            await put(made, builders.fact("later"))
            assert (await made.word_statistics(["lasting"])).documents == 2
            assert await made.check() == []


@pytest.mark.parametrize("mode", ["search", "plain"])
async def test_codes_that_are_not_listed_are_named_and_listed_again(
    servers: dict[str, RedisServer], mode: str
) -> None:
    async with opened(lambda agent_id: store(start("search", servers), agent_id, mode=mode)) as made:
        record, other = await put(
            made, builders.fact("built a1b2c3d4e5"), builders.fact("shipped a1b2c3d4e5 and f0e1d2c3b4")
        )
        client, codes = made._client, made._keys("codes")
        await client.delete(codes)
        faults = await made.check()
        assert [record.id in fault or other.id in fault for fault in faults] == [True, True]
        await change(made, record, importance=0.9)  # as words that an older version indexed are renewed
        assert await made.terms_beginning("a1b2c3d", 5) == ["a1b2c3d4e5"]
        await client.zadd(codes, {f"b1b2c3d4\0{record.id}": 0})
        assert "codes are listed that no memory holds" in await made.check()
        await made.rebuild()
        assert await made.check() == []
        assert await made.terms_beginning("f0e1d2c", 5) == ["f0e1d2c3b4"]
        assert await made.terms_beginning("b1b2c3d", 5) == []


async def test_no_walk_by_time_loses_what_was_stored_at_one_moment(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        moment = clock.now()
        await put(made, *(builders.event(str(number), created_at=moment) for number in range(300)))
        assert texts(await made.select(Where(), limit=3)) == ["299", "298", "297"]
        oldest = await made.select(Where(), Order("created", descending=False), limit=2, offset=1)
        assert texts(oldest) == ["1", "2"]


async def test_more_than_may_be_read_is_refused_by_name(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id, most_scanned=20)) as made:
        await put(made, *(builders.event(str(number), tags=("rare",) * (number < 5)) for number in range(30)))
        assert len(await made.select(Where(), limit=7)) == 7
        assert await made.count(Where()) == 30
        assert len(await made.select(Where(tags_any=("rare",)), Order("importance"))) == 5
        with pytest.raises(BackendError, match="most_scanned is 20"):
            await made.select(Where(), Order("importance"))


async def test_all_keys_of_an_agent_have_one_hash_tag(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id), "a{b}:c") as made:
        await made.add_space(builders.space())
        vectors = builders.vectors_of(pears=[builders.vector(1)])
        record = (await put(made, builders.fact("pears", tags=("x{y}",)), vectors=vectors))[0]
        await change(made, record, content="apples")
        found = [key.decode() async for key in made._client.scan_iter()]
        assert found
        assert {key[: key.index("}") + 1] for key in found} == {"{agentmem:a%7Bb%7D%3Ac}"}


# --- servers that refuse or vanish -----------------------------------------------------------------------------


async def test_a_server_that_is_down_is_said_in_one_line() -> None:
    url = f"redis://user:secret@127.0.0.1:{free_port()}/0"
    with pytest.raises(StoreUnreachableError) as caught:
        await RedisStore("tester", url=url, connect_timeout=1).open()
    assert "does not answer" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_refused_password_is_said_in_one_line_and_never_shown() -> None:
    with valkey(password="right-one") as server:
        for url in (f"redis://:wrong-one@127.0.0.1:{server.port}/0", f"redis://127.0.0.1:{server.port}/0"):
            with pytest.raises(BackendError, match="refuses this user") as caught:
                await RedisStore("tester", url=url).open()
            assert not isinstance(caught.value, StoreUnreachableError)
            assert "-one" not in str(caught.value)
        async with opened(lambda agent_id: store(server, agent_id)) as made:
            assert "right-one" not in (await made.describe()).location


async def test_a_server_without_memory_is_said_to_be_full(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        (kept,) = await put(made, builders.fact("written before"))
        await made._client.config_set("maxmemory", 1)
        try:
            with pytest.raises(StoreFullError, match="no room left") as caught:
                await put(made, builders.fact("a secret of somebody"))
            assert "secret" not in str(caught.value)
            assert list(await made.get([kept.id])) == [kept.id]
        finally:
            await made._client.config_set("maxmemory", 0)
        assert len(await put(made, builders.fact("written after"))) == 1


async def test_a_replica_is_said_to_be_read_only(server: RedisServer) -> None:
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        (kept,) = await put(made, builders.fact("written before"))
        await made._client.replicaof("127.0.0.1", free_port())
        try:
            with pytest.raises(StoreReadOnlyError, match="primary"):
                await put(made, builders.fact("written on a replica"))
            assert list(await made.get([kept.id])) == [kept.id]
        finally:
            await made._client.replicaof("NO", "ONE")


@pytest.fixture(params=[redis_search, redis_vectorsets, valkey], ids=["search", "vector-sets", "valkey"])
def durable(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with request.param(appendonly=True) as server:
        yield server


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed(durable: RedisServer) -> None:
    async with opened(lambda agent_id: store(durable, agent_id)) as made:
        acknowledged = await survives(made, durable, writers=5, writes=60)
        assert len(await made.by_keyword([acknowledged[-1].split()[1]], Where(), 5)) >= 1


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """The path of a socket may not be longer than about a hundred bytes."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


async def test_a_socket_in_the_file_system_leads_to_the_server(short_folder: Path) -> None:
    socket = short_folder / "redis.sock"
    with valkey("--unixsocket", str(socket), password="hush"):
        url = f"unix://{socket}?db=1&password=hush"
        async with opened(lambda agent_id: RedisStore(agent_id, url=url)) as made:
            await put(made, builders.fact("apples"))
        # Without a password, the client opened connection after connection, and never ended.
        with pytest.raises(BackendError, match="asks for a password"):
            await RedisStore("tester", url=f"unix://{socket}").open()
        with pytest.raises(BackendError, match="refuses this user"):
            await RedisStore("tester", url=f"unix://:wrong@{socket}").open()


async def test_a_database_that_the_server_has_not_is_said_in_words(servers: dict[str, RedisServer]) -> None:
    url = start("valkey", servers).url.removesuffix("/0") + "/99"
    with pytest.raises(ConfigurationError, match="no database of this number"):
        await RedisStore("tester", url=url).open()


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", StoreFullError),
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", StoreReadOnlyError),
    ],
)
async def test_a_server_that_takes_no_writes_is_searched_all_the_same(
    servers: dict[str, RedisServer], before: str, after: str, error: type[BackendError]
) -> None:
    server = start("valkey", servers)
    settings = Settings(embedding_provider="none")
    async with AgentMemory("tester", settings, backend=store(server)) as memory:
        fact = await memory.add("apples are red")
        server.client().execute_command(*before.split())
        try:
            assert [item.memory.id for item in await memory.search("apples")] == [fact]
            assert "apples are red" in (await memory.recall("apples")).text
            with pytest.raises(error) as caught:
                await memory.add("pears")
        finally:
            server.client().execute_command(*after.split())
    # In the server's words, not as Python would write them, and without where in our script it stood.
    assert "user_script" not in str(caught.value)
    assert "('" not in str(caught.value)
    assert '("' not in str(caught.value)


async def test_a_user_of_one_prefix_needs_what_the_error_names(servers: dict[str, RedisServer]) -> None:
    server = start("valkey", servers)
    acl = ("ACL", "SETUSER", "limited", "on", ">hush", "resetkeys", "+@all", "-@dangerous")
    server.client().execute_command(*acl, "~agentmem*")
    url = server.url.replace("//", "//limited:hush@")
    with pytest.raises(BackendError, match="refuses this to the user: No permissions") as caught:
        await RedisStore("tester", url=url).open()
    (rights,) = re.findall("ACL SETUSER NAME (.*)", str(caught.value))
    server.client().execute_command(*acl, *rights.split())
    async with opened(lambda agent_id: RedisStore(agent_id, url=url)) as made:
        await put(made, builders.fact("apples"))
        assert await made.check() == []
        assert await made.list_agents() == ["tester"]
        await made.drop()
    server.client().execute_command("ACL", "DELUSER", "limited")


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b"\xff"])
async def test_what_cannot_be_a_memory_stops_nothing_but_itself(
    server: RedisServer, text: bytes, tmp_path: Path
) -> None:
    config = MemoryConfig(backend="redis", backend_config={"url": server.url}, embedding_provider="dummy")

    def done(memory_id: str) -> None:
        (key,) = server.client().keys(f"*doc:{memory_id}")
        server.client().hset(key, "json", text)

    await stops_nothing_but_itself(config, done, tmp_path)


@pytest.mark.parametrize("text", [b"{", b"[]", b"{}", b"\xff"])
async def test_a_change_that_cannot_be_read_stops_nothing_but_itself(
    servers: dict[str, RedisServer], text: bytes
) -> None:
    server = start("valkey", servers)

    def done(memory_id: str) -> None:
        (name,), (journal,) = server.client().keys(f"*history:{memory_id}"), server.client().keys("*:journal")
        server.client().hset(journal, server.client().lindex(name, 0), text)

    config = MemoryConfig(backend="redis", backend_config={"url": server.url}, embedding_provider="dummy")
    await history_stops_nothing_but_itself(config, done)


async def test_a_head_that_cannot_be_read_is_damage_and_no_fault_of_the_program(
    servers: dict[str, RedisServer],
) -> None:
    server = start("valkey", servers)
    async with opened(lambda agent_id: store(server, agent_id)) as made:
        await put(made, builders.fact("apples"))
    (head,) = server.client().keys("*:head")
    server.client().set(head, "{junk")
    with pytest.raises(IntegrityError, match="the head of this agent's memories is damaged"):
        await store(server).open()
