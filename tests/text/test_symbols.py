"""Symbols are words, told from each other."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from agent_memory.text.analysis import analyse, query_terms
from agent_memory.text.porter import stem
from agent_memory.text.symbols import is_symbol, worded

SYMBOLS = [
    *(
        "👍",
        "👎",
        "🎉",
        "❤",
        "☕",
        "✓",
        "✅",
        "→",
        "←",
        "€",
        "£",
        "°",
        "©",
        "≠",
        "≥",
        "∑",
        "♞",
        "♫",
        "𝄞",
        "■",
    ),
    *("‼", "⁉", "ℹ", "🅰", "🀄", "🫨", "\ue0b0", "\U000f0001"),
    *("🇩🇪", "🇩🇰", "🇪🇩", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴", "👍🏽", "👍🏿"),
    *("👨‍👩‍👧", "👨‍👩‍👦", "🏳️‍🌈", "❤️‍🔥"),
]


def _first(text: str) -> str:
    return next(word for word in analyse(text) if is_symbol(word))


def test_every_symbol_is_a_word_of_its_own() -> None:
    assert len({_first(symbol) for symbol in SYMBOLS}) == len(SYMBOLS)
    for symbol in SYMBOLS:
        assert stem(_first(symbol)) == _first(symbol)
        assert _first(symbol) in query_terms(f"what about {symbol}?")
        assert _first(f"a{symbol}b") == _first(symbol)


@pytest.mark.parametrize(
    ("one", "other"),
    [("❤️", "❤"), ("☕\ufe0e", "☕\ufe0f"), ("￡", "£"), ("🏳️‍🌈", "🏳‍🌈"), ("❤️‍🔥", "❤‍🔥"), ("≠", "=\u0338")],
)
def test_what_looks_alike_is_the_same(one: str, other: str) -> None:
    assert analyse(one) == analyse(other) != []


@pytest.mark.parametrize(
    ("picture", "parts"),
    [
        ("👍🏽", "👍"),
        ("👨‍👩‍👧", "👨👩👧"),
        ("👩🏿‍💻", "👩💻"),
        ("🏴‍☠️", "🏴☠"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴"),
        ("🇩🇪", ""),
        ("❤️", ""),
    ],
)
def test_a_picture_is_found_by_what_it_consists_of(picture: str, parts: str) -> None:
    whole, *found = analyse(picture)
    assert found == [_first(part) for part in parts]
    assert whole not in found


def test_neighbours_are_words_apart() -> None:
    assert analyse("👍👎") == [*analyse("👍"), *analyse("👎")]
    assert analyse("🇩🇪🇫🇷") == [*analyse("🇩🇪"), *analyse("🇫🇷")]
    assert analyse("ship🚀it") == ["ship", *analyse("🚀"), "it"]
    assert analyse("€20") == [*analyse("€"), "20"]


def test_symbols_take_no_letter_away() -> None:
    for code in range(sys.maxunicode + 1):
        character = chr(code)
        if not character.isascii() and (character.isalnum() or unicodedata.category(character)[0] == "M"):
            assert worded(character) == character


@pytest.mark.parametrize("text", ["C++ => a | b", "$20 < 30", "x^2 ~ `y`", "“quoted” – dashed…", "·•¿¡"])
def test_punctuation_and_plain_keyboards_make_no_symbols(text: str) -> None:
    assert not any(map(is_symbol, analyse(text)))
