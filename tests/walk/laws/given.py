"""What was given can be read back, and what was not given stays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent_memory import clock
from agent_memory.records import MemoryRecord, MemoryType, Status, canonical_json, to_dict
from agent_memory.text.templates import normalise

from ..model import Model, Step, ids_in
from ..worker import Look
from .broken import BrokenLawError, said

_NOT_STORED = frozenset(
    [
        *("id", "items", "objects", "type", "types", "query", "limit", "count", "document_id", "defaults"),
        *("force", "progress", "embedding", "dry_run", "purge", "shred", "chunks"),
        *("status", "agent_id", "updated_at", "accessed_at", "access_count", "position", "superseded_by"),
    ]
)
"""Names that a memory has no field for, or that the store itself says."""
_STAYING = ("tags", "source", "importance", "pinned", "occurred_at", "key", "session", "expires_at")
"""Fields that a new version has from the one before where nothing is said of them."""
_SPEAKS_OF = {"ttl": "expires_at", "at": "occurred_at", "name": "key", "conversation_id": "session"}
"""By name of an argument: the field that it sets, where that has another name."""


def kept(model: Model, step: Step, answer: Any, look: Look) -> None:
    """What a step stored has what was given, and keeps what was not."""
    ids = ids_in(getattr(answer, "written", answer))
    changed = isinstance(answer, MemoryRecord) and step.arguments.keys() > {"id"}
    if not ids or not set(ids) <= look.there.keys() or not (step.verb.may_add or changed):
        return
    items = step.arguments.get("items", step.arguments.get("objects"))
    if items is None:
        given = [dict(step.arguments)] * len(ids)
    else:
        given = [dict(item) for item in items]
        if len(ids) != len(given):
            raise BrokenLawError(f"{step.verb} answered {ids} to {len(given)} items")
    several = items is None and len(ids) > 1
    if several and len(set(ids)) < len({look.there[item].content for item in ids}):
        raise BrokenLawError(f"{step.verb} was given {dict(step.arguments)} and answered {ids}")
    last = {memory_id: number for number, memory_id in enumerate(ids)}
    for number, (memory_id, arguments) in enumerate(zip(ids, given, strict=True)):
        if last[memory_id] != number:
            continue  # a later item of the same call has overwritten it
        record, before = look.there[memory_id], model.there.get(memory_id)
        _readable(step, record, before, arguments, several=several)
        if before is not None and before.status is Status.ACTIVE and items is None:
            _unsaid_stays(step, before, record, arguments)


def _readable(
    step: Step, record: MemoryRecord, before: MemoryRecord | None, given: Mapping[str, Any], *, several: bool
) -> None:
    flat = to_dict(record)
    everything = canonical_json(flat)
    for name, value in given.items():
        if name in _NOT_STORED:
            continue
        if value is None:
            right = not step.takes_away(name) or getattr(record, _SPEAKS_OF.get(name, name)) is None
        elif name in _SPECIAL:
            right = _SPECIAL[name](record, value, step)
        elif name in flat and _same(flat[name], value):
            right = True
        elif isinstance(value, str):
            somewhere = name not in flat and canonical_json(value.strip())[1:-1] in everything
            right = somewhere or _text_kept(record, before, value, several)
        else:
            right = name not in flat
        if not right:
            raise BrokenLawError(f"{step.verb} was given {name}={value!r} and stored {said(record)}")


def _text_kept(record: MemoryRecord, before: MemoryRecord | None, text: str, several: bool) -> bool:
    if record.content == text or (several and normalise(record.content) in normalise(text)):
        return True
    return before is not None and normalise(before.content) == normalise(text) == normalise(record.content)


def _same(stored: Any, given: Any) -> bool:
    if isinstance(given, timedelta):
        given = given.total_seconds()
    if isinstance(given, datetime):
        given = clock.to_text(clock.as_utc(given))
    if isinstance(given, str):
        given = given.strip()
        return bool(
            stored == given or (isinstance(stored, str) and stored.strip() == given) or stored == [given]
        )
    if isinstance(given, list | tuple) and isinstance(stored, list):
        return set(map(canonical_json, given)) <= set(map(canonical_json, stored))
    return canonical_json(stored) == canonical_json(given)


def _words(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set(value or ())


def _tags(record: MemoryRecord, given: Any, step: Step) -> bool:
    return _words(given) - _words(step.arguments.get("remove_tags")) <= set(record.tags)


def _tags_taken(record: MemoryRecord, given: Any, step: Step) -> bool:
    return not _words(given) & set(record.tags)


def _metadata(record: MemoryRecord, given: Any, step: Step) -> bool:
    return all(
        name in record.metadata and canonical_json(record.metadata[name]) == canonical_json(value)
        for name, value in given.items()
    )


def _lives(record: MemoryRecord, given: Any, step: Step) -> bool:
    return record.expires_at == step.moment + clock.as_duration(given)


def _happened(record: MemoryRecord, given: Any, step: Step) -> bool:
    return record.occurred_at == given


def _pinned(record: MemoryRecord, given: Any, step: Step) -> bool:
    return record.pinned or not given


def _conversation(record: MemoryRecord, given: Any, step: Step) -> bool:
    both = {step.arguments.get("session"), step.arguments.get("conversation_id")}
    return record.session == given or (len(both) == 2 and record.session in both)


_SPECIAL: Mapping[str, Callable[[MemoryRecord, Any, Step], bool]] = {
    "tags": _tags,
    "add_tags": _tags,
    "remove_tags": _tags_taken,
    "metadata": _metadata,
    "extra_metadata": _metadata,
    "ttl": _lives,
    "at": _happened,
    "pinned": _pinned,
    "conversation_id": _conversation,
    "session": _conversation,
}


def _unsaid_stays(step: Step, before: MemoryRecord, record: MemoryRecord, given: Mapping[str, Any]) -> None:
    named = {_SPEAKS_OF.get(name, name) for name in given}
    if {"add_tags", "remove_tags"} & given.keys():
        named.add("tags")
    for name in _STAYING:
        was, now = getattr(before, name), getattr(record, name)
        if name in named or was == now or (name == "tags" and set(was) <= set(now)):
            continue
        if name == "expires_at" and (
            before.memory_type is MemoryType.SHORT_TERM or before.expired(step.moment)
        ):
            continue  # a default time to live begins anew
        if before.expired(step.moment):
            continue  # it begins anew
        raise BrokenLawError(
            f"{step.verb} was given {dict(given)} and changed {name} from {was!r} to {now!r}"
        )
