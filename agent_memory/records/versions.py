"""The JSON forms of a record: a version as the journal keeps it, and the flat object that programs are given."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records.base import MemoryRecord, R, Status
from agent_memory.records.registry import OWN_FIELDS, RECORD_CLASSES, TUPLE_FIELDS, TYPE_NAMES
from agent_memory.records.types import MemoryType

_COMMON = tuple(field_.name for field_ in dataclasses.fields(MemoryRecord))
# Of a version: not the agent and the revision, which say where it stands, nor accesses, which are no change of it.
_BESIDE = frozenset({"agent_id", "revision", "accessed_at", "access_count"})
_VERSION_FIELDS = tuple(name for name in _COMMON if name not in _BESIDE)
# In the order in which they are printed. A field that is named nowhere here is printed after them.
_FIRST = (
    *("id", "content", "importance", "tags", "metadata", "key", "source", "session", "status", "pinned"),
    *("agent_id", "created_at", "updated_at", "occurred_at", "expires_at", "accessed_at", "access_count"),
)
_NOT_PRINTED = frozenset({"revision", "utc_offset", "session_given", "ttl_given"})
_PRINTED = (*_FIRST, *(name for name in _COMMON if name not in _NOT_PRINTED.union(_FIRST)))
_PRINTED_VALUES = attrgetter(*_PRINTED)
_ACTIVE = Status.ACTIVE  # looked up once: a member of an enumeration costs as much as a call
_TIMES = ("created_at", "updated_at", "occurred_at", "expires_at", "accessed_at")
_TIME_FIELDS = frozenset(_TIMES)


def version_to_dict(record: MemoryRecord) -> dict[str, Any]:
    """Return what the present version of a memory consists of, as JSON values.

    Left out is what goes without saying: None, empty values, the status of an active one, and a time of change
    that is the time of creation.
    """
    result: dict[str, Any] = {"type": TYPE_NAMES[type(record)]}
    for name in _VERSION_FIELDS:
        value = getattr(record, name)
        if value is None or value is False or value is _ACTIVE or value == () or value == {}:
            continue
        result[name] = clock.to_text(value) if name in _TIME_FIELDS else value
    if record.updated_at == record.created_at:
        del result["updated_at"]
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        if value is not None and value != ():
            result[own.name] = value
    return result


_NAMES = {kind: tuple(field_.name for field_ in dataclasses.fields(kind)) for kind in RECORD_CLASSES.values()}
_VALUES = {kind: attrgetter(*names) for kind, names in _NAMES.items()}


def stamped(record: R, *, agent_id: str, revision: str) -> R:
    """Return a record as a store keeps it; what `dataclasses.replace` does, in a quarter of its time."""
    kind = type(record)
    copy = object.__new__(kind)
    for name, value in zip(_NAMES[kind], _VALUES[kind](record), strict=True):
        object.__setattr__(copy, name, value)
    object.__setattr__(copy, "agent_id", agent_id)
    object.__setattr__(copy, "revision", revision)
    return copy


def same_version(left: MemoryRecord, right: MemoryRecord) -> bool:
    """Return whether two records say the same, whenever they were written and however often they were read."""
    right = dataclasses.replace(
        right,
        updated_at=left.updated_at,
        revision=left.revision,
        agent_id=left.agent_id,
        accessed_at=left.accessed_at,
        access_count=left.access_count,
    )
    # Python takes True for 1 and 1 for 1.0; JSON and the filters do not.
    return left == right and canonical_json(version_to_dict(left)) == canonical_json(version_to_dict(right))


def version_from_dict(data: Mapping[str, Any], **beside: Any) -> MemoryRecord:
    """Build the record that `version_to_dict` described; `beside` gives fields that are not part of a version."""
    values = dict(data)
    memory_type = MemoryType(values.pop("type"))
    values.setdefault("updated_at", values["created_at"])
    for name in _TIME_FIELDS & values.keys():
        values[name] = clock.from_text(values[name])
    for name in TUPLE_FIELDS & values.keys():
        values[name] = tuple(values[name])
    if "tags" in values:
        values["tags"] = tuple(values["tags"])
    if "status" in values:
        values["status"] = Status(values["status"])
    return RECORD_CLASSES[memory_type](**values, **beside)


def to_dict(record: MemoryRecord) -> dict[str, Any]:
    """Return a memory as one flat JSON object: every common field, then its type's own.

    This is the shape that `--json` prints and that programs may rely on: a name once there stays.
    """
    printed = dict(zip(_PRINTED, _PRINTED_VALUES(record), strict=True))
    result: dict[str, Any] = {"id": record.id, "type": record.memory_type.value, **printed}
    result["tags"], result["metadata"] = list(record.tags), dict(record.metadata)
    result["status"] = record.status.value
    for name in _TIMES:
        moment = result[name]
        result[name] = clock.to_text(moment) if moment is not None else None
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        result[own.name] = list(value) if isinstance(value, tuple) else value
    return result


def from_dict(kind: type[R], data: Mapping[str, Any]) -> R:
    """Build the record that `to_dict` described; see `MemoryRecord.from_dict`."""
    values = dict(data)
    memory_type = MemoryType.parse(values.pop("type", getattr(kind, "memory_type", "none")))
    record_class = RECORD_CLASSES[memory_type]
    if not issubclass(record_class, kind):
        raise ValidationError(
            f"it is {memory_type.described}", hint=f"build it with {record_class.__name__}.from_dict"
        )
    unknown = sorted(values.keys() - {*_NAMES[record_class]})
    if unknown:
        raise ValidationError(
            f"{memory_type.described} has no field '{unknown[0]}'",
            hint="put it into metadata, or take it out",
        )
    for name in ("id", "content", "created_at"):
        if values.get(name) is None:
            raise ValidationError(f"it has no {name}", hint="give what to_dict returned")
    values = {name: value for name, value in values.items() if value is not None}
    try:
        return version_from_dict({**values, "type": memory_type.value})  # type: ignore[return-value]
    except (TypeError, ValueError) as error:
        raise ValidationError(f"it cannot be read: {error}", hint="give what to_dict returned") from error


_CANONICAL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: Any) -> str:
    """Write JSON so that equal values give equal text: sorted keys, no spaces, no NaN."""
    return _CANONICAL.encode(value)
