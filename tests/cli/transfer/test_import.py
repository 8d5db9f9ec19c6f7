from __future__ import annotations

import bz2
import gzip
import json
from pathlib import Path

import pytest

from tests.cli.running import done, run

ALL = ("--history", "--usage", "--with-vectors")


def _filled() -> str:
    done("add", "one 記憶", "--tag", "x", "--key", "k")
    done("add", "two", "--type", "event")
    done("chat", "add", "user", "hello")
    done("forget", done("add", "three").out.strip(), "--purge", "-y")
    done("index")
    return done("export", *ALL).out


def test_through_a_pipe_into_another_file() -> None:
    text = _filled()
    ran = done("--db", "other.db", "import", "-", "--json", stdin=text)
    assert ran.json == {"added": 3, "updated": 0, "gone": 1, "same": 0}
    assert done("--db", "other.db", "export", *ALL).out == text
    assert done("--db", "other.db", "search", "記憶", "-o", "id").out.strip()
    again = done("--db", "other.db", "import", "-", stdin=text)
    assert "everything was here already" in again.err
    assert [row["verb"] for row in done("--db", "other.db", "log", "--json").json] == ["import"]


def test_what_is_not_whole_makes_no_file() -> None:
    text = _filled()
    lines = text.splitlines(keepends=True)
    for number in range(len(lines)):
        Path("cut.ndjson").write_text("".join(lines[:number]))
        ran = run("--db", "other.db", "import", "cut.ndjson")
        assert ran.code == 5, ran.err
        assert not Path("other.db").exists()
    newer = json.loads(lines[0])
    newer["agentmem"]["format"] = 2
    ran = run("--db", "other.db", "import", "-", stdin=json.dumps(newer) + "\n")
    assert ran.code == 5
    assert "version 2" in ran.err
    assert run("--db", "other.db", "import", "nothing.ndjson").code == 3
    assert not Path("other.db").exists()


def test_a_dry_run_makes_no_file_and_changes_none() -> None:
    text = _filled()
    ran = done("--db", "other.db", "import", "-", "--dry-run", stdin=text)
    assert "would write 4 memories" in ran.err
    assert not Path("other.db").exists()
    done("--db", "other.db", "add", "mine")
    before = done("--db", "other.db", "export", *ALL).out
    done("--db", "other.db", "import", "-", "--dry-run", stdin=text)
    assert done("--db", "other.db", "export", *ALL).out == before


def test_conflicts_are_refused_kept_or_replaced() -> None:
    text = _filled()
    done("--db", "other.db", "add", "mine", "--key", "k")
    ran = run("--db", "other.db", "import", "-", stdin=text)
    assert ran.code == 2
    assert "has the key 'k'" in ran.err
    assert "--on-conflict keep" in ran.err
    assert (
        done("--db", "other.db", "list", "-o", "id").lines
        == done("--db", "other.db", "list", "-o", "id").lines
    )
    kept = done("--db", "other.db", "import", "-", "--on-conflict", "keep", "--json", stdin=text).json
    assert (kept["added"], kept["kept"], kept["replaced"]) == (2, 1, 0)
    taken = done("--db", "other.db", "import", "-", "--on-conflict", "replace", "--json", stdin=text).json
    assert (taken["added"], taken["kept"], taken["replaced"]) == (1, 0, 1)
    assert done("--db", "other.db", "get", "k", "--json").json["content"] == "one 記憶"
    assert run("--db", "other.db", "import", "-", "--on-conflict", "merge", stdin=text).code == 2


def test_many_without_vectors_are_embedded_before_it_ends() -> None:
    done("add", "--lines", "-", "--no-embed", stdin="\n".join(f"line {number}" for number in range(20)))
    text = done("export").out
    done("--db", "a.db", "import", "-", stdin=text)
    assert done("--db", "a.db", "status", "--json").json["owed_embeddings"] == 0
    done("--db", "b.db", "import", "-", "--no-embed", stdin=text)
    assert done("--db", "b.db", "status", "--json").json["owed_embeddings"] == 20


def test_undo_says_that_it_passes_over_an_import() -> None:
    done("add", "theirs", "--db", "other.db")
    done("export", "theirs.ndjson", "--db", "other.db")
    done("import", "theirs.ndjson")
    assert "passes over 1 import" in done("undo").err
    done("add", "mine")
    assert "passes over" not in done("undo", "--dry-run").err
    done("add", "more", "--db", "other.db")
    done("export", "more.ndjson", "--db", "other.db")
    done("import", "more.ndjson")
    ran = done("undo", "--dry-run")
    assert "undo passes over 1 import" in ran.err
    assert "would take back 1" in ran.err
    assert "passes over 1 import" in done("undo").err
    assert sorted(done("list", "-o", "csv").out.count(word) for word in ("mine", "theirs", "more")) == [
        0,
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (gzip.compress(b"{}\n", mtime=0), "the export is compressed: unpack it first: gunzip"),
        (bz2.compress(b"{}\n"), "the export is compressed: unpack it first: bunzip2"),
        (b"{}\xff\n", "line 1 of the export is not UTF-8: copy or write it again"),
        (b'{"memory": "likes tea"}\n', "; `agentmem add --ndjson-in` takes objects of other programs"),
    ],
    ids=["gzip", "bzip2", "no UTF-8", "another program's"],
)
def test_what_is_no_export_says_what_to_do_with_it(content: bytes, said: str) -> None:
    ran = run("import", "-", stdin=content)
    assert (ran.code, said in ran.err) == (5, True), ran.err
