"""What merely repeats the query: the same question, asked before.

An agent that logs its chat finds the question that it was just asked, first and above what answers it: nothing is
nearer to a question than the question. It is no evidence. Its place goes to what was said next.
"""

from __future__ import annotations

from typing import Final

from agent_memory.recall import constants
from agent_memory.recall.dialogue import QUESTION_MARKS, is_message
from agent_memory.records import MemoryRecord
from agent_memory.text.analysis import query_terms
from agent_memory.text.courtesies import without_courtesies
from agent_memory.text.porter import stem
from agent_memory.text.templates import normalise

_ASKING: Final = frozenset(
    "what what's who who's whom whose when when's where where's which why how how's is are was were do does did can"  # noqa: SIM905 - one word a line says no more
    " could should would will has have had am may remind tell show find give look".split()
)
"""With these an English question begins that has no question mark, and a request for something that is known."""


class EchoTest:
    """Tells whether a memory merely repeats one query."""

    def __init__(self, query: str) -> None:
        query = without_courtesies(query.strip())
        self._query = _said(query)
        self._stems: frozenset[str] | None = None

    def repeats(self, record: MemoryRecord) -> bool:
        """Return whether a memory asks what the query asks.

        A question is the same where nearly all words that are no stop words are, with or without a greeting and
        thanks; a statement is evidence however much it is like the query.
        """
        if not is_message(record) and not _has_mark(record.content):
            return False  # nearly always, and this is asked of every candidate
        text = without_courtesies(record.content.strip())
        if len(text) > constants.ECHO_LENGTH * len(self._query) + constants.ECHO_LENGTH:
            return False
        if text.endswith(QUESTION_MARKS):
            return _said(text) == self._query or self._same_words(text)
        # Many statements begin like a question ("when the disk is full, ..."): without the mark, only the very same.
        return is_message(record) and _begins_like_one(text) and _said(text) == self._query

    def _same_words(self, text: str) -> bool:
        if self._stems is None:
            self._stems = content_stems(self._query)
        words = content_stems(text)
        either = words | self._stems
        if not either:
            return _said(text) == self._query
        return len(words & self._stems) >= constants.ECHO_WORDS * len(either)


def same_words(record: MemoryRecord, query: str) -> bool:
    """Return whether a memory is a message that says the query word for word, question or not.

    A prompt that is logged before it is answered is found by itself; the prompt holds it already.
    """
    if not is_message(record):
        return False
    return _said(without_courtesies(record.content.strip())) == _said(without_courtesies(query.strip()))


def _has_mark(text: str) -> bool:
    for mark in QUESTION_MARKS:  # noqa: SIM110 - a generator takes 2.7 times as long
        if mark in text:
            return True
    return False


def _begins_like_one(text: str) -> bool:
    return bool(text) and text.split(maxsplit=1)[0].casefold() in _ASKING


def _said(text: str) -> str:
    return normalise(text).casefold().rstrip(" .!?")


def content_stems(text: str) -> frozenset[str]:
    """Return the stems of a text's words without its stop words."""
    return frozenset(map(stem, query_terms(text)))
