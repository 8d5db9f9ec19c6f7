from __future__ import annotations

from agent_memory import paths

from ..running import done


def test_every_file_is_listed_with_the_agent_inside() -> None:
    assert done("agents", "list", "--json").json == []
    done("add", "one", "-a", "Bob B")
    done("add", "two", "-a", "alice")
    done("add", "three", "-a", "alice", "--type", "event")
    listed = done("agents", "list", "--json").json
    assert [(each["agent_id"], each["total"]) for each in listed] == [("Bob B", 1), ("alice", 2)]
    assert done("agents", "list", "-o", "id").lines == ["Bob B", "alice"]
    assert [line.split("\t")[:2] for line in done("agents", "list").lines] == [["Bob B", "1"], ["alice", "2"]]


def test_a_file_that_cannot_be_read_is_listed_and_said() -> None:
    paths.private_folder(paths.home())
    (paths.home() / "broken.db").write_bytes(b"x" * 4000)
    ran = done("agents", "list")
    assert ran.out.startswith("(broken.db)\t")
    assert "broken.db is damaged" in ran.err
    assert done("agents", "list", "-o", "id").out == ""
