"""A stream as text: one canonical JSON object per line.

The first line says what follows: format, agent, embedding space, settings, and which parts are there. Then comes a
line per memory, ordered by id: the fields of its present version, its `revision`, its `place` in the order of
storing, and if asked for its `usage`, `vectors` and `history`. What was taken out has a line with `gone` instead of
fields. The last line, `end`, has the counts and the BLAKE2b-256 of every byte before it.

The same memories give the same text, whatever store they come from: times have a fixed width, numbers the form of
their field, tags are sorted, and nothing is said of the machine, the backend or the moment of writing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from agent_memory import clock
from agent_memory.errors import IntegrityError
from agent_memory.hints import Hint
from agent_memory.records import (
    COMMON_NAMES,
    LATER_FIELDS,
    OWN_FIELDS,
    TUPLE_FIELDS,
    MemoryRecord,
    Version,
    canonical_json,
    version_from_dict,
    version_to_dict,
)
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.text.names import with_normal_names
from agent_memory.transfer import vectors
from agent_memory.transfer.stream import FORMAT, SETTINGS, Head, Item, Parts

_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SPACE = tuple(field_.name for field_ in fields(EmbeddingSpace) if field_.name not in ("id", "current"))
_BESIDE = frozenset({"id", "revision", "place", "usage", "vectors", "history", "gone"})
"""What a line holds besides the present version's own fields."""


# --- the first line and the last -------------------------------------------------------------------------------


def head_line(head: Head) -> str:
    """Write the first line."""
    space: dict[str, Any] | None = None
    if head.space is not None:
        space = {name: getattr(head.space, name) for name in _SPACE}
        space["created_at"] = clock.to_text(head.space.created_at)
    said = {"agent": head.agent_id, "embedding": space, "format": FORMAT, "settings": head.settings}
    return canonical_json({"agentmem": {**said, **asdict(head.parts)}})


def read_head(line: str) -> Head:
    """Read the first line.

    Returns:
        What the line says.

    Raises:
        IntegrityError: it is not ours, or of a version that is not known.
    """
    try:
        said = json.loads(line)["agentmem"]
        version = said["format"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            "this is not an export: its first line says nothing of agentmem",
            hint=Hint("give a file that {EXPORT} wrote; {ADD_OBJECTS} takes objects of other programs"),
        ) from error
    if version != FORMAT:
        raise IntegrityError(
            f"this export is of version {version}, and this program reads version {FORMAT}",
            hint="upgrade this program, or export again with the one at hand",
        )
    try:
        space = said["embedding"]
        if space is not None:
            values = {**{name: space[name] for name in _SPACE}, "id": 0, "current": False}
            space = EmbeddingSpace(**{**values, "created_at": clock.from_text(space["created_at"])})
        return Head(
            agent_id=said["agent"],
            parts=Parts(history=said["history"], usage=said["usage"], vectors=said["vectors"]),
            space=space,
            settings={name: said["settings"][name] for name in SETTINGS if name in said["settings"]},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError(f"the first line of this export cannot be read ({error!r})") from error


def end_line(memories: int, tombstoned: int, digest: str) -> str:
    """Write the last line: how much there was, and the digest of every byte before it."""
    return canonical_json({"end": {"digest": digest, "gone": tombstoned, "memories": memories}})


# --- memories --------------------------------------------------------------------------------------------------


def line_of(item: Item, parts: Parts) -> str:
    """Write a memory, or the note that one is gone."""
    result: dict[str, Any] = {"id": item.id, "revision": item.revision}
    if item.record is not None:
        result |= _version(item.record) | {"place": item.position}
        if parts.usage and item.record.accessed_at is not None:
            accessed = clock.to_text(item.record.accessed_at)
            result["usage"] = {"accessed_at": accessed, "count": item.record.access_count}
        if parts.vectors and item.vectors:
            result["vectors"] = [vectors.to_text(vector) for vector in item.vectors]
    elif item.end is not None:
        tombstoned = {"at": clock.to_text(item.end.at), "parent": item.end.parent, "verb": item.end.verb}
        result["gone"] = {name: value for name, value in tombstoned.items() if value is not None}
    if parts.history and item.history:
        result["history"] = _history(item.history)
    return canonical_json(result)


def _version(record: MemoryRecord) -> dict[str, Any]:
    """Return the present version in the one form that it has in a stream."""
    result = version_to_dict(record)
    result["importance"] = float(record.importance)
    if record.tags:
        result["tags"] = sorted(set(record.tags))
    for own in OWN_FIELDS[record.memory_type]:
        if own.kind == "real" and own.name in result:
            result[own.name] = float(result[own.name])
    del result["id"]
    return result


def _history(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """Write versions; what was before is left out where it is what the one before it left."""
    result: list[dict[str, Any]] = []
    left: tuple[str, dict[str, Any] | None] | None = None
    for version in versions:
        before = None if version.before is None else _version(version.before)
        after = None if version.after is None else _version(version.after)
        said: dict[str, Any] = {
            "at": clock.to_text(version.at),
            "revision": version.revision,
            "verb": version.verb,
        }
        if version.parent is not None:
            said["parent"] = version.parent
        follows = left is not None and left[0] == version.parent
        if before != (left[1] if follows and left is not None else None):
            said["before"] = before
        if after is not None:
            said["after"] = after
        result.append(said)
        left = (version.revision, after)
    return result


def read_line(line: str) -> Item:
    """Read what `line_of` wrote.

    Returns:
        The memory, or the note that one is gone.

    Raises:
        ValueError: it is not a memory as this program writes them.
        KeyError: likewise, a name being missing.
        TypeError: likewise, a value being of another type.
    """
    said = json.loads(line)
    if canonical_json(said) != line:
        raise ValueError("it is not canonical JSON")
    # Nobody could store what has no UTF-8, nor a NUL.
    line.encode("utf-8")
    if "\\u0000" in line.replace("\\\\", ""):
        raise ValueError("it holds a NUL")
    memory_id, revision = said["id"], said["revision"]
    if not all(isinstance(item, str) and _ID.fullmatch(item) for item in (memory_id, revision)):
        raise ValueError("its id or revision is none")
    history = _read_history(said.get("history", ()), memory_id)
    if history and (history[-1].revision != revision or (history[-1].after is None) != ("gone" in said)):
        raise ValueError("its history does not end in what it is")
    if "gone" in said:
        tombstoned = said["gone"]
        end = Version(
            memory_id=memory_id,
            revision=revision,
            parent=tombstoned.get("parent"),
            operation_id="",
            verb=tombstoned["verb"],
            at=clock.from_text(tombstoned["at"]),
            before=None,
            after=None,
        )
        return Item(id=memory_id, revision=revision, end=end, history=history)
    usage = said.get("usage")
    beside: dict[str, Any] = {"revision": revision}
    if usage is not None:
        beside |= {"accessed_at": clock.from_text(usage["accessed_at"]), "access_count": int(usage["count"])}
    return Item(
        id=memory_id,
        revision=revision,
        position=int(said["place"]),
        # An export of an earlier version may hold names in other forms; its history stays as it is.
        record=with_normal_names(
            _record({name: value for name, value in said.items() if name not in _BESIDE}, memory_id, beside)
        ),
        vectors=[vectors.from_text(item) for item in said.get("vectors", ())],
        history=history,
    )


def _read_history(said: Sequence[Mapping[str, Any]], memory_id: str) -> list[Version]:
    result: list[Version] = []
    for item in said:
        parent, after = item.get("parent"), item.get("after")
        last = result[-1] if result else None
        if "before" in item:
            told = item["before"]
            before = None if told is None else _record(told, memory_id, {"revision": parent or ""})
        else:
            before = last.after if last is not None and last.revision == parent else None
        result.append(
            Version(
                memory_id=memory_id,
                revision=item["revision"],
                parent=parent,
                operation_id="",
                verb=item["verb"],
                at=clock.from_text(item["at"]),
                before=before,
                after=None if after is None else _record(after, memory_id, {"revision": item["revision"]}),
            )
        )
    return result


_KINDS: Mapping[str, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "real": (int, float),
    "boolean": (bool,),
    "json": (object,),
}
_KINDS_OF_COMMON: Mapping[str, str] = {**dict.fromkeys(COMMON_NAMES, "text"), **LATER_FIELDS}


def _record(said: Mapping[str, Any], memory_id: str, beside: Mapping[str, Any]) -> MemoryRecord:
    record = version_from_dict({**said, "id": memory_id}, **beside)
    for name, kind in _KINDS_OF_COMMON.items():
        value = getattr(record, name)
        if (value is not None or kind == "boolean") and not isinstance(value, _KINDS[kind]):
            raise ValueError(f"its {name} is no {kind}")
    if not isinstance(record.content, str) or not 0 <= record.importance <= 1:
        raise ValueError("its content is no text, or its importance not between 0 and 1")
    if not isinstance(record.metadata, dict) or not all(isinstance(tag, str) for tag in record.tags):
        raise ValueError("its metadata is no object, or a tag no text")
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        if own.name in TUPLE_FIELDS:
            if not all(isinstance(item, str) for item in value):
                raise ValueError(f"its {own.name} are no texts")
        elif value is not None and not isinstance(value, _KINDS[own.kind]):
            raise ValueError(f"its {own.name} is no {own.kind}")
    return record
