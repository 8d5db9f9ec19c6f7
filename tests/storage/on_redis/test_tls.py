"""Redis over TLS and as a user of its own; the servers of the wheels speak no TLS, so a relay does it for them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest
from servers.redis import RedisServer, redis_vectorsets
from servers.redis_cluster import RedisCluster, until
from servers.tls import Authority, TlsRelay

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.errors import AgentMemoryError, StoreUnreachableError
from agent_memory.storage.redis import RedisStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put, texts

from .conftest import start

pytestmark = pytest.mark.anyio
RIGHTS = (
    "on",
    ">se%cret/word",
    "~{agentmem:*",
    "~agentmem:*",
    "&*",
    "+@all",
    "-@dangerous",
    "+info",
    "+keys",
)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "known")


@pytest.fixture
async def relay(servers: dict[str, RedisServer], authority: Authority) -> AsyncIterator[TlsRelay]:
    server = start("vector-sets", servers)
    with server.client() as client:
        client.execute_command("ACL", "SETUSER", "worker", "reset", *RIGHTS)
    async with TlsRelay(server.url, authority) as started:
        yield started
    with server.client() as client:
        client.execute_command("ACL", "DELUSER", "worker")


def url(relay: TlsRelay, authority: Authority, secret: str = "se%25cret%2Fword") -> str:
    return f"{relay.url.replace('://', f'://worker:{secret}@')}?ssl_ca_certs={authority.file}"


async def test_a_user_reaches_a_server_whose_certificate_is_verified(
    relay: TlsRelay, authority: Authority
) -> None:
    trusted = url(relay, authority)
    async with opened(lambda agent_id: RedisStore(agent_id, url=trusted)) as made:
        await put(made, builders.fact("apples"))
        assert texts(await made.select(Where())) == ["apples"]
        assert "cret" not in (await made.describe()).location


async def refused_in_words(untrusted: str, right: str, unfit: str) -> None:
    """Check what is said of a server that is not trusted, of another name of it, and of a wrong password."""
    for address, said in {
        untrusted: "certificate verify failed",
        right.replace("127.0.0.1", "localhost"): "Hostname mismatch",
    }.items():
        with pytest.raises(StoreUnreachableError) as caught:
            await RedisStore("tester", url=address).open()
        assert said in str(caught.value)
        assert "ssl_ca_certs=FILE" in str(caught.value)
        assert "cret" not in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(AgentMemoryError, match="refuses") as refused:
        await RedisStore("tester", url=unfit).open()
    assert "unfit" not in str(refused.value)


async def test_what_is_wrong_is_said_in_one_line_and_without_the_password(
    relay: TlsRelay, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    await refused_in_words(url(relay, other), url(relay, authority), url(relay, authority, "unfit"))


async def test_an_authority_is_read_once_and_again_when_it_changes(
    relay: TlsRelay, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, made = tmp_path / "trusted.pem", list[ssl.SSLContext]()
    make = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(context := make())
        return context

    monkeypatch.setattr(ssl, "create_default_context", counted)
    file.write_bytes(authority.file.read_bytes())
    trusted = url(relay, authority).replace(str(authority.file), str(file))
    for _ in range(3):
        async with opened(lambda agent_id: RedisStore(agent_id, url=trusted)) as store:
            await put(store, builders.fact("apples"))
    assert len(made) == 1
    file.write_bytes(Authority(tmp_path / "other").file.read_bytes())
    with pytest.raises(StoreUnreachableError, match="certificate verify failed"):
        await RedisStore("tester", url=trusted).open()
    file.write_bytes(authority.file.read_bytes())
    async with opened(lambda agent_id: RedisStore(agent_id, url=trusted)) as store:
        assert texts(await store.select(Where())) == ["apples"]


async def test_a_call_that_is_cancelled_leaves_nothing_open(relay: TlsRelay, authority: Authority) -> None:
    async with opened(lambda agent_id: RedisStore(agent_id, url=url(relay, authority))) as store:
        pool = store._client.connection_pool  # type: ignore[attr-defined]
        connection = await pool.get_connection()
        socket = connection._writer.get_extra_info("socket")
        await connection.send_command("BLPOP", "{agentmem:tester}:absent", 5)
        with anyio.move_on_after(0.1):
            await connection.read_response()
        await anyio.lowlevel.checkpoint()
        assert socket.fileno() == -1
        await pool.release(connection)


# --- a cluster -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    """Three nodes without replicas, which could not follow a primary through a relay that speaks TLS only."""
    with RedisCluster(redis_vectorsets, replicas=False) as running:
        for node in running.nodes:
            with node.client() as client:
                client.execute_command("ACL", "SETUSER", "worker", "reset", *RIGHTS)
        yield running


@asynccontextmanager
async def relayed(cluster: RedisCluster, authority: Authority) -> AsyncIterator[list[TlsRelay]]:
    """Put a relay before each node; by what the nodes tell, only the relays can be reached."""
    cluster.flush()
    async with AsyncExitStack() as stack:
        relays = []
        for node in cluster.nodes:
            relay = await stack.enter_async_context(TlsRelay(node.url, authority))
            with node.client() as client:
                client.config_set("cluster-announce-port", relay.port)
            relays.append(relay)
        told = {relay.port for relay in relays}
        until(lambda: all(ports_told_by(node) == told for node in cluster.nodes), "telling the relays' ports")
        yield relays


def ports_told_by(node: RedisServer) -> set[int]:
    with node.client() as client:
        return {server[1] for _, _, *servers in client.execute_command("CLUSTER SLOTS") for server in servers}


def of_cluster(relays: list[TlsRelay], authority: Authority, secret: str = "se%25cret%2Fword") -> str:
    hosts = ",".join(f"127.0.0.1:{relay.port}" for relay in relays[:2])
    return f"rediss+cluster://worker:{secret}@{hosts}?ssl_ca_certs={authority.file}"


async def test_a_user_works_in_a_cluster_whose_certificates_are_verified(
    cluster: RedisCluster, authority: Authority
) -> None:
    """By the URL of the cluster and by that of one node, while the agent moves from one to another."""
    async with relayed(cluster, authority) as relays:
        urls = [of_cluster(relays, authority), url(relays[2], authority)]
        for number, given in enumerate(urls):
            config = MemoryConfig(backend="redis", backend_config={"url": given}, embedding_provider="dummy")
            async with AgentMemory("tester", config=config) as memory:
                added = await memory.long_term.add(f"pears grow in garden {number}")
                await anyio.to_thread.run_sync(cluster.move, "{agentmem:tester}")
                found = await memory.search(f"pears in garden {number}", limit=1)
                assert [result.memory.id for result in found] == [added]
                await memory.update(added, "plums")
                await memory.undo()
                listed = [record.content async for record in memory.iterate()]
                assert sorted(listed) == [f"pears grow in garden {one}" for one in range(number + 1)]
            assert await RedisStore("nobody", url=given).list_agents() == ["tester"]


async def test_what_is_wrong_with_a_cluster_is_said_in_one_line_and_without_the_password(
    cluster: RedisCluster, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    async with relayed(cluster, authority) as relays:
        right, unfit = of_cluster(relays, authority), of_cluster(relays, authority, "unfit")
        await refused_in_words(of_cluster(relays, other), right, unfit)
