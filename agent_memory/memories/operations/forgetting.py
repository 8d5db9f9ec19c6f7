"""Archiving, purging and shredding memories, and restoring them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent_memory.errors import MemoryNotFoundError
from agent_memory.memories.core import Core
from agent_memory.memories.filters import build_where
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage.changes import Add, Replace
from agent_memory.storage.where import Where
from agent_memory.text.names import with_normal_names


async def forget(
    core: Core, references: str | Sequence[str], *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred the named memories, all or none."""
    named = [references] if isinstance(references, str) else list(references)
    return await archive_named(core, named, purge=purge, shred=shred, dry_run=dry_run)


async def archive_named(
    core: Core,
    references: Sequence[str],
    *,
    purge: bool,
    shred: bool,
    types: Sequence[MemoryType] = (),
    missing_ok: bool = False,
    dry_run: bool = False,
) -> list[MemoryRecord]:
    """Archive, purge or shred memories by ids, keys or prefixes of ids, all or none.

    What is to go for good may be archived or expired already; what is to be shredded, purged.

    Raises:
        MemoryNotFoundError: there is none of that name, unless `missing_ok`.
    """
    anyhow = purge or shred
    gone: dict[str, MemoryRecord] = {}

    async def choose() -> list[MemoryRecord]:
        found: dict[str, MemoryRecord] = {}
        gone.clear()
        for reference in references:
            try:
                record = await core.store.resolve(
                    reference, statuses=() if anyhow else (Status.ACTIVE,), types=types, expired=anyhow
                )
            except MemoryNotFoundError:
                last = await _last_version(core, reference) if shred else None
                if last is not None and (not types or last.memory_type in types):
                    gone[last.id] = last
                elif not missing_ok:
                    raise
            else:
                found[record.id] = record
        return list(found.values())

    async def purged() -> list[MemoryRecord]:
        return list(gone.values())

    if dry_run:
        return [*await choose(), *gone.values()]
    return await core.archive("forget", choose, purge=purge, shred=shred, gone=purged)


async def forget_where(
    core: Core, where: Where, *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred all memories that fit."""
    return await archive_where(core, "forget", where, purge=purge, shred=shred, dry_run=dry_run)


async def archive_where(
    core: Core, verb: str, where: Where, *, purge: bool, shred: bool, dry_run: bool = False
) -> list[MemoryRecord]:
    """Archive, purge or shred all memories that a filter for live ones fits.

    What is to go for good may also be archived or expired; what is to be shredded, purged.
    """
    if purge or shred:
        where = replace(where, statuses=(), expired=where.expired or None)

    async def choose() -> list[MemoryRecord]:
        return await core.store.select(where)

    async def purged() -> list[MemoryRecord]:
        return await core.purged(where)

    if dry_run:
        return [*await choose(), *(await purged() if shred and core.store.capabilities.journal else ())]
    return await core.archive(verb, choose, purge=purge, shred=shred, gone=purged)


async def _last_version(core: Core, memory_id: str) -> MemoryRecord | None:
    """Return what a memory was when it was purged, by its whole id; None if it was not, or is shredded."""
    if not core.store.capabilities.journal:
        return None
    versions = await core.store.history(memory_id)
    return versions[-1].before if versions and versions[-1].after is None else None


async def restore(core: Core, reference: str) -> MemoryRecord:
    """Make a memory active again that was archived, superseded or purged."""
    try:
        record = await core.store.resolve(reference, statuses=(Status.ARCHIVED, Status.SUPERSEDED))
    except MemoryNotFoundError:
        return await _restore_purged(core, reference)
    written = await core.write(
        "restore", [Replace(replace(record, status=Status.ACTIVE, **_unmerged(record)), "restore")], embed=[]
    )
    return written[0].record


def _unmerged(record: MemoryRecord) -> dict[str, Any]:
    return {"superseded_by": None} if record.memory_type is MemoryType.LONG_TERM else {}


async def _restore_purged(core: Core, reference: str) -> MemoryRecord:
    last = await _last_version(core, reference)
    if last is None:
        raise MemoryNotFoundError(
            reference,
            what="forgotten memory",
            hint="`agentmem list --archived` shows what can be restored",
        )
    record = with_normal_names(replace(last, status=Status.ACTIVE))
    return (await core.write("restore", [Add(record, brought_back=True, verb="restore")], embed=[]))[0].record


async def clear_all(core: Core, *, purge: bool, shred: bool) -> dict[str, int]:
    """Archive, purge or shred everything in one operation."""
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
    for record in await archive_where(core, "clear all", build_where(), purge=purge, shred=shred):
        counts[record.memory_type.value] += 1
    return counts
