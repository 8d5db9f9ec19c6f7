"""What can be done with memories of any type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, Unpack, cast

from agent_memory import clock
from agent_memory.clock import Moment
from agent_memory.embeddings.base import pack_many
from agent_memory.errors import MemoryNotFoundError, ValidationError
from agent_memory.memories.arguments import shown
from agent_memory.memories.building import build
from agent_memory.memories.calling import Call, Called, call_of
from agent_memory.memories.changes import OwnFields
from agent_memory.memories.core import Core
from agent_memory.memories.filters import TypeCountFilters, TypeFilters, build_where
from agent_memory.memories.given import Default
from agent_memory.memories.operations import forgetting
from agent_memory.recall.pending import Progress
from agent_memory.recall.semantic_index import Embedded
from agent_memory.records import COMMON_NAMES, MemoryRecord, MemoryType, ScoredMemory, Status
from agent_memory.storage.base import Order
from agent_memory.storage.changes import Add, Written
from agent_memory.storage.where import Where
from agent_memory.text.templates import TextHash, embedded_text, embedding_hash
from agent_memory.verbs import Verb

if TYPE_CHECKING:
    from agent_memory.recall.found import Found
    from agent_memory.recall.query import Mode

R = TypeVar("R", bound=MemoryRecord)
Words = str | Iterable[str] | None
Item = str | Mapping[str, Any]
IMPORTANCE: Final = Default(0.5)
Listing = list
"""The built-in list, under a name that a class with a method `list` can still use in its annotations."""


class TypeMemory(Called, Generic[R]):
    """The memories of one type. Each type adds its own verbs to these."""

    record_class: ClassVar[type[MemoryRecord]]

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def memory_type(self) -> MemoryType:
        """Which type these are."""
        return self.record_class.memory_type

    # --- writing -------------------------------------------------------------------------------------------

    async def add(
        self,
        /,
        content: str,
        importance: float = IMPORTANCE,
        metadata: Mapping[str, Any] | None = None,
        ttl: timedelta | float | str | None = None,
        *,
        tags: Words = None,
        key: str | None = None,
        source: str | None = None,
        session: str | None = None,
        occurred_at: Moment | None = None,
        pinned: bool = False,
        force: bool = False,
        **fields: Unpack[OwnFields],
    ) -> str:
        """Store a memory and return its id.

        With the `key` of an active memory of this type, a new version of that memory is stored, which keeps what is
        not given. An exact duplicate of a fact, document or skill is that memory: its id is returned, and what is
        given with it is taken over. A session that is given makes it a memory of its own.

        Args:
            content: the text, kept verbatim.
            importance: how much it matters, in [0, 1].
            metadata: any JSON values by name.
            ttl: how long it lives: a timedelta, seconds, or text such as `7d`.
            tags: words to find it by.
            key: a name for it, unique among the active memories of its type.
            source: where it comes from.
            session: which session or conversation it belongs to.
            occurred_at: when it happened, if not now.
            pinned: make it part of every brief, and keep it from decaying.
            force: store an exact duplicate as a memory of its own.
            fields: this type's own fields; its record lists them (`agent_memory.records`).

        Returns:
            The id of the memory.

        Raises:
            ValidationError: something cannot be stored; nothing was.
            StoreBusyError: another process holds the store; nothing was stored.
        """
        item = {
            "content": content,
            "importance": importance,
            "metadata": metadata,
            "ttl": ttl,
            "tags": tags,
            "key": key,
            "source": source,
            "session": session,
            "occurred_at": occurred_at,
            "pinned": pinned,
            "force": force,
            **fields,
        }
        return (await self.add_many_detailed([item]))[0].id

    async def add_many(self, items: Iterable[Item], *, progress: Progress | None = None) -> Listing[str]:
        """Store many memories in one transaction and return one id per item, in order.

        Args:
            items: texts, or mappings with the arguments of `add` by name. One may also bring its `created_at`, an
                `expires_at` instead of a `ttl`, and its `embedding`, a vector made elsewhere by the same model as the
                store's; it is normalised.
            progress: called with (done, total) as the texts are embedded.

        Returns:
            One id per item, in the order of the items.

        Raises:
            ValidationError: an item cannot be stored; the message says which, and nothing was stored.
        """
        return [written.id for written in await self.add_many_detailed(items, progress=progress)]

    async def add_many_detailed(
        self, items: Iterable[Item], *, progress: Progress | None = None
    ) -> Listing[Written]:
        """Store many memories as `add_many` does, and say for each what came of it."""
        return await store_items(self._core, ((self, item) for item in items), progress)

    @cached_property
    def _item(self) -> Call:
        return call_of(TypeMemory.add, type(self))

    async def _before_adding(self) -> None:
        """Get ready for new memories."""

    async def _after_adding(self, written: Sequence[Written]) -> None:
        """See to what new memories bring with them."""

    async def _items_of(self, item: dict[str, Any]) -> Listing[dict[str, Any]]:
        """Return the memories that one text becomes, as arguments of `add`."""
        return [item]

    def _addition(self, arguments: dict[str, Any], moment: datetime) -> Add:
        force = bool(arguments.pop("force", False))
        if "content" not in arguments:
            raise ValidationError("an item has no content", hint='give {"content": "..."} or a text')
        content = arguments.pop("content")
        common = {
            name: value for name in arguments.keys() & _COMMON if (value := arguments.pop(name)) is not None
        }
        # An empty list is what a caller has who got nothing to put in it; `update` takes things away.
        named = {
            name for name, value in (*common.items(), *arguments.items()) if value not in (None, (), [], {})
        }
        if isinstance(common.get("importance"), Default):
            named.discard("importance")
        if not common.get("pinned"):
            named.discard("pinned")
        if named & {"ttl", "expires_at"}:
            common["ttl_given"] = True
            named.add("expires_at")
        if named & {"session", "conversation_id"}:  # of a message they are the same
            common["session_given"] = True
            named |= {"session", "conversation_id"}
        record = self._build(content, fields=arguments, moment=moment, **common)
        return Add(record, frozenset(named), even_if_known=force)

    def _build(self, content: str, *, fields: Mapping[str, Any] | None = None, **common: Any) -> R:
        """Make the record; the types refine it."""
        common.setdefault("session", self._core.settings.session)
        return cast(R, build(self.record_class, content, fields=fields, **common))

    async def remove(self, id: str, *, purge: bool = False, shred: bool = False) -> bool:
        """Put a memory away; False if there is none.

        It is at once invisible to every read and can be restored. `purge` takes the row away, `shred` its
        history too.

        Returns:
            Whether there was such a memory.
        """
        return bool(await forgetting.remove(self._core, id, self.memory_type, purge=purge, shred=shred))

    async def clear(self, *, purge: bool = False, shred: bool = False) -> int:
        """Put away every memory of this type, however many, and return how many there were."""
        records = await forgetting.archive_where(
            self._core, Verb.CLEAR, self._where(), purge=purge, shred=shred
        )
        return len(records)

    # --- reading -------------------------------------------------------------------------------------------

    async def get(self, id: str) -> R | None:
        """Return a memory by id, unique prefix of an id, or key; None if there is none."""
        record = await self._find(id)
        if record is not None:
            await self._core.store.touch([record.id])
        return record

    async def list(
        self,
        /,
        limit: int | None = 100,
        min_importance: float = 0.0,
        tags: Words = None,
        *,
        offset: int = 0,
        order: Order | None = None,
        **filters: Unpack[TypeFilters],
    ) -> Listing[R]:
        """List memories, newest first; `limit` None lists all. Further filters as in `AgentMemory.list`."""
        where = self._where(min_importance=min_importance, tags=tags, **filters)
        return await self._select(where, limit, offset=offset, order=order)

    async def search(
        self,
        /,
        text: str | None = None,
        tags: Words = None,
        min_importance: float = 0.0,
        limit: int = 100,
        **filters: Unpack[TypeFilters],
    ) -> Listing[R]:
        """Filter memories: those holding all of a text, letter for letter but for case, newest first.

        For finding by meaning and by rank, see `search_similar` and `AgentMemory.search`.

        Returns:
            The memories, newest first.
        """
        where = self._where(min_importance=min_importance, tags=tags, **filters)
        if not text:
            return await self._select(where, limit)
        wanted, result = text.casefold(), []
        start = 0
        while page := await self._select(where, 1000, offset=start):
            result += [record for record in page if wanted in record.content.casefold()]
            if len(result) >= limit:
                break
            start += len(page)
        return result[:limit]

    async def search_similar(
        self, query: str, limit: int = 10, min_score: float = 0.0, *, min_relevance: float | None = None
    ) -> Listing[ScoredMemory[R]]:
        """Find memories of this type by words and meaning, best first.

        Args:
            query: what to look for.
            limit: how many results at most.
            min_score: only memories whose `similarity` is at least this, in [0, 1].
            min_relevance: only memories that answer with at least this probability, in [0, 1].

        Returns:
            The memories with their scores, best first.

        Raises:
            ConfigurationError: there is no embedder.
        """
        self._core.index.require()
        return await self._search(query, limit, min_similarity=min_score or None, min_relevance=min_relevance)

    async def count(self, /, **filters: Unpack[TypeCountFilters]) -> int:
        """Count the live memories of this type, exactly. Filters as in `AgentMemory.count`."""
        return await self._core.store.count(self._where(**filters))

    # --- for the types -------------------------------------------------------------------------------------

    def _where(self, **filters: Unpack[TypeCountFilters]) -> Where:
        return build_where(types=self.memory_type, **filters)

    async def _select(
        self, where: Where, limit: int | None, *, offset: int = 0, order: Order | None = None
    ) -> Listing[R]:
        return cast("list[R]", await self._core.store.select(where, order, limit, offset))

    async def _search(
        self,
        query: str,
        limit: int,
        *,
        mode: Mode = "hybrid",
        min_similarity: float | None = None,
        min_relevance: float | None = None,
        explain: bool = False,
        count_access: bool = True,
        **filters: Unpack[TypeCountFilters],
    ) -> Found[R]:
        from agent_memory.recall.query import SearchRequest

        request = SearchRequest(
            text=query,
            where=self._where(**filters),
            limit=limit,
            mode=mode,
            min_similarity=min_similarity,
            min_relevance=min_relevance,
            explain=explain,
            count_access=count_access,
        )
        return cast("Found[R]", await self._core.searcher.search(request))

    async def _find(self, reference: str, *, statuses: Iterable[Status] = (Status.ACTIVE,)) -> R | None:
        try:
            record = await self._core.store.resolve(
                reference, what=self.memory_type.value, statuses=tuple(statuses), types=(self.memory_type,)
            )
        except MemoryNotFoundError:
            return None
        return cast(R, record)

    async def _get_or_raise(self, reference: str) -> R:
        record = await self._find(reference)
        if record is None:
            raise MemoryNotFoundError(reference, what=f"{self.memory_type.value.replace('_', '-')} memory")
        return record

    async def _change(self, verb: Verb, reference: str, edit: Callable[[R], R]) -> R:
        record = await self._get_or_raise(reference)
        changed = await self._core.change(verb, record, cast("Callable[[MemoryRecord], MemoryRecord]", edit))
        return cast(R, changed)


_COMMON = frozenset(
    {
        "importance",
        "metadata",
        "ttl",
        "tags",
        "occurred_at",
        "created_at",
        "expires_at",
        "pinned",
        *COMMON_NAMES,
    }
)


async def store_items(
    core: Core,
    items: Iterable[tuple[TypeMemory[Any], Item]],
    progress: Progress | None = None,
    names: Sequence[str] | None = None,
) -> Listing[Written]:
    """Store items of one type or of several in one transaction.

    Args:
        names: what to call each in an error, such as `line 3`.
        core: what all memory types share.
        items: the memories to store.
        progress: called with (done, total).

    Returns:
        What came of each item, in order.

    Raises:
        ValidationError: an item cannot be stored; the message says which, and nothing was stored.
    """
    changes: list[Add] = []
    to_embed: list[MemoryRecord] = []
    vectors: dict[TextHash, Any] = {}
    types: dict[TypeMemory[Any], list[int]] = {}
    moment = clock.now()
    for number, (memories, item) in enumerate(items):
        if memories not in types:
            await memories._before_adding()
        types.setdefault(memories, []).append(number)
        try:
            arguments = memories._item.item(_as_mapping(item))
            embedding = arguments.pop("embedding", None)
            changes.append(memories._addition(arguments, moment))
        except ValidationError as error:
            if number == 0 and names is None:  # most often the only one
                raise
            name = f"item {number + 1}" if names is None else names[number]
            raise ValidationError(f"{name}: {error.message}", hint=error.hint) from error
        record = changes[-1].record
        if embedding is None:
            to_embed.append(record)
        else:
            vectors[embedding_hash(embedded_text(record))] = embedding
    packed = await _packed(core, vectors)
    written = await core.write(Verb.ADD, changes, embed=to_embed, embedded=packed, progress=progress)
    for memories, positions in types.items():
        await memories._after_adding([written[position] for position in positions])
    return written


def _as_mapping(item: Any) -> Mapping[str, Any]:
    if isinstance(item, str):
        return {"content": item}
    if not isinstance(item, Mapping):
        raise ValidationError(
            f"it is {shown(item)}", hint="give a text, or a dict with the arguments of `add`"
        )
    return item


async def _packed(core: Core, embeddings: Mapping[TextHash, Any]) -> Embedded | None:
    """Normalise vectors made elsewhere, all at once."""
    if not embeddings:
        return None
    space = await core.index.space()
    packed = pack_many(list(embeddings.values()), dimension=space.dimension)
    return Embedded(space, {digest: [vector] for digest, vector in zip(embeddings, packed, strict=True)})
