"""A store over anything that keeps documents: `DocumentStore` does the rest."""

from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.manifest import Manifest
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.store import DocumentStore, Nearest, is_message
from agent_memory.storage.documents.write_batch import WriteBatch, WriteConflict, begin

__all__ = [
    "Document",
    "DocumentStore",
    "Manifest",
    "Nearest",
    "Query",
    "WriteBatch",
    "WriteConflict",
    "begin",
    "is_message",
]
