from __future__ import annotations

from pathlib import Path

from ..running import done, run


def test_a_file_is_stored_with_its_name_as_title(clean_surroundings: Path) -> None:
    (clean_surroundings / "notes.md").write_text("Redis evicts sessions.\n")
    (id,) = done("doc", "add", "--file", "notes.md", "-t", "ops").lines
    stored = done("get", id, "--json").json
    assert (stored["title"], stored["source"], stored["tags"]) == ("notes.md", "notes.md", ["ops"])
    assert done("doc", "add", "--file", "notes.md").lines == [id], (
        "the same document again is the same chunks"
    )


def test_a_pipe_is_read() -> None:
    (id,) = done("doc", "add", "-", "--title", "Notes", stdin="From a pipe.\n").lines
    assert done("get", id, "--json").json["title"] == "Notes"


def test_a_file_that_is_not_there_stops_it() -> None:
    ran = run("doc", "add", "--file", "nothing.md")
    assert ran.code == 2
    assert "nothing.md" in ran.err
