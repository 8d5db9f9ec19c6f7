"""What of a conversation is in view: its newest messages, what belongs to them, and the turns that they make.

A window of N shows the newest N messages. On top of these come the system messages, whenever they were written, since
they say how all others are to be taken; and the call that the first results of a tool answer, without which no model
accepts them. Everything is asked of the store by filter, order and limit: a window costs the same however long the
conversation has become.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, cast

from agent_memory.memories.given import DefaultLimit
from agent_memory.records import ConversationRecord
from agent_memory.roles import SPELLINGS, Role, role_of
from agent_memory.storage.base import Order, Store
from agent_memory.storage.where import Condition, Where

Turn = tuple[ConversationRecord | None, ConversationRecord | None]

_OLDEST_FIRST: Final = Order("position", descending=False)
_NEWEST_FIRST: Final = Order("position")
_OTHERS: Final = tuple(Condition("role", "!=", spelling) for spelling in SPELLINGS["system"])


class View(NamedTuple):
    """Messages of a conversation, oldest first."""

    messages: list[ConversationRecord]
    begins: int | None
    """The position from which on every message is there; None where that is none or all of them."""


def in_view(limit: int | None, window: int) -> int | None:
    """Return how many messages to show: `limit` if somebody named it, else no more than the window (0: no window)."""
    return min(limit, window) if isinstance(limit, DefaultLimit) and window else limit


async def view(
    store: Store, conversation: Where, count: int | None, *, system: bool = True, offset: int = 0
) -> View:
    """Read the newest messages of a conversation, `count` of them without what belongs to them; None reads all.

    Args:
        conversation: admits the messages of one conversation and nothing else.
        system: whether system messages are shown at all.
        offset: how many of the newest to leave out.
        count: how many messages at most.
        store: the store to read from.

    Returns:
        The messages, oldest first, and where the window begins.

    Raises:
        ValidationError: `count` is negative.
    """
    others = _where(conversation, *_OTHERS)
    if count is None and not offset:
        return View(await _read(store, conversation if system else others, _OLDEST_FIRST), None)
    newest = (await _read(store, others, _NEWEST_FIRST, count, offset))[::-1]
    if count == 0:
        return View([], None)
    shown = [*newest, *await _calls(store, conversation, newest)]
    if system:
        shown += await _read(store, _where(conversation, _is("system")), _OLDEST_FIRST)
    return View(sorted(shown, key=_position), _position(newest[0]) if newest else None)


async def before(store: Store, conversation: Where, begins: int) -> list[ConversationRecord]:
    """Read what was said before a position, oldest first and without system messages."""
    return await _read(
        store, _where(conversation, *_OTHERS, Condition("position", "<", begins)), _OLDEST_FIRST
    )


async def _calls(
    store: Store, conversation: Where, newest: Sequence[ConversationRecord]
) -> list[ConversationRecord]:
    """Read the call of the tool results that come before any answer: the nearest earlier message of an assistant."""
    for message in newest:
        if role_of(message.role) == "assistant":
            break
        if role_of(message.role) == "tool":
            earlier = Condition("position", "<", _position(newest[0]))
            return await _read(store, _where(conversation, _is("assistant"), earlier), _NEWEST_FIRST, 1)
    return []


async def _read(
    store: Store, where: Where, order: Order, limit: int | None = None, offset: int = 0
) -> list[ConversationRecord]:
    return cast("list[ConversationRecord]", await store.select(where, order, limit, offset))


def _where(conversation: Where, *more: Condition) -> Where:
    return replace(conversation, fields=(*conversation.fields, *more))


def _is(role: Role) -> Condition:
    return Condition("role", "in", SPELLINGS[role])


def _position(message: ConversationRecord) -> int:
    return -1 if message.position is None else message.position


# --- turns -------------------------------------------------------------------------------------------------------


def turns(messages: Iterable[ConversationRecord]) -> list[Turn]:
    """Pair what the user said with the last answer to it; either is None where it is missing.

    Between the two an assistant may have called tools: its last message before the user speaks again is the answer.

    Returns:
        The pairs, oldest first.
    """
    result: list[Turn] = []
    for message in messages:
        match role_of(message.role):
            case "user":
                result.append((message, None))
            case "assistant" if result:
                result[-1] = (result[-1][0], message)
            case "assistant":
                result.append((None, message))
    return result


async def last_turns(store: Store, conversation: Where, n: int, window: int) -> list[Turn]:
    """Read the last `n` turns of a conversation, of those in the window; a window of 0 is the whole conversation."""
    count = window or 4 * n
    while True:
        messages, _ = await view(store, conversation, count, system=False)
        pairs = turns(messages)
        # The first of them may have begun before.
        if window or len(pairs) > n or len(messages) < count:
            return pairs[-n:]
        count *= 4
