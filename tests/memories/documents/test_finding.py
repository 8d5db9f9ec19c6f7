"""Which files are meant."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent_memory import ValidationError
from agent_memory.memories.documents.finding import find, fits, is_gone
from agent_memory.memories.documents.reading import LARGEST, NoDocumentError, read_document


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.md", "b.txt", "sub/c.md", "sub/deeper/d.md", ".hidden.md", ".git/config.md", "sub/.e.md"):
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "docs"


def shown(*paths: str, pattern: str | None = None) -> list[str]:
    return [file.shown for file in find(paths, pattern).files]


def test_a_folder_is_all_its_files_but_hidden_ones(folder: Path) -> None:
    everything = ["docs/a.md", "docs/b.txt", "docs/sub/c.md", "docs/sub/deeper/d.md"]
    assert shown("docs") == shown("docs", "docs/sub") == everything
    assert shown("docs/") == ["docs/a.md", "docs/b.txt", "docs/sub/c.md", "docs/sub/deeper/d.md"]
    assert shown("docs/.hidden.md") == ["docs/.hidden.md"], "what is named is read"
    assert shown("docs/.git") == ["docs/.git/config.md"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", ["docs/a.md", "docs/sub/c.md", "docs/sub/deeper/d.md"]),
        ("**/*.md", ["docs/a.md", "docs/sub/c.md", "docs/sub/deeper/d.md"]),
        ("sub/*.md", ["docs/sub/c.md", "docs/sub/deeper/d.md"]),
        ("b.*", ["docs/b.txt"]),
        ("*.rst", []),
    ],
)
def test_a_pattern_narrows_a_folder_down(folder: Path, pattern: str, found: list[str]) -> None:
    assert shown("docs", pattern=pattern) == found


def test_a_pattern_without_a_folder_is_seen_from_here(folder: Path) -> None:
    assert shown(pattern="docs/*.md") == ["docs/a.md"]
    assert shown("docs/b.txt", pattern="docs/sub/*.md") == ["docs/b.txt", "docs/sub/c.md"]
    assert not any(file.named for file in find([], "docs/*.md").files)
    with pytest.raises(ValidationError, match="no file fits"):
        find([], "*.nothing")


def test_one_file_by_two_names_is_one(folder: Path) -> None:
    (folder / "link.md").symlink_to(folder / "a.md")
    found = find([folder / "a.md", "docs/../docs/a.md", "docs/link.md", folder]).files
    assert len(found) == 4
    assert found[0].path == os.path.realpath(folder / "a.md")
    assert found[0].named


def test_what_is_no_file_is_skipped_in_a_folder_and_refused_by_name(folder: Path) -> None:
    (folder / "nowhere.md").symlink_to(folder / "missing.md")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe.md")
    reasons = {Path(item.shown).name: item.reason for item in find([folder]).skipped}
    assert reasons.keys() == {"nowhere.md", "loop", "pipe.md"}
    for name, says in (("nowhere.md", "link to nothing"), ("pipe.md", "neither a file nor a folder")):
        with pytest.raises(ValidationError, match=says):
            find([folder / name])


@pytest.mark.parametrize("name", ["nothing.md", "some words\nof a text", "x" * 5000, "", "a\0b", "a.md/b"])
def test_a_name_of_nothing_is_refused_in_one_line(folder: Path, name: str) -> None:
    (Path.cwd() / "a.md").write_text("a")
    with pytest.raises(ValidationError, match="add_document") as caught:
        find([name])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_name_that_is_not_unicode_is_told(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.md")
    (folder / name).write_text("coffee")
    assert [item.reason for item in find([folder]).skipped] == ["has a name that is not UTF-8"]
    with pytest.raises(ValidationError, match="UTF-8"):
        find([folder / name])


def test_a_folder_a_thousand_deep_is_gone_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(300):
        Path("d").mkdir()
        os.chdir("d")
    Path("deep.md").write_text("deep")
    os.chdir(tmp_path)
    assert len(find(["d"]).files) == 1


def test_patterns() -> None:
    assert fits("a.md", "*.md")
    assert fits("sub/a.md", "**/*.md")
    assert fits("a.md", "**/*.md")
    assert not fits("a.txt", "*.md")
    assert not fits("other/a.md", "sub/*.md")


def test_gone_is_only_what_is_not_there(folder: Path) -> None:
    assert is_gone(str(folder / "missing.md"))
    assert is_gone(str(folder / "a.md" / "below"))
    assert not is_gone(str(folder / "a.md"))
    assert not is_gone("a" * 5000), "what cannot be asked for is not gone"


# --- reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfwith a mark\n", "with a mark"),
        (b"one\r\ntwo\r\n", "one\ntwo"),
        ("Ünïcödé\u2028and on\n\n".encode(), "Ünïcödé\u2028and on"),
        (b"no end", "no end"),
    ],
)
def test_the_text_of_a_file(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "file").write_bytes(data)
    assert read_document(str(tmp_path / "file")) == text


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xff\xfea\0", "UTF-8"),
        (b"caf\xe9", "byte 3"),
        (b"text\0with a NUL", "NUL"),
        (b"x" * (LARGEST + 1), "larger than"),
    ],
)
def test_what_is_no_document(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(NoDocumentError, match=says):
        read_document(str(tmp_path / "file"))
