from __future__ import annotations

import os

import pytest

from agent_memory import paths

from ..running import done, run


def test_every_file_is_listed_with_the_agent_inside() -> None:
    assert done("agents", "list", "--json").json == []
    done("add", "one", "-a", "Bob B")
    done("add", "two", "-a", "alice")
    done("add", "three", "-a", "alice", "--type", "event")
    listed = done("agents", "list", "--json").json
    assert [(item["agent_id"], item["total"]) for item in listed] == [("Bob B", 1), ("alice", 2)]
    assert done("agents", "list", "-o", "id").lines == ["Bob B", "alice"]
    assert [line.split("\t")[:2] for line in done("agents", "list").lines] == [["Bob B", "1"], ["alice", "2"]]


def test_a_file_that_cannot_be_read_is_listed_and_said() -> None:
    paths.private_folder(paths.home())
    (paths.home() / "broken.db").write_bytes(b"x" * 4000)
    ran = done("agents", "list")
    assert ran.out.startswith("(broken.db)\t")
    assert "broken.db is damaged" in ran.err
    assert done("agents", "list", "-o", "id").out == ""


@pytest.mark.timeout(30)
def test_what_is_no_file_is_named_and_stops_nothing() -> None:
    done("add", "one", "-a", "alice")
    os.mkfifo(paths.database("pipe"))
    paths.database("folder").mkdir()
    paths.database("round").symlink_to("round.db")
    paths.database("letter").write_bytes(b"?")
    ran = done("agents", "list", "-o", "id")
    assert ran.lines == ["alice"]
    for said in ("pipe.db is a named pipe", "folder.db is a folder", "in a circle", "not a database"):
        assert said in ran.err
    for name, code in (("pipe", 1), ("folder", 1), ("round", 1), ("letter", 5)):
        assert run("add", "two", "-a", name).code == code
        assert run("--db", str(paths.database(name)), "list").code == code
        assert run("-a", "alice", "migrate", "--to", str(paths.database(name))).code == code
    assert paths.database("letter").read_bytes() == b"?"
