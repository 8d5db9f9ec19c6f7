"""What a store of documents has to be able to do; everything else is made of it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from agent_memory.storage.base import Store
from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.write_batch import WriteBatch

READ_AT_ONCE: Final = 500
"""Documents that are asked for together."""


class DocumentHooks(Store):
    """The hooks of a store of documents; `_close` is one of every store."""

    @abstractmethod
    async def _connect(self) -> None:
        """Connect; create what is not there yet."""

    @abstractmethod
    async def _load_meta(self, name: str) -> str | None:
        """Return a text that is kept under a name for this agent."""

    @abstractmethod
    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        """Return documents by id; absent ids are left out, and those that `_documents_of` cannot read."""

    @abstractmethod
    def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        """Iterate over all documents that a query admits, in any order; others may be among them.

        Each comes once. The more a backend leaves out, the less there is to read; it must leave out none that
        `Query.admits`.
        """

    def _documents_of(self, texts: Mapping[str, str | bytes]) -> dict[str, Document]:
        """Read what `Document.to_json` wrote, given by id; what cannot be read is noted and left out."""
        agent, damaged = str(self.requested_agent), self.damaged
        read = {item: Document.readable(item, text, agent, damaged) for item, text in texts.items()}
        return {item: document for item, document in read.items() if document is not None}

    @abstractmethod
    async def _write(self, write_batch: WriteBatch) -> None:
        """Write everything that a write consists of, in one transaction.

        Raise `WriteConflict` if the manifest's version is no longer that of `write_batch.before`. A backend without
        transactions derives from `DocumentStore` or `VectorDocumentStore`, which write one thing after the other.
        """
