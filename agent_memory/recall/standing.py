"""The standing context of a recall: what holds whatever the question is, in a section of its own.

Pinned memories, facts marked as standing, goals, preferences, and the instructions that a person gave once
(`text.standing`). They are chosen by rule: "always answer in German" is like no question to which it applies, and
a boost large enough to lift it harms all other answers. The section takes a share of the budget at most, and what has
no room in it is shortened or left out like everything else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from agent_memory.recall import constants
from agent_memory.recall.audience import told_among_people
from agent_memory.recall.formats import PINNED, STANDING, Writer
from agent_memory.recall.packing import Candidate, PackedItem, pack
from agent_memory.recall.repeats import each_once
from agent_memory.records import ConversationRecord, LongTermRecord, MemoryRecord, MemoryType
from agent_memory.storage.base import Order, Store
from agent_memory.storage.retrieval import Selection
from agent_memory.storage.where import Condition, Where
from agent_memory.text import standing
from agent_memory.text.analysis import query_terms
from agent_memory.text.tokens import estimate_tokens


class Standing(NamedTuple):
    """How much of a recall is standing context, and whether instructions are looked for by rule."""

    share: float
    """The part of the budget that it may take, in [0, 1]; 0 leaves it out."""
    rule: bool


class Section(NamedTuple):
    """The packed section, and what found no room in it."""

    kept: Sequence[PackedItem] = ()
    dropped: Sequence[PackedItem] = ()


class StandingContext:
    """Chooses and packs the standing context of one recall."""

    def __init__(self, store: Store, standing: Standing, wording: Writer, budget: int) -> None:
        self._store = store
        self._standing = standing
        self._wording = wording
        self._budget = budget
        self._chosen: Sequence[Candidate] = ()

    async def choose(self, where: Where, *, brief: bool) -> None:
        """Look up what belongs into it, unless it may take no room."""
        if self._standing.share:
            self._chosen = await standing_candidates(
                self._store, where, brief=brief, rule=self._standing.rule
            )

    def packed_apart(
        self, candidates: Sequence[Candidate], said: Collection[str]
    ) -> tuple[Section, list[Candidate]]:
        """Pack it, and leave out of the other candidates what stands in it.

        What would be shortened in it and is among the other candidates stays there.

        Args:
            candidates: what else may go into the text.
            said: ids of what is in the text already.

        Returns:
            The section, and the other candidates.
        """
        chosen, repeated = each_once([item for item in self._chosen if item.memory.id not in said])
        section = pack_section(
            chosen, self._wording, self._budget, self._standing.share, self._store.agent_id
        )
        others = {candidate.memory.id for candidate in candidates}
        kept = [item for item in section.kept if item.form == "full" or item.memory.id not in others]
        here = {item.memory.id for item in kept}
        dropped = [item for item in (*section.dropped, *repeated) if item.memory.id not in others]
        return Section(kept, dropped), [item for item in candidates if item.memory.id not in here]


async def standing_candidates(store: Store, where: Where, *, brief: bool, rule: bool) -> list[Candidate]:
    """Choose what belongs into the section, the first to be packed first, by one call of the store.

    Pinned memories come first, then those marked as standing, then preferences (one of each category, the most
    important and then the latest) and goals, then the instructions that the rule spotted; within each by importance,
    then the latest. Nothing is among them that the filter refuses.

    Args:
        store: where the memories are.
        where: the filter of the recall.
        brief: leave out pinned memories and preferences, which have sections of their own in the brief.
        rule: look for instructions by rule.

    Returns:
        The candidates, each with its reason as a note.
    """
    parts = [*_marked(where), *([] if brief else _pinned(where)), *([] if brief else _preferences(where))]
    if rule and _admits(where, MemoryType.CONVERSATION, MemoryType.LONG_TERM):
        parts.append(Selection(where, _IMPORTANT, constants.STANDING_EACH, standing.MARK))
    chosen: dict[str, Candidate] = {}
    spotted: dict[str, Candidate] = {}
    for records in await store.select_each(parts):
        for record in records:
            if (mark := _mark(record)) is not None:
                if not (brief and mark in _OF_THE_BRIEF):
                    chosen.setdefault(record.id, Candidate(record, STANDING, note=mark))
            elif rule and (told := standing.spotted(record)) is not None:
                spotted[record.id] = Candidate(record, STANDING, note=f'instruction: "{told.words}"')
    said = (item.memory for item in spotted.values() if isinstance(item.memory, ConversationRecord))
    for memory_id in await told_among_people(store, said):
        del spotted[memory_id]
    chosen |= spotted
    return _one_per_category(sorted(chosen.values(), key=_rank))


def pack_section(
    candidates: Sequence[Candidate], wording: Writer, budget: int, share: float, agent_id: str
) -> Section:
    """Pack the section into its share of the budget, its heading included.

    Args:
        candidates: what belongs into it, the first to be packed first.
        wording: the format.
        budget: the tokens of the whole recall.
        share: the part of them that the section may take, in [0, 1].
        agent_id: whose memories they are.

    Returns:
        What is in it, and what found no room.
    """
    empty = estimate_tokens(wording.write([], agent_id))
    room = max(0, min(int(budget * share), budget - empty))
    packed: list[PackedItem] = []
    overhead, size = estimate_tokens(STANDING), max(room, constants.SMALLEST_BUDGET)
    # What cannot have room, however short it is, is not tried: each try writes it in several forms.
    most = room // constants.TOKENS_PER_CANDIDATE
    late = [candidate.packed("", "dropped", 0, _FULL) for candidate in candidates[most:]]
    candidates = candidates[:most]
    terms = _terms(candidate.memory for candidate in candidates)
    for _ in range(constants.MOST_FILLS if candidates else 0):
        packed = pack(
            candidates,
            budget=size,
            overhead=size - room + overhead,
            terms=terms,
            frame=wording.frame,
            beside=wording.beside if wording.gathers else None,
        )
        over = _tokens(packed, wording, agent_id) - empty - room
        if over <= 0:
            break
        overhead += over
    while _tokens(packed, wording, agent_id) - empty > room and any(map(_is_kept, packed)):
        last = max(position for position, item in enumerate(packed) if _is_kept(item))
        packed[last] = candidates[last].packed("", "dropped", 0, _FULL)
    dropped = [item for item in packed if not _is_kept(item)]
    return Section([item for item in packed if _is_kept(item)], [*dropped, *late])


_FULL: Final = "the standing context's share of the budget is used up"
_IMPORTANT: Final = Order("importance")


def _marked(where: Where) -> list[Selection]:
    """Select what has the tag of a standing memory or of a goal, and the tags of the filter."""
    tags = (standing.STANDING_TAG, standing.GOAL_TAG)
    if where.tags_any:
        filters = [replace(where, tags_all=(*where.tags_all, tag)) for tag in tags]
    else:
        filters = [replace(where, tags_any=tags)]
    return [Selection(filter, _IMPORTANT, constants.STANDING_EACH) for filter in filters]


def _pinned(where: Where) -> list[Selection]:
    if where.pinned is False:
        return []
    return [Selection(replace(where, pinned=True), _IMPORTANT, constants.STANDING_EACH)]


def _preferences(where: Where) -> list[Selection]:
    if not _admits(where, MemoryType.LONG_TERM):
        return []
    preference = Condition("kind", "=", "preference")
    wanted = replace(where, types=(MemoryType.LONG_TERM,), fields=(*where.fields, preference))
    return [Selection(wanted, _IMPORTANT, constants.STANDING_PREFERENCES)]


def _admits(where: Where, *types: MemoryType) -> bool:
    return not where.types or not set(types).isdisjoint(where.types)


_OF_THE_BRIEF: Final = (PINNED.lower(), "preference")
"""What has a section of its own in the brief."""


def _mark(record: MemoryRecord) -> str | None:
    """Return how a memory was marked for the section by somebody; None where it was not."""
    if standing.STANDING_TAG in record.tags:
        return "standing"
    if record.pinned:
        return PINNED.lower()
    if standing.GOAL_TAG in record.tags:
        return "goal"
    return "preference" if _is_preference(record) else None


def _rank(candidate: Candidate) -> tuple[int, float, float]:
    record = candidate.memory
    if record.pinned:
        group = 0
    elif standing.STANDING_TAG in record.tags:
        group = 1
    elif standing.GOAL_TAG in record.tags or _is_preference(record):
        group = 2
    else:
        group = 3
    return group, -record.importance, -record.happened_at.timestamp()


def _is_preference(record: MemoryRecord) -> bool:
    return isinstance(record, LongTermRecord) and record.kind == "preference"


def _one_per_category(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Leave out preferences of a category that one before them has."""
    categories: set[str] = set()
    result: list[Candidate] = []
    for candidate in candidates:
        record = candidate.memory
        if isinstance(record, LongTermRecord) and _is_preference(record) and record.category:
            marked = record.pinned or standing.STANDING_TAG in record.tags
            if record.category in categories and not marked:
                continue
            categories.add(record.category)
        result.append(candidate)
    return result


def _terms(records: Iterable[MemoryRecord]) -> list[str]:
    """Return the words of the instructions in long messages: their sentences are what is to be kept of these."""
    long = (record for record in records if len(record.content) > constants.STANDING_LONG)
    spotted = (standing.spotted(record) for record in long if isinstance(record, ConversationRecord))
    return query_terms(" ".join(instruction.sentence for instruction in spotted if instruction is not None))


def _is_kept(item: PackedItem) -> bool:
    return item.form != "dropped"


def _tokens(items: Sequence[PackedItem], wording: Writer, agent_id: str) -> int:
    return estimate_tokens(wording.write(items, agent_id))
