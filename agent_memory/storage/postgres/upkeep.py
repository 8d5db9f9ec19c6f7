"""Checking that everything agrees, and making anew what is derived."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final, NamedTuple

from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage.postgres import attempts, renewing, rows, vectors
from agent_memory.storage.postgres.connection import Connection
from agent_memory.storage.postgres.reading import Whose, fetch
from agent_memory.storage.postgres.rows import words_of
from agent_memory.text.templates import content_hash, embedded_text, embedding_hash

_BATCH: Final = 1000


async def check(connection: Connection, whose: Whose) -> list[str]:
    """Return one line per fault."""
    faults: list[str] = []
    terms: Counter[str] = Counter()
    documents = length = 0
    outdated = await renewing.outdated(connection, whose)
    async for record, stored in _derived(connection, whose):
        indexed, words = stored.words, words_of(record)
        documents += 1
        length += indexed.length
        terms.update(indexed.stems.keys())
        if stored.hashes != _hashes(record):
            faults.append(f"memory {record.id}: its hashes do not fit its text")
        if stored.place not in outdated and (indexed.length, indexed.stems.keys()) != (
            words.length,
            words.stems.keys(),
        ):
            faults.append(f"memory {record.id}: other words are indexed than it holds")
        if not stored.filterable:
            faults.append(f"memory {record.id}: its metadata and what is filtered by differ")
    faults += await _totals(connection, whose, documents, length, terms)
    return [*faults, *await _rows(connection, whose)]


class _Stored(NamedTuple):
    """What a row holds that follows from its memory."""

    place: int
    hashes: tuple[bytes, bytes]
    words: rows.Words
    filterable: bool
    """Whether what is filtered by is what the metadata says."""


async def _derived(connection: Connection, whose: Whose) -> AsyncIterator[tuple[MemoryRecord, _Stored]]:
    """Go through all memories, each with what is derived from it."""
    last = 0
    while True:
        sql = f"where m.agent = {whose.number} and m.place > {last} order by m.place limit {_BATCH}"
        found = await fetch(connection, f"{rows.SELECT} {sql}")
        if not found:
            return
        page = [rows.record(row, whose.id) for row in found]
        query = (
            "select place, content_hash, embedded_hash, tsvector_to_array(lexemes), length, memory.facts = given.said"
            " from memory join unnest(%s::bigint[], %s::jsonb[]) as given (at, said) on given.at = place"
            f" where agent = {whose.number} order by place"
        )
        places = [row[0] for row in found]
        derived = await fetch(connection, query, [places, [rows.facts(each.metadata) for each in page]])
        for record, (place, content, embedded, lexemes, length, filterable) in zip(
            page, derived, strict=True
        ):
            words = rows.indexed_words(lexemes, length)
            yield record, _Stored(place, (bytes(content), bytes(embedded)), words, filterable)
        last = found[-1][0]


def _hashes(record: MemoryRecord) -> tuple[bytes, bytes]:
    return content_hash(record), embedding_hash(embedded_text(record))


async def _totals(
    connection: Connection, whose: Whose, documents: int, length: int, terms: Counter[str]
) -> list[str]:
    faults = []
    held = await fetch(connection, f"select documents, words from agent where number = {whose.number}")
    if tuple(held[0]) != (documents, length):
        faults.append("the totals of the full-text index contradict the memories")
    counted = dict(await fetch(connection, f"select stem, documents from term where agent = {whose.number}"))
    if counted != dict(terms):
        faults.append("the counts of words contradict the memories")
    return faults


async def _rows(connection: Connection, whose: Whose) -> list[str]:
    faults = []
    for kind in OWN_FIELDS:
        wrong = (
            f"select m.id from memory as m left join {kind} as own on own.agent = m.agent and own.memory = m.place"
            f" where m.agent = {whose.number} and (m.type = '{kind}') <> (own.memory is not null)"
        )
        faults += [
            f"memory {row[0]}: its row in {kind} does not fit its type"
            for row in await fetch(connection, wrong)
        ]
    newest = (
        "select m.id from memory as m where m.agent = %s and m.revision is distinct from (select change_id"
        " from journal as j where j.agent = m.agent and j.memory_id = m.id order by hlc desc limit 1)"
    )
    found = await fetch(connection, newest, [whose.number])
    faults += [f"memory {row[0]}: its last change in the journal is not its version" for row in found]
    for space in await vectors.spaces(connection, whose):
        query = (
            f"select count(*) from embedding where agent = {whose.number} and space = {space.id}"
            f" and vector_dims(vector) <> {space.dimension}"
        )
        if (await fetch(connection, query))[0][0]:
            faults.append(f"vectors of space {space.id} have another dimension")
    return faults


async def rebuild(connection: Connection, whose: Whose) -> None:
    """Make words, hashes and totals anew from the rows. Call it inside a write transaction."""
    terms: Counter[str] = Counter()
    documents = length = 0
    update = (
        "update memory set facts = %s::jsonb, content_hash = %s, embedded_hash = %s, length = %s,"
        f" lexemes = %s::tsvector where agent = {whose.number} and place = %s"
    )
    async for record, stored in _derived(connection, whose):
        words = words_of(record)
        documents += 1
        length += words.length
        terms.update(words.stems.keys())
        await connection.execute(
            update,
            (
                rows.facts(record.metadata),
                *_hashes(record),
                words.length,
                rows.tsvector(whose.number, words.stems),
                stored.place,
            ),
        )
    await attempts.forget_unused(connection, whose)
    await connection.execute(f"delete from term where agent = {whose.number}")
    await connection.execute(
        f"insert into term (agent, stem, documents) select {whose.number}, * from unnest(%s::text[], %s::bigint[])",
        (list(terms), list(terms.values())),
    )
    await connection.execute(
        f"update agent set documents = %s, words = %s where number = {whose.number}", (documents, length)
    )
    await renewing.note_renewed(connection, whose)
