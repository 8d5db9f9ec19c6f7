"""What every embedder must do.

Inherit the suite and give it one fixture:

    class TestMyEmbedder(EmbedderSuite):
        @pytest.fixture
        def embedder(self):
            return MyEmbedder(model="small")

The tests are coroutines for anyio's pytest plugin, so the project needs an `anyio_backend` fixture that
returns "asyncio".
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import AsyncIterator, Sequence

import anyio
import pytest

from agent_memory.embeddings.base import Embedder
from agent_memory.errors import ConfigurationError

_SENTENCE = "The gardener waters the old apple trees before the sun is high. "
_AWKWARD = {
    "empty": "",
    "blanks": " \t\n ",
    "one letter": "a",
    "punctuation": "?!…",
    "zero byte": "a\x00b",
    "emoji": "👩‍👩‍👧‍👦 🎉",
    "combining marks": "e\u0301" * 50,
    "right to left": "שלום עולם",
    "chinese": "今天天气很好，我们去公园散步。",
    "korean": "오늘은 날씨가 좋아서 공원에 갔다",
    "one long word": "x" * 3_000,
    "special tokens": "[CLS] a [SEP] b [PAD] <s> </s> <|endoftext|>",
    "lone surrogate": "a\ud800b",
    "markup": "<b>bold</b> & {json: [1, 2]}",
}


@pytest.mark.anyio
class EmbedderSuite:
    """The tests that any embedder passes; subclasses give the fixture `embedder`, a new unprepared one."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        """Return a new embedder that nothing was asked of yet."""
        raise NotImplementedError("override the fixture `embedder`")

    @pytest.fixture
    async def ready(self, embedder: Embedder, anyio_backend: object) -> AsyncIterator[Embedder]:
        """Return that embedder prepared, and close it in the end."""
        await embedder.prepare()
        yield embedder
        await embedder.close()

    async def test_identity_says_which_vectors_these_are(self, ready: Embedder) -> None:
        identity = ready.identity
        assert identity.provider == type(ready).provider
        assert identity.model
        assert identity.dimension >= 2
        assert len(identity.fingerprint) == 16
        await ready.prepare()
        assert ready.identity == identity

    async def test_another_embedder_of_the_same_identity_can_be_made(self, ready: Embedder) -> None:
        options = type(ready).options_from(ready.identity)
        assert options.keys() <= type(ready).options
        assert not {"api_key", "path", "base_url", "url"} & options.keys()

    async def test_unknown_options_are_refused_by_name(self, ready: Embedder) -> None:
        with pytest.raises(ConfigurationError, match="dimenson"):
            type(ready)(dimenson=3)

    async def test_vectors_have_the_dimension_and_length_one(self, ready: Embedder) -> None:
        documents = await ready.embed_documents(["a red house", "a blue house"])
        assert [len(segments) for segments in documents] == [1, 1]
        for vector in (documents[0][0], documents[1][0], await ready.embed_query("which house is red?")):
            self.check_vector(ready, vector)

    async def test_nothing_in_gives_nothing_out(self, ready: Embedder) -> None:
        assert await ready.embed_documents([]) == []

    async def test_order_does_not_depend_on_length(self, ready: Embedder) -> None:
        texts = [_SENTENCE * 3, "tea", _SENTENCE + "And coffee.", "bread and butter", _SENTENCE * 2, "x"]
        together = await ready.embed_documents(texts)
        for text, segments in zip(texts, together, strict=True):
            alone = (await ready.embed_documents([text]))[0]
            assert len(alone) == len(segments)
            for one, other in zip(alone, segments, strict=True):
                assert cosine(one, other) > 0.999, text

    async def test_the_same_text_has_the_same_vector_again(self, ready: Embedder) -> None:
        first = await ready.embed_query("where did we park?")
        assert cosine(first, await ready.embed_query("where did we park?")) > 0.9999

    async def test_likeness_counts(self, ready: Embedder) -> None:
        query = await ready.embed_query("Which apple trees did the gardener water?")
        near, far = await ready.embed_documents([_SENTENCE, "Quarterly revenue rose by four percent."])
        assert cosine(query, near[0]) > cosine(query, far[0])

    @pytest.mark.parametrize("text", _AWKWARD.values(), ids=_AWKWARD.keys())
    async def test_any_text_has_a_vector(self, ready: Embedder, text: str) -> None:
        (segments,) = await ready.embed_documents([text])
        assert segments
        for vector in [*segments, await ready.embed_query(text)]:
            self.check_vector(ready, vector)

    async def test_a_text_that_fits_is_one_piece(self, ready: Embedder) -> None:
        assert await ready.split(_SENTENCE) == [_SENTENCE]
        assert await ready.split("") == [""]

    async def test_a_long_text_is_cut_and_nothing_is_lost(self, ready: Embedder) -> None:
        text = "".join(f"Sentence {number} of many. {_SENTENCE}\n\n" for number in range(80))
        segments = await ready.split(text)
        assert "".join(segments) == text
        (vectors,) = await ready.embed_documents([text])
        assert len(vectors) == len(segments)
        self.check_vector(ready, await ready.embed_query(text))

    async def test_readability_is_a_share(self, ready: Embedder) -> None:
        for text in [*_AWKWARD.values(), _SENTENCE]:
            assert 0.0 <= ready.language_coverage(text) <= 1.0
        assert ready.language_coverage(_SENTENCE) > 0.5

    async def test_tasks_do_not_mix_up_their_vectors(self, ready: Embedder) -> None:
        texts = [f"note number {number}: " + "word " * number for number in range(8)]
        alone = [(await ready.embed_documents([text]))[0][0] for text in texts]
        together: dict[int, bytes] = {}

        async def embed(number: int) -> None:
            together[number] = (await ready.embed_documents([texts[number]]))[0][0]

        async with anyio.create_task_group() as tasks:
            for number in range(len(texts)):
                tasks.start_soon(embed, number)
        for number, vector in together.items():
            assert cosine(vector, alone[number]) > 0.999

    async def test_it_works_after_a_cancelled_call(self, ready: Embedder) -> None:
        before = await ready.embed_query("still there?")
        with anyio.move_on_after(0.01):
            await ready.embed_documents([f"{number} {_SENTENCE}" for number in range(200)])
        assert cosine(before, await ready.embed_query("still there?")) > 0.9999

    async def test_it_can_be_closed_twice(self, ready: Embedder) -> None:
        await ready.embed_query("hello")
        await ready.close()
        await ready.close()

    def check_vector(self, embedder: Embedder, vector: bytes) -> None:
        """Assert that this is a unit vector of the embedder's dimension."""
        assert len(vector) == 4 * embedder.identity.dimension
        values = numbers(vector)
        assert all(map(math.isfinite, values))
        assert math.isclose(math.hypot(*values), 1.0, abs_tol=1e-4)


def numbers(vector: bytes) -> Sequence[float]:
    """Read a vector as little-endian float32."""
    values = array("f")
    values.frombytes(vector)
    if sys.byteorder == "big":
        values.byteswap()
    return values


def cosine(one: bytes, other: bytes) -> float:
    """Return the cosine of two unit vectors."""
    return math.fsum(a * b for a, b in zip(numbers(one), numbers(other), strict=True))
