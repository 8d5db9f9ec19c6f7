"""What every memory has, and what each memory type has to say of itself.

A record is immutable; a change makes a new one (`dataclasses.replace`). Each memory type has a module of its own in
this package with two classes: the record with the type's own fields, and a `TypeDescriptor` with whatever the rest
of the program has to know about the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, Literal, NamedTuple, Self, TypeVar

from agent_memory.records.display import as_rows, in_one_line, shortened
from agent_memory.records.types import MemoryType


class Status(StrEnum):
    """Where a memory stands: in use, archived, or replaced by another."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    SUPERSEDED = "superseded"


FieldKind = Literal["text", "integer", "real", "boolean", "json"]


class OwnField(NamedTuple):
    """A field that one memory type has and the others lack; stores keep it in a column of the type's own table."""

    name: str
    kind: FieldKind
    later: bool = False
    """Whether it came after the type's table: a row that holds nothing in it has the checksum that it had before."""
    since: int = 1
    """The schema version that brought it."""
    is_name: bool = False
    """Whether it is a name, which is kept in one form of Unicode, and not a text or what the program writes."""
    is_tuple: bool = False
    """Whether it is of kind json and holds a tuple of texts."""


def own_field(kind: FieldKind, default: Any = None, *, name: bool = False, since: int = 1) -> Any:
    """Declare a field of one memory type.

    This line, and one in `memories/changes.py` for type checkers, is all that a new field needs. A store whose schema
    is older adds the column when it is opened.

    Args:
        kind: what the field holds; an empty tuple as the default of a `json` field makes it a tuple of texts.
        default: what a record holds where nothing is given.
        name: whether the field is a name that memories are found by, such as a title.
        since: the schema version that brings the field: for a new one, the number after the newest step of SQLite and
            of PostgreSQL and the newest declaration (`tests/storage/sqlite/test_migrations.py` holds it).

    Returns:
        What a dataclass takes as the default of a field.
    """
    return field(default=default, metadata={"kind": kind, "name": name, "since": since})


def later_field(kind: FieldKind, default: Any = None) -> Any:
    """Declare a field of every memory that came after the tables: stores keep it as it is in a column of `memory`.

    Args:
        kind: what the field holds. A field that is a `str | None` is a name, which every verb that stores takes.
        default: what a record holds where nothing is given; of a `boolean` field False.

    Returns:
        What a dataclass takes as the default of a field.
    """
    return field(default=default, metadata={"column": kind})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MemoryRecord:
    """A memory: its text, and all that is known about it whatever its type."""

    memory_type: ClassVar[MemoryType]
    descriptor: ClassVar[TypeDescriptor[Any]]

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
    utc_offset: int | None = later_field("integer")
    """Seconds east of UTC of the writer's clock at `happened_at`; None is UTC. It says which day that was."""
    session_given: bool = later_field("boolean", False)
    """Whether the session was named for this memory, instead of being the one in use when it was stored."""
    ttl_given: bool = later_field("boolean", False)
    """Whether its end, or that it has none, was named, instead of being the default of its type."""

    @property
    def happened_at(self) -> datetime:
        """When what it tells of happened: `occurred_at`, else `created_at`."""
        return self.occurred_at or self.created_at

    @property
    def keeps_its_end(self) -> bool:
        """Whether a new version that names no time to live ends when this one does.

        Before `ttl_given` was noted, only memories of a type that expires by itself had an end that nobody had named.
        """
        return self.ttl_given or (self.expires_at is not None and not self.descriptor.expires)

    def expired(self, moment: datetime) -> bool:
        """Return whether its time is over at that moment."""
        return self.expires_at is not None and self.expires_at <= moment

    def to_dict(self) -> dict[str, Any]:
        """Return it as one flat JSON object: every common field, then its type's own, as `--json` prints it."""
        from agent_memory.records.versions import to_dict

        return to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build a record from what `to_dict` returned.

        What `to_dict` leaves out, the `revision` among it, holds its default.

        Args:
            data: the object; its `type` says the class, and may be left out where a type's own class is asked.

        Returns:
            A record of the type's class.

        Raises:
            ValidationError: it has a name that no such memory has, lacks one, or holds a value that cannot be read.
            ConfigurationError: its type is unknown.
        """
        from agent_memory.records.versions import from_dict

        return from_dict(cls, data)

    def __repr__(self) -> str:
        shown: dict[str, Any] = {"id": repr(self.id), "content": repr(shortened(self.content))}
        shown |= {name: repr(value) for name in ("tags", "key") if (value := getattr(self, name))}
        if self.status is not Status.ACTIVE:
            shown["status"] = repr(self.status.value)
        return in_one_line(type(self).__name__, shown)

    def _repr_html_(self) -> str:
        return as_rows({name: value for name, value in self.to_dict().items() if value not in (None, [], {})})


R = TypeVar("R", bound=MemoryRecord)


class TypeDescriptor(Generic[R]):
    """What is particular to one memory type.

    The rest of the program asks here instead of asking which type a memory has. The methods answer for the simplest
    type: a text and nothing else. A type overrides what is different.
    """

    alias: ClassVar[str]
    """The everyday word for the type."""
    colour: ClassVar[str]
    """In which colour tables write that word."""
    kinds: ClassVar[Mapping[str, str]] = {}
    """Words for some memories of the type, with the `kind` that they have; the first of a kind is what lists show."""
    since: ClassVar[int] = 1
    """The schema version that brought the type; see `own_field`."""
    deduplicated: ClassVar[bool] = False
    """Whether storing word for word what is known already is the same memory. An event that happens twice is two."""
    expires: ClassVar[bool] = False
    """Whether a memory that names no time to live gets the default one."""
    keeps_history: ClassVar[bool] = True
    """Whether all versions of a memory are kept, and not only the last one before the present."""

    def named(self, record: R) -> str:
        """Return the everyday word for one memory."""
        kind = getattr(record, "kind", None)
        return next((word for word, value in self.kinds.items() if value == kind), self.alias)

    def indexed_key(self, record: R) -> str | None:
        """Return the key, if a memory is found by the words of it."""
        return record.key

    def indexed_parts(self, record: R) -> Iterable[str | None]:
        """Return what a memory is found by in keyword retrieval, beside its key, its date and its tags."""
        return (record.content,)

    def dated(self, record: R) -> bool:
        """Return whether a memory is found by the words of its date."""
        return record.occurred_at is not None

    def embedded_text(self, record: R) -> str:
        """Return the text that is embedded for vector retrieval, as a sentence would say it."""
        return record.content

    def identity(self, record: R) -> Sequence[object]:
        """Return what has to agree, beside type, key and content, for two memories to say the same."""
        return ()

    def label(self, record: R) -> str:
        """Return what a memory is, in a few words, for the reader of a recall."""
        return self.alias
