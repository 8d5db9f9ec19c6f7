"""The local-first memory database for AI agents: one SQLite file, six kinds of memory, no server.

    from agent_memory import SyncAgentMemory

    with SyncAgentMemory("my-agent") as memory:
        memory.long_term.store_fact("The user prefers dark mode")
        memory.search("Which theme should the interface have?")

Importing this loads next to nothing; each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agent_memory.version import __version__

if TYPE_CHECKING:
    from agent_memory.agent import AgentMemory
    from agent_memory.clock import Moment
    from agent_memory.config import MemoryConfig
    from agent_memory.embeddings.adapted import TextEmbedder
    from agent_memory.embeddings.base import Embedder, EmbeddingIdentity
    from agent_memory.errors import (
        AgentMemoryError,
        AmbiguousIdError,
        BackendError,
        CapabilityError,
        ClosedError,
        ConfigurationError,
        ConflictError,
        EmbeddingError,
        EmbeddingMismatchError,
        IntegrityError,
        MemoryNotFoundError,
        MissingDependencyError,
        MissingExtensionError,
        ModelMissingError,
        PolicyError,
        StoreBusyError,
        StoreFullError,
        StoreReadOnlyError,
        StoreUnreachableError,
        ValidationError,
    )
    from agent_memory.memories.batch import Batch
    from agent_memory.memories.changes import Changes
    from agent_memory.memories.conversation import ConversationMemory
    from agent_memory.memories.episodic import EpisodicMemory
    from agent_memory.memories.filters import Filters
    from agent_memory.memories.long_term import LongTermMemory
    from agent_memory.memories.procedural import ProceduralMemory, Skill
    from agent_memory.memories.semantic import SemanticMemory
    from agent_memory.memories.short_term import ShortTermMemory
    from agent_memory.recall.found import Found
    from agent_memory.recall.packing import PackedItem
    from agent_memory.recall.recall import Recall
    from agent_memory.records import (
        ConversationRecord,
        EpisodicRecord,
        LongTermRecord,
        MemoryRecord,
        MemoryType,
        OperationRecord,
        ProceduralRecord,
        ScoredMemory,
        SemanticRecord,
        ShortTermRecord,
        Status,
        Version,
    )
    from agent_memory.storage.base import Durability, Store
    from agent_memory.storage.changes import Written
    from agent_memory.sync import SyncAgentMemory

_HOMES = {
    "agent_memory.agent": ("AgentMemory",),
    "agent_memory.clock": ("Moment",),
    "agent_memory.config": ("MemoryConfig",),
    "agent_memory.embeddings.adapted": ("TextEmbedder",),
    "agent_memory.embeddings.base": (
        "Embedder",
        "EmbeddingIdentity",
    ),
    "agent_memory.errors": (
        "AgentMemoryError",
        "AmbiguousIdError",
        "BackendError",
        "CapabilityError",
        "ClosedError",
        "ConfigurationError",
        "ConflictError",
        "EmbeddingError",
        "EmbeddingMismatchError",
        "IntegrityError",
        "MemoryNotFoundError",
        "MissingDependencyError",
        "MissingExtensionError",
        "ModelMissingError",
        "PolicyError",
        "StoreBusyError",
        "StoreFullError",
        "StoreReadOnlyError",
        "StoreUnreachableError",
        "ValidationError",
    ),
    "agent_memory.memories.batch": ("Batch",),
    "agent_memory.memories.changes": ("Changes",),
    "agent_memory.memories.conversation": ("ConversationMemory",),
    "agent_memory.memories.episodic": ("EpisodicMemory",),
    "agent_memory.memories.filters": ("Filters",),
    "agent_memory.memories.long_term": ("LongTermMemory",),
    "agent_memory.memories.procedural": (
        "ProceduralMemory",
        "Skill",
    ),
    "agent_memory.memories.semantic": ("SemanticMemory",),
    "agent_memory.memories.short_term": ("ShortTermMemory",),
    "agent_memory.recall.found": ("Found",),
    "agent_memory.recall.packing": ("PackedItem",),
    "agent_memory.recall.recall": ("Recall",),
    "agent_memory.records": (
        "ConversationRecord",
        "EpisodicRecord",
        "LongTermRecord",
        "MemoryRecord",
        "MemoryType",
        "OperationRecord",
        "ProceduralRecord",
        "ScoredMemory",
        "SemanticRecord",
        "ShortTermRecord",
        "Status",
        "Version",
    ),
    "agent_memory.storage.base": (
        "Durability",
        "Store",
    ),
    "agent_memory.storage.changes": ("Written",),
    "agent_memory.sync": ("SyncAgentMemory",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AgentMemory",
    "AgentMemoryError",
    "AmbiguousIdError",
    "BackendError",
    "Batch",
    "CapabilityError",
    "Changes",
    "ClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConversationMemory",
    "ConversationRecord",
    "Durability",
    "Embedder",
    "EmbeddingError",
    "EmbeddingIdentity",
    "EmbeddingMismatchError",
    "EpisodicMemory",
    "EpisodicRecord",
    "Filters",
    "Found",
    "IntegrityError",
    "LongTermMemory",
    "LongTermRecord",
    "MemoryConfig",
    "MemoryNotFoundError",
    "MemoryRecord",
    "MemoryType",
    "MissingDependencyError",
    "MissingExtensionError",
    "ModelMissingError",
    "Moment",
    "OperationRecord",
    "PackedItem",
    "PolicyError",
    "ProceduralMemory",
    "ProceduralRecord",
    "Recall",
    "ScoredMemory",
    "SemanticMemory",
    "SemanticRecord",
    "ShortTermMemory",
    "ShortTermRecord",
    "Skill",
    "Status",
    "Store",
    "StoreBusyError",
    "StoreFullError",
    "StoreReadOnlyError",
    "StoreUnreachableError",
    "SyncAgentMemory",
    "TextEmbedder",
    "ValidationError",
    "Version",
    "Written",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
