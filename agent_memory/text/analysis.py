"""Cutting text into the words of the full-text index, alike on every backend and in every query.

Written out with spaces between, the words pass through FTS5's own `unicode61` tokenizer unchanged: everything it
would fold is folded here, and everything it would cut at is cut here. Stemming comes after (`porter`).

What this adds to `unicode61`: scripts written without spaces are cut into pairs of characters; words lose their
accents whichever way these are written, and their vowel points, instead of falling apart at them; compatibility
forms (full-width, ligatures, superscripts) are the same as plain ones; `ø`, `ß` and the like are folded too.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from itertools import groupby, pairwise
from typing import Final

from agent_memory.text.porter import stem
from agent_memory.text.stopwords import STOPWORDS

ANALYSER: Final = 2
"""The number of these rules. A store notes by which its words were indexed, and renews them when they change."""
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

_ASCII_WORD = re.compile(rf"[a-z0-9]{{1,{LONGEST_WORD}}}")
_RUN = re.compile(
    r"[^\W_]+"
)  # the scripts are told apart in `_Kinds`: as character classes they compile for 30 ms
_CONTRACTION = re.compile(r"\b[a-z]+n['’]t\b|(?<=\w)['’](?:s|d|m|ll|re|ve)\b")

_LETTERS = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th",
}  # fmt: skip
"""Letters that have no decomposition, but that people without the key write so."""
_MARKS = frozenset([*map(chr, range(0x19B0, 0x19C1)), "\u19c8", "\u19c9", "\u1cf2", "\u1cf3"])
"""Letters by now, but marks in the Unicode version of FTS5's tables."""
_ODD = re.compile(rf"[^\w\s\x00-\x7f]|[{''.join([*_LETTERS, *sorted(_MARKS)])}]")


def analyse(text: str) -> list[str]:
    """Return the words of a text as the index has them before stemming.

    They are folded (case, accents, compatibility forms). A run of a script written without spaces gives each
    character and each pair of neighbours, so that words of one character and of two are found.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _words(_folded(text), singles=True)


def analysed_text(text: str) -> str:
    """Return the words of a text with a space between: what goes into the FTS5 table."""
    return " ".join(analyse(text))


def query_terms(text: str) -> list[str]:
    """Return the words to look for, in the order of the query, none of them twice even after stemming.

    Stop words are left out unless there is nothing else; a run of a script written without spaces gives its pairs
    only. The terms are not stemmed: FTS5 does that, and `porter.stem` for everybody else.
    """
    folded = text.lower() if text.isascii() else _folded(text)
    words = [word for word in _words(_CONTRACTION.sub(" ", folded), singles=False) if word not in STOPWORDS]
    terms: dict[str, str] = {}
    for word in words or _words(folded, singles=False):
        terms.setdefault(stem(word), word)
    return list(terms.values())


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
        # Composed again, for Hangul and for kana with their voicing marks.
        text = unicodedata.normalize("NFKC", _ODD.sub(_plain, text))
    return text


def _plain(match: re.Match[str]) -> str:
    character = match[0]
    if character in _LETTERS:
        return _LETTERS[character]
    if character in _MARKS:
        return ""
    if character in "\u3099\u309a\u200b":  # voicing marks of kana; the space of zero width
        return character
    return "" if unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") else character


def _words(folded: str, *, singles: bool) -> list[str]:
    if folded.isascii():
        return _ASCII_WORD.findall(folded)
    words: list[str] = []
    for run in _RUN.findall(folded):
        if run.isascii() or max(run) < _THREE_BYTES:
            words += _pieces(run)
            continue
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
    if len(word) <= LONGEST_WORD:
        return [word]
    return [word[start : start + LONGEST_WORD] for start in range(0, len(word), LONGEST_WORD)]


class _Kinds(dict[str, str]):
    """Which letters stay together in a word, found out when a letter is first seen.

    Letters of two bytes of UTF-8 are kept apart from those of three and four: an English ending is then never
    glued to a letter that the stemmer could cut through.
    """

    def __init__(self) -> None:
        super().__init__()
        ranges = sorted(each.split("-") for each in _UNSPACED.split())
        self._first = [first for first, _ in ranges]
        self._last = [last for _, last in ranges]

    def __missing__(self, letter: str) -> str:
        place = bisect_right(self._first, letter) - 1
        if place >= 0 and letter <= self._last[place]:
            kind = "unspaced"
        else:
            kind = "short" if letter < _THREE_BYTES else "long"
        self[letter] = kind
        return kind


_THREE_BYTES = "\u0800"
_KINDS = _Kinds()
