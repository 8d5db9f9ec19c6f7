"""The stemmer, judged by the one inside FTS5."""

from __future__ import annotations

from itertools import product
from types import ModuleType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent_memory.text.porter import stem

from .full_text import DRIVERS, tokens

every_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.sqlite_version)

ROOTS = (
    "a b y ab ay ya by be ee oo tr str at bl iz al ell ill hop hopp fall hiss fizz fil fail sky cry syzyg rat rate"
    " relat condition valenc hesit digit conform radical differ vil analog vietnam predic operat feudal decis hope"
    " call form sensit sensib triplic electr good reviv allow infer airlin gyroscop adjust defens irrit replac adopt"
    " homolog commun activ angular effect bowdler prob ceas contr roll agre plaster motor conflat troubl siz tann"
    " caress pon ti cat fee bled sing happ enjo play say one generalis gener oscill abil biblio archaeo psycho log"
    " univers comput memor x xy yy eye queue wax boxy flow w12 4gen 99ing é naïv größ ключ"
)
SUFFIXES = (
    "s ss es ies sses ed eed ing y ly edly ingly e l ll le ational tional enci anci izer bli abli alli entli eli"
    " ousli ization ation ator alism iveness fulness ousness aliti iviti biliti logi icate ative alize iciti ical"
    " ful ness al ance ence er ic able ible ant ement ment ent ion sion tion ou ism ate iti ous ive ize"
)
SECOND = ("", "s", "ed", "ly", "al", "ness", "ation", "ize")
WORDS = sorted({"".join(parts) for parts in product(ROOTS.split(), SUFFIXES.split(), SECOND)})


@every_driver
def test_fts5_stems_thousands_of_words_alike(driver: ModuleType) -> None:
    assert len(WORDS) > 30_000
    [stored] = tokens(driver, [" ".join(WORDS)], "porter unicode61 remove_diacritics 0")
    differing = [
        (word, stem(word), term) for word, term in zip(WORDS, stored, strict=True) if stem(word) != term
    ]
    assert differing == []


english = st.text("aeiouyylstednzbgmrc", min_size=1, max_size=12)
mixed = st.text("aeiouyédñжяक世ကဂedings0123", min_size=1, max_size=70)


@every_driver
@settings(max_examples=200, deadline=None)
@example(["a" * 61 + "ing", "b" * 58 + "aating", "a" * 62 + "ing", "é" * 30 + "aing"])
@given(st.lists(english | mixed, min_size=1, max_size=200))
def test_fts5_stems_anything_alike(driver: ModuleType, words: list[str]) -> None:
    assert tokens(driver, [" ".join(words)], "porter unicode61 remove_diacritics 0") == [
        [stem(word) for word in words]
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("caresses", "caress"),
        ("ponies", "poni"),
        ("agreed", "agre"),
        ("hopping", "hop"),
        ("hoping", "hope"),
        ("sky", "sky"),
        ("happy", "happi"),
        ("relational", "relat"),
        ("generalizations", "gener"),
        ("is", "is"),
        ("", ""),
        ("設備", "設備"),
    ],
)
def test_well_known_stems(word: str, expected: str) -> None:
    assert stem(word) == expected
