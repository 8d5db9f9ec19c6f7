"""The SQL that `adding` sends: statements of one transaction, which hand numbers on to each other.

All of them are sent before the first is answered, so the client cannot put the agent's counters into them. The server
keeps the counters instead, in settings of the transaction:

1. The check (`check`) looks whether anything like the new memories is known. If not, it sets each `Setting`.
2. Each statement behind it (`inserts`) numbers its rows from a setting on: the first memory has `PLACE` + 1, and so
   on. Where the check has set nothing, its condition `_ALL_NEW` is false, and it does nothing.
3. The last one (`Inserts.counters`) counts the agent's own counters on, and returns the last position.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from psycopg import DataError

from agent_memory.records import MemoryType
from agent_memory.storage import moved
from agent_memory.storage.postgres import rows
from agent_memory.storage.postgres.batch import Statement, Value
from agent_memory.storage.postgres.hnsw import State

OPERATION: Final[Mapping[str, str]] = {
    "id": "text",
    "verb": "text",
    "actor": "text",
    "session": "text",
    "started_at": "timestamptz",
    "undoes": "text",
}
"""The columns of `operation` with their types, without those that number it."""
_VECTOR: Final = {"text_hash": "bytea", "piece": "int4", "vector": "vector"}
_PARAMETER: Final = re.compile(r"(?<!:):(\w+)(?=::)")


class Setting(StrEnum):
    """A setting of the transaction: the check sets it, and the statements behind the check read it."""

    PLACE = "agentmem.place"
    """The sequence number of the agent's last memory."""
    HLC = "agentmem.hlc"
    """The logical time of the agent's last change."""
    POSITION = "agentmem.position"
    """The position of the conversation's last message, -1 for none; set only where messages are stored."""
    SPACE = "agentmem.space"
    """The embedding space of the new vectors; set, as the next one, only where vectors are stored."""
    VECTORS = "agentmem.vectors"
    """The number of the last vector in that space."""

    @property
    def number(self) -> str:
        """The expression that reads it."""
        return f"current_setting('{self}')::int8"


_ALL_NEW: Final = f"current_setting('{Setting.PLACE}', true) <> ''"
"""The condition that the check found nothing known."""


class Template:
    """A statement with named parameters: `:name::type` stands for a value.

    Args:
        text: the statement. The server gets `$1` for the first name, `$2` for the second, and so on.
    """

    def __init__(self, text: str) -> None:
        numbers: dict[str, int] = {}

        def numbered(match: re.Match[str]) -> str:
            return f"${numbers.setdefault(match[1], len(numbers) + 1)}"

        self.text = _PARAMETER.sub(numbered, text).encode()
        self.names = tuple(numbers)

    def statement(self, values: Mapping[str, Any]) -> Statement:
        """Fill in values.

        Args:
            values: the values by name; those of other names are left out.

        Returns:
            The statement with its values, bytes in binary form.

        Raises:
            DataError: a text holds a NUL.
        """
        chosen = [values[name] for name in self.names]
        return Statement(
            self.text,
            [_value(value) for value in chosen],
            [int(isinstance(value, bytes)) for value in chosen],
        )


def _value(value: Any) -> Value:
    """Return a value as the server reads it: bytes in binary form, anything else as text."""
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        if "\0" in value:
            raise DataError("a text holds a NUL")  # the client library would end it there
        return value.encode()
    return (value.isoformat() if isinstance(value, datetime) else str(value)).encode()


# --- the check -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def check(agent: int, *, vectors: bool, messages: bool) -> Template:
    """Write the statement that sets the settings if nothing of a batch is known; they stay unset otherwise.

    Args:
        agent: the number of the agent.
        vectors: whether vectors are stored.
        messages: whether messages of a conversation are stored.

    Returns:
        A statement with the values `ids`, `content_hashes`, `now` and `hlc`; with vectors those of `_of_vectors`,
        with messages also `conversation`.
    """
    settings = {Setting.PLACE: "a.last_place", Setting.HLC: "greatest(a.last_hlc, :hlc::int8)"}
    conditions = [
        f"a.number = {agent}",
        f"not exists (select 1 from memory where agent = {agent} and id = any(:ids::text[]))",
        f"not exists (select 1 from memory where agent = {agent} and status = 'active'"
        " and content_hash = any(:content_hashes::bytea[])"
        " and (expires_at is null or expires_at > :now::timestamptz))",
        f"not exists (select 1 from setting where agent = {agent} and name = '{moved.SETTING}')",
    ]
    tables = "agent as a"
    if messages:
        settings[Setting.POSITION] = (
            f"(select coalesce(max(position), -1) from conversation where agent = {agent}"
            " and conversation_id = :conversation::text and position is not null)"
        )
    if vectors:
        tables += f" join embedding_space as s on s.agent = {agent}"
        settings[Setting.SPACE] = "s.id"
        settings[Setting.VECTORS] = (
            f"(select coalesce(max(number), 0) from embedding where agent = {agent} and space = s.id)"
        )
        conditions += _of_vectors(agent)
    set_all = ", ".join(f"set_config('{name}', ({value})::text, true)" for name, value in settings.items())
    return Template(f"select {set_all} from {tables} where {' and '.join(conditions)}")


def _of_vectors(agent: int) -> list[str]:
    """Write the conditions that vectors are new, fit into their space `s`, and that its index is as the client knows.

    Their values are `dimensions`, `text_hashes`, `space`, `fingerprint`, `template_version` and `index_space`. A
    `space` that is null is the current one; an `index_space` that is null is none.

    Returns:
        The conditions, all of which have to hold.
    """
    of_text = f"agent = {agent} and space = s.id and text_hash = any(:text_hashes::bytea[])"
    return [
        "s.dimension = all(:dimensions::int4[])",
        "case when :space::int4 is null then s.current else s.id = :space::int4"
        " and s.fingerprint = :fingerprint::text and s.recipe = :template_version::int4 end",
        f"not exists (select 1 from embedding where {of_text})",
        f"not exists (select 1 from embedding_attempt where {of_text})",
        # While vectors are copied into the table of an index, new ones are left to that.
        "case when :index_space::int4 is null"
        f" then a.hnsw_space is null or a.hnsw_state = '{State.COPYING}'"
        " else a.hnsw_space = :index_space::int4 and s.id = :index_space::int4"
        f" and a.hnsw_state <> '{State.COPYING}' end",
    ]


# --- behind the check ------------------------------------------------------------------------------------------


class Inserts(NamedTuple):
    """The statements that store a batch, for one agent. Values are named after columns.

    The value of the column that numbers a row is how far its number is above the last one there was.
    """

    operation: Template
    memory: Template
    own: Mapping[MemoryType, Template]
    """By type: the row with the type's own fields."""
    message: Template
    """The row of a message; its `position` is the distance from the conversation's last one."""
    tags: Template
    """All `tags` of the memory at the distance `memory`."""
    terms: Template
    """The `stems`, and in how many new `documents` each is."""
    journal: Template
    journal_of_message: Template
    """The row whose version is a message: `position` stands between `after_begin` and `after_end`."""
    vector: Template
    """One vector at the distance `number`."""
    counters: Template
    """How many `memories`, `documents`, `words` and `changes` there are more."""


@lru_cache(maxsize=64)
def inserts(agent: int) -> Inserts:
    """Write the statements behind the check.

    Args:
        agent: the number of the agent.

    Returns:
        The statements.
    """
    position = f"{Setting.POSITION.number} + :position::int8"
    after = f":after_begin::text || '\"position\":' || ({position}) || :after_end::text"
    return Inserts(
        operation=Template(
            f"insert into operation (agent, seq, {', '.join(OPERATION)}) select {agent},"
            f" (select coalesce(max(seq), 0) + 1 from operation where agent = {agent}),"
            f" {', '.join(_parameters(OPERATION).values())} where {_ALL_NEW}"
        ),
        memory=_insert(agent, "memory", Setting.PLACE, rows.MEMORY),
        own={kind: _insert(agent, kind.value, Setting.PLACE, columns) for kind, columns in rows.OWN.items()},
        message=_insert(
            agent, "conversation", Setting.PLACE, rows.OWN[MemoryType.CONVERSATION], position=position
        ),
        tags=Template(
            f"insert into memory_tag (agent, memory, tag) select {agent}, {Setting.PLACE.number} + :memory::int8, tag"
            f" from unnest(:tags::text[]) as tag where {_ALL_NEW}"
        ),
        terms=Template(
            f"insert into term (agent, stem, documents) select {agent}, stem, documents"
            f" from unnest(:stems::text[], :documents::int8[]) as new (stem, documents) where {_ALL_NEW}"
            " on conflict (agent, stem) do update set documents = term.documents + excluded.documents"
        ),
        journal=_insert(agent, "journal", Setting.HLC, rows.JOURNAL),
        journal_of_message=_insert(agent, "journal", Setting.HLC, rows.JOURNAL, after=after),
        vector=Template(
            f"insert into embedding (agent, space, number, {', '.join(_VECTOR)})"
            f" select {agent}, current_setting('{Setting.SPACE}')::int4,"
            f" {Setting.VECTORS.number} + :number::int8, {', '.join(_parameters(_VECTOR).values())} where {_ALL_NEW}"
        ),
        counters=Template(
            "update agent set version = version + 1, last_place = last_place + :memories::int8,"
            " documents = documents + :documents::int8, words = words + :words::int8,"
            f" last_hlc = {Setting.HLC.number} + :changes::int8 where number = {agent} and {_ALL_NEW}"
            f" returning current_setting('{Setting.POSITION}', true)"
        ),
    )


@lru_cache(maxsize=64)
def indexed_vector(table: str) -> Template:
    """Write the statement that puts a new vector into the table of an HNSW index too.

    Args:
        table: the name of that table.

    Returns:
        A statement with the values `number` and `vector`.
    """
    return Template(
        f"insert into {table} (number, vector)"
        f" select {Setting.VECTORS.number} + :number::int8, :vector::vector where {_ALL_NEW}"
    )


def _insert(
    agent: int, table: str, last: Setting, columns: Mapping[str, str], **expressions: str
) -> Template:
    """Write the statement that stores a row.

    Args:
        agent: the number of the agent, which is the first column.
        table: the table.
        last: the setting with the last number; the second column is counted from there.
        columns: the columns with their types.
        expressions: for columns that are more than a value: what is stored.

    Returns:
        A statement with the values of all columns but the first, unless `expressions` names others.
    """
    _, numbered, *others = columns
    values = _parameters({name: columns[name] for name in others}) | expressions
    return Template(
        f"insert into {table} ({', '.join(columns)})"
        f" select {agent}, {last.number} + :{numbered}::int8, {', '.join(values.values())} where {_ALL_NEW}"
    )


def _parameters(columns: Mapping[str, str]) -> dict[str, str]:
    """Return for each column the parameter of its name."""
    return {name: f":{name}::{kind}" for name, kind in columns.items()}
