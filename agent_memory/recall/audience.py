"""Whom a message was told to: the agent, or another person.

"Call me Bob" is an instruction where an assistant hears it, and small talk where Bob says it to Ana. A conversation
among people is one whose messages have the names of two people at least and no assistant's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from agent_memory.recall import constants
from agent_memory.records import ConversationRecord, MemoryType
from agent_memory.roles import SPELLINGS, role_of
from agent_memory.storage.base import Order, Store
from agent_memory.storage.retrieval import Selection
from agent_memory.storage.where import Condition, Where

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_PROGRAMS: Final = frozenset(["chatgpt", "claude", "codex", "copilot", "gemini"])
"""Names of assistants that say nothing of their role; looked at where the role is an assistant's."""


async def told_among_people(store: Store, messages: Iterable[ConversationRecord]) -> set[str]:
    """Return the ids of those messages that one person told another, by one call of the store at most.

    Of each conversation, the messages around the latest that names its speaker are looked at: whether anybody else
    with a name speaks there, and whether an assistant does. A message without a name is told to the agent.

    Args:
        store: where the messages are.
        messages: the messages in question.
    """
    named = [message for message in messages if message.name is not None and message.position is not None]
    if not named:
        return set()
    latest = {
        message.conversation_id: message
        for message in sorted(named, key=lambda message: message.position or 0)
    }
    selections = [
        Selection(_around(message, condition), Order("position"), 1)
        for message in latest.values()
        for condition in (
            Condition("role", "in", SPELLINGS["assistant"]),
            Condition("name", "!=", message.name),
        )
    ]
    answers = await store.select_each(selections)
    among_people = {
        conversation
        for conversation, assistants, others in zip(latest, answers[::2], answers[1::2], strict=True)
        if others and not any(is_assistant(record, store.agent_id) for record in assistants)
    }
    return {message.id for message in named if message.conversation_id in among_people}


def is_assistant(record: object, agent_id: str) -> bool:
    """Return whether a message is an assistant's: its role says so, and its name, if it has one, is no person's.

    Histories of two people often give one of them the role of the assistant.
    """
    if not isinstance(record, ConversationRecord) or role_of(record.role) != "assistant":
        return False
    name = record.name
    if name is None or name.casefold() == agent_id.casefold():
        return True
    words = [word.lower() for word in _WORD.findall(name)]
    return any(word in _PROGRAMS or role_of(word) is not None for word in words)


def _around(message: ConversationRecord, condition: Condition) -> Where:
    position = message.position
    assert position is not None
    return Where(
        types=(MemoryType.CONVERSATION,),
        statuses=(),
        expired=None,
        fields=(
            Condition("conversation_id", "=", message.conversation_id),
            Condition("position", ">=", position - constants.HEARD_BY),
            Condition("position", "<=", position + constants.HEARD_BY),
            condition,
        ),
    )
