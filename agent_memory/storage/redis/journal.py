"""The journal and the log of operations: a hash of entries, and lists of them by memory and by operation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

from agent_memory import clock
from agent_memory.batching import batched
from agent_memory.errors import IntegrityError
from agent_memory.records import MemoryRecord, OperationRecord, Version, canonical_json, version_from_dict
from agent_memory.storage.changes import JournalEntry, Operation, Plan
from agent_memory.storage.damage import Damaged
from agent_memory.storage.redis import fields
from agent_memory.storage.redis.gathering import Gathering
from agent_memory.storage.redis.keys import Keys

_BATCH: Final = 500
_UNREADABLE: Final = (TypeError, ValueError, KeyError, AttributeError)


async def earlier(client: Any, keys: Keys, memory_ids: Sequence[str]) -> dict[str, list[JournalEntry]]:
    """Return the entries of memories, oldest first."""
    result: dict[str, list[JournalEntry]] = {}
    for memory_id in memory_ids:
        result[memory_id] = await _entries(
            client, keys, await client.lrange(keys("history", memory_id), 0, -1)
        )
    return result


async def silenced(
    client: Any, keys: Keys, plan: Plan, old: dict[str, list[JournalEntry]]
) -> dict[str, dict[str, Any]]:
    """Return the earlier operations of which no text is left once a plan has erased what it erases, by id.

    The name of a session may be part of what is erased.
    """
    erased = set(plan.erase_history)
    result = {}
    ids = {entry.operation_id for item in erased for entry in old.get(item, ())}
    logged = await _logged(client, keys, sorted(ids))
    for item, data in logged.items():
        entries = await _entries(client, keys, await client.lrange(keys("changes", item), 0, -1))
        telling = any(entry.before or entry.after for entry in entries if entry.memory_id not in erased)
        if data["session"] is not None and not telling:
            result[item] = {**data, "session": None}
    return result


async def _entries(
    client: Any, keys: Keys, numbers: Sequence[bytes], damaged: Damaged | None = None
) -> list[JournalEntry]:
    """Read entries; what cannot be read goes to `damaged`, and without that is an IntegrityError."""
    if not numbers:
        return []
    texts = await client.hmget(keys("journal"), list(numbers))
    met = Damaged() if damaged is None else damaged
    result = []
    for number, text in zip(numbers, texts, strict=True):
        try:
            if text is not None:
                result.append(_entry(json.loads(text)))
        except _UNREADABLE as error:
            met.meet(f"change {number.decode()} in the journal", f"it is no entry of ours ({error})")
    if damaged is None and met:
        raise IntegrityError.damaged(*next(iter(met.items())))
    return result


def _entry(data: dict[str, Any]) -> JournalEntry:
    at = data.get("at")
    return JournalEntry(**{**data, "at": None if at is None else clock.from_text(at)})


def append(
    pipe: Gathering,
    keys: Keys,
    plan: Plan,
    old: dict[str, list[JournalEntry]],
    silent: dict[str, dict[str, Any]],
) -> None:
    """Write down a plan. `old` has the entries of memories whose history is cut or erased, `silent` is `silenced`."""
    operation = plan.operation
    if plan.erase_history and {entry.memory_id for entry in plan.journal} <= set(plan.erase_history):
        operation = replace(operation, session=None)
    for item, data in silent.items():
        pipe.hset(keys("operation"), item, canonical_json(data))
    pipe.rpush(keys("operations"), operation.id)
    pipe.hset(keys("operation"), operation.id, _operation_text(operation))
    if operation.undoes is not None:
        pipe.hset(keys("undone"), operation.undoes, operation.id)
    kept, erased = set(plan.keep_one_version), set(plan.erase_history)
    newest = {entry.memory_id: entry.hlc for entry in plan.journal}
    for entry in plan.journal:
        if entry.memory_id in kept and newest[entry.memory_id] != entry.hlc:
            continue
        _put(pipe, keys, _erased(entry) if entry.memory_id in erased else entry)
        pipe.rpush(keys("history", entry.memory_id), entry.hlc)
        pipe.rpush(keys("changes", operation.id), entry.hlc)
        if entry.after is None:
            pipe.zadd(keys("gone"), {entry.memory_id: entry.hlc})
        else:
            pipe.zrem(keys("gone"), entry.memory_id)
    for memory_id, entries in old.items():
        for entry in entries:
            if memory_id in erased:
                _put(pipe, keys, _erased(entry))
            else:
                pipe.drop_field(keys("journal"), entry.hlc)
                pipe.lrem(keys("history", memory_id), 0, entry.hlc)


def _put(pipe: Gathering, keys: Keys, entry: JournalEntry) -> None:
    at = None if entry.at is None else clock.to_text(entry.at)
    pipe.put_field(keys("journal"), entry.hlc, canonical_json({**asdict(entry), "at": at}))


def _erased(entry: JournalEntry) -> JournalEntry:
    return JournalEntry(**{**asdict(entry), "before": None, "after": None})


def _operation_text(operation: Operation) -> str:
    return canonical_json({**asdict(operation), "started_at": clock.to_text(operation.started_at)})


# --- reading ---------------------------------------------------------------------------------------------------


async def of_memory(
    client: Any, keys: Keys, agent_id: str, memory_id: str, damaged: Damaged
) -> list[Version]:
    """List the entries of a memory, oldest first; what cannot be read is noted and left out."""
    numbers = await client.lrange(keys("history", memory_id), 0, -1)
    entries = await _entries(client, keys, numbers, damaged)
    return await _versions(client, keys, agent_id, entries, damaged)


async def of_operation(client: Any, keys: Keys, agent_id: str, operation_id: str) -> list[Version]:
    """List the entries of an operation, oldest first.

    Returns:
        The entries.

    Raises:
        IntegrityError: one of them is damaged. To go on without it would take back half of what was done.
    """  # noqa: DOC501
    numbers = await client.lrange(keys("changes", operation_id), 0, -1)
    met = Damaged()
    entries = await _entries(client, keys, numbers, met)
    versions = await _versions(client, keys, agent_id, entries, met)
    if met:
        raise IntegrityError.damaged(*next(iter(met.items())))
    return versions


async def histories(
    client: Any, keys: Keys, agent_id: str, ids: Sequence[str], damaged: Damaged
) -> dict[str, list[Version]]:
    """List the versions of many memories, each oldest first; what cannot be read is noted and left out."""
    result: dict[str, list[Version]] = {}
    for batch in batched(ids, _BATCH):
        pages = await fields.of_lists(client, [keys("history", memory_id) for memory_id in batch])
        numbers = [item for page in pages for item in page]
        entries = await _entries(client, keys, numbers, damaged)
        for version in await _versions(client, keys, agent_id, entries, damaged):
            result.setdefault(version.memory_id, []).append(version)
    return result


async def _versions(
    client: Any, keys: Keys, agent_id: str, entries: Sequence[JournalEntry], damaged: Damaged
) -> list[Version]:
    ids = list(dict.fromkeys(entry.operation_id for entry in entries))
    logged = await _logged(client, keys, ids, damaged)
    result = []
    for entry in entries:
        try:
            result.append(_version(entry, logged.get(entry.operation_id, {}), agent_id))
        except _UNREADABLE as error:
            damaged.meet(_named(entry), f"it holds no version of a memory ({error})")
    return result


def _version(entry: JournalEntry, logged: Mapping[str, Any], agent_id: str) -> Version:
    return Version(
        memory_id=entry.memory_id,
        revision=entry.change_id,
        parent=entry.parent_id,
        operation_id=entry.operation_id,
        verb=entry.verb,
        at=entry.at or clock.from_text(logged["started_at"]),
        before=_record(entry.before, agent_id, entry.parent_id),
        after=_record(entry.after, agent_id, entry.change_id),
        operation_verb=logged.get("verb"),
        actor=logged.get("actor"),
    )


def _named(entry: JournalEntry) -> str:
    return f"change {entry.change_id} of memory {entry.memory_id}"


async def tombstoned(client: Any, keys: Keys) -> list[str]:
    """Return the ids of memories that were taken out, whether or not their text is still there."""
    return [member.decode() for member in await client.zrange(keys("gone"), 0, -1)]


def _record(text: str | None, agent_id: str, revision: str | None) -> MemoryRecord | None:
    if text is None:
        return None
    return version_from_dict(json.loads(text), agent_id=agent_id, revision=revision or "")


async def _logged(
    client: Any, keys: Keys, ids: Sequence[str], damaged: Damaged | None = None
) -> dict[str, dict[str, Any]]:
    """Read operations by id; what cannot be read goes to `damaged`, and without that is an IntegrityError."""
    if not ids:
        return {}
    texts = await client.hmget(keys("operation"), list(ids))
    met = Damaged() if damaged is None else damaged
    read = {item: _operation(item, text, met) for item, text in zip(ids, texts, strict=True) if text}
    if damaged is None and met:
        raise IntegrityError.damaged(*next(iter(met.items())))
    return {item: data for item, data in read.items() if data is not None}


def _operation(operation_id: str, text: bytes, damaged: Damaged) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(text)
        clock.from_text(data["started_at"])
    except _UNREADABLE as error:
        damaged.meet(f"operation {operation_id}", f"it is none of ours ({error})")
        return None
    return data


async def check(client: Any, keys: Keys, agent_id: str) -> list[str]:
    """Return one line for each entry of the journal, and each operation, that cannot be read."""
    met = Damaged()
    async for number, text in client.hscan_iter(keys("journal"), count=_BATCH):
        name = f"change {number.decode()} in the journal"
        try:
            entry = _entry(json.loads(text))
            name = _named(entry)
            for version in (entry.before, entry.after):
                _record(version, agent_id, entry.change_id)
        except _UNREADABLE as error:
            met.meet(name, f"it is no entry of ours ({error})")
    async for operation_id, text in client.hscan_iter(keys("operation"), count=_BATCH):
        _operation(operation_id.decode(), text, met)
    return [f"{name}: {why}" for name, why in met.items()]


async def purged(client: Any, keys: Keys, agent_id: str, damaged: Damaged) -> list[MemoryRecord]:
    """List the last versions of memories that are gone; what cannot be read is noted and left out."""
    result: list[MemoryRecord] = []
    for memory_id in await client.zrange(keys("gone"), 0, -1):
        numbers = await client.lrange(keys("history", memory_id.decode()), -1, -1)
        entries = await _entries(client, keys, numbers, damaged)
        versions = await _versions(client, keys, agent_id, entries, damaged)
        result += [version.before for version in versions if version.before is not None]
    return result


async def operations(client: Any, keys: Keys, limit: int, damaged: Damaged) -> list[OperationRecord]:
    """List operations, newest first; what cannot be read is noted and left out."""
    if limit < 1:
        return []
    ids = [item.decode() for item in (await client.lrange(keys("operations"), -limit, -1))[::-1]]
    logged = await _logged(client, keys, ids, damaged)
    result = []
    for operation_id, data in logged.items():
        numbers = await client.lrange(keys("changes", operation_id), 0, -1)
        met = Damaged()
        entries = await _entries(client, keys, numbers, met)
        for name, why in met.items():
            damaged.meet(name, why)
        undone = await client.hget(keys("undone"), operation_id)
        result.append(
            OperationRecord(
                id=operation_id,
                verb=data["verb"],
                actor=data["actor"],
                session=data["session"],
                started_at=clock.from_text(data["started_at"]),
                changes=len({entry.memory_id for entry in entries}) + len(met),
                undone_by=None if undone is None else undone.decode(),
            )
        )
    return result


async def changed_since(client: Any, keys: Keys, position: int) -> tuple[list[str], int]:
    """List the memories that operations behind a number changed, and return the number of the last."""
    operation_ids = [item.decode() for item in await client.lrange(keys("operations"), position, -1)]
    changed: dict[str, None] = {}
    for batch in batched(operation_ids, _BATCH):
        pages = await fields.of_lists(client, [keys("changes", operation_id) for operation_id in batch])
        numbers = [item for page in pages for item in page]
        for part in batched(numbers, _BATCH):
            # An entry that is gone was followed by a newer one of the same memory.
            changed |= {entry.memory_id: None for entry in await _entries(client, keys, part)}
    return list(changed), position + len(operation_ids)
