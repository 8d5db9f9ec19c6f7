"""What moves between stores: a head, and memories with all that belongs to them, wherever they are read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent_memory.memories.conversation import DEFAULT_CONVERSATION
from agent_memory.records import MemoryRecord, MemoryType, Version
from agent_memory.storage.base import EmbeddingSpace

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

FORMAT = 1
"""Version of the stream; a reader refuses those that it does not know."""
SETTINGS = (DEFAULT_CONVERSATION,)
"""The settings of a store that move with the memories; all others are derived from them."""
BATCH = 500
"""Memories read or written at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Which parts of a memory are in a stream, besides what it is at present."""

    history: bool = False
    usage: bool = False
    vectors: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is said of a whole stream."""

    agent_id: str
    parts: Parts = field(default_factory=Parts)
    space: EmbeddingSpace | None = None
    """The embedding space of the vectors: the one that searches of the store used."""
    settings: dict[str, str] = field(default_factory=dict)


class Entry(NamedTuple):
    """A memory of a stream as far as it has to be known before it is read."""

    id: str
    revision: str
    """Of one that is gone: the change that took it out."""
    position: int
    """Its number in the order of storing, from 1; 0 for what is gone."""
    key: tuple[MemoryType, str] | None
    """The type and key of an active memory that has one."""
    tombstoned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A memory and what belongs to it, or the note that one is gone."""

    id: str
    revision: str
    position: int = 0
    record: MemoryRecord | None = None
    """None: it is gone."""
    end: Version | None = None
    """Of one that is gone: the change that took it out."""
    vectors: Sequence[Vector] = ()
    """Of its pieces, float32."""
    history: Sequence[Version] = ()


class Stream(Protocol):
    """A source of memories."""

    @property
    def head(self) -> Head:
        """What is said of the whole."""

    @property
    def entries(self) -> Sequence[Entry]:
        """All there is: memories in the order of storing, then what is gone."""

    async def read(self, entries: Sequence[Entry]) -> list[Item]:
        """Read some of it, in the order given."""
