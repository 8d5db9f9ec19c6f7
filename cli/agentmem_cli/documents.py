"""Ids of documents, wherever ids of memories are taken: what is printed is accepted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from agent_memory.errors import MemoryNotFoundError

if TYPE_CHECKING:
    from agent_memory.sync import SyncAgentMemory


def chunks_for(memory: SyncAgentMemory, references: Iterable[str]) -> list[str]:
    """Return references with each id of a document replaced by the ids of its chunks.

    A document's id is what `doc list -o id` prints. Whatever is a memory's own id or key stays as it is, and so
    does what is neither.
    """
    result: list[str] = []
    for reference in references:
        result += _chunks(memory, reference) or [reference]
    return list(dict.fromkeys(result))


def _chunks(memory: SyncAgentMemory, reference: str) -> list[str]:
    try:
        if memory.get(reference, count_access=False) is not None:
            return []
    except MemoryNotFoundError:
        pass
    return [each.id for each in memory.semantic.get_by_document_id(reference)]
