"""The JSON shapes that are not a memory's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent_memory.clock import to_text
from agent_memory.records import ScoredMemory, Version, to_dict

if TYPE_CHECKING:
    from agent_memory import PackedItem, Recall


def scored_to_dict(scored: ScoredMemory) -> dict[str, Any]:
    """Return a memory's flat object with `score`, `similarity` and `relevance` beside it."""
    result = to_dict(scored.memory)
    result["score"] = round(scored.score, 4)
    result["similarity"] = None if scored.similarity is None else round(scored.similarity, 4)
    result["relevance"] = round(scored.relevance, 4)
    if scored.explanation is not None:
        result["explanation"] = dict(scored.explanation)
    return result


def recall_to_dict(recall: Recall) -> dict[str, Any]:
    """Return a packed text with an account of what is in it and what is not."""
    return {
        "text": recall.text,
        "tokens": recall.tokens,
        "budget": recall.budget,
        "format": recall.format,
        "nothing_relevant": recall.nothing_relevant,
        "items": [_packed(item) for item in recall.items],
        "dropped": [_packed(item) for item in recall.dropped],
        "left_out": [_packed(item) for item in recall.left_out],
        **({"messages": list(recall.messages)} if recall.messages else {}),
    }


def _packed(item: PackedItem) -> dict[str, Any]:
    return {
        "id": item.memory.id,
        "type": item.memory.memory_type.value,
        "form": item.form,
        "tokens": item.tokens,
        "score": None if item.scored is None else round(item.scored.score, 4),
        "relevance": None if item.scored is None else round(item.scored.relevance, 4),
        "reason": item.reason,
    }


def version_to_dict(version: Version) -> dict[str, Any]:
    """Return one entry of a memory's history."""
    return {
        "memory_id": version.memory_id,
        "revision": version.revision,
        "parent": version.parent,
        "operation_id": version.operation_id,
        "verb": version.verb,
        "operation": version.operation_verb,
        "actor": version.actor,
        "at": to_text(version.at),
        "before": None if version.before is None else to_dict(version.before),
        "after": None if version.after is None else to_dict(version.after),
    }


def changed_fields(version: Version) -> list[str]:
    """Name what one version changed of a memory: nothing for its first and its last."""
    if version.before is None or version.after is None:
        return []
    before, after = to_dict(version.before), to_dict(version.after)
    unsaid = {"updated_at", "accessed_at", "access_count", "agent_id"}
    return [name for name in after if name not in unsaid and before.get(name) != after[name]]
