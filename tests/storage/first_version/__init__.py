"""Stores as the first release made them, packed: a SQLite file, the tables of PostgreSQL, the keys of Redis.

All three hold the same memories. `ids` names them.
"""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import psycopg
import redis

_FOLDER = Path(__file__).parent


def sqlite_file(target: Path) -> dict[str, str]:
    """Unpack the file and return the ids in it."""
    target.write_bytes(gzip.decompress((_FOLDER / "sqlite.db.gz").read_bytes()))
    ids: dict[str, str] = json.loads((_FOLDER / "sqlite.ids.json").read_text())
    return ids


def _packed(name: str) -> Any:
    return json.loads(gzip.decompress((_FOLDER / name).read_bytes()))


def postgres_tables(url: str) -> dict[str, str]:
    """Make the tables of the first version in an empty database, fill them, and return the ids."""
    from agent_memory.storage.postgres import migrate

    packed = _packed("postgres.json.gz")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop schema if exists agentmem cascade")
        connection.execute("create extension if not exists vector")
        connection.execute("create schema agentmem")
        connection.execute("set search_path to agentmem, public")
        connection.execute("create table schema_version (version integer primary key)")
        number, first = migrate.steps()[0]
        connection.execute(first.encode())
        connection.execute("insert into schema_version values (%s)", (number,))
        for table, held in packed["tables"].items():
            columns = ", ".join(held["columns"])
            with connection.cursor().copy(f"copy {table} ({columns}) from stdin") as copy:
                copy.write(held["rows"])
        connection.execute(
            "select setval(pg_get_serial_sequence('agent', 'number'), (select max(number) from agent))"
        )
    ids: dict[str, str] = packed["ids"]
    return ids


def redis_keys(port: int) -> dict[str, str]:
    """Fill an empty server with the keys of the first version, and return the ids."""
    packed = _packed("redis.json.gz")
    with redis.Redis(port=port) as client:
        for name, *arguments in packed["commands"]:
            client.execute_command(name, *map(base64.b64decode, arguments))
    ids: dict[str, str] = packed["ids"]
    return ids
