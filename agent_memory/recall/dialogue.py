"""What a conversation adds to the rank of its messages, and who said them.

"Adoption agencies" says little by itself; after "What are you researching?" it is the answer to a question about
research. So what a person answers is worth part of what the question is, and a message part of what the best of its
conversation is. Both reorder only.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent_memory.recall import constants
from agent_memory.recall.scoring import Parts
from agent_memory.records import ConversationRecord, MemoryRecord
from agent_memory.roles import role_of

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


def answers(record: MemoryRecord) -> bool:
    """Return whether a memory is a message that may be the answer to the one before it: a person said it."""
    return is_message(record) and from_person(record)


def propagate_context(
    parts: Mapping[str, Parts],
    records: Mapping[str, MemoryRecord],
    before: Mapping[str, str],
) -> None:
    """Add to each message's parts what its question and its conversation are worth, less what its speaker costs.

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
