"""One SQLite library per process, chosen once, and sqlite-vec found without importing it."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

import agent_memory
from agent_memory.errors import ConfigurationError
from agent_memory.storage.sqlite import driver

from .support import child

PACKAGE = Path(agent_memory.__file__).parent


def test_nothing_else_imports_an_sqlite_library() -> None:
    for file in PACKAGE.rglob("*.py"):
        if file.name == "driver.py" and file.parent.name in ("sqlite", "interim"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [item.name for item in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module or "")
            assert not {name.partition(".")[0] for name in names} & set(driver.NAMES), file


def test_the_library_can_load_extensions_if_any_can() -> None:
    assert hasattr(driver.module.Connection, "enable_load_extension")
    assert driver.vector_extension() is not None


def test_the_extension_is_loaded_without_importing_its_package() -> None:
    program = (
        "import json, sys\n"
        "from agent_memory.storage.sqlite import driver\n"
        "connection = driver.connect(':memory:')\n"
        "assert driver.load_vector_extension(connection)\n"
        "print(connection.execute('select vec_version()').fetchone()[0])\n"
        "connection.close()\n"
        "print(json.dumps(sorted(name for name in sys.modules if '.' not in name)))\n"
    )
    version, modules = child(program).splitlines()
    assert version.startswith("v0.1.9")
    assert not {"numpy", "sqlite_vec", "sqlite_utils"} & set(json.loads(modules))


def test_importing_the_store_is_light() -> None:
    program = (
        "import json, sys\n"
        "from agent_memory.storage.sqlite import SqliteStore\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    heavy = {"numpy", "pydantic", "asyncio", "anyio", "sqlite_vec", "platformdirs", "typer", "rich"}
    assert not heavy & set(json.loads(child(program)))


def test_the_environment_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(driver.VARIABLE, "sqlite3")
    assert driver.pick().__name__ == "sqlite3"
    monkeypatch.setenv(driver.VARIABLE, "oracle")
    with pytest.raises(ConfigurationError, match="sqlite3, pysqlite3, sqlean"):
        driver.pick()
    monkeypatch.setenv(driver.VARIABLE, "sqlean")
    monkeypatch.setitem(sys.modules, "sqlean", None)
    with pytest.raises(ConfigurationError, match="not installed"):
        driver.pick()


def test_without_the_extension_a_connection_works_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
    connection = driver.connect(":memory:")
    assert not driver.load_vector_extension(connection)
    assert connection.execute("select 1").fetchone() == (1,)
    connection.close()


def test_many_rows_are_stored_as_given() -> None:
    connection = driver.connect(":memory:")
    connection.execute("create table thing (a integer primary key, b text, c blob, d text, e real)")
    columns = ("a", "b", "c", "d", "e")
    rows = [(1, None, b"\x00\xff", "x", None), (2, None, b"", None, 0.5)]
    driver.insert_many(connection, "insert into thing", columns, rows)
    driver.insert_many(connection, "insert into thing", columns, [])
    assert connection.execute("select * from thing").fetchall() == rows
    assert connection.execute("select distinct typeof(c) from thing").fetchall() == [("blob",)]
    driver.insert_many(connection, "insert or replace into thing", columns, [(2, "y", None, None, None)])
    assert connection.execute("select * from thing where a = 2").fetchall() == [(2, "y", None, None, None)]
    connection.close()
