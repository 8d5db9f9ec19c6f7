"""A store over anything that keeps documents: `DocumentStore` does the rest."""

from agent_memory.storage.documents.document import Document
from agent_memory.storage.documents.head import Head
from agent_memory.storage.documents.query import Query
from agent_memory.storage.documents.store import DocumentStore, Nearest, is_message
from agent_memory.storage.documents.writing import Overtaken, Writing, begin

__all__ = [
    "Document",
    "DocumentStore",
    "Head",
    "Nearest",
    "Overtaken",
    "Query",
    "Writing",
    "begin",
    "is_message",
]
