"""Recall: what matters for a prompt, in a text of a given size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from agent_memory.errors import ValidationError
from agent_memory.recall import constants
from agent_memory.recall.brief import brief
from agent_memory.recall.dialogue import SpeakerTest
from agent_memory.recall.floor import Kept, above_floor
from agent_memory.recall.formats import (
    LAST_MESSAGES,
    STANDING,
    Format,
    Messages,
    Writer,
    gathered,
    writer,
)
from agent_memory.recall.found import Found
from agent_memory.recall.outcomes import Outcomes
from agent_memory.recall.packing import Candidate, Frame, PackedItem, by_worth, pack
from agent_memory.recall.query import Mode, SearchRequest
from agent_memory.recall.repeats import each_once, is_repeated
from agent_memory.recall.searcher import Searcher
from agent_memory.recall.standing import Section, Standing, StandingContext
from agent_memory.records import ConversationRecord
from agent_memory.records.display import as_table, escape, in_one_line, shortened
from agent_memory.storage.base import Store
from agent_memory.storage.where import Where
from agent_memory.text.analysis import query_terms
from agent_memory.text.tokens import estimate_tokens


@dataclass(frozen=True, slots=True, repr=False)
class Recall:
    """A text for a prompt, and an account of what is in it."""

    text: str
    items: tuple[PackedItem, ...]
    """The memories in the text, in its order."""
    shortened: tuple[PackedItem, ...]
    """Those of them that are not whole, with the reason."""
    dropped: tuple[PackedItem, ...]
    """What had to stay out, with the reason; best first. What is `repeated` is among it."""
    tokens: int
    """What the text takes, as `estimate_tokens` counts them."""
    budget: int
    format: Format
    messages: tuple[dict[str, str], ...] = ()
    """For the format `messages`: the same as chat messages."""
    notices: tuple[str, ...] = ()
    nothing_relevant: bool = False
    """Whether nothing that was found seems to answer the query."""
    left_out: tuple[PackedItem, ...] = ()
    """What was found and is not relevant enough for the text, with the reason; best first."""
    doubt: str | None = None
    """A sentence on whether anything that was found answers; None where something does."""

    @property
    def repeated(self) -> tuple[PackedItem, ...]:
        """What was dropped since the text says the same already, and not for want of room."""
        return tuple(item for item in self.dropped if is_repeated(item))

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        shown = {
            "tokens": self.tokens,
            "budget": self.budget,
            "items": len(self.items),
            "shortened": len(self.shortened),
            "dropped": len(self.dropped),
            "text": repr(shortened(self.text)),
        }
        return in_one_line("Recall", shown)

    def _repr_html_(self) -> str:
        rows = [
            (item.form, item.tokens, item.memory.memory_type.value, item.memory.content, item.reason or "")
            for item in (*self.items, *self.dropped)
        ]
        table = as_table(("form", "tokens", "type", "content", "reason"), rows)
        return f"<p>{self.tokens} of {self.budget} tokens</p><pre>{escape(self.text)}</pre>{table}"


class Recaller:
    """Makes recalls from one store."""

    def __init__(self, store: Store, searcher: Searcher) -> None:
        self._store = store
        self._searcher = searcher

    async def recall(
        self,
        query: str | None,
        where: Where,
        *,
        budget: int,
        format: Format,
        mode: Mode = "hybrid",
        explain: bool = False,
        last: Sequence[ConversationRecord] = (),
        rerank: bool = False,
        min_relevance: float | None = None,
        standing: Standing,
    ) -> Recall:
        """Find what a query needs, or the brief for None, and pack it. Arguments as in `AgentMemory.recall`."""
        wording = writer(format)
        context = StandingContext(self._store, standing, wording, budget)
        results, kept = Found(), Kept((), ())
        # The query is embedded while the standing context is read.
        async with self._searcher.embedding(query, mode) as embedding:
            await context.choose(where, brief=query is None)
            if query is not None:
                limit = max(5, min(constants.MOST_CANDIDATES, budget // constants.TOKENS_PER_CANDIDATE))
                results = await self._searcher.search(
                    SearchRequest(
                        text=query,
                        where=where,
                        limit=limit,
                        mode=mode,
                        explain=explain,
                        count_access=False,
                        rerank=rerank,
                        embedding=embedding,
                    )
                )
        if query is None:
            candidates = await brief(self._store, where)
        else:
            kept = above_floor(results, query, min_relevance)
            candidates = by_worth(
                candidates_of(results, kept, query),
                budget=budget,
                frame=wording.frame,
                beside=_beside(wording),
            )
            candidates = await Outcomes(self._store, self._searcher).joined(candidates, where, mode)
        terms: Sequence[str] = () if query is None else results.terms or query_terms(query)
        said = {message.id for message in last}
        candidates = [candidate for candidate in candidates if candidate.memory.id not in said]
        # The latest messages come last in the text but first in the budget, newest first: they were asked for.
        tail = [Candidate(message, LAST_MESSAGES) for message in reversed(last)]
        section, candidates = context.packed_apart(candidates, said)
        recall = self._pack([*tail, *candidates], terms, wording, budget, results.notices, section)
        if query is not None:
            there = {item.memory.id for item in recall.items}
            recall = replace(
                recall,
                nothing_relevant=results.nothing_relevant,
                left_out=tuple(item for item in kept.left_out if item.memory.id not in there),
                doubt=results.doubt,
            )
        await self._store.touch([item.memory.id for item in recall.items])
        return recall

    def _pack(
        self,
        candidates: Sequence[Candidate],
        terms: Sequence[str],
        wording: Writer,
        budget: int,
        notices: tuple[str, ...],
        section: Section,
    ) -> Recall:
        agent = self._store.agent_id
        candidates, repeated = each_once(candidates, section.kept)
        written = _fill(candidates, wording, budget, terms, agent, section.kept)
        if written is None:
            raise ValidationError(
                f"a budget of {budget} tokens is too small for one memory as {wording.name}",
                hint=f"give at least {_least(candidates, wording, agent)}",
            )
        kept = tuple(item for item in written.ordered if item.form != "dropped")
        says_something = bool(kept) or wording.heading_alone
        return Recall(
            text=written.text if says_something else "",
            items=kept,
            shortened=tuple(item for item in kept if item.form != "full"),
            dropped=(
                *(item for item in written.packed if item.form == "dropped"),
                *section.dropped,
                *repeated,
            ),
            tokens=written.tokens if says_something else 0,
            budget=budget,
            format=wording.name,
            messages=tuple(wording.messages(written.ordered, agent)) if isinstance(wording, Messages) else (),
            notices=notices,
        )


def candidates_of(results: Found, kept: Kept, query: str) -> list[Candidate]:
    """Return what was found and kept as candidates, what was said by somebody whom the query names worth more."""
    speakers = SpeakerTest(query)
    return [
        Candidate(
            result.memory,
            scored=result,
            total=results.sums[result.memory.id]
            + constants.NAMED_SPEAKER_PACKED * speakers.names(result.memory),
        )
        for result in kept.results
    ]


class _Written(NamedTuple):
    """What was packed, written."""

    packed: list[PackedItem]
    ordered: list[PackedItem]
    """As it stands in the text."""
    text: str
    tokens: int


def _fill(
    candidates: Sequence[Candidate],
    wording: Writer,
    budget: int,
    terms: Sequence[str],
    agent_id: str,
    section: Sequence[PackedItem],
) -> _Written | None:
    """Pack as much as the budget holds beside the standing context; None if not even one memory fits.

    Headings take room too, and a whole is not the sum of its parts to the token. So what was over is kept back and
    packed again; and what stayed free is given out again, a few times.

    Returns:
        What was packed, written; None if there are candidates and none has room.
    """
    best: _Written | None = None
    reserve = estimate_tokens(wording.write(section, agent_id))
    fills = 0
    while fills < constants.MOST_FILLS:
        beside = _beside(wording)
        packed = pack(
            candidates, budget=budget, overhead=reserve, terms=terms, frame=wording.frame, beside=beside
        )
        ordered = _in_order([*packed, *section], wording)
        text = wording.write(ordered, agent_id)
        written = _Written(packed, ordered, text, estimate_tokens(text))
        if written.tokens <= budget and (best is None or written.tokens > best.tokens):
            best = written
        forms = {item.form for item in packed}
        if forms <= {"dropped"} or written.tokens == budget or (written is best and forms == {"full"}):
            break
        fills += best is not None
        reserve += written.tokens - budget
    empty = best is None or not any(item.form != "dropped" for item in best.ordered)
    return None if empty and candidates else best


def _least(candidates: Sequence[Candidate], wording: Writer, agent_id: str) -> int:
    """Return a budget that holds a line of the best memory, with all that stands around it."""
    if not candidates:
        return estimate_tokens(wording.write([], agent_id))
    best = candidates[0]
    line = best.packed("", "line", 0)
    return max(
        constants.SMALLEST_BUDGET,
        estimate_tokens(wording.write([line], agent_id)) + 2 * constants.LINE_TOKENS,
    )


def _beside(wording: Writer) -> Frame | None:
    return wording.beside if wording.gathers else None


def _in_order(packed: Sequence[PackedItem], wording: Writer) -> list[PackedItem]:
    """Return what was packed as it stands in the text, the latest messages last and oldest first."""
    # What has no heading goes first, or it would stand under another's; the brief begins with the standing context.
    known = [
        *(item for item in packed if not item.section),
        *(item for item in packed if item.section == STANDING),
        *(item for item in packed if item.section not in ("", STANDING, LAST_MESSAGES)),
    ]
    latest = [item for item in packed if item.section == LAST_MESSAGES][::-1]
    if not wording.gathers:
        return [*known, *latest]
    return [item for group in gathered([*known, *latest]) for item in group]
