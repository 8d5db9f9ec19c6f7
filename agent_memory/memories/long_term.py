"""Long-term memory: facts and preferences that stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Unpack

from agent_memory.errors import MemoryNotFoundError
from agent_memory.hints import Hint
from agent_memory.memories.base import Listing, TypeMemory, Words
from agent_memory.memories.building import check_tags
from agent_memory.memories.calling import instead
from agent_memory.memories.changes import Changes
from agent_memory.memories.conflicts import retried
from agent_memory.memories.deduplication.duplicates import Duplicates, find_duplicates, find_same, merging
from agent_memory.memories.editing import edited
from agent_memory.memories.further import FactFurther, PreferenceFurther
from agent_memory.memories.given import NOT_GIVEN, Default
from agent_memory.records import LongTermRecord
from agent_memory.storage.base import vector_store
from agent_memory.storage.changes import Written
from agent_memory.storage.where import check_share
from agent_memory.text.standing import STANDING_TAG
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

FACT_IMPORTANCE: Final = Default(0.7)
PREFERENCE_IMPORTANCE: Final = Default(0.8)


class LongTermMemory(TypeMemory[LongTermRecord]):
    """What is known about the world and the user, without an end."""

    record_class = LongTermRecord

    @instead(kind="")
    async def store_fact(
        self,
        /,
        fact: str,
        importance: float = FACT_IMPORTANCE,
        tags: Words = None,
        source: str | None = None,
        *,
        standing: bool = False,
        **more: Unpack[FactFurther],
    ) -> str:
        """Store a fact and return its id; a fact already known keeps its id and gains the tags.

        Args:
            fact: what is known.
            importance: how much it matters, in [0, 1].
            tags: words to find it by.
            source: where it comes from.
            standing: make it part of the standing context of every recall; it gets the tag `standing`.
            more: further arguments of `add`.

        Returns:
            The id of the fact.
        """
        written = await self.store_fact_detailed(fact, importance, tags, source, standing=standing, **more)
        return written.id

    @instead(kind="")
    async def store_fact_detailed(
        self,
        /,
        fact: str,
        importance: float = FACT_IMPORTANCE,
        tags: Words = None,
        source: str | None = None,
        *,
        standing: bool = False,
        **more: Unpack[FactFurther],
    ) -> Written:
        """Store a fact as `store_fact` does, and say what came of it."""
        if standing:
            tags = [*check_tags(tags), STANDING_TAG]
        item = {
            "content": fact,
            "importance": importance,
            "tags": tags,
            "source": source,
            "kind": "fact",
            **more,
        }
        return (await self.add_many_detailed([item]))[0]

    @instead(kind="", key="")
    async def store_preference(
        self,
        /,
        category: str,
        preference: str,
        importance: float = PREFERENCE_IMPORTANCE,
        *,
        replace: bool = False,
        **more: Unpack[PreferenceFurther],
    ) -> str:
        """Store a preference about something and return its id.

        Args:
            category: what it is about.
            preference: what is preferred.
            importance: how much it matters, in [0, 1].
            replace: make it a new version of the one that was stored so for this category, instead of one beside it.
            more: further arguments of `add`.

        Returns:
            The id of the preference.
        """
        written = await self.store_preference_detailed(
            category, preference, importance, replace=replace, **more
        )
        return written.id

    @instead(kind="", key="")
    async def store_preference_detailed(
        self,
        /,
        category: str,
        preference: str,
        importance: float = PREFERENCE_IMPORTANCE,
        *,
        replace: bool = False,
        **more: Unpack[PreferenceFurther],
    ) -> Written:
        """Store a preference as `store_preference` does, and say what came of it."""
        item = {
            "content": preference,
            "importance": importance,
            "kind": "preference",
            "category": category,
            # With a key, storing again makes a new version of the same memory.
            "key": f"preference:{category}" if replace else None,
            **more,
        }
        return (await self.add_many_detailed([item]))[0]

    async def get_preferences(self, category: str | None = None) -> Listing[LongTermRecord]:
        """Return the preferences, newest first, of one category or of all."""
        fields = {"kind": "preference"} | ({"category": category} if category else {})
        return await self._select(self._where(fields=fields), None)

    async def get_facts(self, tags: Words = None, limit: int = 100) -> Listing[LongTermRecord]:
        """Return facts, newest first; with `tags`, those that have any of them."""
        return await self._select(self._where(tags=tags, fields={"kind": "fact"}), limit)

    async def update_fact(
        self,
        id: str,
        new_content: str,
        updated_importance: float | None = None,
        *,
        standing: bool | None = None,
    ) -> bool:
        """Store a new version of a fact; False if there is none. The old version stays in its history."""
        try:
            await self.update_fact_detailed(id, new_content, updated_importance, standing=standing)
        except MemoryNotFoundError:
            return False
        return True

    async def update_fact_detailed(
        self,
        id: str,
        new_content: str | None = None,
        updated_importance: float | None = None,
        *,
        standing: bool | None = None,
    ) -> LongTermRecord:
        """Store a new version of a fact as `update_fact` does, and return it.

        Args:
            id: its id, a unique prefix of it, or its key.
            new_content: its new text; None leaves it as it is.
            updated_importance: its new importance; None leaves it as it is.
            standing: whether it is part of the standing context of every recall; None leaves that as it is.

        Returns:
            The new version.

        Raises:
            MemoryNotFoundError: there is no such fact.
            AmbiguousIdError: several memories begin so.
        """
        record = await self._find(id)
        if record is None:
            raise MemoryNotFoundError(id, what="fact", hint=Hint("{FACTS} shows them"))
        more: Changes = {} if updated_importance is None else {"importance": updated_importance}
        if standing is not None:
            more["add_tags" if standing else "remove_tags"] = STANDING_TAG
        content = NOT_GIVEN if new_content is None else new_content
        return await self._change(Verb.UPDATE, record.id, lambda fact: edited(fact, content=content, **more))

    async def get_by_tags(self, tags: Words) -> Listing[LongTermRecord]:
        """Return facts and preferences that have any of the tags, newest first."""
        return await self._select(self._where(tags=tags), None)

    async def add_tags(self, id: str, tags: str | Iterable[str]) -> bool:
        """Add tags to a memory; False if there is none."""
        record = await self._find(id)
        if record is None:
            return False
        new = check_tags(tags)
        await self._change(Verb.TAG, record.id, lambda fact: edited(fact, add_tags=new))
        return True

    async def find_duplicates(self, similarity_threshold: float = 0.9) -> Listing[Duplicates]:
        """List facts that say the same, which `consolidate_duplicates` merges, and near ones, which it does not.

        Changes nothing.

        Args:
            similarity_threshold: cosine from which two facts are shown as similar, in [0, 1]. Without an embedder
                none are.

        Returns:
            A group for each fact that has duplicates or similar facts.
        """
        threshold = check_share("similarity_threshold", similarity_threshold)
        records = await self._select(self._where(), None)
        vectors: Mapping[str, Sequence[Vector]] = {}
        if self._core.index.available:
            await self._core.index.embed_pending()
            # To a model that cannot read a script, everything in it is alike.
            readable = [record.id for record in records if self._core.searcher.language_coverage(record)]
            vectors = await vector_store(self._core.store).vectors(readable)
        return find_duplicates(records, vectors, threshold)

    async def consolidate_duplicates(self, similarity_threshold: float | Sequence[Duplicates] = 0.9) -> int:
        """Merge facts that say the same, and return how many were put away.

        They say the same in the same words, in the same order: only the case of the first letter, white space, a
        final full stop and the articles a, an and the may differ. Of each group the most important one stays, the
        oldest of equals, and takes over the others' tags, their highest importance and their longest life. The
        others are superseded, not deleted: `restore` brings one back, `undo` the whole pass. Preferences merge within
        their category only, facts within a session that was named for them; memories that are pinned or have a key
        are never put away.

        Args:
            similarity_threshold: as in `find_duplicates`, which shows what it chooses. It merges nothing: however
                near two facts are, they may be two. Or the groups that `find_duplicates` returned: these are merged
                as they were shown, and nothing else.

        Returns:
            How many facts were superseded.

        Raises:
            ConflictError: a fact of a group that was given has been changed since; nothing was merged.
        """
        if not isinstance(similarity_threshold, (int, float)):
            return await self._merge([group for group in similarity_threshold if group.merged])
        check_share("similarity_threshold", similarity_threshold)

        async def merge() -> int:
            return await self._merge(find_same(await self._select(self._where(), None)))

        return await retried(merge)

    async def _merge(self, groups: Sequence[Duplicates]) -> int:
        changes = [change for group in groups for change in merging(group)]
        await self._core.write(Verb.CONSOLIDATE, changes, embed=[])
        return sum(len(group.merged) for group in groups)
