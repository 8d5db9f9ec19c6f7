"""BEIR folders: a corpus, queries, and which documents answer them. Guard rails: not memories, but not to be lost.

N. Thakur et al., "BEIR: a heterogenous benchmark for zero-shot evaluation of information retrieval models", 2021.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.recall.questions import Agent, Item, Question, QuestionSet


def read(folder: Path) -> QuestionSet:
    """Read a folder with corpus.jsonl, queries.jsonl and qrels: one agent, each document one semantic memory."""
    gold: dict[str, set[str]] = defaultdict(set)
    for line in next(iter(sorted(folder.rglob("*test.tsv")))).read_text().splitlines()[1:]:
        query, document, grade = line.split("\t")
        if int(grade) > 0:
            gold[query].add(document)
    items = [_item(row) for row in _rows(folder, "corpus") if row["text"].strip() or row.get("title")]
    questions = [
        Question(id=row["_id"], text=row["text"], gold=frozenset(gold[row["_id"]]))
        for row in _rows(folder, "queries")
        if row["_id"] in gold
    ]
    return QuestionSet(name=folder.name, agents=[Agent(id=folder.name, items=items, questions=questions)])


def _item(row: dict[str, Any]) -> Item:
    title, text = row.get("title") or None, row["text"].strip() or row["title"]
    return Item(
        id=row["_id"],
        text=f"{title} {text}" if title else text,
        arguments={"type": "doc", "content": text, "title": title, "force": True},
    )


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    zipped = folder / f"{name}.jsonl.gz"
    data = (
        gzip.decompress(zipped.read_bytes()) if zipped.exists() else (folder / f"{name}.jsonl").read_bytes()
    )
    return [json.loads(line) for line in data.decode().split("\n") if line]
