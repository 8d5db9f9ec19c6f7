"""When two texts say the same, so that one of them may be put away.

Being near in meaning is not enough: "on Monday" is near "on Tuesday", "Alice manages Bob" is nearer still to "Bob
manages Alice", and without case or signs `:q` is `q`. So the words have to be the same, in the same order, letter for
letter. All that may differ is what says nothing by itself: the case of the first letter, white space, a final full
stop, and the articles a, an and the. In doubt two texts are two: nothing is lost by keeping both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from agent_memory.text.templates import normalise

_FULL_STOPS: Final = (".", "。", "．", "｡", "।", "۔", "።")
_STOPPABLE: Final = frozenset("\"'”’»)]}%+#°")
"""Signs that may stand before the full stop of a sentence. After any other, as in `cd .` or `...`, it is none."""

_PLAIN: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
"""A word of a sentence: letters, with an apostrophe or a hyphen within."""
_QUOTE: Final = re.compile(r"[`\"“”„«»]|(?<!\w)['‘]|['’](?!\w)")

_SINGULAR: Final = frozenset({"a", "an"})
_ARTICLES: Final = _SINGULAR | {"the"}
_NOUN_FOLLOWS: Final = (
    "is was are were be been being has have had do does did am as at by for from in into like of off on onto over per"
    " than through to under until upon via with within without and but or if when while because that"
    " want need use used using having running prefer own keep make made get got gave give take took buy bought"
    " find found send sent write wrote become became"
)
_BEFORE_ARTICLE: Final = frozenset(_NOUN_FOLLOWS.split())
"""Words that a noun with "a" may follow. After a noun the letter is rather a name, as in "plan a" or "vitamin a"."""
_NO_NOUN: Final = (
    "is was are were be been has have had will would can could may might must should do does did not and or but if"
    " then than to of in on at by for from with as into via few little"
)
_AFTER_NAME: Final = frozenset(_NO_NOUN.split())
"""Words that cannot follow "a" as an article, or that it changes: "few agree" is not "a few agree"."""


def wording(text: str) -> str:
    """Return what is left of a text without what may differ: two texts say the same if this is equal."""
    words = _without_articles(_without_full_stop(normalise(text)).split(" "))
    return " ".join([_without_capital(words[0]), *words[1:]])


def same_words(left: str, right: str) -> bool:
    """Return whether two texts say the same in the same words."""
    return wording(left) == wording(right)


def _without_full_stop(text: str) -> str:
    if not text.endswith(_FULL_STOPS) or len(text) < 2:
        return text
    before = text[-2]
    # Marks belong to the letter before them.
    ends_a_sentence = before.isalnum() or before in _STOPPABLE or unicodedata.category(before).startswith("M")
    return text[:-1] if ends_a_sentence else text


def _without_capital(word: str) -> str:
    """Return the first word without its capital, if it is a word with no other: `US`, `C` and `App.py` are names."""
    letters = word.rstrip(",:;!?")
    rest = letters[1:]
    if not _PLAIN.fullmatch(letters) or rest != rest.lower() or (not rest and letters not in ("I", "i")):
        return word
    return word[0].lower() + word[1:]


def _without_articles(words: Sequence[str]) -> list[str]:
    quoted = [position for position, word in enumerate(words) if _QUOTE.search(word)]
    # Between quotation marks every letter counts, and which of them belong together is not worth guessing.
    inside = range(quoted[0], quoted[-1] + 1) if quoted else range(0)
    return [
        word for position, word in enumerate(words) if position in inside or not _is_article(words, position)
    ]


def _is_article(words: Sequence[str], position: int) -> bool:
    """Return whether the word there is an article that may go: never a letter, a name, or a part of code."""
    word = words[position].lower() if position == 0 and words[0].istitle() else words[position]
    if word not in _ARTICLES or position + 1 == len(words):
        return False
    before, after = words[position - 1] if position else None, words[position + 1]
    if before is not None and not _is_plain(before):
        return False
    if word == "the":
        return _is_plain(after) or after[0].isalnum()
    return (
        _is_plain(after)
        and len(after) > 1
        and after.lower() not in _AFTER_NAME
        and (before is None or _takes_a_noun(before.lower()))
    )


def _is_plain(word: str) -> bool:
    return _PLAIN.fullmatch(word.rstrip(".,:;!?")) is not None


def _takes_a_noun(word: str) -> bool:
    """Return whether a word is a preposition, a conjunction or, by its ending, a verb such as `likes` or `wanted`."""
    if word in _BEFORE_ARTICLE:
        return True
    past = word.endswith("ed") and not word.endswith("eed")
    present = word.endswith("s") and not word.endswith(("as", "is", "ss", "us", "ies"))
    return len(word) > 4 and (past or present)
