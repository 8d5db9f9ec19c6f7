"""What can be done with single memories of any type, and with all of them: behind `AgentMemory`'s own verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from agent_memory import clock
from agent_memory.errors import ConflictError, IntegrityError, MemoryNotFoundError, ValidationError
from agent_memory.memories.core import Core
from agent_memory.memories.editing import edited
from agent_memory.memories.filters import build_where
from agent_memory.recall.constants import READABLE
from agent_memory.records import MemoryRecord, MemoryType, OperationRecord, Status, Version, same_version
from agent_memory.storage.changes import Add, Change, Remove, Replace
from agent_memory.storage.planning import TAKEN
from agent_memory.storage.renewal import RENEW, renewed
from agent_memory.storage.where import Where
from agent_memory.text.names import with_normal_names
from agent_memory.text.templates import embedded_text

UNDO = "undo"
FAILURES = 20  # texts that could not be embedded, of which `status` tells the reason
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


async def update(core: Core, reference: str, **given: Any) -> MemoryRecord:
    """Store a new version of an active memory; what may be given says `memories.editing.edited`."""
    record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    default = core.settings.short_term_ttl if record.memory_type is MemoryType.SHORT_TERM else None
    return await core.change("update", record, lambda current: edited(current, default_ttl=default, **given))


async def set_pinned(core: Core, reference: str, pinned: bool) -> MemoryRecord:
    """Pin or unpin an active memory."""
    record = await core.store.resolve(reference, statuses=(Status.ACTIVE,))
    return await core.change("pin" if pinned else "unpin", record, lambda item: replace(item, pinned=pinned))


# --- forgetting and bringing back ------------------------------------------------------------------------------


async def forget(
    core: Core, references: str | Sequence[str], *, purge: bool, shred: bool, dry_run: bool
) -> list[MemoryRecord]:
    """Archive, purge or shred the named memories, all or none."""
    named = [references] if isinstance(references, str) else list(references)
    return await put_away_named(core, named, purge=purge, shred=shred, dry_run=dry_run)


async def put_away_named(
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
    return await put_away_where(core, "forget", where, purge=purge, shred=shred, dry_run=dry_run)


async def put_away_where(
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


async def history(core: Core, reference: str) -> list[Version]:
    """List a memory's versions, whatever its status, also if it is gone."""
    try:
        memory_id = (await core.store.resolve(reference)).id
    except (MemoryNotFoundError, IntegrityError):  # gone, or damaged: the journal knows it by its id
        memory_id = reference
    versions = await core.store.history(memory_id)
    if not versions:
        raise MemoryNotFoundError(reference, hint="a purged memory is found by its whole id only")
    return versions


async def clear_all(core: Core, *, purge: bool, shred: bool) -> dict[str, int]:
    """Archive, purge or shred everything in one operation."""
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
    for record in await put_away_where(core, "clear all", build_where(), purge=purge, shred=shred):
        counts[record.memory_type.value] += 1
    return counts


# --- undo ------------------------------------------------------------------------------------------------------


async def undo(core: Core, count: int, *, dry_run: bool) -> list[OperationRecord]:
    """Take back the latest operations that still stand, newest first, each as an operation of its own."""
    if count < 1:
        raise ValidationError(f"cannot undo {count} operations", hint="give a number from 1")
    taken_back: list[OperationRecord] = []
    for operation in await _standing(core, count):
        if not dry_run:
            try:
                await _take_back(core, operation)
            except (ConflictError, ValidationError) as error:
                if taken_back:
                    error.hint = f"{len(taken_back)} later operations are taken back, this one is not"
                raise
        taken_back.append(operation)
    return taken_back


async def _standing(core: Core, count: int) -> list[OperationRecord]:
    """List the latest operations that there is something to take back of."""
    limit = 4 * count + 16
    while True:
        operations = await core.store.operations(limit)
        # Of working memory the journal keeps one version: what changed nothing else has left no entries.
        found = [
            operation
            for operation in operations
            if operation.undone_by is None
            and operation.verb not in (UNDO, "cleanup", TAKEN, RENEW)
            and operation.changes
        ]
        if len(found) >= count or len(operations) < limit:
            return found[:count]
        limit *= 4


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
        before, after = _in_present_form(first.before, last.after, current)
        if not _still(after, current):
            raise ConflictError(memory_id)
        if before is not None and current is not None:
            changes.append(Replace(replace(before, revision=current.revision), UNDO))
        elif before is not None:
            changes.append(Add(before, brought_back=True, verb=UNDO))
        elif current is not None and last.verb not in ("purge", "shred"):
            changes.append(Remove(current))
        elif first.before is None and last.verb == "shred":
            raise ValidationError("what was shredded cannot be brought back", hint="undo ends here")
    # Keys may pass from one memory to another: what gives one up goes first.
    changes.sort(key=lambda change: isinstance(change, Add))
    await core.write(UNDO, changes, embed=[], undoes=operation.id)


def _in_present_form(
    before: MemoryRecord | None, after: MemoryRecord | None, current: MemoryRecord | None
) -> tuple[MemoryRecord | None, MemoryRecord | None]:
    """Return what an operation found and left as it would be now: an earlier version may have written it."""
    before = None if before is None else with_normal_names(before)
    after = None if after is None else with_normal_names(after)
    if after is None or current is None or same_version(after, current):
        return before, after
    if same_version(renewed(after), current):
        return None if before is None else renewed(before), renewed(after)
    return before, after


def _still(left: MemoryRecord | None, found: MemoryRecord | None) -> bool:
    """Return whether a memory is as an operation left it; one undone and redone since then is."""
    if left is None or found is None:
        return left is found
    return same_version(left, found)


# --- telling ---------------------------------------------------------------------------------------------------


async def statistics(core: Core) -> dict[str, Any]:
    """Count what there is, per type and in all, and describe the store."""
    store = core.store
    counts = dict.fromkeys((memory_type.value for memory_type in MemoryType), 0)
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
    """Return where the memory is, what is in force and what is pending, without loading a model."""
    described = await core.store.describe()
    space = await core.store.current_space()
    because = await core.index.unavailable_because()
    level = described.level
    if level != "read-only" and (because is not None or not core.index.available):
        level = "keyword"
    if not core.store.capabilities.full_text:
        level = "meaning" if level == "full" else "nothing"
    return {
        "agent_id": core.store.agent_id,
        "backend": described.backend,
        "location": described.location,
        "bytes": described.bytes,
        "schema_version": described.schema_version,
        "level": level,
        "memories": await core.store.count(build_where()),
        "embedding_provider": core.index.provider,
        "embedded_with": str(space) if space is not None else None,
        "owed_embeddings": await core.store.pending_count() if core.index.available else 0,
        "failed_embeddings": await core.store.pending_count(failed=True) if core.index.available else 0,
        "failures": [
            {
                "id": failure.id,
                "reason": failure.reason,
                "at": None if failure.at is None else clock.to_text(failure.at),
            }
            for failure in await core.index.failures(FAILURES)
        ],
        "meaning_unavailable_because": because,
        "unreadable_share": await _uncovered_share(core),
        "capabilities": core.store.capabilities.named(),
        **described.details,
    }


_SAMPLE = 200  # the newest memories; enough to tell a tenth from a third


async def _uncovered_share(core: Core) -> float:
    """Return how many of the newest memories the embedder does not understand, as a share; 0 without an embedder.

    Every embedder reads ASCII. Only where more than a tenth is something else is its tokenizer asked.
    """
    sample = await core.store.select(build_where(), limit=_SAMPLE)
    doubtful = [text for text in map(embedded_text, sample) if not text.isascii()]
    if len(doubtful) <= len(sample) * UNREADABLE or await core.index.unavailable_because() is not None:
        return 0.0
    if not core.index.available:
        return 0.0
    return sum(core.index.language_coverage(text) < READABLE for text in doubtful) / len(sample)
