from __future__ import annotations

import dataclasses
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent_memory import AgentMemory, ConfigurationError, MemoryConfig, SyncAgentMemory
from agent_memory.ranking import DecayPolicy, Exponential, NoDecay
from agent_memory.settings import PublicSettings, Settings, in_shell
from agentmem_cli.settings.names import FAMILIES, SETTINGS


def test_the_two_forms_agree() -> None:
    ours = {field_.name for field_ in dataclasses.fields(Settings)}
    assert set(MemoryConfig.model_fields) <= ours
    assert MemoryConfig().settings() == Settings()
    assert MemoryConfig(embedding_provider="local").settings().embedder_named


def test_every_setting_is_in_the_table_and_explained() -> None:
    assert set(MemoryConfig.model_fields) == {field_.name for field_ in dataclasses.fields(PublicSettings)}
    assert all(field_.description for field_ in MemoryConfig.model_fields.values())
    assert {name for name in in_shell() if name not in SETTINGS} == set(FAMILIES)


def test_a_scorer_and_a_decay_curve_of_ones_own_count() -> None:
    moment = datetime.now(UTC) - timedelta(days=20)

    def parts(**given: Any) -> Any:
        config = MemoryConfig(backend="memory", embedding_provider="none", **given)
        with SyncAgentMemory("x", config) as memory:
            memory.long_term.add("a blue teapot", occurred_at=moment)
            (found,) = memory.search("teapot", explain=True)
            assert found.explanation is not None
            return found.explanation["boosts"]

    usual = parts()
    assert parts(importance_scorer=lambda record, now: 7.0)["importance"] > usual["importance"]
    assert parts(decay=Exponential("1d"))["decay"] < usual["decay"]
    assert parts(decay=DecayPolicy(by_type={"fact": NoDecay()}))["decay"] == 0
    assert parts(decay=Exponential("1d"), enable_decay=False).get("decay", 0) == 0
    for wrong in (5, "linear", Exponential):
        with pytest.raises(ConfigurationError, match="scorer"):
            MemoryConfig(decay=wrong)  # type: ignore[arg-type]


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
        ({"short_term_ttl": -5}, "^the setting short_term_ttl cannot be -5: give something like 90s"),
        ({"decay_half_life": []}, "^the setting decay_half_life cannot be .*: give a timedelta"),
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


@pytest.mark.parametrize(
    ("name", "backend"),
    [
        ("redis", "redis"),
        ("rediss://h:1", "redis"),
        ("postgres", "postgres"),
        ("postgresql://u:p@h/d", "postgres"),
        ("chroma", "chroma"),
        ("http://h:8000", "chroma"),
        ("pinecone", "pinecone"),
        ("pinecone://index", "pinecone"),
    ],
)
def test_a_backend_is_what_was_named_and_never_another(name: str, backend: str) -> None:
    options = {"api_key": "x", "index": "i"} if backend == "pinecone" else {}
    config = MemoryConfig(backend=name, backend_config=options)
    assert AgentMemory("x", config).backend.name == backend


@pytest.mark.parametrize(
    ("backend", "package"),
    [("redis", "redis"), ("postgres", "psycopg"), ("chroma", "chromadb"), ("pinecone", "pinecone")],
)
def test_a_backend_whose_package_is_missing_says_what_to_install(backend: str, package: str) -> None:
    program = (
        "import sys; sys.modules[sys.argv[2]] = None\n"
        "from agent_memory import AgentMemory, MemoryConfig\n"
        "try:\n    AgentMemory('x', MemoryConfig(backend=sys.argv[1]))\n"
        "except ImportError as error:\n    print(type(error).__name__, error)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, backend, package], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith(f"MissingDependencyError {package}")
    assert f"[{backend}]'" in ran.stdout  # with the distribution's name, or from the checkout


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
