"""Comparing what must agree in a document store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_memory.records import MemoryType, Status
from agent_memory.storage.documents.document import Document, document_of
from agent_memory.storage.documents.head import Head


def faults(head: Head, documents: Sequence[Document]) -> list[str]:
    """Return one line per fault; the documents are all there are, in the order of their places."""
    return [*_of_head(head, documents), *_of_documents(documents)]


def _of_head(head: Head, documents: Sequence[Document]) -> Iterator[str]:
    if sum(space.current for space in head.spaces) != bool(head.spaces):
        yield "there is not exactly one current embedding space"
    places = [document.place for document in documents]
    if len(set(places)) != len(places):
        yield "two memories have the same place in the order of storing"
    if places and places[-1] > head.last_place:
        yield f"a memory has place {places[-1]}, and the last one given was {head.last_place}"
    known = {space.id for space in head.spaces}
    for document in documents:
        if not document.embedded.keys() <= known:
            yield f"memory {document.id}: it is embedded in a space that is not known"


def _of_documents(documents: Sequence[Document]) -> Iterator[str]:
    holders: dict[tuple[MemoryType, str], str] = {}
    for document in documents:
        record = document.record
        if document != document_of(document.place, record, document.embedded):
            yield f"memory {record.id}: its hashes do not fit its text"
        if record.key is not None and record.status is Status.ACTIVE:
            holder = holders.setdefault((MemoryType(record.memory_type), record.key), record.id)
            if holder != record.id:
                yield f"memory {record.id}: {holder} has the key '{record.key}' too"
