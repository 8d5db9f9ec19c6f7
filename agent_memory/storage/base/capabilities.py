"""The description of what a backend can do."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do by itself.

    `full_text`, `vectors` and `journal` describe the class: they are true where it is a `KeywordStore`, a
    `VectorStore` or a `JournalStore`.
    """

    persistent: bool = False
    """Memories outlive the process."""
    shared: bool = False
    """Several processes may use one store at once."""
    full_text: bool = False
    vectors: bool = False
    transactions: bool = False
    journal: bool = False
    """History, undo and the log of operations."""
    usage: bool = False
    """Counts accesses."""
    ttl: bool = False
    """The server itself drops short-term memories some time after they expire; they are hidden at once everywhere."""
    filters: bool = False
    """Every filter is applied by the backend itself; else what it cannot filter is left out after fetching."""
    ordering: bool = False
    """Lists are ordered by the backend itself; else they are fetched and ordered in memory."""
    counts: bool = False
    """Counts without fetching what it counts; the number is exact everywhere."""
    largest: int | None = None
    """Bytes that a memory may take as JSON; None: as many as it has."""

    def named(self) -> dict[str, bool]:
        """Return every ability by name, for tables."""
        return {
            field_.name: getattr(self, field_.name) for field_ in fields(self) if field_.name != "largest"
        }
