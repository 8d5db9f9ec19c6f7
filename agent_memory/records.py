"""What a memory is: one record class per memory type, and the flat JSON shape they share.

A record is immutable; a change makes a new one (`dataclasses.replace`). The class says the type:
an `EpisodicRecord` is an event. Fields that every memory has stand in `MemoryRecord`; each subclass adds
its own, and `OWN_FIELDS` describes those for the stores, which give each type a table of its own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar

from agent_memory import clock
from agent_memory.errors import ConfigurationError


class MemoryType(StrEnum):
    """The six kinds of memory."""

    SHORT_TERM = "short_term"
    LONG_TERM = "long_term"
    CONVERSATION = "conversation"
    EPISODIC = "episodic"
    SEMANTIC = "semantic"
    PROCEDURAL = "procedural"

    @property
    def described(self) -> str:
        """What to call one memory of this type in a sentence: `an episodic memory`."""
        name = self.value.replace("_", "-")
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name} memory"

    @classmethod
    def parse(cls, name: str) -> MemoryType:
        """Read a type's name or its everyday alias: note, fact, chat, event, doc, skill.

        Raises:
            ConfigurationError: it is none of them.
        """
        if not isinstance(name, str):
            raise ConfigurationError.unknown("memory type", name, [*TYPE_ALIASES])
        word = name.strip().lower().replace("-", "_")
        try:
            return TYPE_ALIASES.get(word) or TYPE_ALIASES.get(word.removesuffix("s")) or cls(word)
        except ValueError:
            from difflib import get_close_matches

            known = [f"{kind.value.replace('_', '-')} ({alias})" for alias, kind in TYPE_ALIASES.items()]
            near = get_close_matches(word, [*TYPE_ALIASES, *cls], 1, 0.6)
            meant = f"did you mean {near[0]}? " if near else ""
            raise ConfigurationError(
                f"unknown memory type {name!r}", hint=f"{meant}use one of {', '.join(known)}"
            ) from None


TYPE_ALIASES: Mapping[str, MemoryType] = {
    "note": MemoryType.SHORT_TERM,
    "fact": MemoryType.LONG_TERM,
    "chat": MemoryType.CONVERSATION,
    "event": MemoryType.EPISODIC,
    "doc": MemoryType.SEMANTIC,
    "skill": MemoryType.PROCEDURAL,
}


KIND_ALIASES: Mapping[str, tuple[MemoryType, str]] = {
    "pref": (MemoryType.LONG_TERM, "preference"),
    "preference": (MemoryType.LONG_TERM, "preference"),
    "work": (MemoryType.SHORT_TERM, "working"),
}
"""What lists call some memories of a type, with the kind that it means; accepted wherever memories are asked for."""


class Status(StrEnum):
    """Where a memory stands: in use, put away, or replaced by another."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    SUPERSEDED = "superseded"


FieldKind = Literal["text", "integer", "real", "boolean", "json"]


class OwnField(NamedTuple):
    """A field that one memory type has and the others lack."""

    name: str
    kind: FieldKind
    later: bool = False
    """Whether stores of the first version lack it: a row that says nothing of it has the checksum it had there."""


def _own(kind: FieldKind, default: Any = None, *, later: bool = False) -> Any:
    return field(default=default, metadata={"kind": kind, "later": later})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryRecord:
    """A memory: its text, and all that is known about it whatever its type."""

    memory_type: ClassVar[MemoryType]

    id: str
    """20 characters of lower-case Crockford base32."""
    content: str
    """The text, verbatim as it was given."""
    importance: float = 0.5
    """How much it matters, in [0, 1]."""
    created_at: datetime
    updated_at: datetime
    """When the present version was written."""
    occurred_at: datetime | None = None
    """When what it tells of happened, if that differs from when it was stored."""
    expires_at: datetime | None = None
    """From this moment on it is never returned."""
    accessed_at: datetime | None = None
    """When a search or a `get` last returned it; None before the first time."""
    access_count: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    """Sorted, without duplicates."""
    key: str | None = None
    """A name under which a later `add` of the same type stores a new version instead of a new memory."""
    source: str | None = None
    session: str | None = None
    """For a message: its conversation."""
    status: Status = Status.ACTIVE
    pinned: bool = False
    agent_id: str = ""
    revision: str = ""
    """The id of the change that made this version, the same in every copy of the store."""
    utc_offset: int | None = None
    """Seconds east of UTC of the writer's clock at `happened_at`; None is UTC. It says which day that was."""
    session_given: bool = False
    """Whether the session was named for this memory, instead of being the one in use when it was stored."""
    ttl_given: bool = False
    """Whether its end, or that it has none, was named, instead of being the default of its type."""

    @property
    def happened_at(self) -> datetime:
        """When what it tells of happened: `occurred_at`, else `created_at`."""
        return self.occurred_at or self.created_at

    @property
    def keeps_its_end(self) -> bool:
        """Whether a new version that names no time to live ends when this one does.

        Before `ttl_given` was noted, only short-term memories had an end that nobody had named.
        """
        return self.ttl_given or (
            self.expires_at is not None and self.memory_type is not MemoryType.SHORT_TERM
        )

    def expired(self, moment: datetime) -> bool:
        """Return whether its time is over at that moment."""
        return self.expires_at is not None and self.expires_at <= moment


R = TypeVar("R", bound=MemoryRecord)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortTermRecord(MemoryRecord):
    """A piece of the present task's context, or a working-memory value."""

    memory_type: ClassVar[MemoryType] = MemoryType.SHORT_TERM

    kind: str = _own("text", "note")
    """`note`, `context` or `working`."""
    context_type: str | None = _own("text")
    value: Any = _own("json")
    """For working memory: the JSON value; `content` is its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTermRecord(MemoryRecord):
    """A fact or a preference."""

    memory_type: ClassVar[MemoryType] = MemoryType.LONG_TERM

    kind: str = _own("text", "fact")
    """`fact` or `preference`."""
    category: str | None = _own("text")
    """For a preference: what it is about."""
    superseded_by: str | None = _own("text")
    """The memory that took this one's place when duplicates were merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRecord(MemoryRecord):
    """A message of a conversation, or a summary of its older part."""

    memory_type: ClassVar[MemoryType] = MemoryType.CONVERSATION

    kind: str = _own("text", "message")
    """`message` or `summary`."""
    conversation_id: str = _own("text", "")
    role: str = _own("text", "user")
    name: str | None = _own("text")
    """Who spoke."""
    position: int | None = _own("integer")
    """Place in the conversation, from 0; given when the message is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodicRecord(MemoryRecord):
    """Something that happened."""

    memory_type: ClassVar[MemoryType] = MemoryType.EPISODIC

    event_type: str = _own("text", "event")
    outcome: str | None = _own("text")
    success: bool | None = _own("boolean")
    """What the outcome says: True, False, or None where it says neither."""
    participants: tuple[str, ...] = _own("json", ())
    location: str | None = _own("text")
    duration: float | None = _own("real")
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticRecord(MemoryRecord):
    """A piece of knowledge, by itself or as one chunk of a document."""

    memory_type: ClassVar[MemoryType] = MemoryType.SEMANTIC

    document_id: str | None = _own("text")
    title: str | None = _own("text")
    position: int | None = _own("integer")
    """Which chunk of its document, from 0."""
    path: str | None = _own("text", later=True)
    """The file that its document was read from: absolute, with links followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProceduralRecord(MemoryRecord):
    """A skill or a workflow: how something is done, and how well that went."""

    memory_type: ClassVar[MemoryType] = MemoryType.PROCEDURAL

    kind: str = _own("text", "skill")
    """`skill` or `workflow`."""
    name: str = _own("text", "")
    category: str | None = _own("text")
    triggers: tuple[str, ...] = _own("json", ())
    steps: tuple[str, ...] = _own("json", ())
    use_count: int = _own("integer", 0)
    success_count: int = _own("integer", 0)
    last_used_at: str | None = _own("text")
    """When it was last used, as fixed-width ISO-8601 text."""


RECORD_CLASSES: Mapping[MemoryType, type[MemoryRecord]] = {
    kind.memory_type: kind
    for kind in (
        ShortTermRecord,
        LongTermRecord,
        ConversationRecord,
        EpisodicRecord,
        SemanticRecord,
        ProceduralRecord,
    )
}

TYPE_NAMES: Mapping[type[MemoryRecord], str] = {
    kind: memory_type.value for memory_type, kind in RECORD_CLASSES.items()
}
"""By class, the name of its type: in a write of ten thousand, asking each member for its `.value` shows."""

OWN_FIELDS: Mapping[MemoryType, tuple[OwnField, ...]] = {
    memory_type: tuple(
        OwnField(field_.name, field_.metadata["kind"], field_.metadata["later"])
        for field_ in dataclasses.fields(kind)
        if "kind" in field_.metadata
    )
    for memory_type, kind in RECORD_CLASSES.items()
}
"""Per type, its own fields in the order of their columns."""

TUPLE_FIELDS = frozenset({"participants", "triggers", "steps"})
"""Own fields of kind json that hold a tuple of strings."""

# What a version consists of. Left out: the agent and the revision, which say where the version stands, and
# accesses, which are no change of it.
_VERSION_FIELDS = (
    *("id", "content", "importance", "created_at", "updated_at", "occurred_at", "expires_at"),
    *("metadata", "tags", "key", "source", "session", "status", "pinned"),
    *("utc_offset", "session_given", "ttl_given"),
)
_ACTIVE = Status.ACTIVE  # looked up once: a member of an enumeration costs as much as a call
_TIME_FIELDS = frozenset({"created_at", "updated_at", "occurred_at", "expires_at", "accessed_at"})


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
    result: dict[str, Any] = {
        "id": record.id,
        "type": record.memory_type.value,
        "content": record.content,
        "importance": record.importance,
        "tags": list(record.tags),
        "metadata": dict(record.metadata),
        "key": record.key,
        "source": record.source,
        "session": record.session,
        "status": record.status.value,
        "pinned": record.pinned,
        "agent_id": record.agent_id,
    }
    for name in ("created_at", "updated_at", "occurred_at", "expires_at", "accessed_at"):
        moment = getattr(record, name)
        result[name] = clock.to_text(moment) if moment is not None else None
    result["access_count"] = record.access_count
    for own in OWN_FIELDS[record.memory_type]:
        value = getattr(record, own.name)
        result[own.name] = list(value) if isinstance(value, tuple) else value
    return result


_CANONICAL = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical_json(value: Any) -> str:
    """Write JSON so that equal values give equal text: sorted keys, no spaces, no NaN."""
    return _CANONICAL.encode(value)


@dataclass(frozen=True, slots=True)
class ScoredMemory:
    """A memory that a search found, and how well it fits."""

    memory: MemoryRecord
    score: float
    """The ranking score in [0, 1]; comparable between queries of one store."""
    relevance: float
    """The estimated probability, in [0, 1], that it answers the query."""
    similarity: float | None = None
    """Cosine of the query's and the memory's vectors, clamped to [0, 1]; None where they were not compared."""
    explanation: Mapping[str, Any] | None = None
    """With `explain=True`: every part of the score by name."""


@dataclass(frozen=True, slots=True)
class Version:
    """One entry of a memory's history."""

    memory_id: str
    revision: str
    parent: str | None
    """The revision it was made upon."""
    operation_id: str
    verb: str
    """What was done: add, update, archive, restore, purge, ..."""
    at: datetime
    before: MemoryRecord | None
    after: MemoryRecord | None
    """None once the memory is gone."""


@dataclass(frozen=True, slots=True)
class OperationRecord:
    """One command as the log tells it: who did what when, and how many memories it changed."""

    id: str
    verb: str
    actor: str | None
    session: str | None
    started_at: datetime
    changes: int
    undone_by: str | None = None
    """The operation that took it back."""
