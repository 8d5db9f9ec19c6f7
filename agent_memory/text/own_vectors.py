"""What has a vector of its own beside that of the whole text.

Each sentence of what a user tells at length: "By the way, I moved to Lisbon", at the end of a message that asks for
recipes, is lost in the vector of the whole. And what a standing instruction applies to: "Always name the narrator
when I ask about audiobooks" is near to questions about narrators, and wanted where audiobooks are asked for.

All of it follows from the embedded text alone, so every store and every embedder has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Final, Generic, NamedTuple, TypeVar

from agent_memory.roles import SPELLINGS

T = TypeVar("T")

SHORTEST: Final = 250
"""Characters of a message from which on its sentences count. Chosen, not varied: about three sentences."""
LONGEST: Final = 2_000
"""Characters up to which they do: what is longer was pasted. Chosen, not varied."""
_FRAGMENT: Final = 15
"""Characters of a sentence that says nothing by itself: "Thanks!"."""
LONGEST_NOTE: Final = 400
"""Characters of a text that is no message, up to which an instruction is looked for in it: documents are longer."""
_BEGINNINGS: Final = tuple(f'{role} said, "' for role in SPELLINGS["user"])
"""Of the embedded text of a user's message (`records.conversation`)."""
_SAID: Final = ' said, "'


class Own(NamedTuple):
    """The texts that are embedded behind the whole, in this order."""

    sentences: Sequence[str]
    occasions: Sequence[str]
    """What an instruction applies to; one at most."""

    @property
    def texts(self) -> list[str]:
        """All of them."""
        return [*self.sentences, *self.occasions]


class Apart(NamedTuple, Generic[T]):
    """What there is for a text, such as its vectors or cosines, by what it is of."""

    whole: Sequence[T]
    sentences: Sequence[T]
    occasions: Sequence[T]


def own_texts(text: str) -> Own:
    """Return what of an embedded text is embedded by itself as well; most texts have none."""
    content, sentences = _parts(text)
    return Own(sentences, () if content is None else _occasions(content))


def apart(text: str, segments: Sequence[T]) -> Apart[T]:
    """Split what there is for a text into what belongs to the whole and what belongs to parts of it.

    Args:
        text: the embedded text.
        segments: what there is for each, in order. A text that was embedded by an earlier version has fewer.

    Returns:
        Those of the text, at least one if there is any, those of its sentences, and those of what it applies to.
    """
    if len(segments) > 1:
        content, sentences = _parts(text)
        count = len(sentences)
        # The whole has one at least, so most texts need not be read for instructions.
        if content is not None and len(segments) > count + 1:
            count += len(_occasions(content))
        if 0 < count < len(segments):
            told = segments[-count:]
            return Apart(segments[:-count], told[: len(sentences)], told[len(sentences) :])
    return Apart(segments, (), ())


def _parts(text: str) -> tuple[str | None, Sequence[str]]:
    """Return what may hold an instruction, None for nothing, and the sentences that count by themselves."""
    if text.startswith(_BEGINNINGS) and text[-1] == '"':
        content = text[text.index('"') + 1 : -1]
        return content, _sentences(content)
    return (text if len(text) <= LONGEST_NOTE and _SAID not in text else None), ()


def _sentences(content: str) -> Sequence[str]:
    if not SHORTEST <= len(content) <= LONGEST:
        return ()
    from agent_memory.text.sentences import sentences  # few texts come here

    found = [sentence for sentence in sentences(content) if len(sentence) > _FRAGMENT]
    return found if len(found) > 1 else ()


def _occasions(content: str) -> Sequence[str]:
    if not _occasion().search(content):
        return ()
    from agent_memory.text.analysis import analyse
    from agent_memory.text.standing import instructions
    from agent_memory.text.stopwords import STOPWORDS

    for told in instructions(content, _occasion()):
        if (found := _occasion().search(told.sentence)) is not None:
            about = next(group for group in found.groups() if group).strip()
            if not STOPWORDS.issuperset(analyse(about)):
                return (about,)
    return ()


@cache
def _occasion() -> re.Pattern[str]:
    return re.compile(
        r"\b(?:when|whenever|if|every ?time|each time|any ?time|as soon as|once|before|after) (?:"
        # "when I ask about deadlines", "if I paste a log": what follows the verb, and a preposition.
        r"(?:i|we)(?:'m|'re| am| are)? (?:\w+ly |ever |just )?\w+(?: (?:you|me|us))?"
        r"(?: (?:about|for|on|to|with|into|at|regarding|up|after|over|help|advice|information|questions|of|any))*"
        r" ([^.?!,;:]{3,120})"
        # "before you delete a file": with the verb.
        r"|you(?:'re| are)? ([^.?!,;:]{3,120}))"
        # "For commit messages, always use the imperative."
        r"|^(?:please )?(?:for|in|on|with) ([^.?!,;:]{3,80}), (?:please )?(?:always|never)\b",
        re.IGNORECASE,
    )
