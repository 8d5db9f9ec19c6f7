"""Reading and updating single memories, whatever their type."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Unpack

from agent_memory import clock
from agent_memory.errors import ConflictError, IntegrityError, MemoryNotFoundError
from agent_memory.memories.changes import Changes
from agent_memory.memories.core import Core
from agent_memory.memories.editing import edited
from agent_memory.memories.given import NOT_GIVEN, Omitted
from agent_memory.memories.references import not_found, resolve, resolve_all
from agent_memory.records import MemoryRecord, Status, Version
from agent_memory.storage.base import journal_store
from agent_memory.storage.changes import is_id
from agent_memory.verbs import Verb


async def get(core: Core, reference: str, *, count_access: bool) -> MemoryRecord | None:
    """Return an active memory, or None."""
    try:
        record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    except MemoryNotFoundError:
        return None
    if count_access:
        await core.store.touch([record.id])
    return record


async def get_many(core: Core, references: Iterable[str], *, count_access: bool) -> list[MemoryRecord | None]:
    """Return active memories, or None, one for each reference; whole ids are read at once."""
    references = list(references)
    moment = clock.now()
    records = {
        memory_id: record
        for memory_id, record in (await core.store.get([item for item in references if is_id(item)])).items()
        if record.status is Status.ACTIVE and not record.expired(moment)
    }
    result = [
        records.get(reference) or await get(core, reference, count_access=False) for reference in references
    ]
    if count_access:
        await core.store.touch(list(dict.fromkeys(record.id for record in result if record is not None)))
    return result


async def update(
    core: Core,
    reference: str,
    *,
    content: str | Omitted = NOT_GIVEN,
    revision: str | None = None,
    **changes: Unpack[Changes],
) -> MemoryRecord:
    """Store a new version of an active memory; with a `revision`, only of that one."""
    try:
        record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    except MemoryNotFoundError:
        raise await not_found(core.store, reference) from None
    default = core.settings.short_term_ttl if record.descriptor.expires else None

    def edit(current: MemoryRecord) -> MemoryRecord:
        if revision is not None and current.revision != revision:
            raise ConflictError(current.id)
        return edited(current, content=content, default_ttl=default, **changes)

    return await core.change(Verb.UPDATE, record, edit)


async def get_named(
    core: Core, references: Iterable[str], *, count_access: bool, missing_ok: bool
) -> dict[str, list[MemoryRecord]]:
    """Return for each reference the active memories that it means.

    Raises:
        MemoryNotFoundError: one means nothing, unless `missing_ok`.
    """
    result = await resolve_all(core.store, references)
    for reference, records in result.items():
        if not records and not missing_ok:
            raise await not_found(core.store, reference)
    if count_access:
        await core.store.touch([record.id for records in result.values() for record in records])
    return result


async def set_pinned(core: Core, references: Iterable[str], pinned: bool) -> list[MemoryRecord]:
    """Pin or unpin what references mean, in one operation.

    Returns:
        The memories as they are now.

    Raises:
        MemoryNotFoundError: one of them means nothing; nothing was changed.
    """
    named = await resolve_all(core.store, references)
    for reference, records in named.items():
        if not records:
            raise await not_found(core.store, reference)
    return await core.change_all(
        Verb.PIN if pinned else Verb.UNPIN,
        [record for records in named.values() for record in records],
        lambda item: replace(item, pinned=pinned),
    )


async def history(core: Core, reference: str) -> list[Version]:
    """List a memory's versions, whatever its status, also if it is gone."""
    try:
        memory_id = (await core.store.resolve(reference)).id
    except (MemoryNotFoundError, IntegrityError):  # gone, or damaged: the journal knows it by its id
        memory_id = reference
    journal = journal_store(core.store)
    versions = await journal.history(memory_id)
    if not versions and (named := await resolve(core.store, reference)):
        versions = await journal.history(named[0].id)
    if not versions:
        raise MemoryNotFoundError(reference, hint="a purged memory is found by its whole id only")
    return versions
