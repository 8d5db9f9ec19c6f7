"""The ability to search by keyword."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from agent_memory.errors import StoreBusyError
from agent_memory.storage.base.ordering import unique
from agent_memory.storage.base.store import Store
from agent_memory.storage.where import Where
from agent_memory.text.analysis import is_code
from agent_memory.text.bm25 import WordStatistics
from agent_memory.text.porter import unstemmed

RENEWED_TOGETHER: Final = 1000
"""Memories whose words are renewed in one transaction where somebody waits for all of them."""


class KeywordStore(Store):
    """A store with a full-text index."""

    async def by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        """Retrieve the best memories that hold any of the terms.

        Args:
            terms: stemmed words, from `text.analysis.query_terms`.
            where: which memories may be retrieved.
            limit: how many at most.

        Returns:
            Ids with their BM25 scores (FTS5's formula, positive), best first.
        """
        self.check_usable()
        return await self._by_keyword(terms, where, limit) if terms and limit > 0 else []

    async def word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        """Return the BM25 scores of given memories.

        Args:
            terms: stemmed words, from `text.analysis.query_terms`.
            ids: whole ids.

        Returns:
            The scores by id; memories without any of the terms are left out.
        """
        self.check_usable()
        return await self._word_scores(terms, unique(ids)) if terms and ids else {}

    async def word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        """Return how many memories there are, their mean length in words, and how many hold each stemmed term."""
        self.check_usable()
        return await self._word_statistics(terms)

    async def terms_beginning(self, prefix: str, limit: int) -> list[str]:
        """Return words of the index that begin with a word of a query, for the other searches as terms.

        Args:
            prefix: a code (`text.analysis.is_code`); for any other word there are none, since only codes are listed.
            limit: how many at most.

        Returns:
            The words, in order.
        """
        self.check_usable()
        roots = await self._terms_beginning(prefix, limit) if is_code(prefix) and limit > 0 else []
        return [unstemmed(root) for root in roots]

    async def outdated_count(self) -> int:
        """Count the memories whose words an older analyser indexed. They are found as they were before."""
        self.check_usable()
        return await self._outdated_count()

    async def renew(self, limit: int | None = None) -> int:
        """Index words anew that an older analyser indexed, in the order of storing.

        Args:
            limit: how many memories at most; with a limit, it gives up without an error where it would have to wait.

        Returns:
            How many memories are still to be indexed anew.
        """
        left = await self.outdated_count()
        if limit is not None:
            if left:
                await self._renew_at_once(limit)
            return max(0, left - limit)
        while left:
            self.check_writable()
            await self._renew_some(RENEWED_TOGETHER)
            before, left = left, await self._outdated_count()
            if left >= before:
                break  # memories that cannot be read cannot be indexed either
        return left

    @abstractmethod
    async def _by_keyword(self, terms: Sequence[str], where: Where, limit: int) -> list[tuple[str, float]]:
        """Retrieve the best memories; there is at least one term."""

    @abstractmethod
    async def _word_scores(self, terms: Sequence[str], ids: Sequence[str]) -> dict[str, float]:
        """Return the scores of memories; there is at least one term and one id, no id twice."""

    @abstractmethod
    async def _word_statistics(self, terms: Sequence[str]) -> WordStatistics:
        """Return the totals of the index, and how many memories hold each term."""

    async def _terms_beginning(self, prefix: str, limit: int) -> list[str]:
        """Return the first stems that begin so, ordered by code points; a backend without any finds whole words."""
        return []

    async def _outdated_count(self) -> int:
        """Count the memories whose words an older analyser indexed: none, where words are never kept for long."""
        return 0

    async def _renew_some(self, limit: int) -> None:
        """Index the words of so many more memories anew."""

    async def _renew_at_once(self, limit: int) -> None:
        """Do the same if nobody stands in the way."""
        with suppress(StoreBusyError):
            await self._renew_some(limit)
