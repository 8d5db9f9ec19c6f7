from __future__ import annotations

import subprocess
import sys

import pytest

from agent_memory.embeddings.base import Embedder
from agent_memory.embeddings.dummy import DummyEmbedder
from agent_memory.errors import ConfigurationError
from agent_memory.testing.embedder import EmbedderSuite, cosine


class TestDummyEmbedder(EmbedderSuite):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return DummyEmbedder()

    async def test_each_shared_word_brings_texts_closer(self, embedder: Embedder) -> None:
        query = await embedder.embed_query("alpha beta gamma delta")
        texts = [
            "alpha beta gamma delta",
            "alpha beta gamma moon",
            "alpha beta sun moon",
            "rain sun moon stars",
        ]
        cosines = [cosine(query, segments[0]) for segments in await embedder.embed_documents(texts)]
        assert cosines == sorted(cosines, reverse=True)
        assert cosines[0] == pytest.approx(1.0, abs=1e-6)
        assert cosines[-1] < 0.4

    async def test_the_vector_is_the_same_in_every_process(self, embedder: Embedder) -> None:
        script = (
            "import asyncio; from agent_memory.embeddings.dummy import DummyEmbedder; "
            "print(asyncio.run(DummyEmbedder().embed_query('the same everywhere')).hex())"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", script], capture_output=True, text=True, check=True
            ).stdout.strip()
            for _ in range(2)
        }
        assert outputs == {(await embedder.embed_query("the same everywhere")).hex()}


@pytest.mark.parametrize("dimension", [2, 3, 64, 1536])
def test_dimension_is_an_option(dimension: int) -> None:
    assert DummyEmbedder(dimension=dimension).identity.dimension == dimension


@pytest.mark.parametrize("dimension", [1, 0, -4, True, "64", 1.5, 70_000])
def test_an_impossible_dimension_is_refused(dimension: object) -> None:
    with pytest.raises(ConfigurationError, match="dimension"):
        DummyEmbedder(dimension=dimension)
