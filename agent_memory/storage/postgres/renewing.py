"""Bringing what an earlier version wrote up to date: names and outcomes at once, the words in slices."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, Final

from agent_memory import clock
from agent_memory.records import OWN_FIELDS, MemoryRecord
from agent_memory.storage import renewal
from agent_memory.storage.changes import Operation
from agent_memory.storage.postgres import deciding, reading, rows, writing
from agent_memory.storage.postgres.deciding import Request
from agent_memory.storage.postgres.reading import Scope, fetch
from agent_memory.storage.postgres.session import Connection
from agent_memory.storage.where import Condition, Where
from agent_memory.text.analysis import ANALYSER
from agent_memory.text.outcomes import success_by_first_word, success_of

_LONGER: Final = "octet_length({0}) > char_length({0})"
"""Holds for a text with letters beyond ASCII."""


async def current(connection: Connection, scope: Scope) -> bool:
    """Return whether an agent's memories are in the present form, their words apart."""
    query = f"select layout, analyser from agent where number = {scope.number}"
    return tuple((await fetch(connection, query))[0]) == (renewal.FORM, ANALYSER)


async def bring_up_to_date(connection: Connection, scope: Scope) -> None:
    """Renew names and outcomes, and note which words wait. Call it inside a write transaction."""
    agent = await deciding.lock(connection, scope)
    query = f"select layout, analyser from agent where number = {scope.number}"
    form, analyser = (await fetch(connection, query))[0]
    if form != renewal.FORM and agent.last_sequence:
        await _renew_memories(connection, scope)
    await connection.execute(
        f"update agent set layout = {renewal.FORM}, analyser = {ANALYSER} where number = {scope.number}"
    )
    if analyser != ANALYSER:
        await connection.execute(
            f"update agent set renewed_up_to = 0, outdated_up_to = last_place where number = {scope.number}"
        )


# --- names and outcomes ----------------------------------------------------------------------------------------


async def _renew_memories(connection: Connection, scope: Scope) -> None:
    sequences = {*await _oddly_named(connection, scope), *await _read_otherwise(connection, scope)}
    condition = f"m.agent = {scope.number} and m.place = any(%s)"
    memories = _by_id(await reading.records(connection, scope, condition, [list(sequences)]))
    if not memories:
        return
    for memory_type, key in renewal.keys_after(memories.values()):
        memories |= await _selected(connection, scope, Where(types=(memory_type,), keys=(key,), expired=None))
    for conversation in renewal.conversations_after(memories.values()):
        said = (Condition("conversation_id", "=", conversation),)
        memories |= await _selected(connection, scope, Where(statuses=(), expired=None, fields=said))
    changes = renewal.renewals(list(memories.values()), clock.now())
    if changes:
        await writing.commit(connection, scope, Operation(verb=renewal.RENEW), Request.of(changes))
    await _rename_settings(connection, scope)


async def _selected(connection: Connection, scope: Scope, where: Where) -> dict[str, MemoryRecord]:
    sql, values = scope.condition(where)
    return _by_id(await reading.records(connection, scope, sql, values))


def _by_id(records: list[MemoryRecord]) -> dict[str, MemoryRecord]:
    return {record.id: record for record in records}


async def _oddly_named(connection: Connection, scope: Scope) -> Iterator[int]:
    columns_of_tables = [("memory", "place", name) for name in ("key", "source", "session", "metadata")]
    columns_of_tables.append(("memory_tag", "memory", "tag"))
    columns_of_tables += [
        (kind.value, "memory", own.name)
        for kind, fields in OWN_FIELDS.items()
        for own in fields
        if own.is_name
    ]
    keys: list[Any] = []
    for table, primary_key, column in columns_of_tables:
        condition = f"agent = {scope.number} and {_LONGER.format(column)}"
        keys += await fetch(connection, f"select {primary_key}, {column} from {table} where {condition}")
    return (sequence for sequence, text in keys if not unicodedata.is_normalized("NFC", text))


async def _read_otherwise(connection: Connection, scope: Scope) -> Iterator[int]:
    """Give the places of events whose outcome says something else by the present rule."""
    query = (
        f"select memory, outcome, success from episodic where agent = {scope.number} and outcome is not null"
    )
    fetched = await fetch(connection, query)
    return (
        sequence
        for sequence, outcome, success in fetched
        if success == success_by_first_word(outcome) and success_of(outcome) != success
    )


async def _rename_settings(connection: Connection, scope: Scope) -> None:
    """Bring the names among the settings, such as the default conversation's, into one form."""
    mine = f"agent = {scope.number}"
    for name, value in await fetch(connection, f"select name, value from setting where {mine}"):
        if not unicodedata.is_normalized("NFC", value):
            await connection.execute(
                f"update setting set value = %s where {mine} and name = %s",
                (unicodedata.normalize("NFC", value), name),
            )


# --- words -----------------------------------------------------------------------------------------------------


async def outdated(connection: Connection, scope: Scope) -> range:
    """Return the places of memories whose words may be those of an older analyser."""
    query = f"select renewed_up_to, outdated_up_to from agent where number = {scope.number}"
    fetched = await fetch(connection, query)
    first, last = fetched[0] if fetched else (0, 0)
    return range(first + 1, last + 1)


async def left(connection: Connection, scope: Scope) -> int:
    """Count the memories whose words an older analyser indexed."""
    waiting = await outdated(connection, scope)
    if not waiting:
        return 0
    between = f"agent = {scope.number} and place between {waiting.start} and {waiting.stop - 1}"
    return int((await fetch(connection, f"select count(*) from memory where {between}"))[0][0])


async def renew(connection: Connection, scope: Scope, limit: int) -> None:
    """Index the words of so many more memories anew. Call it inside a write transaction."""
    await deciding.lock(connection, scope)
    waiting = await outdated(connection, scope)
    if not waiting:
        return
    between = f"m.agent = {scope.number} and m.place between {waiting.start} and {waiting.stop - 1}"
    fetched = await fetch(
        connection, f"{rows.select(scope.number)} where {between} order by m.place limit {int(limit)}"
    )
    if fetched:
        await writing.index_anew(connection, scope, rows.by_place(fetched, scope.id, scope.damaged))
    last = fetched[-1][0] if len(fetched) == limit else waiting.stop - 1
    await connection.execute(f"update agent set renewed_up_to = {last} where number = {scope.number}")


async def note_renewed(connection: Connection, scope: Scope) -> None:
    """Note that all words were indexed anew."""
    await connection.execute(f"update agent set renewed_up_to = outdated_up_to where number = {scope.number}")
