"""Reading the authors' own files, one module per form."""

from __future__ import annotations

import gzip
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.recall.questions import QuestionSet
from benchmarks.recall.readers import beam, beir, locomo, longmemeval, precisionmembench, realmem


def read(path: Path, limit: int | None = None) -> QuestionSet:
    """Read a question set: LoCoMo or LongMemEval JSON, BEAM lines, or a folder of BEIR, RealMem or PrecisionMemBench.

    Args:
        path: a file, or a folder; one file of RealMem's is a person, a folder of them several.
        limit: at most that many agents of it.

    Raises:
        ValueError: the file is none of these.
    """
    if path.is_dir():
        return _folder(path, limit)
    name = path.name.partition(".")[0]
    if ".jsonl" in path.name:
        return beam.read(name, [json.loads(line) for line in _text(path).splitlines()][:limit])
    data = _json(path)
    if isinstance(data, list) and data and "conversation" in data[0]:
        return locomo.read(name, data[:limit])
    if isinstance(data, list) and data and "haystack_sessions" in data[0]:
        return longmemeval.read(name, data[:limit])
    if isinstance(data, dict) and "dialogues" in data:
        return _realmem(name, [path])
    raise ValueError(
        f"{path} is neither LoCoMo, LongMemEval nor RealMem JSON, nor BEAM lines, nor a folder of a set"
    )


def _folder(path: Path, limit: int | None) -> QuestionSet:
    if people := sorted(path.glob("*_dialogues_*.json*")):
        return _realmem(path.name, people[:limit])
    if beliefs := sorted(path.glob("beliefs.seed.json*")):
        (cases,) = path.glob("retrieval.cases.json*")
        return precisionmembench.read(path.name, _json(beliefs[0]), _json(cases))
    return beir.read(path)


def _realmem(name: str, people: Sequence[Path]) -> QuestionSet:
    return realmem.read(
        name, {path.name.partition("_dialogues")[0]: _json(path)["dialogues"] for path in people}
    )


def _json(path: Path) -> Any:
    return json.loads(_text(path))


def _text(path: Path) -> str:
    openers: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
    with openers.get(path.suffix, open)(path, "rt", encoding="utf-8") as file:
        return str(file.read())
