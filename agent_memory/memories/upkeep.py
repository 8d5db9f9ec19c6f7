"""What can be done with single memories of any type, and with all of them: behind `AgentMemory`'s own verbs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent_memory.errors import ConflictError, MemoryNotFoundError, ValidationError
from agent_memory.memories.core import Core
from agent_memory.memories.drafting import edited
from agent_memory.memories.filters import build_where
from agent_memory.recall.constants import READABLE
from agent_memory.records import MemoryRecord, MemoryType, OperationRecord, Status, Version, same_version
from agent_memory.storage.changes import Add, Change, Remove, Replace
from agent_memory.storage.where import Where
from agent_memory.text.templates import embedded_text

UNDO = "undo"
UNREADABLE = 0.1
"""Share of memories that the embedder does not understand from which `status` names another one."""


async def get(core: Core, reference: str, *, count_access: bool) -> MemoryRecord | None:
    """Return an active memory, or None."""
    try:
        record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    except MemoryNotFoundError:
        return None
    if count_access:
        await core.store.touch([record.id])
    return record


async def update(
    core: Core,
    reference: str,
    *,
    content: str | None,
    importance: float | None,
    tags: str | Iterable[str] | None,
    add_tags: str | Iterable[str] | None,
    remove_tags: str | Iterable[str] | None,
    metadata: Mapping[str, Any] | None,
    key: str | None,
    source: str | None,
    session: str | None,
    ttl: timedelta | float | str | None,
    occurred_at: datetime | None,
    fields: Mapping[str, Any],
) -> MemoryRecord:
    """Store a new version of an active memory."""
    record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))

    def edit(current: MemoryRecord) -> MemoryRecord:
        return edited(
            current,
            content=content,
            importance=importance,
            tags=tags,
            add_tags=add_tags,
            remove_tags=remove_tags,
            metadata=metadata,
            key=key,
            source=source,
            session=session,
            ttl=ttl,
            occurred_at=occurred_at,
            fields=fields,
        )

    return await core.change("update", record, edit)


async def set_pinned(core: Core, reference: str, pinned: bool) -> MemoryRecord:
    """Pin or unpin an active memory."""
    record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    return await core.change("pin" if pinned else "unpin", record, lambda each: replace(each, pinned=pinned))


# --- forgetting and bringing back ------------------------------------------------------------------------------


async def forget(
    core: Core, references: str | Sequence[str], *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred the named memories, all or none."""
    named = [references] if isinstance(references, str) else list(references)
    statuses = () if purge or shred else (Status.ACTIVE,)
    found = {}
    for reference in named:
        record = await core.store.resolve(reference, statuses=statuses)
        found[record.id] = record
    records = list(found.values())
    if not dry_run:
        await core.put_away("forget", records, purge=purge, shred=shred)
    return records


async def forget_where(
    core: Core, where: Where, *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred all memories that fit."""
    records = await core.store.select(where)
    if not dry_run:
        await core.put_away("forget", records, purge=purge, shred=shred)
    return records


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
    hint = "`agentmem list --archived` shows what can be restored"
    if not core.store.capabilities.journal:
        raise MemoryNotFoundError(reference, what="forgotten memory", hint=hint)
    versions = await core.store.history(reference)
    last = versions[-1] if versions else None
    if last is None or last.after is not None or last.before is None:
        raise MemoryNotFoundError(reference, what="forgotten memory", hint=hint)
    record = replace(last.before, status=Status.ACTIVE)
    return (await core.write("restore", [Add(record, even_if_known=True)], embed=[]))[0].record


async def history(core: Core, reference: str) -> list[Version]:
    """List a memory's versions, whatever its status, also if it is gone."""
    try:
        memory_id = (await core.store.resolve(reference)).id
    except MemoryNotFoundError:
        memory_id = reference
    versions = await core.store.history(memory_id)
    if not versions:
        raise MemoryNotFoundError(reference, hint="a purged memory is found by its whole id only")
    return versions


async def clear_all(core: Core, *, purge: bool, shred: bool) -> dict[str, int]:
    """Archive, purge or shred everything in one operation."""
    records = await core.store.select(build_where(status=None if purge or shred else Status.ACTIVE))
    counts = dict.fromkeys((each.value for each in MemoryType), 0)
    for record in records:
        counts[record.memory_type.value] += 1
    await core.put_away("clear all", records, purge=purge, shred=shred)
    return counts


# --- undo ------------------------------------------------------------------------------------------------------


async def undo(core: Core, count: int, *, dry_run: bool) -> list[OperationRecord]:
    """Take back the latest operations that still stand, newest first, each as an operation of its own."""
    if count < 1:
        raise ValidationError(f"cannot undo {count} operations", hint="give a number from 1")
    taken_back: list[OperationRecord] = []
    for operation in await core.store.operations(limit=10_000):
        if len(taken_back) == count:
            break
        if operation.undone_by is not None or operation.verb in (UNDO, "cleanup"):
            continue
        if not dry_run:
            await _take_back(core, operation)
        taken_back.append(operation)
    return taken_back


async def _take_back(core: Core, operation: OperationRecord) -> None:
    versions = await core.store.changes_of(operation.id)
    first_and_last: dict[str, tuple[Version, Version]] = {}
    for version in versions:
        first = first_and_last[version.memory_id][0] if version.memory_id in first_and_last else version
        first_and_last[version.memory_id] = (first, version)
    present = await core.store.get(list(first_and_last))
    changes: list[Change] = []
    for memory_id, (first, last) in first_and_last.items():
        current = present.get(memory_id)
        if not _still(last.after, current):
            raise ConflictError(memory_id)
        if first.before is not None and current is not None:
            changes.append(Replace(replace(first.before, revision=current.revision), UNDO))
        elif first.before is not None:
            changes.append(Add(first.before, even_if_known=True))
        elif current is not None and last.verb not in ("purge", "shred"):
            changes.append(Remove(current))
        elif first.before is None and last.verb == "shred":
            raise ValidationError("what was shredded cannot be brought back", hint="undo ends here")
    # Keys may pass from one memory to another: what gives one up goes first.
    changes.sort(key=lambda change: isinstance(change, Add))
    await core.write(UNDO, changes, embed=[], undoes=operation.id)


def _still(left: MemoryRecord | None, found: MemoryRecord | None) -> bool:
    """Say whether a memory is as an operation left it; one undone and redone since then is."""
    if left is None or found is None:
        return left is found
    return same_version(left, found)


# --- telling ---------------------------------------------------------------------------------------------------


async def statistics(core: Core) -> dict[str, Any]:
    """Count what there is, per type and in all, and describe the store."""
    store = core.store
    counts = dict.fromkeys((each.value for each in MemoryType), 0)
    counts |= {group.value: group.count for group in await store.groups(build_where(), "type")}
    archived = await store.count(build_where(status=Status.ARCHIVED, expired=None))
    superseded = await store.count(build_where(status=Status.SUPERSEDED, expired=None))
    described = await store.describe()
    return {
        "agent_id": store.agent_id,
        "total": sum(counts.values()),
        **counts,
        "archived": archived + superseded,
        "pinned": await store.count(build_where(pinned=True)),
        "expired": await store.count(build_where(expired=True)),
        "backend": described.backend,
        "location": described.location,
        "bytes": described.bytes,
    }


async def status(core: Core) -> dict[str, Any]:
    """Say where the memory is, what is in force and what is owed, without loading a model."""
    described = await core.store.describe()
    space = await core.store.current_space()
    because = await core.index.unavailable_because()
    by_words = described.level != "read-only" and (because is not None or not core.index.available)
    return {
        "agent_id": core.store.agent_id,
        "backend": described.backend,
        "location": described.location,
        "bytes": described.bytes,
        "schema_version": described.schema_version,
        "level": "keyword" if by_words else described.level,
        "memories": await core.store.count(build_where()),
        "embedding_provider": core.index.provider,
        "embedded_with": str(space) if space is not None else None,
        "owed_embeddings": await core.store.owed_count() if core.store.capabilities.vectors else 0,
        "meaning_unavailable_because": because,
        "unreadable_share": await _unreadable_share(core),
        "capabilities": core.store.capabilities.named(),
        **described.details,
    }


_SAMPLE = 200  # the newest memories; enough to tell a tenth from a third


async def _unreadable_share(core: Core) -> float:
    """Say how many of the newest memories the embedder does not understand, as a share; 0 without an embedder.

    Every embedder reads ASCII. Only where more than a tenth is something else is its tokenizer asked.
    """
    sample = await core.store.select(build_where(), limit=_SAMPLE)
    doubtful = [text for text in map(embedded_text, sample) if not text.isascii()]
    if len(doubtful) <= len(sample) * UNREADABLE or await core.index.unavailable_because() is not None:
        return 0.0
    if not core.index.available:
        return 0.0
    return sum(core.index.readable(text) < READABLE for text in doubtful) / len(sample)
