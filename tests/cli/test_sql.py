"""`agentmem sql`: every form of output, and one line for whatever goes wrong."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
import subprocess
import sys

import pytest

from tests.cli.running import done, prepared, run


def store_two() -> None:
    done("add", "the sky, blue", "--type", "fact", "--importance", "0.9")
    done("add", "grass is green", "--type", "fact", "--importance", "0.2")


@pytest.fixture(autouse=True)
def two_facts() -> None:
    prepared(store_two)


QUERY = "select content, importance from memory order by pk"


def test_each_form() -> None:
    assert done("sql", QUERY).out == "the sky, blue\t0.9\ngrass is green\t0.2\n"
    rows = [{"content": "the sky, blue", "importance": 0.9}, {"content": "grass is green", "importance": 0.2}]
    assert done("sql", QUERY, "--json").json == rows
    assert [json.loads(line) for line in done("sql", QUERY, "--ndjson").lines] == rows
    assert (
        done("sql", QUERY, "-o", "csv").out == 'content,importance\n"the sky, blue",0.9\ngrass is green,0.2\n'
    )
    assert done("sql", QUERY, "-o", "id").lines == ["the sky, blue", "grass is green"]
    table = done("sql", QUERY, "-o", "table").out
    assert "importance" in table
    assert "the sky, blue" in table


def test_a_wide_row_is_drawn_downwards() -> None:
    lines = done("sql", "select * from memory", "-o", "table").lines
    assert next(line.split() for line in lines if "content " in line) == ["content", "the", "sky,", "blue"]


def test_bytes() -> None:
    assert done("sql", "select x'00ff' as b").out == "(2 bytes)\n"
    assert done("sql", "select x'00ff' as b", "--json").json == [{"b": {"$base64": True, "encoded": "AP8="}}]
    assert done("sql", "select x'00ff' as b", "-o", "csv").lines == ["b", "AP8="]


def test_nothing_found() -> None:
    for form, out in (("text", ""), ("json", "[]\n"), ("ndjson", ""), ("csv", ""), ("table", "")):
        ran = done("sql", "select 1 as a where 0", "-o", form)
        assert (ran.out, ran.err) == (out, "no rows\n")


def test_from_stdin_and_with_values() -> None:
    assert done("sql", stdin="select 1 + 1\n").out == "2\n"
    assert done("sql", "-", stdin="select 1 + 1\n").out == "2\n"
    query = "select content from memory where importance > :least and content like :like"
    assert done("sql", query, "-p", "least=0.5", "--param", "like=%sky%").out == "the sky, blue\n"
    assert done(
        "sql", "select typeof(:a), typeof(:b), :c", "-p", "a=1", "-p", "b=1.50", "-p", "c=x=y"
    ).out == ("integer\ttext\tx=y\n")


def test_tables_and_schema() -> None:
    rows = {row["name"]: row for row in done("sql", "--tables", "--json").json}
    assert (rows["memory"]["rows"], rows["memory"]["kind"]) == (2, "table")
    assert "memory" in done("sql", "--tables", "-o", "id").lines
    assert done("sql", "--tables", "-o", "csv").lines[0] == "name,kind,rows,columns"
    assert "CREATE TABLE memory (" in done("sql", "--schema").out
    assert "CREATE TABLE memory (" in done("sql", "--schema", "--json").json["schema"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("select nope from memory",), 2, "no such column: nope"),
        (("selec",), 2, "syntax error"),
        (("select 1; select 2",), 2, "one at a time"),
        (("delete from memory",), 6, "only read"),
        (("attach 'x.db' as x",), 6, "only read"),
        (("select load_extension('x')",), 6, "load_extension"),
        (("select 1", "--tables"), 2, "beside"),
        (("select :a", "-p", "a"), 2, "name=value"),
        (("select :a",), 2, "SQLite says"),
        (("--backend", "memory", "select 1"), 2, "keeps no file"),
        (("--backend", "postgresql://localhost/x", "select 1"), 2, "keeps no file"),
        (("-a", "nobody", "select 1"), 3, "no memory file"),
    ],
)
def test_one_line_for_what_goes_wrong(arguments: tuple[str, ...], code: int, said: str) -> None:
    ran = run("sql", *arguments)
    assert ran.code == code
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1
    assert ran.out == ""


def test_long_results_are_streamed() -> None:
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select x from n"
    for form, first in (("ndjson", '{"x": 1}'), ("csv", "x"), ("text", "1"), ("json", '[{"x": 1},')):
        process = subprocess.Popen(
            [sys.executable, "-m", "agentmem_cli", "sql", endless, "-o", form],
            env=os.environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == first
        process.stdout.close()
        assert process.wait() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("get", "k"),
        ("search", "sky"),
        ("recall", "sky"),
        ("history", "k"),
        ("log",),
        ("status",),
        ("stats",),
        ("fact", "list"),
        ("pref", "list"),
        ("work", "list"),
        ("event", "timeline"),
        ("chat", "list"),
        ("chat", "show"),
        ("chat", "last"),
        ("doc", "list"),
        ("skill", "list"),
        ("agents", "list"),
        ("agents", "show"),
        ("config", "show"),
        ("model", "list"),
        ("sql", "--tables"),
    ],
    ids=" ".join,
)
def test_every_list_is_csv(arguments: tuple[str, ...]) -> None:
    done("add", "keyed", "--type", "fact", "--key", "k", "--tag", "a,b", "--meta", "n=1")
    done("pref", "set", "theme", "dark")
    done("work", "set", "branch", "main")
    done("event", "add", "deployed")
    done("chat", "add", "user", "hi, there\nyou")
    done("doc", "add", "-", "--title", "T", stdin="words of a document")
    done("skill", "add", "s", "do it")
    ran = done(*arguments, "-o", "csv")
    header, *rows = list(csv.reader(io.StringIO(ran.out)))
    assert rows
    assert all(len(row) == len(header) for row in rows)
    assert len(set(header)) == len(header)


LIBRARIES = [name for name in ("sqlite3", "pysqlite3") if importlib.util.find_spec(name)]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["select count(*) from pragma_table_info('memory')"], 0),
        (["select count(*) from memory_fts"], 0),
        (["select value from json_each('[1, 2]')"], 0),
        (["select count(*) from sqlite_master"], 0),
        (["--tables"], 0),
        (["--schema"], 0),
        (["update sqlite_master set sql = '' where name = 'memory'"], 2),
        (["create virtual table other using fts5(a)"], 6),
        (["create temp table other(a)"], 6),
        (["drop table memory"], 6),
        (["alter table memory rename to other"], 6),
        (["pragma writable_schema = 1"], 6),
    ],
)
def test_each_sqlite_library_reads_the_same_and_writes_nothing(
    library: str, arguments: list[str], code: int
) -> None:
    # Older ones tell the authorizer of an update where they only declare a virtual table.
    ran = subprocess.run(
        [sys.executable, "-m", "agentmem_cli", "sql", *arguments],
        env={**os.environ, "AGENTMEM_SQLITE_DRIVER": library},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == code, ran.stderr
    assert done("sql", "select count(*) from memory").out == "2\n"
