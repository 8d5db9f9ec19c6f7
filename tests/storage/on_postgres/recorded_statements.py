"""What the server was sent and how it planned it, held against what Citus refuses.

Citus plans a statement like PostgreSQL, and sends it to one server if every distributed table in it is restricted to
one value of the column that it is distributed by. The plan shows just that, so no parser of SQL is needed: wherever a
table of ours is read, the agent's number must be among its conditions, as a number and not as another row's column.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg
from servers.postgres import PostgresServer

from agent_memory.storage.postgres.distributing import DISTRIBUTED, NAMES
from agent_memory.storage.postgres.migrate import statements

_ROLE = "recorded"
_SETTINGS = {
    "session_preload_libraries": "auto_explain",
    "log_statement": "all",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_format": "json",
}
_ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[\d+\] (?=[A-Z]+:  )", re.MULTILINE)
_SENT = re.compile(r"LOG:  (?:statement|execute [^:]+): (.*)", re.DOTALL)
_PLANNED = re.compile(r"LOG:  duration: [\d.]+ ms  plan:\n(.*)", re.DOTALL)
_HARMLESS = re.compile(r"(begin|commit|rollback|set|select pg_advisory_xact_lock)\b", re.IGNORECASE)
_WITHOUT_DIGITS = str.maketrans("", "", "0123456789")
_FAULTLESS: set[str] = set()
_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")
_OF_ONE_AGENT = re.compile(r"embedding_graph_\d+_\d+$")
"""Indexes that hold rows of one agent only; the planner leaves out the condition that says so."""
_ASSIGNED = re.compile(r"\s*update (?:\S+\.)?\"?(\w+)\"?(?: as \w+)? set (.*)", re.IGNORECASE | re.DOTALL)


class Fault(NamedTuple):
    """A statement that Citus refuses, and why."""

    why: str
    statement: str


class Recorder:
    """Reads the log of a server for what was sent by a user of its own."""

    def __init__(self, server: PostgresServer) -> None:
        self._log = server.log
        self._read = self._log.stat().st_size
        self.url = server.url.replace("postgres@", f"{_ROLE}@")
        self.seen: set[str] = set()
        """All statements."""
        with psycopg.connect(server.url, autocommit=True) as connection:
            known = connection.execute("select 1 from pg_roles where rolname = %s", (_ROLE,)).fetchone()
            if known is None:
                connection.execute(f"create role {_ROLE} superuser login")
                for name, value in _SETTINGS.items():
                    connection.execute(f"alter role {_ROLE} set {name} = '{value}'")

    def faults(self) -> list[Fault]:
        """Return what is wrong with the statements since the last call."""
        return list(self._faults())

    def _faults(self) -> Iterator[Fault]:
        with self._log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        self._read += len(text)
        for entry in _ENTRY.split(text.decode()):
            entry = entry.rstrip("\n")
            if sent := _SENT.match(entry):
                statement = sent[1].replace("\n\t", "\n")
                if statement not in self.seen:
                    self.seen.add(statement)
                    yield from faults_of_text(statement)
            elif planned := _PLANNED.match(entry):
                # Most plans differ from one that was looked at in numbers only.
                shape = planned[1].translate(_WITHOUT_DIGITS)
                if shape in _FAULTLESS:
                    continue
                plan = json.loads(planned[1])
                faults = list(_faults_of_plan(plan["Plan"]))
                yield from (Fault(why, plan["Query Text"]) for why in faults)
                if not faults:
                    _FAULTLESS.add(shape)


def faults_of_text(statement: str) -> Iterator[Fault]:
    """Yield what is wrong with a statement as it is sent."""
    parts = statements(statement)
    if len(parts) > 1 and not all(map(_HARMLESS.match, parts)):
        yield Fault("several statements are sent as one", statement)
    for part in parts:
        assigned = _ASSIGNED.match(part)
        column = DISTRIBUTED.get(assigned[1].lower()) if assigned else None
        if assigned and column and re.search(rf"(^|,\s*){column}\s*=", assigned[2].split(" where ")[0]):
            yield Fault(f"{assigned[1]}.{column} is changed, by which the table is distributed", statement)


def _faults_of_plan(plan: Mapping[str, Any]) -> Iterator[str]:
    """Yield what keeps a statement from being sent to one server as a whole."""
    scans = list(_scans(plan))
    if {scan["Relation Name"] for scan in scans} <= {"agent", NAMES}:
        return  # every server may be asked for its agents, and has the names of all
    ours = [scan for scan in scans if scan["Relation Name"] in DISTRIBUTED]
    for scan in ours:
        table = scan["Relation Name"]
        restricted = any(_restricts(scan.get(name, ""), DISTRIBUTED[table]) for name in _CONDITIONS)
        if not restricted and not _OF_ONE_AGENT.match(scan.get("Index Name", "")):
            yield f"{table} is read for no agent in particular"
    others = {scan["Relation Name"] for scan in scans} - DISTRIBUTED.keys() - {NAMES}
    if ours and others:
        yield f"{', '.join(sorted(others))} is joined, which is not distributed"


def _scans(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        yield plan
    for below in plan.get("Plans", ()):
        yield from _scans(below)


def _restricts(condition: str, column: str) -> bool:
    """Return whether a condition holds only for one value of a column, which is written in it."""
    constant = re.compile(rf"\(*(?:\w+\.)?{column} = '?\d+'?(?:::bigint)?\)*$")
    return any(map(constant.match, _conjuncts(condition)))


def _conjuncts(condition: str) -> list[str]:
    """Return the conditions that must all hold, of one as the server writes it: with every AND in brackets."""
    parts, depth, quoted = [""], 0, False
    for piece in re.split(r"('|\(|\)| AND )", condition):
        quoted ^= piece == "'"
        depth += 0 if quoted else (piece == "(") - (piece == ")")
        if piece == " AND " and depth == 1 and not quoted:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


_FOREIGN_KEYS = """
select c.conrelid::regclass::text, c.confrelid::regclass::text, c.conname,
  (select array_agg(a.attname::text order by k.at) from unnest(c.conkey) with ordinality as k (number, at)
    join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = k.number),
  (select array_agg(a.attname::text order by k.at) from unnest(c.confkey) with ordinality as k (number, at)
    join pg_attribute as a on a.attrelid = c.confrelid and a.attnum = k.number)
from pg_constraint as c where c.contype = 'f' and c.conparentid = 0 and c.connamespace = to_regnamespace(%s)
order by c.conname
"""
_UNIQUE = """
select i.indrelid::regclass::text, i.indexrelid::regclass::text, array(select a.attname::text from pg_attribute as a
  where a.attrelid = i.indrelid and a.attnum = any(i.indkey))
from pg_index as i join pg_class as c on c.oid = i.indrelid
where i.indisunique and c.relnamespace = to_regnamespace(%s) and c.relkind in ('r', 'p')
"""


class Reference(NamedTuple):
    """A foreign key, as the server knows it."""

    table: str
    target: str
    name: str
    columns: list[str]
    target_columns: list[str]


def foreign_keys(connection: psycopg.Connection[Any], schema: str) -> list[Reference]:
    """Return the foreign keys of a schema; it is the search path."""
    return [Reference(*row) for row in connection.execute(_FOREIGN_KEYS, (schema,)).fetchall()]


def faults_of_tables(connection: psycopg.Connection[Any], schema: str) -> Iterator[str]:
    """Yield the constraints of a schema that could not be kept if each agent's rows were on a server of its own."""
    for key in foreign_keys(connection, schema):
        by_agent = (DISTRIBUTED.get(key.table), DISTRIBUTED.get(key.target))
        if key.target != NAMES and by_agent not in zip(key.columns, key.target_columns, strict=True):
            yield f"{key.name} is a foreign key to rows of any agent"
    for table, index, columns in connection.execute(_UNIQUE, (schema,)).fetchall():
        if table in DISTRIBUTED and DISTRIBUTED[table] not in columns:
            yield f"{index} is unique over all agents"
