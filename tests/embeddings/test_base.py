"""Whatever an embedder answers, what goes on from here is as many unit vectors as there were texts."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import pytest

from agent_memory.embeddings.base import Embedder, EmbeddingIdentity
from agent_memory.errors import ConfigurationError, EmbeddingError
from agent_memory.testing.embedder import numbers

pytestmark = pytest.mark.anyio


class Answering(Embedder):
    """Answers what it is told to."""

    provider = "answering"

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    async def prepare(self) -> None:
        pass

    @property
    def identity(self) -> EmbeddingIdentity:
        return EmbeddingIdentity(provider="answering", model="any", revision="", dimension=3)

    async def _embed(self, texts: Sequence[str], *, query: bool) -> Sequence[bytes]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer  # type: ignore[no-any-return]


def vector(*values: float) -> bytes:
    return array("f", values).tobytes()


GOOD = vector(0, 1, 0)
NAN, INFINITE = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([], "0 vectors for 2 texts"),
        ([GOOD], "1 vectors for 2 texts"),
        ([GOOD] * 3, "3 vectors for 2 texts"),
        ([GOOD, GOOD[:8]], "2 dimensions"),
        ([GOOD, GOOD[:7]], "no vector"),
        ([GOOD, b""], "0 dimensions"),
        ([GOOD, None], "no vector"),
        ([GOOD, [0.0, 1.0, 0.0]], "no vector"),
        ([GOOD, vector(0, NAN, 1)], "NaN"),
        ([GOOD, vector(0, INFINITE, 1)], "infinity"),
        ([GOOD, vector(0, 0, 0)], "all zero"),
        (ValueError("what\nis this?"), "ValueError: what is this"),
        (MemoryError(), "MemoryError"),
    ],
)
async def test_what_is_no_vector_is_an_embedding_error(answer: Any, said: str) -> None:
    embedder = Answering(answer)
    with pytest.raises(EmbeddingError, match=said):
        await embedder.embed_documents(["one", "two"])
    with pytest.raises(EmbeddingError, match=said):
        await embedder.embed_segments(["one", "two"])
    with pytest.raises(EmbeddingError):
        await Answering(answer if isinstance(answer, Exception) else answer[1:]).embed_query("one")


async def test_our_own_errors_go_through_as_they_are() -> None:
    with pytest.raises(ConfigurationError, match="no key"):
        await Answering(ConfigurationError("no key")).embed_query("one")


@pytest.mark.parametrize("given", [vector(0, 3, 4), vector(0, 0.3, 0.4), vector(0, 3e19, 4e19)])
async def test_a_vector_of_another_length_is_brought_to_length_one(given: bytes) -> None:
    (made,) = await Answering([given]).embed_segments(["one"])
    assert list(numbers(made)) == pytest.approx([0, 0.6, 0.8])


async def test_a_unit_vector_stays_as_it_is() -> None:
    given = vector(0.6000001, 0.8, 0)
    assert await Answering([given]).embed_segments(["one"]) == [given]
