"""SQL on a memory file reads, and does nothing else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from agent_memory import MemoryConfig, SyncAgentMemory
from agent_memory.errors import IntegrityError, MemoryNotFoundError, PolicyError, ValidationError
from agent_memory.inspection import SqlReader, open_sql
from agent_memory.storage.sqlite import driver
from agent_memory.storage.sqlite.inspection import Reader


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "a.db"
    config = MemoryConfig(backend_config={"path": str(file)}, embedding_provider="dummy")
    with SyncAgentMemory(config=config) as memory:
        for number in range(3):
            memory.long_term.store_fact(f"zebra number {number}")
        memory.index()
    return file


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path))


@pytest.fixture
def sql(path: Path) -> Iterator[SqlReader]:
    with open_sql(path) as reader:
        yield reader


@pytest.mark.parametrize(
    "statement",
    [
        "select id from memory",
        "with recursive n(x) as (select 1 union all select x + 1 from n where x < 3) select x from n",
        "values (1), (2)",
        "explain query plan select 1",
        "pragma table_info(memory)",
        "pragma user_version",
        "select name from pragma_table_info('memory')",
        "select rowid from memory_fts where memory_fts match 'zebra'",
        "select count(*) from memory_vec",
        "select vec_version()",
        "select id, content from long_term_memory",
        "select rowid from memory_vec where bits match vec_bit((select bits from memory_vec limit 1)) and k = 2",
    ],
)
def test_what_reads_is_allowed(sql: SqlReader, statement: str) -> None:
    assert list(sql.query(statement))


REFUSED = [
    "insert into setting (name, value) values ('a', 'b')",
    "insert into setting (name, value) values ('a', 'b') returning name",
    "update memory set content = 'x'",
    "delete from memory",
    "replace into setting (name, value) values ('a', 'b')",
    "create table t (a)",
    "create temp table t (a)",
    "create temp view v as select 1",
    "create virtual table t using fts5(a)",
    "drop table memory",
    "alter table memory rename to gone",
    "reindex",
    "analyze",
    "vacuum",
    "vacuum into 'copy.db'",
    "attach 'other.db' as other",
    "detach main",
    "select load_extension('x')",
    "pragma user_version = 5",
    "pragma journal_mode = delete",
    "pragma writable_schema = on",
    "pragma query_only = off",
    "pragma wal_checkpoint",
    "pragma temp_store_directory = '/tmp'",
    "insert into memory_fts (memory_fts) values ('rebuild')",
]


@pytest.mark.parametrize("statement", REFUSED)
@pytest.mark.parametrize("comment", ["", "/* select */ "])
def test_what_does_more_is_refused(
    path: Path, sql: SqlReader, statement: str, comment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = path.read_bytes()
    with pytest.raises(PolicyError):
        list(sql.query(comment + statement))
    assert path.read_bytes() == before
    assert not {"copy.db", "other.db"} & {item.name for item in tmp_path.iterdir()}


@pytest.mark.parametrize("statement", REFUSED)
def test_the_authorizer_alone_refuses_it(
    path: Path, statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = path.read_bytes()
    with closing(driver.connect(str(path))) as connection:
        reader = Reader(connection, path)
        with pytest.raises(PolicyError), reader.translated():
            connection.execute(statement).fetchall()
    assert path.read_bytes() == before
    assert not {"copy.db", "other.db"} & {item.name for item in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "statement", ["selec", "select nope from memory", "select 1; select 2", "", " ", "select ?"]
)
def test_what_is_no_statement_is_said(sql: SqlReader, statement: str) -> None:
    with pytest.raises(ValidationError):
        list(sql.query(statement))


def test_parameters_are_bound(sql: SqlReader) -> None:
    assert list(sql.query("select :a as x", {"a": "'; drop"})) == [{"x": "'; drop"}]
    assert list(sql.query("select ? as x", [1])) == [{"x": 1}]


def test_rows_come_one_by_one(sql: SqlReader) -> None:
    endless = sql.query("with recursive n(x) as (select 1 union all select x + 1 from n) select x from n")
    assert [next(endless)["x"] for _ in range(3)] == [1, 2, 3]


def test_others_write_while_a_result_is_read(path: Path, sql: SqlReader) -> None:
    rows = sql.query("select content from memory")
    assert next(rows)
    config = MemoryConfig(backend_config={"path": str(path)}, embedding_provider="none")
    with SyncAgentMemory(config=config) as memory:
        memory.long_term.store_fact("written meanwhile")
    assert len(list(rows)) == 2
    assert list(sql.query("select count(*) as n from memory")) == [{"n": 4}]


def test_reading_leaves_nothing_beside_the_file(path: Path) -> None:
    beside = sorted(path.parent.iterdir())
    with open_sql(path) as reader:
        assert list(reader.query("select 1 as one"))
    assert sorted(path.parent.iterdir()) == beside


def test_a_file_that_may_not_be_written_is_read(path: Path) -> None:
    path.chmod(0o400)
    path.parent.chmod(0o500)
    try:
        with open_sql(path) as reader:
            assert list(reader.query("select count(*) as n from memory")) == [{"n": 3}]
    finally:
        path.parent.chmod(0o700)


def test_only_a_memory_is_opened(tmp_path: Path) -> None:
    with pytest.raises(MemoryNotFoundError), open_sql(tmp_path / "none.db"):
        pass
    Database(tmp_path / "other.db")["t"].insert({"a": 1})
    with pytest.raises(IntegrityError, match="not a memory"), open_sql(tmp_path / "other.db"):
        pass
    assert not (tmp_path / "none.db").exists()


def test_tables_are_listed_without_those_of_extensions(sql: SqlReader) -> None:
    tables = {table.name: table for table in sql.tables()}
    assert {"memory", "long_term", "memory_fts", "memory_vec", "history"} <= set(tables)
    assert (tables["memory"].kind, tables["memory"].rows) == ("table", 3)
    assert (tables["memory_vec"].kind, tables["memory_vec"].rows) == ("virtual", 3)
    assert tables["history"].kind == "view"
    assert "content" in tables["memory"].columns
    assert not [name for name in tables if name.startswith(("sqlite_", "memory_fts_", "memory_vec_rowids"))]


def test_the_schema_makes_the_same_tables(sql: SqlReader) -> None:
    text = sql.schema()
    assert "CREATE TABLE memory (" in text
    assert "memory_vec_rowids" not in text


def test_sqlite_utils_itself_is_at_hand(sql: SqlReader) -> None:
    assert sql.database["memory"].count == 3
    with pytest.raises(Exception, match=r"authorized|readonly"):
        sql.database["memory"].insert({"id": "x"})


def test_without_the_extension_the_other_tables_are_listed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENTMEM_NO_VECTOR_INDEX", "1")
    with open_sql(path) as reader:
        tables = {table.name: table for table in reader.tables()}
    assert tables["memory_vec"].rows is None
    assert tables["memory"].rows == 3
