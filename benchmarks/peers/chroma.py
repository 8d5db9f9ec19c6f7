"""chromadb, persistent, given the same vectors: a program of its own, run by the Python that has it installed.

`chroma.py fill FOLDER FILE` stores what is in FILE (one JSON object a line: id, text, vector), `chroma.py query` asks
each of its questions, and both print one JSON object with the seconds they took.
"""

import json
import statistics
import sys
import time
from pathlib import Path

BATCH = 5_000


def collection(folder: str):  # type: ignore[no-untyped-def]
    """Open the collection that the vectors are in."""
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(path=folder, settings=Settings(anonymized_telemetry=False))
    return client.get_or_create_collection(
        "memories", embedding_function=None, metadata={"hnsw:space": "cosine"}
    )


def fill(folder: str, rows: list[dict[str, object]]) -> dict[str, float]:
    """Store everything."""
    begun = time.perf_counter()
    target = collection(folder)
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        target.add(
            ids=[row["id"] for row in part],
            documents=[row["text"] for row in part],
            embeddings=[row["vector"] for row in part],
        )
    return {"fill": time.perf_counter() - begun}


def query(folder: str, rows: list[dict[str, object]]) -> dict[str, float]:
    """Ask every question; the first one finds everything on disk."""
    target = collection(folder)
    seconds = []
    for row in rows:
        begun = time.perf_counter()
        target.query(query_embeddings=[row["vector"]], n_results=10)
        seconds.append(time.perf_counter() - begun)
    return {"first": seconds[0], "warm": statistics.median(seconds[1:])}


if __name__ == "__main__":
    what, place, file = sys.argv[1:]
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    print(json.dumps({"fill": fill, "query": query}[what](place, lines)))
