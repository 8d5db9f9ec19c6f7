"""Symbols as words: emoji, arrows, currencies, mathematical signs.

Tokenizers of full text drop them. So each is written as a character of private use, which every tokenizer keeps and
no stemmer changes: that with the same last four hexadecimal digits in the fifteenth plane.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from agent_memory.text.compounds import PART

_BASE = (
    "\u00a2-\u00a5\u00a7\u00a9\u00ac\u00ae\u00b0\u00b1\u00b6\u00d7\u00f7"  # Latin-1: currencies, signs
    "\u2020\u2021\u203b\u20a0-\u20cf\u2117\u211e\u2127\u212e"  # daggers, currencies, letter-like
    "\u2190-\u245f\u2500-\u2775\u2794-\u2bff"  # arrows, mathematics, technical, geometric, dingbats
    "\u3004\u3012\u3013\u3020\u3030\u3036\u3037\u303d-\u303f\u4dc0-\u4dff"
    "\ue000-\uf8ff\U000f0000-\U000ffffd"  # private use, such as icon fonts
    "\U0001d000-\U0001d164\U0001d16a-\U0001d16c\U0001d183\U0001d184\U0001d18c-\U0001d1a9\U0001d1ae-\U0001d241"
    "\U0001d245\U0001d300-\U0001d356"  # music, counters of the I Ching
    "\U0001f000-\U0001f0ff\U0001f10d-\U0001f3fa\U0001f400-\U0001fbef\U0001fc00-\U0001fffd"  # pictures
)
"""Whole blocks, so that nothing changes with the Unicode version of the interpreter."""
_REGION = "\U0001f1e6-\U0001f1ff"
_ONE = rf"(?:[{_REGION}]{{2}}|[{_BASE}])\ufe0f?[\U0001f3fb-\U0001f3ff]?\ufe0f?[\U000e0020-\U000e007e]*\U000e007f?"
_UNSEEN = str.maketrans("", "", "\u200d\ufe0e\ufe0f\U000e007f")
_KEPT = str.maketrans({"\u203c": "\U000f203c", "\u2049": "\U000f2049", "\u2139": "\U000f2139 i"})
"""Emoji that compatibility forms make punctuation or a letter of; the letter stays beside it."""
_PLANE: Final = 0xF0000

WORD: Final = "[\U000f0000-\U000ffffd]+"
"""A regular expression for a symbol that has become a word."""


def kept(text: str) -> str:
    """Return a text in which compatibility forms (NFKC) take away no emoji."""
    return text.translate(_KEPT)


def worded(text: str) -> str:
    """Return a text with a word, between spaces, in place of each symbol.

    What is joined to one picture, skin tones included, is one word, and each picture that it consists of is written
    after it as a part: a thumb of any colour is found by the plain one, and first by its own. The two letters of a
    flag are one word. Variation selectors make no difference.
    """
    return _sequence().sub(_words, text)


def is_symbol(word: str) -> bool:
    """Return whether a word of the index stands for a symbol."""
    return ord(word[0]) >= _PLANE


@cache
def _sequence() -> re.Pattern[str]:
    return re.compile(rf"{_ONE}(?:\u200d{_ONE})*")


@cache
def _base() -> re.Pattern[str]:
    return re.compile(rf"[{_REGION}]{{2}}|[{_BASE}]")


def _words(match: re.Match[str]) -> str:
    whole = match[0].translate(_UNSEEN)
    bases = [item for item in _base().findall(match[0]) if item != whole]
    return f" {f' {PART}'.join(map(_private, (whole, *bases)))} "


def _private(characters: str) -> str:
    return "".join(chr(_PLANE | ord(character) & 0xFFFF) for character in characters)
