from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.cli.running import done, run


def test_lines_of_json_by_id(tmp_path: Path) -> None:
    first = done("add", "one 記憶", "--tag", "x").out.strip()
    second = done("add", "two", "--type", "event").out.strip()
    done("forget", second)
    lines = [json.loads(line) for line in done("export").lines]
    assert lines[0]["agentmem"]["agent"] == "default"
    assert [line["id"] for line in lines[1:-1]] == sorted([first, second])
    assert {line["content"]: line.get("status") for line in lines[1:-1]} == {
        "one 記憶": None,
        "two": "archived",
    }
    assert lines[-1]["end"]["memories"] == 2
    assert done("export", "-").out == done("export").out

    ran = done("export", "out.ndjson", "--json")
    assert ran.json == {"file": "out.ndjson", "memories": 2, "gone": 0}
    assert Path("out.ndjson").read_text() == done("export").out
    assert stat.S_IMODE(Path("out.ndjson").stat().st_mode) == 0o600


def test_parts_and_filters() -> None:
    done("add", "one", "--tag", "x", "-m", "n=1")
    done("add", "two", "--type", "event")
    done("index")
    done("get", done("list", "--type", "event", "-o", "id").out.strip())
    plain = done("export").out
    assert not any(f'"{part}":[' in plain for part in ("history", "vectors"))
    full = [json.loads(line) for line in done("export", "--history", "--usage", "--with-vectors").lines]
    assert all(line["history"] and line["vectors"] for line in full[1:-1])
    assert [line["usage"]["count"] for line in full if line.get("content") == "two"] == [1]
    assert len(done("export", "--type", "event").lines) == 3
    assert len(done("export", "--tag", "x").lines) == 3
    assert len(done("export", "--tag", "x", "--type", "event").lines) == 2
    assert len(done("export", "--where", "n=1", "--every-tag", "x").lines) == 3


def test_an_export_counts_no_access_and_a_memory_that_is_not_there_is_no_empty_one() -> None:
    ran = run("export", "out.ndjson")
    assert ran.code == 3
    assert "nothing was written" in ran.err
    assert not Path("out.ndjson").exists()
    done("add", "one")
    assert done("export", "--usage").out == done("export", "--usage").out
    ran = run("export", "nowhere/out.ndjson")
    assert ran.code == 2
    assert "no folder" in ran.err


def test_a_memory_is_not_written_over() -> None:
    done("--db", "live.db", "add", "kept")
    done("--db", "other.db", "add", "kept too")
    for file in ("live.db", "other.db"):
        before = Path(file).read_bytes()
        ran = run("--db", "live.db", "export", file)
        assert ran.code == 6
        assert "is a database, and is not written over: name another file" in ran.err
        assert Path(file).read_bytes() == before
        assert run("--db", "live.db", "import", file).code == 5
    done("--db", "live.db", "export", "out.ndjson")
    done("--db", "live.db", "export", "out.ndjson")
