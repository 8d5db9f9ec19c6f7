from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from agent_memory.embeddings.local import LocalEmbedder, load_tokenizer
from agent_memory.embeddings.segments import border, split_by_bytes, split_by_tokens

tokenizer = cache(load_tokenizer)

SENTENCE = "The old clock in the hall has not struck the hour since the winter we moved in. "
SCRIPTS = "abc XYZ .!?\n\t 中国人们。！한국어글ыйщ éüñ ไทย שלום 🎉👩\u200d👩 \u0301\u1f82\u0dddİß-_'\"/x9"


def count(text: str, by: Tokenizer) -> int:
    return len(by.encode(text, add_special_tokens=False).ids)


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet=SCRIPTS, max_size=600), limit=st.integers(110, 254), verify=st.booleans())
def test_pieces_fit_and_lose_nothing(text: str, limit: int, verify: bool) -> None:
    segments = split_by_tokens(text, tokenizer(), limit, verify=verify)
    assert "".join(segments) == text
    assert all(count(segment, tokenizer()) <= limit for segment in segments)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=400), limit=st.integers(4, 64))
def test_pieces_by_bytes_fit_and_lose_nothing(text: str, limit: int) -> None:
    segments = split_by_bytes(text, limit)
    assert "".join(segments) == text
    assert all(len(segment.encode("utf-8", "surrogatepass")) <= limit for segment in segments)


@settings(max_examples=100, deadline=None)
@given(text=st.text(alphabet=SCRIPTS, max_size=254))
def test_what_is_not_tokenised_would_have_fitted(text: str) -> None:
    if LocalEmbedder()._split(text) == [text]:
        assert count(text, tokenizer()) <= 254


def test_no_character_makes_more_tokens_than_it_has_bytes() -> None:
    normalise = tokenizer().normalizer.normalize_str
    for start in range(0, 0x110000, 0x100):
        characters = [chr(code) for code in range(start, start + 0x100) if not 0xD800 <= code < 0xE000]
        for character in characters:
            assert len(normalise(character).replace(" ", "")) <= len(character.encode()), hex(ord(character))


def test_a_three_thousand_word_text_is_cut_into_even_pieces_at_sentences() -> None:
    text = SENTENCE * 180
    segments = split_by_tokens(text, tokenizer(), 254, verify=False)
    sizes = [count(segment, tokenizer()) for segment in segments]
    assert "".join(segments) == text
    assert all(segment.endswith("in. ") for segment in segments)
    assert max(sizes) <= 254
    assert min(sizes) > 127


def test_a_text_just_over_the_limit_is_not_cut_into_a_long_and_a_tiny_piece() -> None:
    text = "word " * 256
    sizes = [count(segment, tokenizer()) for segment in split_by_tokens(text, tokenizer(), 254, verify=False)]
    assert len(sizes) == 2
    assert min(sizes) > 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two. three\n\nfour five. six", "one two. three\n\n"),
        ("one two. three\nfour five. six", "one two. three\n"),
        ("one two three. four five six", "one two three. "),
        ("one two three four five six", "one two three "),
        ("今天天气很好我们去。公园散步然后回家", "今天天气很好我们去。"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"[:20]),
    ],
)
def test_the_best_border_wins(text: str, expected: str) -> None:
    high = min(len(text), 20)
    assert text[: border(text, 2, high, len(expected))] == expected


def test_a_book_without_a_single_blank_is_cut_too() -> None:
    text = "天地玄黄宇宙洪荒" * 15_000
    segments = split_by_tokens(text, tokenizer(), 254, verify=False)
    assert "".join(segments) == text
    assert all(count(segment, tokenizer()) <= 254 for segment in segments)


def test_a_byte_level_tokenizer_is_verified() -> None:
    from tokenizers import models, pre_tokenizers

    # One token per byte, and a blank belongs to the word after it: a cut after the blank moves it.
    alphabet = {letter: index for index, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    by_bytes = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    by_bytes.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    text = "a few short words and thenonewithoutanendthatgoesonandonandon 中国人们 " * 4
    segments = split_by_tokens(text, by_bytes, 20, verify=True)
    assert "".join(segments) == text
    assert all(count(segment, by_bytes) <= 20 for segment in segments)
