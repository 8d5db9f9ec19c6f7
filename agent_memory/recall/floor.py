"""What a recall leaves out: what was found, and answers nothing.

A text that fills its budget with what comes nearest costs tokens and misleads. So by default nothing of what was
found goes into it where nothing seems to answer; and where something does, what is surely unrelated stays out. The
budget is a limit and no target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from agent_memory.recall import constants
from agent_memory.recall.dialogue import is_message
from agent_memory.recall.echo import content_stems, same_words
from agent_memory.recall.found import Found
from agent_memory.recall.packing import Candidate, PackedItem
from agent_memory.recall.scoring import logistic, logit
from agent_memory.recall.sources import Passage, source
from agent_memory.records import LongTermRecord, ScoredMemory
from agent_memory.text.templates import searchable_text

REPEATS: Final = "it only repeats the query"


class Kept(NamedTuple):
    """The results of a search, parted."""

    results: Sequence[ScoredMemory]
    left_out: Sequence[PackedItem]


def above_floor(results: Found, query: str, least: float | None) -> Kept:
    """Part what was found into what goes into a recall and what is not relevant enough, each best first.

    What is pinned, and what has the query as its key, is always kept; what repeats the query never is.

    Args:
        results: the results of a search.
        query: what was searched for.
        least: the least relevance, in [0, 1]; None for the default, which keeps nothing where `nothing_relevant`
            is true, else what reaches `constants.RECALL_FLOOR` and is not far behind the best, or answers another
            part of the query; and messages whatever they say, where one of the two before or behind them seems to
            answer.

    Returns:
        What is kept, and what is left out with the reason.
    """
    floor = _Floor(results, query, least)
    kept: list[ScoredMemory] = []
    left_out: list[PackedItem] = []
    for result in results:
        if result.memory.id in results.echoes or same_words(result.memory, query):
            reason = REPEATS
        elif result.memory.pinned or floor.holds(result):
            kept.append(result)
            continue
        else:
            reason = f"not relevant enough: {result.relevance:.2f}"
        left_out.append(Candidate(result.memory, scored=result).packed("", "dropped", 0, reason))
    return Kept(kept, left_out)


class _Floor:
    """The least relevance with which each result goes into a recall."""

    def __init__(self, results: Found, query: str, least: float | None) -> None:
        self._nothing = least is None and results.nothing_relevant
        self._message = constants.RECALL_FLOOR if least is None else least
        self._fact = self._other = self._message
        self._near_answers: set[Passage] = set()
        self._of_other_parts: set[str] = set()
        if least is None and results:
            best = max(result.relevance for result in results)
            self._near_answers = {
                Passage(place.of, place.position + distance)
                for result in results
                if result.relevance >= constants.NOTHING_RELEVANT and (place := _place(result))
                for distance in (-2, -1, 1, 2)
            }
            near = logistic(logit(best) - constants.RECALL_SPREAD)
            self._other = max(self._message, min(constants.NOTHING_RELEVANT, near))
            certainty = min(logit(best), constants.RECALL_CERTAIN)
            self._fact = max(self._message, logistic(certainty - constants.RECALL_FACTS_SPREAD))
            self._of_other_parts = answers_to_other_parts(results, query)

    def holds(self, result: ScoredMemory) -> bool:
        """Return whether a result goes into the recall."""
        if self._nothing:
            return False
        if _place(result) in self._near_answers:
            return True
        if isinstance(result.memory, LongTermRecord):
            return result.relevance >= self._fact or result.memory.id in self._of_other_parts
        return result.relevance >= (self._message if is_message(result.memory) else self._other)


def answers_to_other_parts(results: Iterable[ScoredMemory], query: str) -> set[str]:
    """Return the ids of what answers as likely as not and has a word of the query that nothing more relevant has.

    "Which port has the database, and who owns the gateway?" has two answers, and the worse one may look far worse
    beside the better one.
    """
    terms = content_stems(query)
    ids, answered = set(), set[str]()
    for result in sorted(results, key=lambda result: -result.relevance):
        if result.relevance < constants.NOTHING_RELEVANT:
            break
        words = terms & content_stems(searchable_text(result.memory))
        if words - answered:
            ids.add(result.memory.id)
            answered |= words
            if answered == terms:
                break  # none of the others can have a word more
    return ids


def _place(result: ScoredMemory) -> Passage | None:
    """Return where a message stands in its conversation, None for what is no message."""
    origin = source(result.memory) if is_message(result.memory) else None
    return origin.passage if origin else None
