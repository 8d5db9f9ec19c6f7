"""The function in the database that stores a few new memories in one call.

Statements that a client sends are parsed and planned for each transaction behind a pooler, where nothing may stay
prepared. The server keeps the plans of a function's statements by itself, for as long as its process lives.

The function is made of what the record classes declare, anew with each version of the tables.

It must not be slow before the server has counted its rows, which it does once a minute or never. Of a table that it
takes for empty it reads all rows of the agent, by any index that begins with the agent, or none. So the last number
is the first row in an order, known texts are looked up one by one in an order, and the plans may neither sort nor
read a whole table: one index is left for each.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from psycopg import DataError

from agent_memory.records import MemoryType
from agent_memory.storage import moved
from agent_memory.storage.postgres import rows
from agent_memory.storage.postgres.batch import Statement, Value
from agent_memory.storage.postgres.hnsw import PREFIX, State
from agent_memory.storage.postgres.session import ADD_FUNCTION

OPERATION: Final[Mapping[str, str]] = {
    "id": "text",
    "verb": "text",
    "actor": "text",
    "session": "text",
    "started_at": "timestamptz",
    "undoes": "text",
}
"""The columns of `operation` with their types, without those that number it."""
PARAMETERS: Final[Mapping[str, str]] = {
    "agent_number": "int8",
    "new_operation": "json",  # the columns of `OPERATION`
    "memories": "json",  # a list: the columns of `memory`
    "own_fields": "json",  # by type a list: the columns of the type's own table
    "tags": "json",  # a list: `memory`, `tag`
    "changes": "json",  # a list: the columns of `journal`
    "ids": "text[]",
    "content_hashes": "bytea[]",
    "moment": "timestamptz",
    "latest_hlc": "int8",  # the logical time that the changes come after, at the earliest
    "in_conversation": "text",
    "stems": "text[]",
    "stem_documents": "int8[]",
    "word_count": "int8",
    "vectors": "vector[]",  # null: none
    "vector_texts": "bytea[]",
    "vector_pieces": "int4[]",
    "dimensions": "int4[]",
    "of_space": "int4",  # null: the current one
    "of_fingerprint": "text",
    "of_recipe": "int4",
    "index_space": "int4",  # null: no table of an HNSW index takes new vectors
}
"""The parameters of the function with their types, in order.

What numbers a row (`place`, `memory`, `hlc`) is how far it is behind the last one there was. A message has a
`distance` from the last one of its conversation; in its journal entry, the position stands between `begin` and `end`.
"""
_POSITION: Final = "position_before + (item->>'distance')::int8"
_CHECK: Final = f"""
  select a.last_place, greatest(a.last_hlc, latest_hlc), a.hnsw_space, a.hnsw_state
    into place_before, hlc_before, hnsw_space, hnsw_state
    from agent as a
    where a.number = agent_number
      and not exists (select 1 from memory as m where m.agent = agent_number and m.id = any(ids))
      and not exists (
        select 1 from memory as m where m.agent = agent_number and m.status = 'active'
          and m.content_hash = any(content_hashes) and (m.expires_at is null or m.expires_at > moment))
      and not exists (select 1 from setting as s where s.agent = agent_number and s.name = '{moved.SETTING}');
  if not found then
    return null;
  end if;
  if vectors is not null then
    select s.id,
        coalesce((select e.number from embedding as e
          where e.agent = agent_number and e.space = s.id order by e.number desc limit 1), 0)
      into space_id, vector_before
      from embedding_space as s
      where s.agent = agent_number and s.dimension = all(dimensions)
        and case when of_space is null then s.current
            else s.id = of_space and s.fingerprint = of_fingerprint and s.recipe = of_recipe end
        -- While vectors are copied into the table of an index, new ones are left to that.
        and case when index_space is null then hnsw_space is null or hnsw_state = '{State.COPYING}'
            else hnsw_space = index_space and s.id = index_space and hnsw_state <> '{State.COPYING}' end
        and not exists (
          select 1 from unnest(vector_texts) as new (text_hash) cross join lateral
            (select 1 from embedding as e where e.agent = agent_number and e.space = s.id
              and e.text_hash = new.text_hash order by e.piece limit 1) as known)
        and not exists (
          select 1 from embedding_attempt as t
            where t.agent = agent_number and t.space = s.id and t.text_hash = any(vector_texts));
    if not found then
      return null;
    end if;
  end if;
  if in_conversation is not null then
    select coalesce((select c.position from conversation as c
      where c.agent = agent_number and c.conversation_id = in_conversation and c.position is not null
      order by c.position desc limit 1), -1) into position_before;
  end if;
"""
_WORDS: Final = """
  insert into term (agent, stem, documents)
    select agent_number, new.stem, new.documents from unnest(stems, stem_documents) as new (stem, documents)
    on conflict (agent, stem) do update set documents = term.documents + excluded.documents;
"""
_VECTORS: Final = f"""
  if vectors is not null then
    insert into embedding (agent, space, text_hash, piece, number, vector)
      select agent_number, space_id, new.text_hash, new.piece, vector_before + new.number, new.vector
      from unnest(vector_texts, vector_pieces, vectors) with ordinality as new (text_hash, piece, vector, number);
    if index_space is not null then
      execute format(
        'insert into %I (number, vector) select $1 + new.number, new.vector'
        ' from unnest($2) with ordinality as new (vector, number)', '{PREFIX}' || agent_number || '_' || index_space)
        using vector_before, vectors;
    end if;
  end if;
"""
_COUNTERS: Final = """
  update agent as a set version = a.version + 1, last_place = a.last_place + json_array_length(memories),
    documents = a.documents + json_array_length(memories), words = a.words + word_count,
    last_hlc = hlc_before + json_array_length(changes)
    where a.number = agent_number;
"""


def definition() -> list[str]:
    """Write the statements that make the function anew, which may have had other parameters.

    Returns:
        The statements. The function returns null if anything like the memories is known, and has stored nothing then;
        else the position of the last message before, -1 for none. The caller holds the agent's lock.
    """
    parameters = ", ".join(f"{name} {kind}" for name, kind in PARAMETERS.items())
    body = f"""create function {ADD_FUNCTION}({parameters}) returns int8 language plpgsql
set plan_cache_mode = force_generic_plan set enable_sort = off set enable_seqscan = off as $body$
declare
  place_before int8;
  hlc_before int8;
  position_before int8 := -1;
  hnsw_space int4;
  hnsw_state text;
  space_id int4;
  vector_before int8;
begin{_CHECK}{"".join(_inserts())}{_WORDS}{_VECTORS}{_COUNTERS}
  return position_before;
end
$body$"""
    return [f"drop function if exists {ADD_FUNCTION}", body]


def _inserts() -> Iterator[str]:
    """Write the statements for all rows that come as JSON."""
    yield f"""
  insert into operation (agent, seq, {", ".join(OPERATION)})
    select agent_number,
      1 + coalesce((select o.seq from operation as o where o.agent = agent_number order by o.seq desc limit 1), 0),
      {", ".join(f"entry.{name}" for name in OPERATION)}
    from json_populate_record(null::operation, new_operation) as entry;
"""
    # A text that holds JSON is the text of a jsonb only once it is cast.
    yield _insert("memory", rows.MEMORY, "place_before", "memories", facts="(item->>'facts')::jsonb")
    for kind, columns in rows.OWN.items():
        source, expressions = f"own_fields->'{kind}'", {}
        if kind is MemoryType.CONVERSATION:
            expressions["position"] = (
                f"case when item->>'distance' is null then entry.position else {_POSITION} end"
            )
        insert = _insert(kind.value, columns, "place_before", source, **expressions)
        yield f"  if {source} is not null then{insert}  end if;\n"
    yield """
  insert into memory_tag (agent, memory, tag)
    select agent_number, place_before + entry.memory, entry.tag
    from json_populate_recordset(null::memory_tag, tags) as entry;
"""
    after = (
        "case when item->>'distance' is null then entry.after"
        f" else (item->>'begin') || '\"position\":' || ({_POSITION}) || (item->>'end') end"
    )
    yield _insert("journal", rows.JOURNAL, "hlc_before", "changes", after=after)


def _insert(table: str, columns: Mapping[str, str], before: str, source: str, **expressions: str) -> str:
    """Write the statement that inserts the rows in a list.

    Args:
        table: the table.
        columns: its columns, of which the first is the agent and the second numbers the entry.
        before: the number that the second is counted from.
        source: the list.
        expressions: what is stored in a column, where it is not just what the row says.

    Returns:
        The statement.
    """
    _, numbered, *others = columns
    values = ", ".join(expressions.get(name, f"entry.{name}") for name in others)
    return f"""
  insert into {table} ({", ".join(columns)})
    select agent_number, {before} + entry.{numbered}, {values}
    from json_array_elements({source}) as item, json_populate_record(null::{table}, item) as entry;
"""


# --- calling it ------------------------------------------------------------------------------------------------

_CALL: Final = (
    f"select {ADD_FUNCTION}({', '.join(f'${place}::{kind}' for place, kind in enumerate(PARAMETERS.values(), 1))})"
).encode()


def call(values: Mapping[str, Any]) -> Statement:
    """Make the call of the function.

    Args:
        values: the values of `PARAMETERS` as the server reads them, bytes where they are in binary form. Those that
            are not named are null.

    Returns:
        The statement.

    Raises:
        DataError: a text holds a NUL.
    """
    chosen = [values.get(name) for name in PARAMETERS]
    return Statement(
        _CALL, [_sent(value) for value in chosen], [int(isinstance(value, bytes)) for value in chosen]
    )


def _sent(value: Any) -> Value:
    return value if value is None or isinstance(value, bytes) else _text(value).encode()


def as_json(rows_: Any) -> str:
    """Write rows, or a mapping or list of rows, as JSON that PostgreSQL turns into values of a table's columns.

    Returns:
        The JSON. Bytes, times and real numbers are texts in it, as the server reads them.

    Raises:
        DataError: a text holds a NUL.
    """
    return json.dumps(_plain(rows_), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    return f"\\x{value.hex()}" if isinstance(value, bytes) else _text(value)


def _text(value: Any) -> str:
    """Return a value as the server reads it."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if "\0" in text:
        raise DataError("a text holds a NUL")  # the client library would end it there
    return text
