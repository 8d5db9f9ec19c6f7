"""Cutting text into the words of the full-text index, alike on every backend and in every query.

`ANALYSER` numbers these rules. A store notes it, since memories are found by the words that they were indexed with:
a change of the words of any text needs a new number, and what a query looks for must go on finding those made by
older rules. So words may be added to what a text gave before; none may be taken away.

Written out with spaces between, the words pass through FTS5's own `unicode61` tokenizer unchanged: everything it
would fold is folded here, and everything it would cut at is cut here. Stemming comes after (`porter`).

What this adds to `unicode61`: scripts written without spaces are cut into pairs of characters; words lose their
accents whichever way these are written, and their vowel points, instead of falling apart at them; compatibility
forms (full-width, ligatures, superscripts) are the same as plain ones; `ø`, `ß` and the like are folded too. Compound
words give their parts as well (`compounds`), and symbols are words (`symbols`).
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from agent_memory.batching import batched
from agent_memory.text import compounds, symbols
from agent_memory.text.porter import stem
from agent_memory.text.stopwords import STOPWORDS

ANALYSER: Final = 4
"""The number of these rules. 1: whole words only, and no symbols; 2: without the mark of a standing instruction
(`text.standing`)."""

LONGEST_WORD = 128
"""Characters; what is longer, such as a key or an encoded file, is several words."""

_UNSPACED = (
    "ก-ำ เ-ๆ ກ-ຳ ຽ-ຽ ເ-ໆ ໜ-ໟ"  # Thai, Lao
    " က-ဿ ၐ-ႏ ក-៓ ៗ-ៗ ៜ-ៜ"  # Burmese, Khmer
    " \u1100-\u11ff \ua960-\ua97c \uac00-\ud7a3 \ud7b0-\ud7c6 \ud7cb-\ud7fb"  # Hangul
    " \u3105-\u312f \u31a0-\u31bf"  # Bopomofo
    " \u3041-\u3096 \u309d-\u309f \u30a1-\u30fa \u30fc-\u30ff \u31f0-\u31ff \U0001b000-\U0001b16f"  # kana
    " \u3005-\u3007 \u3021-\u3029 \u3031-\u3035 \u3038-\u303c"  # Han
    " \u3400-\u4dbf \u4e00-\u9fff \uf900-\ufaff \U00020000-\U0003fffd"
)
"""The letters of scripts written without spaces, and Hangul, where a space does not end at a word either. Whole
blocks are named, so that nothing changes with the Unicode version of the interpreter."""

_SHORTEST_CODE: Final = 7
"""Characters; as short as Git shortens a hash."""

_ASCII_WORD = re.compile(rf"[a-z0-9]{{1,{LONGEST_WORD}}}")
# The scripts are told apart in `_Kinds`: as character classes they compile for 30 ms.
_RUN = re.compile(rf"[^\W_]+|{symbols.WORD}")
_QUERY_RUN = re.compile(rf"{compounds.PART}?(?:{_RUN.pattern})")
_CONTRACTION = re.compile(rf"\b[a-z{compounds.BORDERS}]+n['’]t\b|(?<=\w)['’](?:s|d|m|ll|re|ve)\b")

_LETTERS = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
"""Letters that have no decomposition, but that people without the key write so."""
_MARKS = frozenset([*map(chr, range(0x19B0, 0x19C1)), "\u19c8", "\u19c9", "\u1cf2", "\u1cf3"])
"""Letters by now, but marks in the Unicode version of FTS5's tables."""
_ODD = re.compile(rf"[^\w\s\x00-\x7f]|[{''.join([*_LETTERS, *sorted(_MARKS)])}]")


class QueryWord(NamedTuple):
    """A word to look for."""

    whole: str
    parts: tuple[str, ...] = ()
    """What it consists of; a memory that says all of this says the word."""


def analyse(text: str) -> list[str]:
    """Return the words of a text as the index has them before stemming.

    They are folded (case, accents, compatibility forms). A compound word is followed by its parts. A run of a script
    written without spaces gives each character and each pair of neighbours, so that words of one character and of
    two are found.
    """
    return _all_words(compounds.spelled_out(_folded(text)))


def whole_words(text: str) -> list[str]:
    """Return the words of a text without the parts of compounds: what is said in the same words has the same."""
    return _all_words(compounds.joined(_folded(text)))


def _all_words(folded: str) -> list[str]:
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    return [word for run in _RUN.findall(folded) for word in _words(run, singles=True)]


def analysed_text(text: str) -> str:
    """Return the words of a text with a space between: what goes into the FTS5 table."""
    return " ".join(analyse(text))


def query_words(text: str) -> list[QueryWord]:
    """Return the words to look for, in the order of the query, none of them twice even after stemming.

    Stop words are left out unless there is nothing else, single letters where they are part of another word; a run
    of a script written without spaces gives its pairs only.
    """
    folded = _folded(text)
    words = [word for word in _query_words(_CONTRACTION.sub(" ", folded)) if word.whole not in STOPWORDS]
    result: dict[str, QueryWord] = {}
    for word in words or _query_words(folded):
        result.setdefault(stem(word.whole), word)
    return list(result.values())


def _query_words(folded: str) -> list[QueryWord]:
    result: list[QueryWord] = []
    for run in _QUERY_RUN.findall(compounds.spelled_out(folded)):
        bare = run.removeprefix(compounds.PART)
        words = _words(bare, singles=False)
        if bare is run or not result:
            result += map(QueryWord, words)
            continue
        telling = (word for word in words if word not in STOPWORDS and (len(word) > 1 or not word.isalpha()))
        result[-1] = result[-1]._replace(parts=(*result[-1].parts, *telling))
    return result


def query_terms(text: str) -> list[str]:
    """Return the words to look for and their parts, none of them twice even after stemming.

    The terms are not stemmed: FTS5 does that, and `porter.stem` for everybody else.
    """
    return terms_of(query_words(text))


def terms_of(words: Iterable[QueryWord]) -> list[str]:
    """Return words and their parts as terms, none of them twice even after stemming."""
    return distinct(term for word in words for term in (word.whole, *word.parts))


def distinct(terms: Iterable[str]) -> list[str]:
    """Return terms in order, those left out whose stem one before them has."""
    by_stem: dict[str, str] = {}
    for term in terms:
        by_stem.setdefault(stem(term), term)
    return list(by_stem.values())


def is_code(word: str) -> bool:
    """Return whether a word may be a hash or an identifier, which people give by its beginning.

    It has seven characters or more, a letter and a digit among them.
    """
    return len(word) >= _SHORTEST_CODE and not word.isalpha() and not word.isdigit() and word.isalnum()


def beyond(prefix: str) -> str:
    """Return the first text, ordered by code points, that comes after all that begin with a code."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _folded(text: str) -> str:
    """Fold a text, and mark in it where compound words consist of others."""
    text = compounds.unmarked(text)
    if text.isascii():
        return compounds.marked(text, LONGEST_WORD).lower()
    text = symbols.worded(unicodedata.normalize("NFKC", symbols.kept(text)))
    text = unicodedata.normalize("NFD", compounds.marked(text, LONGEST_WORD).casefold())
    # Composed again, for Hangul and for kana with their voicing marks.
    return unicodedata.normalize("NFKC", _ODD.sub(_plain, text))


def _plain(match: re.Match[str]) -> str:
    character = match[0]
    if character in _LETTERS:
        return _LETTERS[character]
    if character in _MARKS:
        return ""
    if character in "\u3099\u309a\u200b":  # voicing marks of kana; the space of zero width
        return character
    return "" if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") else character


def _words(run: str, *, singles: bool) -> list[str]:
    """Cut what stands between two spaces into words."""
    if run.isascii() or max(run) < _THREE_BYTES:
        return _pieces(run)
    words: list[str] = []
    for kind, group in groupby(run, _KINDS.__getitem__):
        part = "".join(group)
        if kind != "unspaced":
            words += _pieces(part)
        elif len(part) == 1:
            words.append(part)
        elif singles:
            for one, next_one in pairwise(part):
                words += one, one + next_one
            words.append(part[-1])
        else:
            words += [one + next_one for one, next_one in pairwise(part)]
    return words


def _pieces(word: str) -> list[str]:
    return [word] if len(word) <= LONGEST_WORD else list(batched(word, LONGEST_WORD))


class _Kinds(dict[str, str]):
    """Which letters stay together in a word, found out when a letter is first seen.

    Letters of two bytes of UTF-8 are kept apart from those of three and four: an English ending is then never
    glued to a letter that the stemmer could cut through.
    """

    def __init__(self) -> None:
        super().__init__()
        ranges = sorted(part.split("-") for part in _UNSPACED.split())
        self._first = [first for first, _ in ranges]
        self._last = [last for _, last in ranges]

    def __missing__(self, letter: str) -> str:
        position = bisect_right(self._first, letter) - 1
        if position >= 0 and letter <= self._last[position]:
            kind = "unspaced"
        else:
            kind = "short" if letter < _THREE_BYTES else "long"
        self[letter] = kind
        return kind


_THREE_BYTES = "\u0800"
_KINDS = _Kinds()
