"""PostgreSQL over TLS: the server shows a certificate, and the client names who has to have signed it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.pgbouncer import PgBouncer
from servers.postgres import PostgresServer
from servers.tls import Authority

from agent_memory.errors import AgentMemoryError, StoreUnreachableError
from agent_memory.storage.postgres import PostgresStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import opened, put, texts

from .conftest import empty

pytestmark = pytest.mark.anyio
SECRET = "se%cret/word"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "known")


@pytest.fixture
def pooler(newest: PostgresServer, authority: Authority) -> Iterator[PgBouncer]:
    """The server of the wheel speaks no TLS; the pooler of the distribution does."""
    empty(newest)
    with PgBouncer(newest, password=SECRET, authority=authority) as started:
        yield started


def url(
    pooler: PgBouncer, secret: str = "se%25cret%2Fword", host: str = "127.0.0.1", **parameters: object
) -> str:
    query = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"postgresql://postgres:{secret}@{host}:{pooler.port}/postgres?{query}"


async def test_a_server_whose_certificate_is_verified_is_used(
    pooler: PgBouncer, authority: Authority
) -> None:
    trusted = url(pooler, sslmode="verify-full", sslrootcert=authority.file)
    async with opened(lambda agent_id: PostgresStore(agent_id, url=trusted)) as made:
        await put(made, builders.fact("apples"))
        assert texts(await made.select(Where())) == ["apples"]
        assert SECRET not in (await made.describe()).location
        assert "cret" not in (await made.describe()).location


async def test_what_is_wrong_is_said_in_one_line_and_without_the_password(
    pooler: PgBouncer, authority: Authority, tmp_path: Path
) -> None:
    verified = {"sslmode": "verify-full", "sslrootcert": authority.file}
    other = Authority(tmp_path / "other")
    for address, said in {
        url(pooler, **verified | {"sslrootcert": other.file}): "certificate verify failed",
        url(pooler, host="localhost", **verified): 'does not match host name "localhost"',
        url(pooler, sslmode="disable"): "SSL required",
    }.items():
        with pytest.raises(StoreUnreachableError) as caught:
            await PostgresStore("tester", url=address, connect_timeout=2).open()
        assert said in str(caught.value)
        assert ("sslrootcert=FILE" in str(caught.value)) is ("SSL required" not in said)
        assert "cret" not in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(AgentMemoryError, match="refuses the connection") as refused:
        await PostgresStore("tester", url=url(pooler, "unfit", **verified)).open()
    assert "unfit" not in str(refused.value)
