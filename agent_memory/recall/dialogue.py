"""What a conversation lends to its messages, and who said them.

"Adoption agencies" says little by itself; after "What are you researching?" it is the answer to a question about
research. So what a person answers is worth part of what the question is, and a message part of what the best of its
conversation is. Both reorder only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from agent_memory.recall import constants
from agent_memory.recall.scoring import Parts
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.roles import role_of
from agent_memory.storage.base import Store

_QUESTION_MARKS = ("?", "？", "؟")


def asks(record: MemoryRecord) -> bool:
    """Return whether a memory is a message that ends with a question."""
    return is_message(record) and record.content.rstrip().endswith(_QUESTION_MARKS)


def is_message(record: MemoryRecord) -> bool:
    """Return whether a memory is a message of a conversation, no summary."""
    return isinstance(record, ConversationRecord) and record.kind == "message"


def from_person(record: MemoryRecord) -> bool:
    """Return whether a person said it: the user, or anybody with a name.

    What an assistant without a name says is long and speaks of everything that was asked: likely words, seldom the
    fact itself.
    """
    return isinstance(record, ConversationRecord) and (
        record.name is not None or role_of(record.role) == "user"
    )


class Dialogue:
    """Looks up the messages beside messages."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answers(self, records: Iterable[MemoryRecord]) -> list[str]:
        """Return the ids of what was said right after those of these memories that ask something."""
        asking = [record.id for record in records if asks(record)]
        return list((await self._store.adjacent(asking, 1)).values()) if asking else []

    async def questions(self, records: Iterable[MemoryRecord]) -> dict[str, str]:
        """Return, for each of these memories that a person said, the id of the message before it."""
        said = [record.id for record in records if is_message(record) and from_person(record)]
        return await self._store.adjacent(said, -1) if said else {}


def propagate_context(
    parts: Mapping[str, Parts],
    records: Mapping[str, MemoryRecord],
    before: Mapping[str, str],
) -> None:
    """Add to each message's parts what its question and its conversation lend it, and what its speaker takes.

    `before` names, by id, the message before each; its parts and its record are among those given.
    """
    best: dict[str, float] = {}
    for memory_id, part in parts.items():
        record = records[memory_id]
        if not is_message(record):
            continue
        assert isinstance(record, ConversationRecord)
        question = before.get(memory_id)
        if question is not None and question in parts and asks(records[question]):
            asked_by_person = from_person(records[question])
            weight = constants.REPLY_WEIGHT if asked_by_person else constants.REPLY_TO_ASSISTANT
            part.reply = weight * max(0.0, parts[question].evidence)
        if not from_person(record):
            part.speaker = -constants.ASSISTANT_COST
        here = record.conversation_id
        best[here] = max(best.get(here, 0.0), part.evidence + part.reply + part.speaker)
    for memory_id, part in parts.items():
        record = records[memory_id]
        if isinstance(record, ConversationRecord) and is_message(record):
            part.session = constants.SESSION_WEIGHT * best[record.conversation_id]
