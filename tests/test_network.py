"""What may be used where the network is forbidden: only what stays on this machine, in the shell and in Python."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from agent_memory import AgentMemory, MemoryConfig, PolicyError, SyncAgentMemory
from agent_memory.errors import StoreUnreachableError
from agent_memory.network import is_elsewhere, is_encrypted

HERE = (
    *("redis://localhost:6379/0", "redis://127.0.0.1", "rediss://u:p@127.1.2.3:1/0", "redis://[::1]:6379"),
    *(
        "redis://",
        "unix:///run/redis.sock",
        "postgresql://",
        "postgresql:///db",
        "postgresql://me@/db?host=/tmp",
    ),
    *(
        "postgresql://me:a@b@localhost/db",
        "postgresql://%2Fvar%2Frun/db",
        "postgresql://localhost,[::1]:5/db",
    ),
    *(
        "host=localhost dbname=x",
        "host=/run/postgresql",
        "dbname=x",
        "http://0.0.0.0:8000",
        "http://x.localhost/",
    ),
    *("http://[::ffff:127.0.0.1]/v1", "HTTP://LOCALHOST./v1"),
)
ELSEWHERE = (
    *(
        "redis://db.example.org/0",
        "redis://10.0.0.1",
        "rediss://user:localhost@10.1.1.1:6379",
        "http://[2001:db8::1]/",
    ),
    *(
        "postgresql://localhost,db.example.org/x",
        "postgresql:///x?host=db.example.org",
        "host=localhost,db.example.org",
    ),
    *(
        "postgresql://localhost/x?hostaddr=192.0.2.1",
        "host='db.example.org' dbname=x",
        "http://localhost.example.org",
    ),
    *("https://api.openai.com/v1", "http://2130706433/", "redis://127.0.0.1.example.org"),
)


@pytest.mark.parametrize("place", HERE)
def test_this_machine_is_no_network(place: str) -> None:
    assert not is_elsewhere(place)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_other_machines_are(place: str) -> None:
    assert is_elsewhere(place)


def test_only_https_is_encrypted() -> None:
    assert all(is_encrypted(url) for url in ("https://x", "HTTPS://x/v1", " https://user@x"))
    assert not any(is_encrypted(url) for url in ("http://x", "httpsx://x", "http://x/https:", "x", ""))


@pytest.fixture
def no_connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Note every address that this process looks up or connects to beyond this machine."""
    asked: list[Any] = []
    real = socket.getaddrinfo

    def look_up(host: Any, *rest: Any, **named: Any) -> Any:
        asked.append(host)
        return real(host, *rest, **named)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


CONFIGURATIONS: tuple[dict[str, Any], ...] = (
    {"backend": "redis://db.invalid:6379/0"},
    {"backend": "redis", "backend_config": {"url": "redis://db.invalid"}},
    {"backend": "postgresql://me:secret@db.invalid/x"},
    {"backend": "postgres", "backend_config": {"url": "host=db.invalid password=secret"}},
    {"backend": "chroma+http://db.invalid:8000"},
    {"backend": "pinecone://memories", "backend_config": {"api_key": "secret"}},
    {"backend": "memory", "embedding_provider": "openai", "embedding_config": {"api_key": "secret"}},
)


@pytest.mark.parametrize("given", CONFIGURATIONS, ids=lambda given: str(given["backend"])[:12])
def test_python_refuses_what_uses_the_network(given: dict[str, Any], no_connections: list[Any]) -> None:
    config = MemoryConfig(**{"embedding_provider": "none", **given}, offline=True)
    with (
        pytest.raises(PolicyError, match="uses the network") as caught,
        SyncAgentMemory("t", config) as memory,
    ):
        memory.list()
    assert "secret" not in str(caught.value)

    async def use() -> None:
        async with AgentMemory("t", config) as memory:
            await memory.list()

    with pytest.raises(PolicyError, match="uses the network"):
        asyncio.run(use())
    assert no_connections == []


def test_nothing_is_migrated_or_embedded_elsewhere(no_connections: list[Any], tmp_path: Path) -> None:
    config = MemoryConfig(
        backend_config={"path": str(tmp_path / "a.db")}, embedding_provider="dummy", offline=True
    )
    with SyncAgentMemory("t", config) as memory:
        memory.long_term.store_fact("x")
        with pytest.raises(PolicyError, match="uses the network"):
            memory.migrate_to("redis://db.invalid")
        for verb in (memory.reembed, memory.cost_of_reembedding):
            with pytest.raises(PolicyError, match="uses the network"):
                verb("openai", {"api_key": "k"})
        assert memory.count() == 1
    assert no_connections == []


def test_a_server_on_this_machine_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = MemoryConfig(backend=f"redis://127.0.0.1:{port}", embedding_provider="none", offline=True)
    with (
        pytest.raises(StoreUnreachableError, match="does not answer"),
        SyncAgentMemory("t", config) as memory,
    ):
        memory.list()
