"""The memory types of one agent, each imported when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from agent_memory.memories.base import TypeMemory
from agent_memory.memories.calling import Called, checked
from agent_memory.records import MemoryRecord, MemoryType

if TYPE_CHECKING:
    from agent_memory.memories.conversation import ConversationMemory
    from agent_memory.memories.episodic import EpisodicMemory
    from agent_memory.memories.long_term import LongTermMemory
    from agent_memory.memories.procedural import ProceduralMemory
    from agent_memory.memories.semantic import SemanticMemory
    from agent_memory.memories.short_term import ShortTermMemory


class MemoryTypes(Called):
    """The memories of one agent by type."""

    @property
    def agent_id(self) -> str:
        """Whose memory this is."""
        return self._core.store.agent_id

    @cached_property
    def short_term(self) -> ShortTermMemory:
        """The context of the task at hand."""
        from agent_memory.memories.short_term import ShortTermMemory

        return ShortTermMemory(self._core)

    @cached_property
    def long_term(self) -> LongTermMemory:
        """Facts and preferences."""
        from agent_memory.memories.long_term import LongTermMemory

        return LongTermMemory(self._core)

    @cached_property
    def conversation(self) -> ConversationMemory:
        """Who said what."""
        from agent_memory.memories.conversation import ConversationMemory

        return ConversationMemory(self._core)

    @cached_property
    def episodic(self) -> EpisodicMemory:
        """What happened."""
        from agent_memory.memories.episodic import EpisodicMemory

        return EpisodicMemory(self._core)

    @cached_property
    def semantic(self) -> SemanticMemory:
        """Knowledge and documents."""
        from agent_memory.memories.semantic import SemanticMemory

        return SemanticMemory(self._core)

    @cached_property
    def procedural(self) -> ProceduralMemory:
        """Skills and workflows."""
        from agent_memory.memories.procedural import ProceduralMemory

        return ProceduralMemory(self._core)

    @checked
    def of(self, memory_type: str | MemoryType) -> TypeMemory[MemoryRecord]:
        """Return the memory of one type by its name or alias: note, fact, chat, event, doc, skill.

        Raises:
            ConfigurationError: there is no such type.
        """
        memories: TypeMemory[MemoryRecord] = getattr(self, MemoryType.parse(memory_type).value)
        return memories
