"""The data plane: what is done with the records of an index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from servers.pinecone.rules import (
    UPSERT,
    RefusedError,
    checked,
    checked_filter,
    checked_id,
    checked_metadata,
    fits,
)


class Delayed(Protocol):
    """Who carries writes out."""

    def later(self, change: Callable[[], object]) -> None:
        """Carry out a write once its time has come."""


@dataclass
class Namespace:
    """The records of a namespace, their vectors in one matrix."""

    dimension: int
    ids: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    matrix: Any = None
    names: list[str | None] = field(default_factory=list)

    def put(self, name: str, values: Any, metadata: dict[str, Any]) -> None:
        if name not in self.ids:
            if self.matrix is None or len(self.names) == len(self.matrix):
                larger = np.zeros((max(64, 2 * len(self.names)), self.dimension), "<f4")
                if self.matrix is not None:
                    larger[: len(self.matrix)] = self.matrix
                self.matrix = larger
            self.ids[name] = len(self.names)
            self.names.append(name)
        self.matrix[self.ids[name]] = values
        self.metadata[name] = metadata

    def remove(self, name: str) -> None:
        place = self.ids.pop(name, None)
        if place is not None:
            self.names[place] = None
            self.matrix[place] = 0
            del self.metadata[name]

    def vector(self, name: str) -> list[float]:
        return [float(item) for item in self.matrix[self.ids[name]]]

    def nearest(self, values: Any, wanted: Mapping[str, Any], count: int) -> list[tuple[str, float]]:
        if not self.ids:
            return []
        cosines = self.matrix[: len(self.names)] @ values
        norms = np.linalg.norm(self.matrix[: len(self.names)], axis=1) * np.linalg.norm(values)
        cosines = np.divide(cosines, norms, out=np.full_like(cosines, -2.0), where=norms > 0)
        found: list[tuple[str, float]] = []
        size = count if not wanted else len(cosines)
        best = np.argpartition(-cosines, min(size, len(cosines)) - 1)[:size]
        for place in best[np.argsort(-cosines[best], kind="stable")]:
            name = self.names[place]
            if name is not None and fits(self.metadata[name], wanted):
                found.append((name, float(cosines[place])))
                if len(found) == count:
                    break
        return found


@dataclass
class Index:
    """An index and its namespaces."""

    name: str
    dimension: int
    field_name: str
    namespaces: dict[str, Namespace] = field(default_factory=dict)


def upsert(server: Delayed, index: Index, body: Any, _: Any, size: int) -> Any:
    vectors = body.get("vectors") or []
    if not vectors or len(vectors) > 1000 or size > UPSERT:
        raise RefusedError(400, f"{len(vectors)} vectors in {size} bytes: at most 1000 and 2 MB a request")
    rows = [
        (checked_id(vector["id"]), checked(index.dimension, vector["values"]), checked_metadata(vector))
        for vector in vectors
    ]
    space = body.get("namespace", "")

    def store() -> None:
        held = index.namespaces.setdefault(space, Namespace(index.dimension))
        for row in rows:
            held.put(*row)

    server.later(store)
    return {"upsertedCount": len(rows)}


def query(server: Delayed, index: Index, body: Any, _: Any, __: int) -> Any:
    count = body["topK"]
    if not 1 <= count <= 10_000:
        raise RefusedError(400, f"topK {count} is not between 1 and 10000")
    held = index.namespaces.get(body.get("namespace", ""))
    values = checked(index.dimension, body["vector"])
    wanted = checked_filter(body.get("filter") or {})
    matches = []
    for name, cosine in held.nearest(values, wanted, count) if held else ():
        match: dict[str, Any] = {"id": name, "score": cosine}
        if body.get("includeValues"):
            match["values"] = held.vector(name)  # type: ignore[union-attr]
        if body.get("includeMetadata"):
            match["metadata"] = held.metadata[name]  # type: ignore[union-attr]
        matches.append(match)
    return {
        "results": [],
        "matches": matches,
        "namespace": body.get("namespace", ""),
        "usage": {"readUnits": 1},
    }


def fetch(server: Delayed, index: Index, _: Any, given: Mapping[str, list[str]], __: int) -> Any:
    ids = given.get("ids", [])
    if not ids or len(ids) > 1000:
        raise RefusedError(400, f"{len(ids)} ids: at most 1000 a request")
    space = given.get("namespace", [""])[0]
    return _records(index, space, ids)


def _records(index: Index, space: str, ids: list[str]) -> dict[str, Any]:
    held = index.namespaces.get(space)
    vectors = {
        name: {"id": name, "values": held.vector(name), "metadata": held.metadata[name]}
        for name in (ids if held else ())
        if held and name in held.ids
    }
    return {"vectors": vectors, "namespace": space, "usage": {"readUnits": 1}}


def fetch_by_metadata(server: Delayed, index: Index, body: Any, _: Any, __: int) -> Any:
    space, limit = body.get("namespace", ""), int(body.get("limit") or 100)
    if not 1 <= limit <= 1000:
        raise RefusedError(400, f"limit {limit} is not between 1 and 1000")
    held, wanted = index.namespaces.get(space), checked_filter(body.get("filter") or {})
    names = sorted(item for item, values in held.metadata.items() if fits(values, wanted)) if held else []
    start = int(body.get("paginationToken") or 0)
    answer = _records(index, space, names[start : start + limit])
    if start + limit < len(names):
        answer["pagination"] = {"next": str(start + limit)}
    return answer


def update(server: Delayed, index: Index, body: Any, _: Any, __: int) -> Any:
    held = index.namespaces.get(body.get("namespace", ""))
    name = body["id"]
    if held is not None and name in held.ids:
        metadata = {**held.metadata[name], **(body.get("setMetadata") or {})}
        checked_metadata({"metadata": metadata})
        values = body.get("values")
        row = held.matrix[held.ids[name]] if values is None else checked(index.dimension, values)
        server.later(lambda: held.put(name, row, metadata))
    return {}


def delete(server: Delayed, index: Index, body: Any, _: Any, __: int) -> Any:
    space = body.get("namespace", "")
    held = index.namespaces.get(space)
    if held is None:
        raise RefusedError(404, "Namespace not found", 5)
    ids = body.get("ids")
    if body.get("deleteAll"):
        server.later(lambda: index.namespaces.pop(space, None))
        return {}
    if ids is None:
        wanted = checked_filter(body["filter"])
        ids = [item for item, values in held.metadata.items() if fits(values, wanted)]
    elif len(ids) > 1000:
        raise RefusedError(400, f"{len(ids)} ids: at most 1000 a request")
    server.later(lambda: [held.remove(name) for name in ids])
    return {}


def list_ids(server: Delayed, index: Index, _: Any, given: Mapping[str, list[str]], __: int) -> Any:
    space, limit = given.get("namespace", [""])[0], int(given.get("limit", ["100"])[0])
    if not 1 <= limit <= 100:
        raise RefusedError(400, f"limit {limit} is not between 1 and 100")
    held, prefix = index.namespaces.get(space), given.get("prefix", [""])[0]
    names = sorted(memory_id for memory_id in (held.ids if held else ()) if memory_id.startswith(prefix))
    start = int(given.get("paginationToken", ["0"])[0])
    answer: dict[str, Any] = {"vectors": [{"id": name} for name in names[start : start + limit]]}
    if start + limit < len(names):
        answer["pagination"] = {"next": str(start + limit)}
    return answer | {"namespace": space, "usage": {"readUnits": 1}}


def stats(server: Delayed, index: Index, _: Any, __: Any, ___: int) -> Any:
    counts = {name: {"vectorCount": len(item.ids)} for name, item in index.namespaces.items()}
    total = sum(count["vectorCount"] for count in counts.values())
    return {
        "namespaces": counts,
        "dimension": index.dimension,
        "indexFullness": 0.0,
        "totalVectorCount": total,
        "metric": "cosine",
    }


CALLS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("POST", "vectors/upsert"): upsert,
    ("POST", "query"): query,
    ("GET", "vectors/fetch"): fetch,
    ("POST", "vectors/fetch_by_metadata"): fetch_by_metadata,
    ("POST", "vectors/update"): update,
    ("POST", "vectors/delete"): delete,
    ("GET", "vectors/list"): list_ids,
    ("POST", "describe_index_stats"): stats,
}


def namespaces(server: Delayed, method: str, index: Index, rest: list[str]) -> Any:
    """Answer a request about namespaces."""
    if not rest:
        told = [{"name": name, "record_count": str(len(item.ids))} for name, item in index.namespaces.items()]
        return {"namespaces": told}
    held = index.namespaces.get(rest[0])
    if held is None:
        raise RefusedError(404, "Namespace not found", 5)
    if method == "DELETE":
        server.later(lambda: index.namespaces.pop(rest[0], None))
        return {}
    return {"name": rest[0], "record_count": str(len(held.ids))}
