"""Objects of other libraries as embedders."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy
import pytest

from agent_memory import (
    ConfigurationError,
    EmbeddingError,
    EmbeddingMismatchError,
    MemoryConfig,
    PolicyError,
    SyncAgentMemory,
    ValidationError,
)
from agent_memory.embeddings.adapted import AdaptedEmbedder, TextEmbedder

WORDS = ("tea", "rain", "code")


class Lists:
    """Counts words, in lists of floats, as LangChain's embeddings do."""

    model_name = "counts"

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [1.0 + 9 * text.count(word) for word in WORDS]


class Arrays(Lists):
    """The same in one array of float64."""

    def embed_documents(self, texts: list[str]) -> Any:
        return numpy.array(super().embed_documents(texts))


class Coroutines:
    """The same without a thread."""

    def __init__(self) -> None:
        self.threads = set[int]()

    async def embed_documents(self, texts: list[str]) -> list[Any]:
        self.threads.add(threading.get_ident())
        return Lists().embed_documents(texts)

    async def embed_query(self, text: str) -> Any:
        return numpy.array(Lists().embed_query(text), dtype="float32")


class Wrong(Lists):
    def embed_documents(self, texts: list[str]) -> Any:
        return [[1.0]] * len(texts)


class Failing(Lists):
    def embed_query(self, text: str) -> list[float]:
        raise RuntimeError("no power")


class Remote(Lists):
    uses_network = True


def open_with(embedder: Any, path: Path, **more: Any) -> SyncAgentMemory:
    return SyncAgentMemory(
        "t", MemoryConfig(backend_config={"path": path / "a.db"}, **more), embedding_provider=embedder
    )


@pytest.mark.parametrize("kind", [Lists, Arrays, Coroutines])
def test_any_object_with_both_methods_embeds(kind: Any, tmp_path: Path) -> None:
    embedder = kind()
    assert isinstance(embedder, TextEmbedder)
    with open_with(embedder, tmp_path) as memory:
        memory.long_term.add_many(["tea in the morning", "rain at noon", "code at night"])
        found = memory.search("code", 1, mode="vector")
        assert found[0].memory.content == "code at night"
        assert found[0].similarity == pytest.approx(1.0)
        assert memory.embedding_provider is not None
        identity = memory.embedding_provider.identity
        assert identity.dimension == len(WORDS)
        assert kind.__name__ in identity.model
        assert ("(counts)" in identity.model) is (kind is not Coroutines)


def test_another_model_is_another_identity(tmp_path: Path) -> None:
    with open_with(Lists(), tmp_path) as memory:
        memory.long_term.add("tea")
    with open_with(Lists(), tmp_path) as memory:
        assert memory.search("tea", mode="vector")
    other = Lists()
    other.model_name = "other"
    with open_with(other, tmp_path) as memory, pytest.raises(EmbeddingMismatchError):
        memory.search("tea", mode="vector")


def test_what_goes_wrong_is_told(tmp_path: Path) -> None:
    with open_with(Wrong(), tmp_path) as memory:
        memory.long_term.add("tea")
        with pytest.raises(EmbeddingError, match="dimensions"):
            memory.index()
    with open_with(Failing(), tmp_path / "b") as memory, pytest.raises(EmbeddingError, match="no power"):
        memory.search("tea", mode="vector")
    with pytest.raises(PolicyError), open_with(Remote(), tmp_path / "c", offline=True) as memory:
        memory.count()
    with pytest.raises(ValidationError, match="embed_documents"):
        SyncAgentMemory("t", embedding_provider=object())  # type: ignore[arg-type]
    with pytest.raises(EmbeddingError, match="prepare"):
        _ = AdaptedEmbedder(Lists()).identity


def test_what_an_object_embedded_is_said_to_be_where_the_object_is_not(tmp_path: Path) -> None:
    with open_with(Lists(), tmp_path) as memory:
        memory.long_term.add("tea and rain")
    config = MemoryConfig(backend_config={"path": tmp_path / "a.db"})
    with SyncAgentMemory("t", config=config) as memory:
        (result,) = memory.search("tea")
        assert result.memory.content == "tea and rain"
        with pytest.raises(ConfigurationError, match=r"counts\), an object of a Python program.*reembed\(\)"):
            memory.index()


def test_a_config_says_where_an_object_is_given() -> None:
    with pytest.raises(
        ConfigurationError, match=r"give it to AgentMemory\(\.\.\., embedding_provider=\.\.\.\)"
    ):
        MemoryConfig(embedding_provider=Lists())  # type: ignore[arg-type]
