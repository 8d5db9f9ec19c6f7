"""Documents that were read from files before their paths were noted: recognised by what was noted instead.

Then the path as typed stood in `source`, and the file's name in `title`. A path that begins at the root means one
file; a relative one may mean another file than it did, in another folder, so the texts have to speak for it too.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from agent_memory.memories.documents.finding import File
from agent_memory.records import SemanticRecord
from agent_memory.text.templates import normalise

ENOUGH = 0.5
"""Share of an old text's lines that have to stand in the new one, to take the two for versions of one file."""


def sources_of(file: File) -> set[str]:
    """Return what may stand in `source` for a file."""
    sources = {file.shown, os.path.normpath(file.shown), str(Path(file.shown).absolute()), file.path}
    with suppress(ValueError):  # on another drive
        sources.add(os.path.relpath(file.path))
    return {normalise(source) for source in sources}


def of_file(
    file: File, text: str, candidates: Iterable[SemanticRecord]
) -> tuple[list[SemanticRecord], list[str]]:
    """Return those of the candidates that are chunks of an old version of a file, in order.

    Args:
        candidates: active chunks and single pieces without a path.
        file: the file.
        text: the text.

    Returns:
        Beside the chunks, the ids of documents that may be of this file or of another one.
    """
    sources, title = sources_of(file), normalise(Path(file.shown).name)
    documents: dict[str, list[SemanticRecord]] = defaultdict(list)
    for candidate in candidates:
        if (
            candidate.source is not None
            and normalise(candidate.source) in sources
            and candidate.title == title
        ):
            documents[candidate.document_id or candidate.id].append(candidate)
    lines = set(_lines(text))
    mine: list[SemanticRecord] = []
    doubtful: list[str] = []
    for name in sorted(documents):
        chunks = sorted(documents[name], key=lambda item: item.position or 0)
        if Path(str(chunks[0].source)).is_absolute() or _says_so(chunks, lines):
            mine += chunks
        else:
            doubtful.append(name)
    return mine, doubtful


def _says_so(chunks: Sequence[SemanticRecord], lines: set[str]) -> bool:
    old = _lines("".join(chunk.content for chunk in chunks))
    return sum(line in lines for line in old) >= ENOUGH * len(old)


def _lines(text: str) -> list[str]:
    return [line for line in map(normalise, text.split("\n")) if line]
