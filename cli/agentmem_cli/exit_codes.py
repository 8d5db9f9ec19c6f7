"""What a command's exit code says, and which error has which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent_memory.errors import (
    AgentMemoryError,
    CapabilityError,
    ConfigurationError,
    ConflictError,
    EmbeddingMismatchError,
    IntegrityError,
    MemoryNotFoundError,
    MissingDependencyError,
    ModelMissingError,
    PolicyError,
    StoreBusyError,
    StoreUnreachableError,
    ValidationError,
)

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
NOT_FOUND: Final = 3
BUSY: Final = 4
INTEGRITY: Final = 5
REFUSED: Final = 6
MISSING: Final = 7
HUNG_UP: Final = 129
INTERRUPTED: Final = 130
TERMINATED: Final = 143

MEANINGS: Mapping[int, str] = {
    DONE: "done",
    FAILED: "failed",
    USAGE: "usage: what was typed cannot be meant",
    NOT_FOUND: "not found (an empty search only with --fail-empty)",
    BUSY: "store busy after retries, or its server does not answer",
    INTEGRITY: "integrity, schema or embedding-model mismatch",
    REFUSED: "refused by policy",
    MISSING: "an optional dependency or a model is missing",
    HUNG_UP: "ended by SIGHUP: its terminal has gone",
    INTERRUPTED: "ended by SIGINT: interrupted with Ctrl-C",
    TERMINATED: "ended by SIGTERM",
}

_OF: tuple[tuple[type[AgentMemoryError], int], ...] = (
    (ValidationError, USAGE),
    (ConfigurationError, USAGE),
    (CapabilityError, USAGE),
    (MemoryNotFoundError, NOT_FOUND),
    (StoreBusyError, BUSY),
    (StoreUnreachableError, BUSY),
    (ConflictError, BUSY),
    (IntegrityError, INTEGRITY),
    (EmbeddingMismatchError, INTEGRITY),
    (PolicyError, REFUSED),
    (MissingDependencyError, MISSING),
    (ModelMissingError, MISSING),
)


def of(error: Exception) -> int:
    """Return the exit code of an error."""
    return next((code for kind, code in _OF if isinstance(error, kind)), FAILED)
