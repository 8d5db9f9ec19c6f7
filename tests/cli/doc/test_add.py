"""Documents from files, folders and texts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..running import done, run

LINES = [
    f"Line {number} tells something about the number {number * number} and its friends."
    for number in range(130)
]


@pytest.fixture(autouse=True)
def cutting_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use the model that cuts long documents; it is not loaded to cut them."""
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "local")


@pytest.fixture
def here(clean_surroundings: Path) -> Path:
    return clean_surroundings


def test_a_file_is_stored_with_its_name_as_title(here: Path) -> None:
    (here / "notes.md").write_text("Redis evicts sessions.\n")
    (id,) = done("doc", "add", "notes.md", "-t", "ops").lines
    stored = done("get", id, "--json").json
    assert (stored["title"], stored["source"], stored["tags"]) == ("notes.md", "notes.md", ["ops"])
    assert stored["path"] == os.path.realpath(here / "notes.md")
    again = done("doc", "add", "--file", "notes.md")
    assert again.lines == [id], "the same document again is the same chunks"
    assert again.err == "unchanged notes.md\n"


@pytest.mark.parametrize(
    "again",
    [
        "doc add notes.md",
        "doc add --file ./notes.md",
        "add --type doc --file notes.md",
        "add --type doc --glob *.md",
        "doc add .",
        "doc add sub/../notes.md",
    ],
)
def test_an_edited_file_takes_the_place_of_the_old_one(here: Path, again: str) -> None:
    (here / "sub").mkdir()
    (here / "notes.md").write_text("The cache is in Oslo.")
    (old,) = done("doc", "add", "notes.md").lines
    (here / "notes.md").write_text("The cache is in Bergen now.")
    ran = done(*again.split())
    assert "changed" in ran.err
    assert ran.lines != [old]
    assert [item["content"] for item in done("doc", "list", "--json").json] == ["The cache is in Bergen now."]
    assert done("search", "cache", "-o", "id").lines == ran.lines
    done("undo")
    assert done("search", "cache", "-o", "id").lines == [old]


def test_one_changed_line_changes_one_chunk(here: Path) -> None:
    (here / "g.md").write_text("\n".join(LINES))
    first = done("doc", "add", "g.md").lines
    (here / "g.md").write_text("\n".join([*LINES[:60], "Something else stands here.", *LINES[61:]]))
    ran = done("doc", "add", "g.md")
    assert ran.err == f"changed g.md (1 of {len(first)} chunks new)\n"
    assert len(set(first) - set(ran.lines)) == 1
    (here / "g.md").write_text(
        "\n".join(["A new first line.", *LINES[:60], "Something else stands here.", *LINES[61:]])
    )
    assert len(set(done("doc", "add", "g.md").lines) - set(ran.lines)) <= 2
    assert len(done("doc", "list", "-o", "id").lines) == 1
    shown = done("doc", "show", done("doc", "list", "-o", "id").lines[0]).out
    assert shown.split() == (here / "g.md").read_text().split()


def test_a_folder_is_read_without_what_is_hidden_or_no_text(here: Path) -> None:
    for name, data in {
        "a.md": b"text a",
        "sub/b.txt": b"text b",
        "sub/.hidden.md": b"hidden",
        ".git/config": b"hidden too",
        "logo.png": b"\x89PNG\xff\x00",
        "empty.md": b"\n",
    }.items():
        path = here / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    ran = done("doc", "add", "docs/")
    assert [item["content"] for item in done("get", *ran.lines, "--json").json] == ["text a", "text b"]
    notes = ran.err.splitlines()
    assert notes[:2] == ["added docs/a.md (1 chunk)", "added docs/sub/b.txt (1 chunk)"]
    assert len(notes) == 3
    assert "logo.png is not UTF-8 text" in notes[2]
    assert "empty.md is empty" in notes[2]
    assert len(done("doc", "add", "docs", "--glob", "*.txt").lines) == 1
    assert run("doc", "add", "docs", "--glob", "*.rst").code == 2
    for named in ("docs/logo.png", "docs/empty.md"):
        refused = run("doc", "add", "docs/a.md", named)
        assert (refused.code, refused.out) == (2, "")
        assert named in refused.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["doc", "add", "README.md"], "--text"),
        (["doc", "add", "docs/"], "--text"),
        (["doc", "add", "some words"], "--text"),
        (["doc", "add", "a long text, not a path. " * 300], "--text"),
        (["doc", "add", ""], "--text"),
        (["doc", "add", "a.md", "missing.md"], "missing.md"),
        (["doc", "add", "a.md", "--text", "b"], "one of them"),
        (["doc", "add", "a.md", "-"], "one of them"),
        (["doc", "add", "a.md", "b.md", "--title", "T"], "one title"),
        (["doc", "add", "a.md", "--prune"], "no folder"),
        (["doc", "add", "--prune"], "no document"),
        (["doc", "add", "--text", ""], "empty"),
        (["doc", "add"], "empty"),
        (["add", "--type", "doc", "--file", "a.md", "b.md"], "--file"),
        (["add", "text", "--file", "a.md"], "--file"),
        (["add", "text", "--glob", "*.md"], "--glob"),
        (["add", "-", "--file", "a.md"], "--file"),
        (["add", "text", "--lines", "--file", "a.md"], "--file"),
        (["add", "--type", "doc", "--file", "a.md", "--force"], "--force"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_is_no_path_is_refused_and_nothing_is_stored(
    here: Path, arguments: list[str], says: str
) -> None:
    (here / "a.md").write_text("text a")
    (here / "b.md").write_text("text b")
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert says in ran.err
    assert len(ran.err.splitlines()) == 1
    assert done("list", "--all", "--json").json == []


def test_texts_come_from_a_pipe_or_an_option(here: Path) -> None:
    (id,) = done("doc", "add", "-", "--title", "Notes", stdin="From a pipe.\n").lines
    assert done("get", id, "--json").json["title"] == "Notes"
    assert len(done("doc", "add", stdin="From a pipe without a dash.\n").lines) == 1
    assert len(done("doc", "add", "--text", "As an option.").lines) == 1
    assert len(done("doc", "list", "-o", "id").lines) == 3


def test_a_text_is_replaced_by_its_key_and_by_nothing_else(here: Path) -> None:
    (first,) = done("doc", "add", "--text", "one", "--title", "T", "--source", "s").lines
    (second,) = done("doc", "add", "--text", "two", "--title", "T", "--source", "s").lines
    assert first != second
    (kept,) = done("doc", "add", "--text", "three", "--key", "k").lines
    assert done("doc", "add", "--text", "four", "--key", "k").lines == [kept]
    assert sorted(item["content"] for item in done("list", "--json").json) == ["four", "one", "two"]


def test_prune_archives_what_is_gone_from_the_folder_named(here: Path) -> None:
    for name in ("docs/a.md", "docs/b.md", "other/c.md"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(f"text of {name}")
    done("doc", "add", "docs", "other")
    for name in ("docs/b.md", "other/c.md"):
        (here / name).unlink()
    assert "would archive" in done("doc", "add", "docs", "--prune", "--dry-run").err
    assert len(done("doc", "list", "-o", "id").lines) == 3
    assert "archived" in done("doc", "add", "docs", "--prune").err
    left = sorted(item["content"] for item in done("list", "--json").json)
    assert left == ["text of docs/a.md", "text of other/c.md"]
    (here / "docs").rename(here / "moved")
    assert run("doc", "add", "docs", "--prune").code == 2
    (here / "docs").mkdir()
    assert "not mounted" in done("doc", "add", "docs", "--prune").err
    assert len(done("list", "-o", "id").lines) == 2
    assert "archived" in done("doc", "add", "docs", "--prune", "-y").err
    done("undo")
    assert len(done("list", "-o", "id").lines) == 2


def test_a_trial_run_stores_nothing(here: Path, private_home: Path) -> None:
    (here / "a.md").write_text("text a")
    assert done("doc", "add", "a.md", "--dry-run").err.endswith("would add a.md (1 chunk)\n")
    assert "would store 1" in done("doc", "add", "--text", "x", "--dry-run").err
    assert not list(private_home.rglob("*.db"))


def test_programs_get_what_came_of_each_chunk(here: Path) -> None:
    (here / "a.md").write_text("text a")
    (row,) = done("doc", "add", "a.md", "--json").json
    assert row.keys() == {"id", "outcome", "document_id", "path"}
    assert row["outcome"] == "added"
    assert done("doc", "show", row["document_id"]).out == "text a\n"


def test_windows_line_ends_and_a_mark_are_not_part_of_the_text(here: Path) -> None:
    (here / "a.md").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    (id,) = done("doc", "add", "a.md").lines
    assert done("get", id, "--json").json["content"] == "one\ntwo"
    (here / "a.md").write_bytes(b"one\ntwo")
    assert done("doc", "add", "a.md").err == "unchanged a.md\n"
