"""The blocking face of `SemanticMemory`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent_memory.memories.semantic import SemanticMemory
from agent_memory.records import ScoredMemory, SemanticRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking


class SyncSemanticMemory(SyncTypeMemory[SemanticRecord]):
    """The same as `SemanticMemory`, blocking."""

    if TYPE_CHECKING:  # another signature than in the base class, as in the async class

        def search(  # type: ignore[override]
            self, /, query: str, limit: int = 10, min_score: float = 0.0
        ) -> list[ScoredMemory[SemanticRecord]]: ...
    else:
        search = blocking(SemanticMemory.search)

    search_with_filters = blocking(SemanticMemory.search_with_filters)
    find_related = blocking(SemanticMemory.find_related)
    add_with_embedding = blocking(SemanticMemory.add_with_embedding)
    add_document = blocking(SemanticMemory.add_document)
    add_paths = blocking(SemanticMemory.add_paths)
    chunks_of = blocking(SemanticMemory.chunks_of)
    add_chunks = blocking(SemanticMemory.add_chunks)
    get_by_document_id = blocking(SemanticMemory.get_by_document_id)
    get_document = blocking(SemanticMemory.get_document)
    get_documents = blocking(SemanticMemory.get_documents)
    update_embedding = blocking(SemanticMemory.update_embedding)
    reindex_all = blocking(SemanticMemory.reindex_all)
