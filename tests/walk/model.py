"""What the store should hold: memories by id, and what each operation changed. Plain dictionaries, no store."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent_memory.records import MemoryRecord, Status, Version

from .values import takes_away
from .verbs import Verb
from .worker import Look


@dataclass(frozen=True)
class Step:
    """One call, with the arguments as they were sent."""

    verb: Verb
    arguments: Mapping[str, Any]
    moment: datetime
    target: str | None = None
    """The id of the one memory that it names by its id or the beginning of it."""

    def takes_away(self, name: str) -> bool:
        """Return whether None for this argument takes something away, since it is not the default."""
        parameter = self.verb.parameters.get(name)
        return parameter is not None and takes_away(parameter)


@dataclass(frozen=True)
class Change:
    """What a step did to one memory; None where it is not there."""

    before: MemoryRecord | None
    after: MemoryRecord | None

    @property
    def put_away(self) -> bool:
        """Whether the memory was taken out, or was active and is not any more."""
        if self.before is None:
            return False
        return self.after is None or (
            self.before.status is Status.ACTIVE and self.after.status is not Status.ACTIVE
        )


@dataclass
class Model:
    """What is known so far."""

    there: dict[str, MemoryRecord] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    """Every id that ever was, in the order in which they came up."""
    purged: set[str] = field(default_factory=set)
    """Taken out, with the last version in history."""
    shredded: bool = False
    """Whether anything was ever erased for good."""
    operations: dict[str, list[Version]] = field(default_factory=dict)
    """By operation, what it changed, in order."""
    verbs: dict[str, str] = field(default_factory=dict)
    """By operation, what it was."""

    def changes(self, look: Look) -> dict[str, Change]:
        """Compare what was with what is."""
        ids = [*self.there, *(item for item in look.there if item not in self.there)]
        pairs = {memory_id: Change(self.there.get(memory_id), look.there.get(memory_id)) for memory_id in ids}
        return {item: pair for item, pair in pairs.items() if pair.before != pair.after}

    def take(self, look: Look, first: Sequence[str]) -> None:
        """Take over what is; `first` are ids that the step's answer named, in its order."""
        for item in (*first, *(record.id for record in look.listed), *sorted(look.there)):
            if item in look.there and item not in self.seen:
                self.seen.append(item)
        self.there = look.there
        for operation in look.log:
            self.verbs[operation.id] = operation.verb
        for operation_id, versions in look.versions.items():
            self.operations[operation_id] = versions
            for version in versions:
                if version.verb == "shred":
                    self.shredded = True
                    self.purged.discard(version.memory_id)
                elif version.after is None:
                    self.purged.add(version.memory_id)
        self.purged -= look.there.keys()


def holds(record: MemoryRecord, word: str) -> bool:
    """Return whether a text holds a word, as a person would."""
    text = unicodedata.normalize("NFC", record.content).casefold()
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def live(records: Mapping[str, MemoryRecord], moment: datetime) -> dict[str, MemoryRecord]:
    """Return what may be seen at a moment: active and not expired."""
    return {
        record.id: record
        for record in records.values()
        if record.status is Status.ACTIVE and not record.expired(moment)
    }


def ids_in(answer: Any) -> list[str]:
    """List the ids that an answer names, in its order."""
    if isinstance(answer, str):
        return [answer]
    if isinstance(answer, list | tuple):
        return [item for part in answer for item in ids_in(part)]
    if isinstance(getattr(answer, "id", None), str):  # a record, or what came of a write
        return [answer.id]
    return []
