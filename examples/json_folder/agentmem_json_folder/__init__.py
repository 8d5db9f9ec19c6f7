"""A backend for agentmem that keeps each memory in a JSON file: an example of how one is written.

The layout, below the folder that the option `path` names:

    AGENT/head.json, sample-1.json, ...     counters, settings, embedding spaces
    AGENT/memories/ID.json                  one memory each
    AGENT/vectors/SPACE/ID.f32              its vectors, float32, one after the other
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from agent_memory.batching import batched
from agent_memory.paths import file_stem
from agent_memory.storage.base import Capabilities
from agent_memory.storage.documents import Document, Query, VectorDocumentStore
from agent_memory.vectors import Vector, split_vectors


class JsonFolderStore(VectorDocumentStore):
    """Keeps one agent's memories in a folder. One process may write; any number may read.

    Options:
        path: the folder; `memories` by default.
    """

    name: ClassVar[str] = "json-folder"
    capabilities: ClassVar[Capabilities] = Capabilities(persistent=True, vectors=True, usage=True)
    options: ClassVar[frozenset[str]] = frozenset({"path"})

    def __init__(self, agent_id: str | None, **options: Any) -> None:
        super().__init__(agent_id, **options)
        self.folder = Path(options.get("path", "memories")) / file_stem(str(self.requested_agent))

    async def _connect(self) -> None:
        (self.folder / "memories").mkdir(mode=0o700, parents=True, exist_ok=True)

    async def _close(self) -> None:
        """Do nothing: no file stays open."""

    # --- documents -----------------------------------------------------------------------------------------

    async def _load_meta(self, name: str) -> str | None:
        return _read(self.folder / f"{name}.json")

    async def _save_meta(self, name: str, text: str) -> None:
        _write(self.folder / f"{name}.json", text.encode())

    async def _read(self, ids: Sequence[str]) -> dict[str, Document]:
        texts = {memory_id: _read(self._file(memory_id)) for memory_id in ids if memory_id.isalnum()}
        return self._documents_of({item: text for item, text in texts.items() if text is not None})

    async def _find(self, query: Query) -> AsyncIterator[Sequence[Document]]:
        # A folder has no index: everything is read, and what the query refuses is left out by the caller.
        ids = sorted(file.stem for file in (self.folder / "memories").glob("*.json"))
        for part in batched(ids, 500):
            yield list((await self._read(part)).values())

    async def _save(self, documents: Sequence[Document]) -> None:
        for document in documents:
            _write(self._file(document.id), document.to_json().encode())

    async def _delete(self, documents: Sequence[Document]) -> None:
        for document in documents:
            self._file(document.id).unlink(missing_ok=True)

    def _file(self, memory_id: str) -> Path:
        return self.folder / "memories" / f"{memory_id}.json"

    # --- vectors -------------------------------------------------------------------------------------------

    async def _save_vectors(
        self, space_id: int, entries: Sequence[tuple[Document, Sequence[Vector]]]
    ) -> None:
        for document, pieces in entries:
            _write(self._vectors_file(space_id, document.id), b"".join(pieces))

    async def _delete_vectors(self, space_id: int, documents: Sequence[Document]) -> None:
        for document in documents:
            self._vectors_file(space_id, document.id).unlink(missing_ok=True)

    async def _read_vectors(
        self, space_id: int, documents: Sequence[Document]
    ) -> Mapping[str, Sequence[Vector]]:
        result = {}
        for document in documents:
            flat = self._vectors_file(space_id, document.id).read_bytes()
            dimension = len(flat) // (4 * document.embedded[space_id])
            result[document.id] = split_vectors(flat, dimension)
        return result

    def _vectors_file(self, space_id: int, memory_id: str) -> Path:
        return self.folder / "vectors" / str(space_id) / f"{memory_id}.f32"


def _read(file: Path) -> str | None:
    try:
        return file.read_text()
    except FileNotFoundError:
        return None


def _write(file: Path, data: bytes) -> None:
    """Write a file beside its place and move it there once it is on disk: it is never there in part."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(data)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)
