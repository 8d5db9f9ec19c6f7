"""Looking up what is stored of files."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from agent_memory.batching import batched
from agent_memory.hints import Hint
from agent_memory.memories.core import Core
from agent_memory.memories.documents import legacy
from agent_memory.memories.documents.finding import File, Folder, is_gone
from agent_memory.memories.filters import build_where
from agent_memory.records import MemoryType, SemanticRecord
from agent_memory.text.names import normal_name

_BATCH = 100  # files that are looked up at once: well below what one statement may compare with
Chunks = list[SemanticRecord]


async def chunks_of_files(
    core: Core, files: Mapping[str, tuple[File, str]]
) -> tuple[dict[str, Chunks], list[str]]:
    """Return the chunks that are stored of files, in order, by path.

    Args:
        files: by path, each file and its present text.
        core: what all memory types share.

    Returns:
        Beside the chunks, a line for each file of whose name an older document is stored that cannot be told to be
        of the same file.
    """
    result: dict[str, Chunks] = {}
    notices: list[str] = []
    for part in batched(list(files), _BATCH):
        by_path: dict[str, Chunks] = defaultdict(list)
        for chunk in await _select(core, fields={"path": part}):
            by_path[str(chunk.path)].append(chunk)
        sources = {source for path in part for source in legacy.sources_of(files[path][0])}
        before = await _select(core, source=sorted(sources), fields={"path": {"exists": False}})
        for path in part:
            file, text = files[path]
            mine, doubtful = legacy.of_file(file, text, before)
            result[path] = [*sorted(by_path[path], key=_place), *mine]
            notices += [
                Hint(
                    "an older document from {shown} stays beside this one: it may be of another file"
                    " ({SHOW_DOCUMENT})",
                    shown=file.shown,
                    id=item[:8],
                )
                for item in doubtful
            ]
    return result, notices


async def chunk_with_key(core: Core, key: str) -> Chunks:
    """Return the piece of knowledge that has a key, if there is one."""
    return list(await _select(core, key=normal_name(key)))


async def chunks_of_document(core: Core, document_id: str) -> Chunks:
    """Return the chunks of a document, in order."""
    return sorted(await _select(core, fields={"document_id": document_id}), key=_place)


async def chunks_of_gone_files(core: Core, folder: Folder) -> dict[str, Chunks]:
    """Return the chunks of files below a folder that are not there any more, by path."""
    prefix = folder.path.rstrip(os.sep) + os.sep
    beyond = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    result: dict[str, Chunks] = defaultdict(list)
    for chunk in await _select(core, fields={"path": {">=": prefix, "<": beyond}}):
        result[str(chunk.path)].append(chunk)
    return {path: sorted(result[path], key=_place) for path in sorted(result) if is_gone(path)}


async def _select(core: Core, **filters: Any) -> Sequence[SemanticRecord]:
    where = build_where(types=MemoryType.SEMANTIC, **filters)
    return cast("Sequence[SemanticRecord]", await core.store.select(where))


def _place(chunk: SemanticRecord) -> int:
    return chunk.position or 0
