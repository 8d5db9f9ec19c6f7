"""Checking that everything agrees, and making anew what is derived."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage.base import EmbeddingSpace
from agent_memory.storage.damage import Damaged
from agent_memory.storage.postgres import attempts, history, hnsw, renewing, rows, vectors
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.rows import words_of
from agent_memory.storage.postgres.session import Connection
from agent_memory.text.templates import ContentHash, TextHash, content_hash, embedded_text, embedding_hash

_BATCH: Final = 1000


async def check(connection: Connection, scope: Scope) -> list[str]:
    """Return one line per fault."""
    integrity_errors: list[str] = []
    terms: Counter[str] = Counter()
    documents = length = 0
    outdated, damaged = await renewing.outdated(connection, scope), Damaged()
    async for record, stored in _derived(connection, scope, damaged):
        indexed = stored.words
        documents += 1
        length += indexed.length
        terms.update(indexed.stems.keys())
        if record is None:
            continue
        words = words_of(record)
        if stored.hashes != _hashes(record):
            integrity_errors.append(f"memory {record.id}: its hashes do not fit its text")
        if stored.sequence not in outdated and (indexed.length, indexed.stems.keys()) != (
            words.length,
            words.stems.keys(),
        ):
            integrity_errors.append(f"memory {record.id}: other words are indexed than it holds")
        if not stored.filterable:
            integrity_errors.append(f"memory {record.id}: its metadata and what is filtered by differ")
    integrity_errors += [f"{name}: {why}" for name, why in damaged.items()]
    integrity_errors += await _totals(connection, scope, documents, length, terms)
    return [*integrity_errors, *await _rows(connection, scope), *await history.check(connection, scope)]


class _Stored(NamedTuple):
    """What a row holds that follows from its memory."""

    sequence: int
    hashes: tuple[ContentHash, TextHash]
    words: rows.Words
    filterable: bool
    """Whether what is filtered by is what the metadata says."""


async def _derived(
    connection: Connection, scope: Scope, damaged: Damaged
) -> AsyncIterator[tuple[MemoryRecord | None, _Stored]]:
    """Iterate over all memories, None for one that cannot be read, each with what is derived from it."""
    last = 0
    while True:
        sql = f"where m.agent = {scope.number} and m.place > {last} order by m.place limit {_BATCH}"
        fetched = await fetch(connection, f"{rows.select(scope.number)} {sql}")
        if not fetched:
            return
        page = rows.by_place(fetched, scope.id, damaged)
        query = (
            "select place, content_hash, embedded_hash, tsvector_to_array(lexemes), length, memory.facts = given.said"
            " from memory join unnest(%s::bigint[], %s::jsonb[]) as given (at, said) on given.at = place"
            f" where agent = {scope.number} order by place"
        )
        sequences = [row[0] for row in fetched]
        said = [rows.facts(page[item].metadata) if item in page else None for item in sequences]
        for sequence, content, embedded, lexemes, length, filterable in await fetch(
            connection, query, [sequences, said]
        ):
            words = rows.indexed_words(lexemes, length)
            hashes = ContentHash(bytes(content)), TextHash(bytes(embedded))
            yield page.get(sequence), _Stored(sequence, hashes, words, filterable)
        last = fetched[-1][0]


def _hashes(record: MemoryRecord) -> tuple[ContentHash, TextHash]:
    return content_hash(record), embedding_hash(embedded_text(record))


async def _execute_many(connection: Connection, statement: str, values: list[tuple[Any, ...]]) -> None:
    """Send a statement with many values at once, rather than wait for each."""
    async with connection.cursor() as cursor:
        await cursor.executemany(statement, values)


async def _totals(
    connection: Connection, scope: Scope, documents: int, length: int, terms: Counter[str]
) -> list[str]:
    integrity_errors = []
    fetched = await fetch(connection, f"select documents, words from agent where number = {scope.number}")
    if fetched and tuple(fetched[0]) != (documents, length):
        integrity_errors.append("the totals of the full-text index contradict the memories")
    counted = dict(await fetch(connection, f"select stem, documents from term where agent = {scope.number}"))
    if counted != dict(terms):
        integrity_errors.append("the counts of words contradict the memories")
    return integrity_errors


async def _rows(connection: Connection, scope: Scope) -> list[str]:
    integrity_errors = []
    for kind in OWN_FIELDS:
        wrong = (
            f"select m.id from memory as m left join {kind} as own on own.agent = m.agent and own.memory = m.place"
            f" where m.agent = {scope.number} and (m.type = '{kind}') <> (own.memory is not null)"
        )
        integrity_errors += [
            f"memory {row[0]}: its row in {kind} does not fit its type"
            for row in await fetch(connection, wrong)
        ]
    newest = (
        f"select m.id from memory as m where m.agent = {scope.number} and m.revision is distinct from"
        f" (select change_id from journal as j where j.agent = {scope.number} and j.memory_id = m.id"
        " order by hlc desc limit 1)"
    )
    fetched = await fetch(connection, newest)
    integrity_errors += [
        f"memory {row[0]}: its last change in the journal is not its version" for row in fetched
    ]
    for space in await vectors.spaces(connection, scope):
        query = (
            f"select count(*) from embedding where agent = {scope.number} and space = {space.id}"
            f" and vector_dims(vector) <> {space.dimension}"
        )
        if (await fetch(connection, query))[0][0]:
            integrity_errors.append(f"vectors of space {space.id} have another dimension")
    return [*integrity_errors, *await hnsw.check(connection, scope, await vectors.spaces(connection, scope))]


async def add_space(connection: Connection, scope: Scope, space: EmbeddingSpace) -> EmbeddingSpace:
    """Make a space known, unless somebody was faster. Call it inside a write transaction."""
    known = await vectors.spaces(connection, scope)
    added = await vectors.add_space(connection, scope, space)
    if any(entry.template_version != added.template_version for entry in known):
        await rebuild(connection, scope)  # the texts to embed are others now
    return added


async def rebuild(connection: Connection, scope: Scope) -> None:
    """Make words, hashes and totals anew from the rows. Call it inside a write transaction."""
    terms: Counter[str] = Counter()
    documents = length = 0
    update = (
        "update memory set facts = %s::jsonb, content_hash = %s, embedded_hash = %s, length = %s,"
        f" lexemes = %s::tsvector where agent = {scope.number} and place = %s"
    )
    values: list[tuple[Any, ...]] = []
    async for record, stored in _derived(connection, scope, scope.damaged):
        words = stored.words if record is None else words_of(record)
        documents += 1
        length += words.length
        terms.update(words.stems.keys())
        if record is None:
            continue  # what it says is not known, so what is derived from it stays as it is
        tsvector = rows.tsvector(scope.number, words.stems)
        values.append(
            (rows.facts(record.metadata), *_hashes(record), words.length, tsvector, stored.sequence)
        )
        if len(values) == _BATCH:
            await _execute_many(connection, update, values)
            values.clear()
    await _execute_many(connection, update, values)
    await attempts.forget_unused(connection, scope)
    await connection.execute(f"delete from term where agent = {scope.number}")
    await connection.execute(
        f"insert into term (agent, stem, documents) select {scope.number}, * from unnest(%s::text[], %s::bigint[])",
        (list(terms), list(terms.values())),
    )
    await connection.execute(
        f"update agent set documents = %s, words = %s where number = {scope.number}", (documents, length)
    )
    await renewing.note_renewed(connection, scope)
