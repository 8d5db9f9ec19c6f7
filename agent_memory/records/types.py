"""The names of the memory types.

A type's name is what files, tables, JSON and arguments call it. Everything else about a type stands in its own
module beside this one, and `registry.py` lists them.
"""

from __future__ import annotations

from enum import StrEnum

from agent_memory.errors import ConfigurationError
from agent_memory.hints import Hint


class MemoryType(StrEnum):
    """The kinds of memory."""

    SHORT_TERM = "short_term"
    LONG_TERM = "long_term"
    CONVERSATION = "conversation"
    EPISODIC = "episodic"
    SEMANTIC = "semantic"
    PROCEDURAL = "procedural"

    @property
    def described(self) -> str:
        """What to call one memory of this type in a sentence: `an episodic memory`."""
        name = self.value.replace("_", "-")
        return f"{'an' if name[0] in 'aeiou' else 'a'} {name} memory"

    @classmethod
    def parse(cls, name: str) -> MemoryType:
        """Read a type's name or its everyday alias: note, fact, chat, event, doc, skill.

        Args:
            name: the name or the alias, in any case, in the singular or the plural.

        Returns:
            The type.

        Raises:
            ConfigurationError: it is none of them.
        """  # noqa: DOC501
        from agent_memory.records.registry import KIND_ALIASES, TYPE_ALIASES  # it imports this module

        if not isinstance(name, str):
            raise ConfigurationError.unknown("memory type", name, [*TYPE_ALIASES])
        word = name.strip().lower().replace("-", "_")
        try:
            return TYPE_ALIASES.get(word) or TYPE_ALIASES.get(word.removesuffix("s")) or cls(word)
        except ValueError:
            from difflib import get_close_matches

            known = [f"{member.value.replace('_', '-')} ({alias})" for alias, member in TYPE_ALIASES.items()]
            near = get_close_matches(word, [*TYPE_ALIASES, *cls], 1, 0.6)
            meant = f"did you mean {near[0]}? " if near else ""
            if word in KIND_ALIASES:
                act = {"preference": "SET_PREFERENCE", "working": "SET_WORKING"}[KIND_ALIASES[word][1]]
                raise ConfigurationError(
                    f"{name!r} is no memory type, but a kind of {KIND_ALIASES[word][0].described.partition(' ')[2]}",
                    hint=Hint(f"{{{act}}} stores one"),
                ) from None
            raise ConfigurationError(
                f"unknown memory type {name!r}", hint=f"{meant}use one of {', '.join(known)}"
            ) from None
