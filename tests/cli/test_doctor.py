from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent_memory import paths
from agent_memory.storage.sqlite import driver

from .running import Ran, done, prepared, run


def store_three() -> list[str]:
    """Store three facts, each with a word of its own, and return their ids."""
    return [done("fact", "add", f"the {word} is ripe", "--meta", "n=1").out.strip() for word in WORDS]


def embed_three() -> list[str]:
    """Store them with their embeddings."""
    ids = store_three()
    done("index")
    return ids


@pytest.fixture
def three() -> list[str]:
    return list(prepared(store_three))


@pytest.fixture
def embedded() -> list[str]:
    return list(prepared(embed_three))


WORDS = ("apple", "banana", "cherry")


@contextmanager
def behind(path: Path | None = None) -> Iterator[driver.Connection]:
    with closing(driver.connect(str(path or paths.database("default")))) as connection:
        connection.execute("pragma ignore_check_constraints = on")
        yield connection


def one_line(ran: Ran) -> str:
    assert ran.code == 5, (ran.code, ran.err)
    assert "Traceback" not in ran.err
    (line,) = [line for line in ran.err.splitlines() if line.startswith("error: ")]
    assert "report it" not in line
    return line


DAMAGE = {
    "created_at": "update memory set created_at = '2026-11-25T18:01:3\x01' where content like '%banana%'",
    "updated_at": "update memory set updated_at = 'x' where content like '%banana%'",
    "expires_at": "update memory set expires_at = '9999' where content like '%banana%'",
    "status": "update memory set status = 'actjve' where content like '%banana%'",
    "type": "update memory set type = 'long_tesm' where content like '%banana%'",
    "importance": "update memory set importance = 17 where content like '%banana%'",
    "metadata": """update memory set metadata = '{"n":' where content like '%banana%'""",
    "metadata that is a list": "update memory set metadata = '[1]' where content like '%banana%'",
    "content that is no text": "update memory set content = x'00ff' where content like '%banana%'",
    "content that is no UTF-8": "update memory set content = cast(x'62ff61' as text) where content like '%banana%'",
    "tag": "insert into memory_tag values ((select pk from memory where content like '%banana%'), x'ff')",
    "a row of its own": "delete from long_term where memory = (select pk from memory where content like '%banana%')",
    "a value of its own": "update long_term set kind = x'01'"
    " where memory = (select pk from memory where content like '%banana%')",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_memory_is_named_and_stops_nothing_but_itself(embedded: list[str], what: str) -> None:
    with behind() as connection:
        connection.execute(DAMAGE[what])
    apple, banana, cherry = embedded
    # A list by type does not meet a type that is none.
    listed = run("list", "-o", "id")
    if what != "tag":  # of which only that one is damaged, and may be read as one that it is not
        assert banana in one_line(listed)
        assert set(listed.out.split()) == {apple, cherry}
        exported = run("export", "-")
        assert banana in one_line(exported)
        assert apple in exported.out
        assert cherry in exported.out
        asked = run("get", banana)
        assert f"memory {banana} is damaged" in one_line(asked)
        assert asked.out == ""
        assert "agentmem history" in asked.err
    for word in ("apple", "cherry"):
        found = run("search", word, "--json")
        assert found.json[0]["content"] == f"the {word} is ripe"
    assert run("stats").code in (0, 5)
    assert run("recall", "what is ripe").code in (0, 5)
    assert "Traceback" not in run("log").err
    told = run("doctor")
    assert banana[:8] in told.err or "tag" in told.err
    one_line(told)
    one_line(run("doctor", "--fix"))  # it throws nothing away
    done("update", apple, "the apple is eaten")
    done("forget", cherry)
    done("undo")
    assert done("get", cherry, "--json").json["content"] == "the cherry is ripe"
    assert "banana" in run("history", banana).out


@pytest.mark.parametrize(
    "statement",
    [
        "update journal set after = '{' where after like '%banana%'",
        """update journal set after = '{"type":"fact"}' where after like '%banana%'""",
        "update journal set after = cast(x'7bff' as text) where after like '%banana%'",
        "update journal set verb = x'00' where after like '%banana%'",
        "update operation set started_at = 'x' where seq = 2",
        "update operation set verb = cast(x'ff' as text) where seq = 2",
    ],
)
def test_a_damaged_change_is_named_and_not_undone_by_half(three: list[str], statement: str) -> None:
    with behind() as connection:
        connection.execute(statement)
    done("list")
    assert one_line(run("doctor"))
    assert run("log").code in (0, 5)
    history = run("history", three[1])
    assert "Traceback" not in history.err
    assert done("history", three[0]).out != ""
    done("forget", three[0])
    done("undo")
    ran = run("undo", "2")
    assert "Traceback" not in ran.err
    assert "report it" not in ran.err


@pytest.mark.parametrize(
    ("statement", "mended"),
    [
        ("update memory_fts_content set c0 = 'others' where id = 2", "other words are indexed"),
        ("delete from memory_fts_docsize where id = 2", "full-text index"),
        ("delete from memory_vec_rowids where rowid = 1", "vector index"),
        ("update memory set embedded_in = null", "wrongly noted as embedded or owed"),
        ("update bookkeeping set value = value + 1 where name = 'vector_generation'", "bookkeeping"),
    ],
)
def test_what_is_derived_is_mended_and_said(embedded: list[str], statement: str, mended: str) -> None:
    with behind() as connection:
        connection.execute(statement)
    assert mended in run("doctor").err
    ran = done("doctor", "--fix")
    assert ran.lines[0].split() == ["faults", "0"]
    assert any(line.startswith("mended: ") and mended in line for line in ran.err.splitlines())
    assert done("doctor").out.split() == ["faults", "0"]
    told = done("doctor", "--fix", "--json").json
    assert (told["faults"], told["mended"]) == ([], [])
    assert done("search", "banana", "--json").json[0]["id"] == embedded[1]


def test_what_an_acknowledged_write_survives_is_said(
    three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        "an acknowledged write survives a crash of the program, of the system and a power cut"
        in done("doctor").err
    )
    options = Path(os.environ["AGENTMEM_HOME"]) / "weak.toml"
    options.write_text('[backend_config]\nsynchronous = "normal"\n')
    monkeypatch.setenv("AGENTMEM_CONFIG", str(options))
    told = done("doctor")
    assert "an acknowledged write survives a crash of the program;" in told.err
    assert "risk: a power cut may take the last writes" in told.err
    durability = done("doctor", "--json").json["durability"]
    assert durability["settings"] == {"synchronous": "normal"}
    assert len(durability["risks"]) == 1


def test_a_full_text_index_that_cannot_be_read_stops_neither_search_nor_add(three: list[str]) -> None:
    with behind() as connection:
        connection.execute("update memory_fts_data set block = x'0000' where id > 10")
    found = run("search", "banana")
    assert three[1][:8] in found.lines[0]
    assert "full-text index" in one_line(found)
    done("add", "a date that is dry")
    assert run("search", "dry", "--json").json[0]["content"] == "a date that is dry"
    done("doctor", "--fix")
    assert done("search", "dry", "--json").json[0]["content"] == "a date that is dry"
    assert done("doctor").out.split() == ["faults", "0"]


def test_where_sqlite_cannot_read_on_it_is_one_line_and_salvage(three: list[str]) -> None:
    path = paths.database("default")
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("select rootpage from sqlite_master where name = 'memory'").fetchone()[0]
    content[(root - 1) * 8192 : (root - 1) * 8192 + 8] = b"\xff" * 8
    path.write_bytes(content)
    for command in (
        ["list"],
        ["search", "apple"],
        ["get", three[0]],
        ["export", "-"],
        ["stats"],
        ["add", "x"],
    ):
        line = one_line(run(*command))
        assert "agentmem doctor --salvage NEW" in line, command
    assert run("doctor").code == 5
    ran = done("doctor", "--salvage", "new.db")
    assert dict(line.split() for line in ran.lines) == {  # type: ignore[comparison-overlap]
        "memories": "3",
        "changes": "3",
        "vectors": "0",
        "settings": "1",
        "restored": "3",
        "lost": "0",
    }
    assert {row["content"] for row in done("--db", "new.db", "list", "--json").json} == {
        f"the {word} is ripe" for word in WORDS
    }
    assert done("--db", "new.db", "doctor").out.split() == ["faults", "0"]
    assert "is there already" in run("doctor", "--salvage", "new.db").err
    assert run("doctor", "--fix", "--salvage", "other.db").code == 2


def test_a_damaged_setting_is_named_and_the_file_opens(three: list[str]) -> None:
    with behind() as connection:
        connection.execute("update setting set value = 'defaulu' where name = 'agent_id'")
    assert set(run("list", "-o", "id").out.split()) == set(three)
    assert "setting 'agent_id'" in run("doctor").err


def test_of_a_file_that_is_not_there_yet_nothing_is_promised() -> None:
    assert "survives" not in done("doctor").err
    assert done("doctor", "--json").json == {"faults": [], "durability": None}
    done("add", "one")
    assert "survives a crash" in done("doctor").err
