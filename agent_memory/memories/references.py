"""Resolving what somebody names: ids, prefixes of ids, keys, documents, titles, names and conversations.

Every face resolves here, so that the shell, a program and a server mean the same memories by the same words. Which
kinds of name a verb takes is said by the verb; the order of the kinds decides where a word could mean several things.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final

from agent_memory.errors import AgentMemoryError, AmbiguousIdError, MemoryNotFoundError
from agent_memory.hints import Hint
from agent_memory.memories.building import check_text
from agent_memory.memories.filters import build_where
from agent_memory.records import MemoryRecord, MemoryType, SemanticRecord, Status
from agent_memory.storage.base import Order, Store
from agent_memory.storage.changes import is_id, may_begin_id
from agent_memory.storage.where import Where
from agent_memory.text.names import normal_name


class Kind(Enum):
    """What a reference may mean. Each kind but the first means active memories alone."""

    MEMORY = auto()
    """A memory by its id, its key, or a unique prefix of its id."""
    DOCUMENT = auto()
    """All chunks of a document, by the document's id or a unique prefix of it."""
    CHUNK = auto()
    """All chunks of a document, by what names one of them as a memory."""
    TITLE = auto()
    """All chunks of the newest document of a title, or the newest single piece of knowledge of that title."""
    CATEGORY = auto()
    """The newest preference of a category."""
    SKILL = auto()
    """The newest skill of a name."""


NAMED: Final = (Kind.MEMORY, Kind.DOCUMENT, Kind.CATEGORY, Kind.SKILL)
"""What lists print as the name of something, and verbs for memories of any type take."""


async def resolve(store: Store, reference: str, kinds: Sequence[Kind] = NAMED) -> list[MemoryRecord]:
    """Return the active memories that a reference means.

    Args:
        store: where to look.
        reference: what somebody named.
        kinds: what it may mean; the first kind that fits counts.

    Returns:
        The memories, the chunks of a document in order; empty where the reference means nothing.

    Raises:
        ValidationError: the reference is empty.
        AmbiguousIdError: it begins the ids of several memories.
    """
    for kind in kinds:
        if records := await _LOOKUPS[kind](store, reference):
            return records
    return []


async def resolve_all(
    store: Store, references: Iterable[str], kinds: Sequence[Kind] = NAMED
) -> dict[str, list[MemoryRecord]]:
    """Return for each reference what `resolve` returns. Each memory stands under the first that means it."""
    result: dict[str, list[MemoryRecord]] = {}
    known = set[str]()
    for reference in references:
        if reference in result:
            continue
        records = await resolve(store, reference, kinds)
        new = [record for record in records if record.id not in known]
        if new or not records:  # else another reference has named them already
            result[reference] = new
        known.update(record.id for record in new)
    return result


async def not_found(store: Store, reference: str) -> MemoryNotFoundError:
    """Build the error for what means no active memory; it says where one was put away or has expired."""
    try:
        record = await store.resolve(reference, expired=True)
    except AgentMemoryError:
        return MemoryNotFoundError(reference)
    if record.status is Status.ACTIVE:
        return MemoryNotFoundError(reference, hint="it has expired")
    back = Hint("it is {status}; {RESTORE} brings it back", status=record.status.value, id=record.id[:8])
    return MemoryNotFoundError(reference, hint=back)


def conversation(reference: str, known: Sequence[str], *, existing: bool) -> str | None:
    """Return the id of the conversation that a reference means; None where none of the known ones is meant.

    An id that was made up here may be shortened as ids of memories may. A name that somebody gave is never completed
    where it may also be the name of a new conversation: `support` may be one beside `support-4711`.

    Args:
        reference: an id, or the beginning of one.
        known: the ids of the conversations that there are.
        existing: it means one of these, so that any beginning of its id will do.

    Raises:
        AmbiguousIdError: several ids begin so.
    """
    if reference in known:
        return reference
    if not existing and not may_begin_id(reference):
        return None
    begin = [item for item in known if item.startswith(reference) and (existing or is_id(item))]
    if len(begin) > 1:
        raise AmbiguousIdError(reference, begin)
    return begin[0] if begin else None


# --- one function for each kind --------------------------------------------------------------------------------


async def _memory(store: Store, reference: str) -> list[MemoryRecord]:
    try:
        return [await store.resolve(reference, statuses=(Status.ACTIVE,))]
    except MemoryNotFoundError:
        return []


async def _document(store: Store, reference: str) -> list[MemoryRecord]:
    document = await document_id(store, reference, build_where(types=MemoryType.SEMANTIC))
    return [] if document is None else await _chunks(store, document)


async def document_id(store: Store, reference: str, where: Where) -> str | None:
    """Return the id of the document that an id or a unique prefix of one means.

    Args:
        store: where to look.
        reference: what somebody named.
        where: the chunks whose documents may be meant.

    Returns:
        The id; None where it means no document, or several.

    Raises:
        ValidationError: the reference is empty.
    """
    reference = check_text("document id", reference).strip()
    known = [group.value for group in await store.groups(where, "document_id")]
    begin = [item for item in known if item.startswith(reference)]
    if reference in known:
        return reference
    return begin[0] if len(begin) == 1 else None


async def _chunk(store: Store, reference: str) -> list[MemoryRecord]:
    try:
        record = await store.resolve(reference, statuses=(Status.ACTIVE,), types=(MemoryType.SEMANTIC,))
    except MemoryNotFoundError:
        return []
    return await _whole(store, record)


async def _title(store: Store, reference: str) -> list[MemoryRecord]:
    records = await _select(store, MemoryType.SEMANTIC, 1, title=reference)
    return await _whole(store, records[0]) or records if records else []


async def _category(store: Store, reference: str) -> list[MemoryRecord]:
    return await _select(store, MemoryType.LONG_TERM, 1, kind="preference", category=reference)


async def _skill(store: Store, reference: str) -> list[MemoryRecord]:
    return await _select(store, MemoryType.PROCEDURAL, 1, name=normal_name(reference))


async def _whole(store: Store, record: MemoryRecord) -> list[MemoryRecord]:
    """Return all chunks of the document that a chunk belongs to; empty where it belongs to none."""
    document = record.document_id if isinstance(record, SemanticRecord) else None
    return [] if document is None else await _chunks(store, document)


async def _chunks(store: Store, document: str) -> list[MemoryRecord]:
    where = build_where(types=MemoryType.SEMANTIC, fields={"document_id": document})
    return await store.select(where, Order("position", descending=False))


async def _select(store: Store, memory_type: MemoryType, limit: int, **fields: Any) -> list[MemoryRecord]:
    return await store.select(build_where(types=memory_type, fields=fields), limit=limit)


_LOOKUPS: Mapping[Kind, Callable[[Store, str], Awaitable[list[MemoryRecord]]]] = {
    Kind.MEMORY: _memory,
    Kind.DOCUMENT: _document,
    Kind.CHUNK: _chunk,
    Kind.TITLE: _title,
    Kind.CATEGORY: _category,
    Kind.SKILL: _skill,
}
