"""What a search returns: the memories, and what has to be said about how they were found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic

from agent_memory.recall.constants import NOTHING_RELEVANT, TOO_FEW, UNCERTAIN
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.records.display import as_table

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Record = TypeVar("Record", bound=MemoryRecord, default=MemoryRecord)
else:
    from typing import TypeVar

    Record = TypeVar("Record", bound=MemoryRecord)


class Found(list[ScoredMemory[Record]], Generic[Record]):
    """Scored memories, best first. It is a list; what else was found out stands beside it."""

    def __init__(
        self,
        memories: Iterable[ScoredMemory[Record]] = (),
        *,
        retrievers: Iterable[str] = (),
        notices: Iterable[str] = (),
        terms: Iterable[str] = (),
        sums: Mapping[str, float] | None = None,
        echoes: Iterable[str] = (),
        compared: int = 0,
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

        self.echoes = frozenset(echoes)
        """Ids of those that merely repeat the query."""

        self.compared = compared
        """Among how many they were looked for: vectors, or memories where vectors took no part."""

    @property
    def nothing_relevant(self) -> bool:
        """Whether nothing here seems to answer the query; what came nearest is in the list all the same."""
        return all(item.relevance < NOTHING_RELEVANT for item in self)

    @property
    def doubt(self) -> str | None:
        """A sentence on whether anything here answers; None where something does, or there is too little to tell."""
        if not self or not self.nothing_relevant or self.compared <= TOO_FEW:
            return None
        if max(item.relevance for item in self) >= UNCERTAIN:
            return "it is not certain that anything here answers this"
        return "nothing here seems to answer this"

    def after(self, offset: int) -> Found[Record]:
        """Return what is left without the best ones."""
        return Found(
            self[offset:],
            retrievers=self.retrievers,
            notices=self.notices,
            terms=self.terms,
            sums=self.sums,
            echoes=self.echoes,
            compared=self.compared,
        )

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each memory as `ScoredMemory.to_dict` does."""
        return [item.to_dict() for item in self]

    def _repr_html_(self) -> str:
        rows = [
            (item.score, item.relevance, item.memory.memory_type.value, item.memory.content, item.memory.tags)
            for item in self
        ]
        return as_table(("score", "relevance", "type", "content", "tags"), rows)
