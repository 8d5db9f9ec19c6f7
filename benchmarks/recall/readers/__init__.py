"""Reading the authors' own files, one module per form."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path
from typing import Any

from benchmarks.recall.questions import QuestionSet
from benchmarks.recall.readers import beam, beir, locomo, longmemeval


def read(path: Path, limit: int | None = None) -> QuestionSet:
    """Read a question set: LoCoMo or LongMemEval JSON, BEAM lines, or a BEIR folder.

    Args:
        limit: at most that many agents of it.

    Raises:
        ValueError: the file is none of these.
    """
    if path.is_dir():
        return beir.read(path)
    if ".jsonl" in path.name:
        return beam.read(
            path.name.partition(".")[0], [json.loads(line) for line in _text(path).splitlines()][:limit]
        )
    data = json.loads(_text(path))
    name = path.name.partition(".")[0]
    if isinstance(data, list) and data and "conversation" in data[0]:
        return locomo.read(name, data[:limit])
    if isinstance(data, list) and data and "haystack_sessions" in data[0]:
        return longmemeval.read(name, data[:limit])
    raise ValueError(f"{path} is neither LoCoMo nor LongMemEval JSON, nor BEAM lines, nor a BEIR folder")


def _text(path: Path) -> str:
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
    with openers.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        return str(file.read())
