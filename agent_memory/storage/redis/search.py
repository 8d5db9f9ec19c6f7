"""Finding with the search module: it retrieves candidates by words and by vector, and filters on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.documents import Nearest, Query
from agent_memory.storage.documents.values import ranges
from agent_memory.storage.redis.keys import Keys
from agent_memory.storage.redis.routing import SingleConnection
from agent_memory.storage.redis.words import averaged
from agent_memory.storage.redis.writing import encoded
from agent_memory.text.bm25 import WordStatistics, bm25_score
from agent_memory.text.porter import stem
from agent_memory.text.symbols import is_symbol

if TYPE_CHECKING:
    from agent_memory.vectors import Vector

GRAPH_FROM: Final = 100_000
"""Vectors of an agent from which `rebuild` makes a graph (HNSW) instead of comparing all of them (FLAT)."""
_FILTERS: Final = (
    *("type", "TAG", "status", "TAG", "pinned", "TAG"),
    *("tags", "TAG", "key", "TAG", "source", "TAG", "session", "TAG"),
    *("importance", "NUMERIC", "created", "NUMERIC", "updated", "NUMERIC", "happened", "NUMERIC"),
    *("expires", "NUMERIC"),
)
_DIALECT: Final = ("DIALECT", "2")


class SearchModule:
    """One agent's two kinds of index: of the documents' words, and of each space's vectors."""

    def __init__(self, client: Redis | SingleConnection, keys: Keys) -> None:
        self._client: Any = client
        self._keys = keys

    async def prepare(self, spaces: Sequence[EmbeddingSpace]) -> None:
        """Make the indexes that are missing, and wait until they hold what is there already."""
        known = {
            item.decode() if isinstance(item, bytes) else item for item in await self._command("FT._LIST")
        }
        names = [self._keys("words")]
        if names[0] not in known:
            await self._create(names[0], f"{self._keys.root}:doc:", "words", "TEXT", "NOSTEM")
        for space in spaces:
            names.append(self._vectors(space.id))
            if names[-1] not in known:
                await self.create_vectors(space)
        if await self._command("EXISTS", self._keys("places")):
            for name in names:
                if name not in known:
                    await self._filled(name)

    async def create_vectors(self, space: EmbeddingSpace, *, hnsw_index: bool = False) -> None:
        """Make the index of a space's vectors."""
        parts = ("TYPE", "FLOAT32", "DIM", str(space.dimension), "DISTANCE_METRIC", "COSINE")
        form = ("HNSW", str(len(parts) + 4), *parts, "M", "16", "EF_CONSTRUCTION", "200")
        flat = ("FLAT", str(len(parts)), *parts)
        prefix = f"{self._keys.root}:vec:{space.id}:"
        await self._create(
            self._vectors(space.id), prefix, "vector", "VECTOR", *(form if hnsw_index else flat)
        )

    async def drop(self, spaces: Sequence[EmbeddingSpace]) -> None:
        """Take all indexes away; what they are made from stays."""
        for name in (self._keys("words"), *(self._vectors(space.id) for space in spaces)):
            try:
                await self._command("FT.DROPINDEX", name)
            except ResponseError as error:
                if "no such index" not in str(error).lower() and "unknown index" not in str(error).lower():
                    raise

    async def renew(self, spaces: Sequence[EmbeddingSpace]) -> None:
        """Make all indexes anew; those of many vectors as graphs."""
        await self.drop(spaces)
        for space in spaces:
            many = await self._client.scard(self._keys("embedded", space.id))
            await self.create_vectors(space, hnsw_index=many >= GRAPH_FROM)
        await self.prepare(spaces)
        for space in spaces:
            await self._filled(self._vectors(space.id))

    async def _create(self, name: str, prefix: str, *field: str) -> None:
        definition = ("ON", "HASH", "PREFIX", "1", prefix, "STOPWORDS", "0", "SCHEMA", *field, *_FILTERS)
        try:
            await self._command("FT.CREATE", name, *definition)
        except ResponseError as error:
            if "already exists" not in str(error).lower():
                raise

    async def _filled(self, name: str) -> None:
        """Wait until an index has read what was there before it."""
        import asyncio

        while True:
            told = await self._command("FT.INFO", name)
            if not isinstance(told, dict):
                told = dict(zip(told[::2], told[1::2], strict=True))
            if float(told.get(b"percent_indexed", 1)) >= 1 and not float(told.get(b"indexing", 0)):
                return
            await asyncio.sleep(0.02)

    def _vectors(self, space_id: int) -> str:
        return self._keys("vectors", space_id)

    # --- words ---------------------------------------------------------------------------------------------

    async def by_keyword(
        self, terms: Sequence[str], query: Query, count: int, known: WordStatistics
    ) -> tuple[list[tuple[str, float]], bool]:
        """Return the memories that the module holds for the best, scored exactly, and whether these are all."""
        stems = _searchable(terms)
        if not stems:
            return [], True
        answer = await self._asked(*self._keyword_command(stems, query, count))
        return _ranked(answer, stems, count, known)

    def _keyword_command(self, stems: Sequence[str], query: Query, count: int) -> list[Any]:
        words = " | ".join(f"$w{position}" for position in range(len(stems)))
        values = [item for position, word in enumerate(stems) for item in (f"w{position}", word)]
        return [
            *("FT.SEARCH", self._keys("words"), f"@words:({words}) {conditions(query)}".removesuffix(" *")),
            *("SCORER", "BM25STD", "RETURN", "1", "words", "LIMIT", "0", str(count)),
            *("PARAMS", str(len(values)), *values, *_DIALECT),
        ]

    def ask(self, pipe: Any, terms: Sequence[str], query: Query, count: int) -> list[str]:
        """Put the questions of `statistics` and of `by_keyword` into a pipeline, and return the stems asked for."""
        stems = self._ask_statistics(pipe, terms)
        if stems:
            pipe.execute_command(*self._keyword_command(stems, query, count))
        pipe.exists(self._keys.absent())
        return stems

    def _ask_statistics(self, pipe: Any, terms: Sequence[str]) -> list[str]:
        stems = _searchable(terms)
        pipe.hmget(self._keys("totals"), "documents", "words")
        for word in stems:
            pipe.execute_command(
                *("FT.SEARCH", self._keys("words"), "@words:($w)", "LIMIT", "0", "0"),
                *("PARAMS", "2", "w", word, *_DIALECT),
            )
        return stems

    @staticmethod
    def answered(
        answers: Sequence[Any], stems: Sequence[str], count: int
    ) -> tuple[WordStatistics, list[tuple[str, float]], bool]:
        """Read the answers to `ask`: the statistics, and what `by_keyword` returns."""
        known = _statistics(answers[: len(stems) + 1], stems)
        return known, *(_ranked(answers[len(stems) + 1], stems, count, known) if stems else ([], True))

    async def word_scores(
        self, terms: Sequence[str], ids: Sequence[str], known: WordStatistics
    ) -> dict[str, float]:
        """Return the BM25 scores of those of the memories that hold any of the terms."""
        stems = set(map(stem, terms))
        pipe = self._client.pipeline(transaction=False)
        for memory_id in ids:
            pipe.hget(self._keys.document(memory_id), "words")
        result = {}
        for memory_id, text in zip(ids, await pipe.execute(), strict=True):
            tokens = text.decode().split(" ") if text else []
            frequencies = {item: many for item, many in Counter(tokens).items() if item in stems}
            if frequencies:
                result[memory_id] = bm25_score(frequencies, len(tokens), known)
        return result

    async def statistics(self, terms: Sequence[str]) -> WordStatistics:
        """Return what BM25 has to know about these terms."""
        pipe = self._client.pipeline(transaction=False)
        stems = self._ask_statistics(pipe, terms)
        pipe.exists(self._keys.absent())
        return _statistics((await pipe.execute())[:-1], stems)

    # --- vectors -------------------------------------------------------------------------------------------

    async def nearest(self, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> Nearest:
        """Return the nearest vectors that the module's filters admit."""
        answer = await self._asked(*self._nearest_command(space, vector, query, count))
        return self.nearest_answered(answer, query, count)

    def ask_nearest(self, pipe: Any, space: EmbeddingSpace, vector: Vector, query: Query, count: int) -> None:
        """Put the search by vector into a pipeline, and whether the module has seen everything."""
        pipe.execute_command(*self._nearest_command(space, vector, query, count))
        pipe.exists(self._keys.absent())

    def _nearest_command(
        self, space: EmbeddingSpace, vector: Vector, query: Query, count: int
    ) -> tuple[Any, ...]:
        return (
            *("FT.SEARCH", self._vectors(space.id)),
            f"({conditions(query)})=>[KNN {count} @vector $vector AS distance]",
            *("SORTBY", "distance", "RETURN", "1", "distance", "LIMIT", "0", str(count)),
            *("PARAMS", "2", "vector", vector, *_DIALECT),
        )

    @staticmethod
    def nearest_answered(answer: Any, query: Query, count: int) -> Nearest:
        """Read what the search by vector answered."""
        _, rows = _rows(answer)
        pairs = [(key.rsplit(":", 2)[1], 1.0 - float(fields["distance"])) for key, fields in rows]
        return Nearest(pairs, complete=len(rows) < count, exact=query.plain)

    async def _asked(self, *words: Any) -> Any:
        """Ask the module, and whether it has seen everything."""
        pipe = self._client.pipeline(transaction=False)
        pipe.execute_command(*words)
        pipe.exists(self._keys.absent())
        return (await pipe.execute())[0]

    async def _command(self, *words: Any) -> Any:
        return await self._client.execute_command(*words)


def _statistics(answers: Sequence[Any], stems: Sequence[str]) -> WordStatistics:
    totals, *counts = answers
    return averaged(totals, dict(zip(stems, (_rows(answer)[0] for answer in counts), strict=True)))


def _ranked(
    answer: Any, stems: Sequence[str], count: int, known: WordStatistics
) -> tuple[list[tuple[str, float]], bool]:
    """Score exactly what the module returned; say whether these are all."""
    total, rows = _rows(answer)
    ranked = []
    for key, fields in rows:
        tokens = fields.get("words", b"").decode().split(" ")
        frequencies = {item: many for item, many in Counter(tokens).items() if item in stems}
        ranked.append((key.rsplit(":", 1)[1], bm25_score(frequencies, len(tokens), known)))
    ranked.sort(key=lambda pair: -pair[1])
    return ranked, total <= count


def _searchable(terms: Sequence[str]) -> list[str]:
    """Return the stems of those terms that can be words at all; any other character would be an operator."""
    stems = dict.fromkeys(map(stem, terms))
    return [item for item in stems if item and (item.isalnum() or is_symbol(item))]


def _rows(answer: Any) -> tuple[int, list[tuple[str, dict[str, bytes]]]]:
    """Read an answer of FT.SEARCH in either version of the protocol: how many there are, and those returned."""
    if isinstance(answer, dict):
        results = []
        for item in answer[b"results"]:
            attributes = item.get(b"extra_attributes") or {}
            results.append(
                (item[b"id"].decode(), {name.decode(): value for name, value in attributes.items()})
            )
        return int(answer[b"total_results"]), results
    rows = []
    for key, fields in zip(answer[1::2], answer[2::2], strict=True):
        pairs = zip(fields[::2], fields[1::2], strict=True)
        rows.append((key.decode(), {name.decode(): value for name, value in pairs}))
    return int(answer[0]), rows


def conditions(query: Query) -> str:
    """Write what the module can filter by; the rest is left to the caller."""
    where = query.where
    parts = []
    if where.statuses:
        parts.append(_one_of("status", [status.value for status in where.statuses]))
    if where.types:
        parts.append(_one_of("type", [item.value for item in where.types]))
    for name, values in (
        ("tags", where.tags_any),
        ("key", where.keys),
        ("source", where.sources),
        ("session", where.sessions),
    ):
        if values:
            parts.append(_one_of(name, list(map(encoded, values))))
    parts += [_one_of("tags", [encoded(tag)]) for tag in where.tags_all]
    if where.pinned is not None:
        parts.append(_one_of("pinned", [str(int(where.pinned))]))
    for name, operator, bound in ranges(query):
        low, high = {">": (f"({bound}", "+inf"), ">=": (bound, "+inf"), "<": ("-inf", f"({bound}")}.get(
            operator, ("-inf", bound)
        )
        parts.append(f"@{name}:[{low} {high}]")
    return " ".join(parts) or "*"


def _one_of(name: str, values: Sequence[str]) -> str:
    escaped = "|".join(value.replace("_", "\\_") for value in values)
    return f"@{name}:{{{escaped}}}"
