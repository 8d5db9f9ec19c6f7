"""Turning a plan into what a document store has to write: documents, vectors, and the new head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.changes import Plan
from agent_memory.storage.documents.document import Document, document_of
from agent_memory.storage.documents.manifest import Manifest

if TYPE_CHECKING:
    from agent_memory.text.templates import TextHash
    from agent_memory.vectors import Vector

Segments: TypeAlias = "Sequence[Vector]"


class WriteConflict(Exception):  # noqa: N818 - no error: the write is planned anew
    """Somebody else wrote between reading and writing; nothing was written."""


@dataclass(slots=True)
class WriteBatch:
    """Everything that one write changes."""

    before: Manifest
    """As it was read; who guards against other writers compares its version."""
    manifest: Manifest
    changed: dict[str, tuple[Document | None, Document]] = field(default_factory=dict)
    """By id: the document as it was, None for a new one, and as it is to be."""
    removed: dict[str, Document] = field(default_factory=dict)
    vectors: dict[int, dict[str, Segments]] = field(default_factory=dict)
    """To be stored, by embedding space and memory."""
    dropped: dict[int, list[Document]] = field(default_factory=dict)
    """Documents, as they were, whose vectors in a space are of no more use."""
    metas: dict[str, str | None] = field(default_factory=dict)
    """Texts to be kept under a name, beside the manifest; None for those to be deleted."""
    plan: Plan | None = None
    """For stores with a journal."""

    def change(self, before: Document | None, after: Document) -> None:
        """Note a document that is new or another; several changes of one are one."""
        first = self.changed[after.id][0] if after.id in self.changed else before
        self.changed[after.id] = (first, after)

    def embed(
        self, before: Document | None, document: Document, space_id: int, segments: Segments
    ) -> Document:
        """Note the vectors of a document in a space."""
        self.vectors.setdefault(space_id, {})[document.id] = segments
        embedded = document.within(space_id, len(segments))
        self.change(before, embedded)
        return embedded

    def drop(self, document: Document) -> None:
        """Note that a document's vectors are of no more use."""
        for space_id in document.embedded:
            self.dropped.setdefault(space_id, []).append(document)

    def unneeded(self) -> set[TextHash]:
        """Return the hashes of texts that are gone from the memories that this write changes, or replaced."""
        replaced = {
            before.embedding_hash
            for before, after in self.changed.values()
            if before is not None and before.embedding_hash != after.embedding_hash
        }
        return replaced | {item.embedding_hash for item in self.removed.values()}

    def embedded(self, space_id: int) -> set[TextHash]:
        """Return the hashes of the texts that get vectors in a space."""
        return {self.changed[item][1].embedding_hash for item in self.vectors.get(space_id, ())}

    def refreshed(self, space_id: int) -> list[Document]:
        """List the documents that keep the vectors they have in a space, and have changed otherwise."""
        stored = self.vectors.get(space_id, {})
        return [
            after
            for before, after in self.changed.values()
            if space_id in after.embedded and after.id not in stored and before is not None
        ]


def begin(manifest: Manifest) -> WriteBatch:
    """Begin a write upon what was read."""
    return WriteBatch(manifest, replace(manifest, version=manifest.version + 1))


def apply_plan(write_batch: WriteBatch, plan: Plan, documents: Mapping[str, Document]) -> None:
    """Note what a plan changes; `documents` has the documents of the memories that it replaces or removes."""
    write_batch.plan = plan
    for record in plan.removes:
        write_batch.removed[record.id] = documents[record.id]
        write_batch.drop(documents[record.id])
    for _, after in plan.replaces:
        before = documents[after.id]
        used = before.record
        record = replace(after, accessed_at=used.accessed_at, access_count=used.access_count)
        document = document_of(before.sequence, record, before.embedded)
        if document.embedding_hash != before.embedding_hash:
            write_batch.drop(before)
            document = replace(document, embedded={})
        write_batch.change(before, document)
    sequence = write_batch.manifest.last_sequence
    for record in plan.inserts:
        sequence += 1
        accessed_at, count = plan.usage.get(record.id, (None, 0))
        fresh = replace(record, accessed_at=accessed_at, access_count=count)
        write_batch.change(None, document_of(sequence, fresh))
    hlc = plan.journal[-1].hlc if plan.journal else write_batch.manifest.last_hlc
    write_batch.manifest = replace(write_batch.manifest, last_sequence=sequence, last_hlc=hlc)


def apply_vectors(
    write_batch: WriteBatch,
    new_vectors: Mapping[TextHash, Segments],
    space: EmbeddingSpace | None,
    duplicates: Sequence[Document],
    known: Mapping[int, Mapping[TextHash, Segments]],
) -> None:
    """Note which documents get vectors: of those given, or of a document with the same text.

    `duplicates` are stored documents of the texts given; `known` holds, by space and text, vectors that a stored
    document has already. Those stay as they are.
    """
    for before, document in list(write_batch.changed.values()):
        current = document
        for space_id, texts in known.items():
            if space_id not in current.embedded and current.embedding_hash in texts:
                current = write_batch.embed(before, current, space_id, texts[current.embedding_hash])
        if space is not None and space.id not in current.embedded and current.embedding_hash in new_vectors:
            write_batch.embed(before, current, space.id, new_vectors[current.embedding_hash])
    for duplicate in duplicates:
        untouched = duplicate.id not in write_batch.changed and duplicate.id not in write_batch.removed
        if (
            space is not None
            and untouched
            and space.id not in duplicate.embedded
            and duplicate.embedding_hash in new_vectors
        ):
            segments = known.get(space.id, {}).get(
                duplicate.embedding_hash, new_vectors[duplicate.embedding_hash]
            )
            write_batch.embed(duplicate, duplicate, space.id, segments)
