"""Where a compound word consists of others: `computeShippingCost`, `HTMLParser`, `s3`, `sha256Hash`.

Case decides, so the borders are marked before a text is folded, by characters that folding leaves alone. Afterwards
they are taken out again: the whole word stays as it would be without them, and its parts are written after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import Final

_CASE_BORDER, _DIGIT_BORDER = "\x1f", "\x1e"
PART: Final = "\x1d"
"""Stands before each part of the word before it. Like the borders a control character, which is no part of a word."""
BORDERS: Final = _CASE_BORDER + _DIGIT_BORDER

_FEWEST_HEX: Final = 7
"""As short as Git shortens a hash; from here on a word of hexadecimal digits alone is one name."""
_MOST_RUNS: Final = 3
"""Runs of letters and of digits. People write `s3`, `k8s`, `v2`; more of them are a password or an identifier."""
_SHORTEST_MEAN: Final = 3
"""Characters. With many runs, parts shorter than this on average are no words: `dQw4w9WgXcQ`."""

_HEX = "0123456789abcdefABCDEF"
# Where a word may be a compound one. It begins with one set of characters, which `re` skips to: looking for it takes
# half the time that reading the words does.
_BORDER = "(?<=[a-z0-9][A-Z])|(?<=[A-Z][A-Z])(?=[a-z])|(?<=[A-Za-z][0-9])|(?<=[0-9])(?=[A-Za-z])"
_LATIN = "\u00aa\u00b5\u00ba\u00c0-\u02ff\u0370-\u07ff\u1e00-\u1fff"
"""Beside ASCII: scripts that have capitals, and others whose words are one word to the index."""


class _Words:
    """How to find the words that something has to be done with; compiled when it is needed, for a quick start."""

    def __init__(self, hint: str, letter: str) -> None:
        self._patterns = hint, letter

    @cached_property
    def _hint(self) -> re.Pattern[str]:
        return re.compile(self._patterns[0])

    @cached_property
    def _letter(self) -> re.Pattern[str]:
        return re.compile(self._patterns[1])

    @cached_property
    def _letters(self) -> re.Pattern[str]:
        return re.compile(self._patterns[1] + "+")

    def replaced(self, text: str, replacement: Callable[[str], str]) -> str:
        """Return a text with another in place of each word that holds a hint."""
        pieces: list[str] = []
        done = 0
        for match in self._hint.finditer(text):
            start = match.start()
            if start < done:
                continue
            while start > done and self._letter.match(text, start - 1):
                start -= 1
            if word := self._letters.match(text, start):
                pieces += text[done:start], replacement(word[0])
                done = word.end()
        return "".join([*pieces, text[done:]]) if pieces else text


_IN_ASCII = _Words(f"[A-Z0-9](?:{_BORDER})", "[0-9A-Za-z]")
_IN_ANY = _Words(f"[A-Z0-9{_LATIN}](?:{_BORDER}|(?<=[{_LATIN}]))", f"[0-9A-Za-z{_LATIN}]")
_MARKED_ASCII = _Words(f"[{BORDERS}]", f"[0-9a-z{BORDERS}]")
_MARKED = _Words(f"[{BORDERS}]", rf"(?:[^\W_\u0800-\U0010ffff]|[{BORDERS}])")

# Compiled, and kept by `re`, when the first compound word is seen.
_CASE = (
    r"(?<=[ls])(?=u)"  # computeShipping, userID
    r"|(?<=u)(?=u[ls])(?!us(?![ls]))"  # HTMLParser, but not the plural URLs
    r"|(?<=d)(?=u[ls])"  # sha256Hash
)
_DIGITS = r"(?<=d)(?=[uls])|(?<=[uls])(?=d)"
_ENDINGS = frozenset({"st", "nd", "rd", "th", "s"})
"""Of 1st, 22nd, 90s: no word beside the number."""


class _Shapes(dict[int, str]):
    """What kind of character each is, found out when it is first seen; `s` is apart, being the plural's."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shape = "d" if character.isdigit() else "u" if character.isupper() else "l"
        self[code] = shape if character != "s" else "s"
        return self[code]


_SHAPES = _Shapes()


def marked(text: str, longest: int) -> str:
    """Return a text with a mark at every border inside its words, as they are written, capitals and all.

    A border of case stands before a capital after a small letter, and before the last of several capitals if a small
    letter follows. A border of digits stands between letters and digits, in words of at most three runs of them.
    Words of seven or more hexadecimal digits are left whole, as is what is longer than `longest`, and what changes
    so often that its parts are no words.
    """
    words = _IN_ASCII if text.isascii() else _IN_ANY
    return words.replaced(text, lambda word: _marked(word, longest))


def unmarked(text: str) -> str:
    """Return a text in which nothing looks like a mark."""
    for mark in (*BORDERS, PART):
        text = text.replace(mark, " ")
    return text


def spelled_out(text: str) -> str:
    """Return a marked and folded text with the parts of each compound word after it."""
    words = _MARKED_ASCII if text.isascii() else _MARKED
    return words.replaced(text, lambda word: f" {PART}".join(_forms(word)) + " ")


def joined(text: str) -> str:
    """Return a marked and folded text without the marks."""
    for border in BORDERS:
        text = text.replace(border, "")
    return text


def _forms(word: str) -> Iterator[str]:
    """Return a marked word whole, and then its parts from the left, those of a part after it."""
    parts = [[piece for piece in part.split(_DIGIT_BORDER) if piece] for part in word.split(_CASE_BORDER)]
    whole = "".join(map("".join, parts))
    yield whole
    for pieces in parts:
        part = "".join(pieces)
        if part and part != whole:
            yield part
        if len(pieces) > 1:
            for before, piece in pairwise(["", *pieces]):
                if not (before.isdigit() and piece in _ENDINGS):
                    yield piece


def _marked(word: str, longest: int) -> str:
    if len(word) > longest or (len(word) >= _FEWEST_HEX and not word.strip(_HEX)):
        return word
    shape = word.translate(_SHAPES)
    cased = [match.start() for match in re.finditer(_CASE, shape)]
    digits = [match.start() for match in re.finditer(_DIGITS, shape)]
    if len(digits) >= _MOST_RUNS:
        digits = []
        if len(word) < _SHORTEST_MEAN * (len(cased) + 1):
            return word
    borders = {**dict.fromkeys(digits, _DIGIT_BORDER), **dict.fromkeys(cased, _CASE_BORDER)}
    edges = [0, *sorted(borders), len(word)]
    return "".join(borders.get(start, "") + word[start:end] for start, end in pairwise(edges))
