"""Redis over TLS and as a user of its own; the servers of the wheels speak no TLS, so a relay does it for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from servers.redis import RedisServer
from servers.tls import Authority, TlsRelay

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


async def test_what_is_wrong_is_said_in_one_line_and_without_the_password(
    relay: TlsRelay, authority: Authority, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    for address, said in {
        url(relay, other): "certificate verify failed",
        url(relay, authority).replace("127.0.0.1", "localhost"): "Hostname mismatch",
    }.items():
        with pytest.raises(StoreUnreachableError) as caught:
            await RedisStore("tester", url=address).open()
        assert said in str(caught.value)
        assert "ssl_ca_certs=FILE" in str(caught.value)
        assert "cret" not in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(AgentMemoryError, match="refuses") as refused:
        await RedisStore("tester", url=url(relay, authority, "unfit")).open()
    assert "unfit" not in str(refused.value)
