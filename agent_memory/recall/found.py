"""What a search returns: the memories, and what has to be said about how they were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent_memory.recall.constants import NOTHING_RELEVANT
from agent_memory.records import ScoredMemory


class Found(list[ScoredMemory]):
    """Scored memories, best first. It is a list; what else was found out stands beside it."""

    def __init__(
        self,
        memories: Iterable[ScoredMemory] = (),
        *,
        retrievers: Iterable[str] = (),
        notices: Iterable[str] = (),
        terms: Iterable[str] = (),
        sums: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(memories)
        self.retrievers = tuple(retrievers)
        """What took part in the search: `words`, `meaning`, `key`."""
        self.notices = tuple(notices)
        """One line for each thing that was left out, or is not ready yet."""
        self.terms = tuple(terms)
        """The words that were looked for, parts of compounds and the rest of hashes among them."""

        self.sums = dict(sums or {})
        """The sum that each memory was ordered by, by id; `score` is its logistic."""

    @property
    def nothing_relevant(self) -> bool:
        """Whether nothing here seems to answer the query; what came nearest is in the list all the same."""
        return all(item.relevance < NOTHING_RELEVANT for item in self)

    def after(self, offset: int) -> Found:
        """Return what is left without the best ones."""
        return Found(self[offset:], retrievers=self.retrievers, notices=self.notices, terms=self.terms)
