from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemory, ConfigurationError, MemoryConfig
from agent_memory.settings import Settings


def test_the_two_forms_agree() -> None:
    ours = {each.name for each in dataclasses.fields(Settings)}
    assert set(MemoryConfig.model_fields) <= ours
    assert MemoryConfig().settings() == Settings()
    assert MemoryConfig(embedding_provider="local").settings().embedder_named


def test_the_seeds_own_settings() -> None:
    config = MemoryConfig(
        backend="memory",
        embedding_provider="dummy",
        backend_config={},
        embedding_config={},
        short_term_ttl=timedelta(hours=1),
        conversation_max_messages=100,
        enable_scoring=True,
        enable_decay=True,
    )
    assert config.settings().short_term_ttl == timedelta(hours=1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"backend": "mongodb"}, "sqlite"),
        ({"backend": "ftp://x"}, "postgresql://"),
        ({"embedding_provider": "word2vec"}, "local"),
        ({"backnd": "sqlite"}, "backend"),
        ({"short_term_ttl": -5}, "short_term_ttl|positive"),
        ({"conversation_max_messages": -1}, "conversation_max_messages"),
        ({"enable_decay": "perhaps"}, "enable_decay"),
    ],
)
def test_what_is_unknown_is_an_error_that_lists_the_known(given: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        MemoryConfig(**given)


def test_assignments_are_checked_too() -> None:
    config = MemoryConfig()
    with pytest.raises(ConfigurationError):
        config.backend = "mongodb"
    with pytest.raises(ConfigurationError):
        config.bakend = "sqlite"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["redis", "postgres", "chroma", "pinecone", "postgresql://u:p@h/d"])
def test_a_promised_backend_says_so_and_is_never_replaced(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not there yet"):
        AgentMemory("x", MemoryConfig(backend=name))


def test_unknown_options_of_a_backend_or_embedder_are_errors() -> None:
    with pytest.raises(ConfigurationError, match="busy_timeout"):
        AgentMemory("x", MemoryConfig(backend_config={"bussy": 1}))
    with pytest.raises(ConfigurationError, match="dimension"):
        from agent_memory.embeddings.registry import create_embedder

        create_embedder("dummy", {"dimensoin": 3})


@pytest.mark.anyio
async def test_a_file_keeps_its_own_agent(tmp_path: Path) -> None:
    where = {"path": str(tmp_path / "a.db")}
    async with AgentMemory("alice", MemoryConfig(embedding_provider="none", backend_config=where)) as memory:
        await memory.long_term.add("a fact")
    async with AgentMemory(config=MemoryConfig(embedding_provider="none", backend_config=where)) as memory:
        assert memory.agent_id == "alice"
        assert await memory.count() == 1
    with pytest.raises(ConfigurationError, match="alice"):
        async with AgentMemory("bob", MemoryConfig(embedding_provider="none", backend_config=where)):
            pass
