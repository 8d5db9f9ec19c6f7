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
    from agent_memory.config import MemoryConfig
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
        ModelMissingError,
        PolicyError,
        StoreBusyError,
        ValidationError,
    )
    from agent_memory.memories.procedural import Skill
    from agent_memory.recall.found import Found
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
    from agent_memory.sync import SyncAgentMemory

_HOMES = {
    "agent_memory.agent": ("AgentMemory",),
    "agent_memory.sync": ("SyncAgentMemory",),
    "agent_memory.config": ("MemoryConfig",),
    "agent_memory.recall.found": ("Found",),
    "agent_memory.recall.recall": ("Recall",),
    "agent_memory.memories.procedural": ("Skill",),
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
        "ModelMissingError",
        "PolicyError",
        "StoreBusyError",
        "ValidationError",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AgentMemory",
    "AgentMemoryError",
    "AmbiguousIdError",
    "BackendError",
    "CapabilityError",
    "ClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConversationRecord",
    "EmbeddingError",
    "EmbeddingMismatchError",
    "EpisodicRecord",
    "Found",
    "IntegrityError",
    "LongTermRecord",
    "MemoryConfig",
    "MemoryNotFoundError",
    "MemoryRecord",
    "MemoryType",
    "MissingDependencyError",
    "ModelMissingError",
    "OperationRecord",
    "PolicyError",
    "ProceduralRecord",
    "Recall",
    "ScoredMemory",
    "SemanticRecord",
    "ShortTermRecord",
    "Skill",
    "Status",
    "StoreBusyError",
    "SyncAgentMemory",
    "ValidationError",
    "Version",
    "__version__",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
