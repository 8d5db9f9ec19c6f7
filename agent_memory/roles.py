"""Who a message is from: the four roles of a conversation, and the names that other tools give them.

A role is stored as it was given. Whatever depends on it (the window, turns, ranking, chat messages) asks here, so
that a history taken over from elsewhere works like one made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

Role = Literal["user", "assistant", "tool", "system"]

_NAMES: Final[Mapping[Role, str]] = {
    "user": "user human customer",
    "assistant": "assistant ai model bot chatbot gpt llm agent function_call",
    "tool": "tool function ipython observation tool_result function_response",
    "system": "system developer",
}
_OF_CLASSES: Final[Mapping[Role, str]] = {
    "user": "HumanMessage",
    "assistant": "AIMessage AIMessageChunk ChatBot",
    "tool": "ToolMessage FunctionMessage",
    "system": "SystemMessage",
}


def _spellings(role: Role) -> Iterator[str]:
    for name in _NAMES[role].split():
        yield from (name, name.capitalize(), name.upper())
    yield from _OF_CLASSES[role].split()


SPELLINGS: Final[Mapping[Role, tuple[str, ...]]] = {role: tuple(_spellings(role)) for role in _NAMES}
"""By role, every spelling that means it: a store can be asked for these, and for nothing that is worked out."""

_ROLES: Final[Mapping[str, Role]] = {
    spelling: role for role, spellings in SPELLINGS.items() for spelling in spellings
}


def role_of(name: str) -> Role | None:
    """Return the role that a name means, such as `user` for `Human`; None for a name of somebody's own."""
    return _ROLES.get(name)
