"""The JSON shapes that are not a memory's own."""

from __future__ import annotations

from typing import Any

from agent_memory.clock import to_text
from agent_memory.records import ScoredMemory, Version, to_dict


def scored_to_dict(found: ScoredMemory) -> dict[str, Any]:
    """Return a memory's flat object with `score`, `similarity` and `relevance` beside it."""
    result = to_dict(found.memory)
    result["score"] = round(found.score, 4)
    result["similarity"] = None if found.similarity is None else round(found.similarity, 4)
    result["relevance"] = round(found.relevance, 4)
    if found.explanation is not None:
        result["explanation"] = dict(found.explanation)
    return result


def version_to_dict(version: Version) -> dict[str, Any]:
    """Return one entry of a memory's history."""
    return {
        "memory_id": version.memory_id,
        "revision": version.revision,
        "parent": version.parent,
        "operation_id": version.operation_id,
        "verb": version.verb,
        "at": to_text(version.at),
        "before": None if version.before is None else to_dict(version.before),
        "after": None if version.after is None else to_dict(version.after),
    }
