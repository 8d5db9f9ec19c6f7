"""What belongs together in a recall: the messages of one day of a conversation, the chunks of one document.

Each of them by itself needs who, what and when in front of it, 14 tokens where a turn of a chat has 30. Gathered
under one heading it needs who, or nothing; and a reader gets answer behind question, in the order they were given.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from agent_memory import clock
from agent_memory.recall.frames import as_name
from agent_memory.records import ConversationRecord, MemoryRecord, SemanticRecord


class Passage(NamedTuple):
    """A place in a conversation or in a document."""

    of: str
    position: int


class Source(NamedTuple):
    """What several memories of a recall may come from."""

    key: Hashable
    heading: str
    """What is said once for all of them."""
    member: str
    """What is left to say of this one; empty for nothing."""
    passage: Passage
    """Where in it this one stands."""

    @property
    def beside(self) -> tuple[Passage, Passage]:
        """What stands right before it and right behind it."""
        of, position = self.passage
        return Passage(of, position - 1), Passage(of, position + 1)


def source(record: MemoryRecord) -> Source | None:
    """Return what a memory comes from, None for one that stands for itself."""
    match record:  # the day is written only where it is needed: most memories stand for themselves
        case ConversationRecord(kind="message", position=int(position)):
            day = clock.shown_day(record.happened_at)
            passage = Passage(f"conversation {record.conversation_id}", position)
            return Source((passage.of, day), day, record.name or record.role, passage)
        case SemanticRecord(document_id=str(document), position=int(position)):
            day = clock.shown_day(record.happened_at)
            passage = Passage(f"document {document}", position)
            heading = f"from {as_name(record.title or 'a document')}, {day}"
            return Source((passage.of, day), heading, "", passage)
        case _:
            return None
