"""Comparing what must agree in a document store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_memory.records import MemoryType, Status
from agent_memory.storage.documents.document import Document, document_of
from agent_memory.storage.documents.manifest import Manifest


def integrity_errors(manifest: Manifest, documents: Sequence[Document]) -> list[str]:
    """Return one line per fault; the documents are all there are, in the order of their sequence numbers."""
    return [*_of_manifest(manifest, documents), *_of_documents(documents)]


def _of_manifest(manifest: Manifest, documents: Sequence[Document]) -> Iterator[str]:
    if sum(space.current for space in manifest.spaces) != bool(manifest.spaces):
        yield "there is not exactly one current embedding space"
    sequences = [document.sequence for document in documents]
    if len(set(sequences)) != len(sequences):
        yield "two memories have the same place in the order of storing"
    if sequences and sequences[-1] > manifest.last_sequence:
        yield f"a memory has place {sequences[-1]}, and the last one given was {manifest.last_sequence}"
    known = {space.id for space in manifest.spaces}
    for document in documents:
        if not document.embedded.keys() <= known:
            yield f"memory {document.id}: it is embedded in a space that is not known"


def _of_documents(documents: Sequence[Document]) -> Iterator[str]:
    holders: dict[tuple[MemoryType, str], str] = {}
    for document in documents:
        record = document.record
        if document != document_of(document.sequence, record, document.embedded):
            yield f"memory {record.id}: its hashes do not fit its text"
        if record.key is not None and record.status is Status.ACTIVE:
            holder = holders.setdefault((MemoryType(record.memory_type), record.key), record.id)
            if holder != record.id:
                yield f"memory {record.id}: {holder} has the key '{record.key}' too"
