"""Finding memories of any type: search, recall, get, list, count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import TYPE_CHECKING, Unpack

from agent_memory.agent.types import MemoryTypes
from agent_memory.clock import Moment
from agent_memory.errors import ValidationError
from agent_memory.memories.base import Listing
from agent_memory.memories.filters import Filters, MoreFilters, Statuses, Types, Words, build_where
from agent_memory.memories.operations import single
from agent_memory.records import MemoryRecord, ScoredMemory
from agent_memory.storage.base import Order, OrderBy
from agent_memory.storage.where import check_share

if TYPE_CHECKING:
    from agent_memory.recall.formats import Format
    from agent_memory.recall.found import Found
    from agent_memory.recall.query import Mode
    from agent_memory.recall.recall import Recall


class Finding(MemoryTypes):
    """What finds memories of any type."""

    async def search(
        self,
        query: str,
        limit: int = 10,
        types: Types = None,
        tags: Words = None,
        since: Moment | None = None,
        until: Moment | None = None,
        min_importance: float = 0.0,
        mode: Mode = "hybrid",
        explain: bool = False,
        *,
        min_relevance: float | None = None,
        min_score: float | None = None,
        offset: int = 0,
        count_access: bool = True,
        rerank: bool = False,
        **filters: Unpack[MoreFilters],
    ) -> Found:
        """Find memories by words and meaning together, best first.

        Args:
            query: what to look for, in words or as a question; a memory's key finds that memory.
            limit: how many to return at most.
            types: only these types, by name or alias.
            tags: only memories with any of these tags.
            since: only what happened at this moment or later: a time, a date, text such as `7d` or `yesterday`.
            until: only what happened before this moment.
            min_importance: only memories at least this important, in [0, 1].
            mode: `hybrid`, `keyword` (words only; no model is loaded) or `vector` (meaning only).
            explain: give every part of each score in `explanation`.
            min_relevance: only memories that answer with at least this probability, in [0, 1], as `relevance` says;
                it means the same in every store.
            min_score: only memories whose `score` is at least this, in [0, 1]. The score orders the memories of one
                search; it says little about whether any of them answers.
            offset: how many of the best to leave out, for a further page.
            count_access: count the results as accessed.
            rerank: order the best 50 anew by how well their single words match those of the query, with the default
                model, whichever embeds the store; what does not fit its language keeps its place, and `notices` say
                so. Takes up to half a second more. Where `rerank_config` names a cross-encoder, that orders them, and
                `score` is what it says.
            filters: further conditions, all of which must hold (`agent_memory.Filters`): `metadata`, such as
                `{"lang": "en", "stars": {">=": 3}}`, `session`, `source`, `pinned`, `key`, `tags_all`, and
                `fields`, conditions on the types' own fields.

        Returns:
            A list of `ScoredMemory`. Its `notices` say, in a line each, what was left out of the search.

        Raises:
            ValidationError: the query is empty, or a filter cannot be read.
            EmbeddingMismatchError: an embedder was named that differs from the store's.
            ConfigurationError: `mode` is unknown, or `vector` without an embedder.
            ModelMissingError: `rerank` with a cross-encoder that is not on this machine.
        """
        where = build_where(
            types=types, tags=tags, since=since, until=until, min_importance=min_importance, **filters
        )
        from agent_memory.recall.query import SearchRequest

        request = SearchRequest(
            text=query,
            where=where,
            limit=limit + offset if limit else limit,  # the searcher refuses 0
            mode=mode,
            explain=explain,
            min_score=min_score,
            min_relevance=min_relevance,
            count_access=count_access and not offset,
            rerank=rerank,
        )
        results = await self._core.searcher.search(request)
        if not offset:
            return results
        page = results.after(offset)
        if count_access and page:
            await self._core.store.touch([item.memory.id for item in page])
        return page

    async def iterate_search(
        self,
        query: str,
        page: int = 20,
        *,
        mode: Mode = "hybrid",
        min_relevance: float | None = None,
        min_score: float | None = None,
        **filters: Unpack[Filters],
    ) -> AsyncIterator[ScoredMemory]:
        """Iterate over all results of a search, best first; pages are read as they are needed.

        Each page is a search of its own; nothing is counted as accessed.

        Args:
            query: as in `search`.
            page: how many to look for at a time.
            mode: as in `search`.
            min_relevance: as in `search`.
            min_score: as in `search`.
            filters: as in `search`; `agent_memory.Filters` lists them.

        Yields:
            Each memory once.

        Raises:
            ValidationError: the query is empty, the page is 0, or a filter cannot be read.
        """
        from agent_memory.recall.query import SearchRequest

        where, seen, limit = build_where(**filters), set[str](), page
        while True:
            request = SearchRequest(
                text=query,
                where=where,
                limit=limit,
                mode=mode,
                min_score=min_score,
                min_relevance=min_relevance,
                count_access=False,
            )
            results = await self._core.searcher.search(request)
            new = [item for item in results if item.memory.id not in seen]
            for item in new:
                seen.add(item.memory.id)
                yield item
            if len(results) < limit or not new:
                return
            limit += page

    async def recall(
        self,
        query: str | None = None,
        budget: int = 2000,
        format: Format = "markdown",
        *,
        last: int = 0,
        mode: Mode = "hybrid",
        explain: bool = False,
        rerank: bool = False,
        min_relevance: float | None = None,
        standing_share: float | None = None,
        **filters: Unpack[Filters],
    ) -> Recall:
        """Pack what matters into a prompt of a given size.

        With no query it is the brief for the start of a session: pinned memories, preferences, recent events
        and open working memory. What does not fit is shortened before it is dropped, and said.

        What holds whatever the query is stands in a section of its own, the standing context: pinned memories, facts
        and others with the tag `standing`, preferences (one of each category), what has the tag `goal`, and standing
        instructions that a rule spots in facts and in what a person said, such as "always answer in German". They are
        chosen by rule and filtered like everything else.

        Args:
            query: what the prompt is about, or None for the brief.
            budget: tokens that the text may take, as `estimate_tokens` counts them.
            format: how it is written, such as `markdown`, `xml` or `messages`; `choices.formats` lists them.
            last: how many of the conversation's latest messages to put at the end; its system messages come on top.
            mode: as in `search`.
            explain: as in `search`.
            rerank: as in `search`.
            min_relevance: leave out what is less relevant than this, in [0, 1]; 0 fills the budget with what comes
                nearest. None is the default: nothing where nothing seems to answer (`Recall.nothing_relevant`), else
                all but what is surely unrelated. Pinned memories, the standing context, what has the query as its
                key, and the `last` messages are always there.
            standing_share: the part of the budget that the standing context may take at most, in [0, 1]; 0 leaves it
                out. None: the setting `standing_share`.
            filters: only memories that fit, as in `search`; `agent_memory.Filters` lists them.

        Returns:
            The text, and an account of what is in it.

        Raises:
            ValidationError: the budget is too small for anything, or a filter cannot be read.
        """
        where = build_where(**filters)
        messages = await self.conversation.get_messages(limit=last) if last > 0 else []
        from agent_memory.recall.recall import Recaller
        from agent_memory.recall.standing import Standing

        known = self._core.settings
        share = known.standing_share if standing_share is None else standing_share
        return await Recaller(self._core.store, self._core.searcher).recall(
            query,
            where,
            budget=budget,
            format=format,
            mode=mode,
            explain=explain,
            last=messages,
            rerank=rerank,
            min_relevance=min_relevance,
            standing=Standing(check_share("standing_share", share), known.standing_rule),
        )

    async def get(self, id: str, *, count_access: bool = True) -> MemoryRecord | None:
        """Return a memory by id, unique prefix of an id, or key; None if there is none or it is put away.

        Raises:
            AmbiguousIdError: several memories begin so.
        """
        return await single.get(self._core, id, count_access=count_access)

    async def get_many(
        self, ids: Iterable[str], *, count_access: bool = True
    ) -> Listing[MemoryRecord | None]:
        """Return memories by ids, unique prefixes of ids, or keys.

        Args:
            ids: which; whole ids are read at once.
            count_access: count them as accessed.

        Returns:
            One for each id, in order; None where there is none or it is archived.

        Raises:
            AmbiguousIdError: several memories begin so.
        """
        return await single.get_many(self._core, ids, count_access=count_access)

    async def get_named(
        self, references: str | Iterable[str], *, count_access: bool = True, missing_ok: bool = True
    ) -> dict[str, Listing[MemoryRecord]]:
        """Return the memories that ids and names mean.

        Args:
            references: one or several: the id, a unique prefix of it, or the key of a memory; the id of a document,
                which stands for all of its chunks; the category of a preference; the name of a skill.
            count_access: whether this counts as an access of the memories.
            missing_ok: whether a reference may mean nothing.

        Returns:
            For each reference the memories, none where it means nothing. Each memory stands under the first
            reference that means it.

        Raises:
            AmbiguousIdError: a reference begins the ids of several memories.
            MemoryNotFoundError: a reference means nothing, unless `missing_ok`; it says what was put away.
        """
        named = [references] if isinstance(references, str) else references
        return await single.get_named(self._core, named, count_access=count_access, missing_ok=missing_ok)

    async def list(
        self,
        limit: int | None = 100,
        *,
        status: Statuses = "active",
        sort: OrderBy = "created",
        descending: bool = True,
        offset: int = 0,
        **filters: Unpack[Filters],
    ) -> Listing[MemoryRecord]:
        """List memories, newest first.

        Args:
            limit: how many at most; None lists all.
            status: `active`, `archived`, `superseded`, several of these, or None for all of them.
            sort: `created`, `updated`, `occurred`, `used` or `importance`.
            descending: the newest, or most important, first.
            offset: how many to leave out at the beginning.
            filters: only memories that fit, as in `search`; `agent_memory.Filters` lists them.

        Returns:
            The records.

        Raises:
            ValidationError: a filter cannot be read.
        """
        where = build_where(status=status, **filters)
        return await self._core.store.select(where, Order(sort, descending), limit, offset)

    async def iterate(
        self,
        page: int = 500,
        *,
        status: Statuses = "active",
        sort: OrderBy = "created",
        descending: bool = True,
        **filters: Unpack[Filters],
    ) -> AsyncIterator[MemoryRecord]:
        """Iterate over all memories that match the filters, a page at a time.

        Args:
            page: how many to read at a time.
            status: as in `list`.
            sort: as in `list`.
            descending: as in `list`.
            filters: as in `search`; `agent_memory.Filters` lists them.

        Yields:
            Each record once. What is added or removed meanwhile may be left out.

        Raises:
            ValidationError: the page is 0, or a filter cannot be read.
        """
        if not page:
            raise ValidationError("page is 0", hint="give 1 or more")
        where, order = build_where(status=status, **filters), Order(sort, descending)
        seen, offset = set[str](), 0
        while records := await self._core.store.select(where, order, page, offset):
            for record in records:
                if record.id not in seen:
                    seen.add(record.id)
                    yield record
            offset += len(records)

    async def count(self, *, status: Statuses = "active", **filters: Unpack[Filters]) -> int:
        """Count memories, exactly.

        Args:
            status: as in `list`.
            filters: only memories that fit, as in `search`; `agent_memory.Filters` lists them.

        Returns:
            How many there are.

        Raises:
            ValidationError: a filter cannot be read.
        """
        return await self._core.store.count(build_where(status=status, **filters))
