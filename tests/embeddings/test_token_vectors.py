"""Token vectors of the default model, and those that are kept in memory."""

from __future__ import annotations

import numpy
import pytest

from agent_memory.embeddings.local import LocalEmbedder
from agent_memory.embeddings.token_vectors import TokenVectorCache

pytestmark = pytest.mark.anyio


async def ready() -> LocalEmbedder:
    embedder = LocalEmbedder()
    await embedder.prepare()
    return embedder


async def test_each_token_has_a_vector_of_length_1_and_the_special_ones_have_none() -> None:
    embedder = await ready()
    text = "Marta's kombucha, fermented"
    (vectors,) = await embedder.token_vectors([text])
    words = embedder.token_words(text)
    assert words[:3] == ["Marta", "'", "s"]
    assert words.count("kombucha") > 1  # its pieces
    assert vectors.shape == (len(words), 384)
    assert numpy.linalg.norm(vectors.astype(numpy.float32), axis=1) == pytest.approx(1, abs=2e-3)


async def test_words_keep_their_letters_behind_accents_emoji_and_lone_surrogates() -> None:
    embedder = await ready()
    assert embedder.token_words("Zürich 🚲 naïve \ud800 end")[0] == "Zürich"
    assert embedder.token_words("Zürich 🚲 naïve \ud800 end")[-1] == "end"
    assert embedder.token_words("") == []


async def test_a_text_has_the_same_vectors_whatever_is_embedded_beside_it() -> None:
    text = "The bicycle was repaired on Sunday"
    (alone,) = await (await ready()).token_vectors([text])
    others = [f"{text} and something else was said {'again ' * number}" for number in range(40)]
    beside = (await (await ready()).token_vectors([*others, text]))[-1]
    cosines = (alone.astype(numpy.float32) * beside.astype(numpy.float32)).sum(axis=1)
    assert cosines.min() > 0.998
    assert abs(alone.astype(numpy.float32) - beside.astype(numpy.float32)).max() < 0.001


async def test_related_words_are_nearer_than_unrelated_ones() -> None:
    fixed, repaired, boiled = await (await ready()).token_vectors(
        ["she fixed it", "she repaired it", "she boiled it"]
    )
    middle = [matrix[1].astype(numpy.float32) for matrix in (fixed, repaired, boiled)]
    assert middle[0] @ middle[1] > middle[0] @ middle[2] + 0.1


async def test_vectors_and_token_vectors_are_made_in_one_run_without_mixing_them_up() -> None:
    import asyncio

    embedder = await ready()
    (alone,) = await embedder.embed_segments(["tea in the morning"])
    made = await asyncio.gather(
        embedder.embed_segments(["tea in the morning"]), embedder.token_vectors(["tea in the evening"])
    )
    assert numpy.frombuffer(made[0][0], "<f4") == pytest.approx(numpy.frombuffer(alone, "<f4"), abs=1e-5)
    assert made[1][0].shape == (4, 384)


async def test_only_as_much_as_the_model_reads_of_a_long_text() -> None:
    (vectors,) = await (await ready()).token_vectors(["word " * 1000])
    assert vectors.shape == (254, 384)


async def test_texts_may_repeat_and_be_empty() -> None:
    empty, one, again = await (await ready()).token_vectors(["", "tea", "tea"])
    assert empty.shape == (0, 384)
    assert (one == again).all()


def test_the_least_recently_used_are_dropped_beyond_the_limit() -> None:
    cache = TokenVectorCache(limit=3 * 768)
    row = numpy.zeros((1, 384), dtype=numpy.float16)
    for text in ("a", "b", "c"):
        cache.put(text, row)
    assert cache.get("a") is not None
    cache.put("d", row)
    assert cache.get("b") is None
    assert all(cache.get(text) is not None for text in ("a", "c", "d"))
    assert cache.bytes == 3 * 768
    cache.put("a", numpy.zeros((9, 384), dtype=numpy.float16))
    assert (cache.bytes, cache.get("a")) == (0, None)
