"""Where words are taken apart, and where they are left whole."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.text.analysis import LONGEST_WORD, analyse, query_terms
from agent_memory.text.porter import stem
from agent_memory.text.stopwords import STOPWORDS


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("computeShippingCost", "compute shipping cost"),
        ("HTMLParser", "html parser"),
        ("userId", "user id"),
        ("XMLHttpRequest", "xml http request"),
        ("parseURLs", "parse urls"),
        ("getAllURLsByUser", "get all urls by user"),
        ("iOS", "i os"),
        ("macOSVersion", "mac os version"),
        ("PhD", "ph d"),
        ("s3", "s 3"),
        ("v2", "v 2"),
        ("p95", "p 95"),
        ("k8s", "k 8"),
        ("utf8", "utf 8"),
        ("sha256Hash", "sha256 sha 256 hash"),
        ("EC2Instance", "ec2 ec 2 instance"),
        ("EC2INSTANCE", "ec 2 instance"),
        ("s3Bucket", "s3 s 3 bucket"),
        ("user2IdV3", "user2 id v3"),
        ("utf8mb4Charset", "utf8mb4 charset"),
        ("08T10", "08 t 10"),
    ],
)
def test_compound_words_have_parts(word: str, parts: str) -> None:
    assert analyse(word) == [word.lower(), *parts.split()]


@pytest.mark.parametrize("word", ["1st", "22nd", "3rd", "5th", "90s", "1990s"])
def test_an_english_ending_after_a_number_is_no_part(word: str) -> None:
    assert analyse(word) == [word, word.rstrip(string.ascii_letters)]


@pytest.mark.parametrize(
    "word",
    [
        "hello",
        "Hello",
        "HELLO",
        "URLs",
        "2024",
        "a1b2c3d",
        "3f9a2bc",
        "DEADBEEF12",
        "AddedFace",
        "utf8mb4",
        "a1b2",
        "dQw4w9WgXcQ",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "aB" * (LONGEST_WORD // 2 + 1),
    ],
)
def test_other_words_have_none(word: str) -> None:
    whole = word.lower()
    assert analyse(word) == [
        whole[start : start + LONGEST_WORD] for start in range(0, len(word), LONGEST_WORD)
    ]


# Without the hexadecimal digits, of which a long word is a hash.
words = st.text("ghijklmnopqrstuvwxyz", min_size=2, max_size=9)


@given(st.lists(words, min_size=2, max_size=5))
def test_an_identifier_and_its_words_find_each_other(parts: list[str]) -> None:
    pascal = "".join(map(str.capitalize, parts))
    camel = parts[0] + pascal[len(parts[0]) :]
    for spelling in (camel, pascal, "_".join(parts), "-".join(parts), f"the {camel}() call"):
        assert set(parts) <= set(analyse(spelling))
    wanted = set(map(stem, parts)) - set(map(stem, STOPWORDS))
    assert wanted <= set(map(stem, query_terms(camel)))


@given(st.text(string.ascii_letters + string.digits, min_size=1, max_size=40))
def test_a_word_comes_first_and_its_parts_are_of_it(word: str) -> None:
    whole, *parts = analyse(word)
    assert whole == word.lower()
    assert all(part in whole and part != whole for part in parts)


@given(st.text("0123456789abcdefABCDEF", min_size=7, max_size=64))
def test_a_hash_is_one_word(digest: str) -> None:
    assert analyse(digest) == [digest.lower()]
