"""A store over anything that keeps documents: `DocumentStore` and `VectorDocumentStore` do the rest.

A backend with transactions derives from `VectorDocuments` and fills `_write`.
"""

from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.manifest import Manifest
from agent_memory.storage.documents.nearest import Nearest
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.stepwise import DocumentStore, VectorDocumentStore
from agent_memory.storage.documents.store import Documents, is_message
from agent_memory.storage.documents.vectors import VectorDocuments
from agent_memory.storage.documents.write_batch import WriteBatch, WriteConflict, begin

__all__ = [
    "Document",
    "DocumentStore",
    "Documents",
    "Manifest",
    "Nearest",
    "Query",
    "VectorDocumentStore",
    "VectorDocuments",
    "WriteBatch",
    "WriteConflict",
    "begin",
    "is_message",
]
