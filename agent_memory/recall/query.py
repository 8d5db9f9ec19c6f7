"""A search as it is asked for, and its query prepared."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.hints import Hint
from agent_memory.recall import constants
from agent_memory.storage.where import Where, check_share
from agent_memory.text.analysis import QueryWord
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.names import check_unicode, is_storable

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

Mode = Literal["hybrid", "keyword", "vector"]


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """What one search is asked for. The fields mean what the arguments of `AgentMemory.search` do."""

    text: str
    where: Where
    limit: int = 10
    mode: Mode = "hybrid"
    explain: bool = False
    min_score: float | None = None
    min_similarity: float | None = None
    min_relevance: float | None = None
    count_access: bool = True
    rerank: bool = False
    embedding: Awaitable[Vector] | None = None
    """The vector of the text, where somebody has begun to embed it."""

    def check(self) -> None:
        """Check what can be checked without a store.

        Raises:
            ValidationError: the query is empty, the limit is not positive, or a least value is outside [0, 1].
            ConfigurationError: the mode is unknown.
        """  # noqa: DOC501
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValidationError(
                "the query is empty", hint=Hint("say what to look for, or list with {LIST}")
            )
        check_unicode("query", self.text)
        check_limit(self.limit)
        if self.mode not in get_args(Mode):
            raise ConfigurationError.unknown("search mode", self.mode, get_args(Mode))
        for name in ("min_score", "min_similarity", "min_relevance"):
            least = getattr(self, name)
            if least is not None:
                check_share(name, least)

    @property
    def ranked(self) -> int:
        """How many of the best are kept before a cross-encoder reads them."""
        return max(self.limit, constants.RERANKED) if self.rerank else self.limit

    @property
    def candidates(self) -> int:
        """How many candidates each retriever returns at most."""
        return max(constants.CANDIDATES, self.ranked, min(2 * self.ranked, constants.ENOUGH_CANDIDATES))

    @property
    def key(self) -> str | None:
        """The query as a key; None where it cannot be one."""
        key = self.text.strip()
        return key if len(key) <= constants.LONGEST_KEY and "\n" not in key and is_storable(key) else None


class Query(NamedTuple):
    """A query, prepared: its words, and its vector where vectors take part."""

    text: str
    words: list[QueryWord]
    terms: list[str]
    """The words, their parts, and what the store holds that begins like one of them."""
    vector: Vector | None
    statistics: WordStatistics | None = None
    """What the store knows of the words; None where they take no part."""
    unread: bool = False
    """Whether vectors are left out because the embedder does not read the query."""


def check_limit(limit: int) -> None:
    """Check that a limit is positive.

    Raises:
        ValidationError: it is not.
    """
    if limit < 1:
        raise ValidationError(f"the limit {limit} is not positive", hint="ask for at least 1")
