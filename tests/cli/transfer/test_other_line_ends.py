"""An export that was copied by a program with other habits is still the same export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import done, run

BOM = b"\xef\xbb\xbf"


@pytest.fixture
def export(tmp_path: Path) -> bytes:
    done("add", "a line\r\nand another", "--tag", "ä")
    done("work", "set", "branch", "main")
    done("export", str(tmp_path / "all.ndjson"), "--history")
    return (tmp_path / "all.ndjson").read_bytes()


@pytest.mark.parametrize(
    "changed",
    [
        lambda data: BOM + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: BOM + data.replace(b"\n", b"\r\n") + b"\r\n",
    ],
)
def test_it_is_imported(changed, export: bytes, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "copy.ndjson").write_bytes(changed(export))
    other = ("--db", str(tmp_path / "other.db"))
    done(*other, "import", str(tmp_path / "copy.ndjson"))
    done(*other, "export", str(tmp_path / "again.ndjson"), "--history")
    assert (tmp_path / "again.ndjson").read_bytes() == export


def test_another_encoding_is_named(export: bytes, tmp_path: Path) -> None:
    (tmp_path / "copy.ndjson").write_bytes(export.decode().encode("utf-16"))
    ran = run("--db", str(tmp_path / "other.db"), "import", str(tmp_path / "copy.ndjson"))
    assert ran.code == 5
    assert "UTF-16" in ran.err


def test_settings_are_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.toml"
    config.write_bytes(BOM + b'agent = "bob"\r\nlimit = 3\r\n')
    monkeypatch.setenv("AGENTMEM_CONFIG", str(config))
    assert done("config", "get", "agent").out == "bob\n"
    done("config", "set", "limit", "4")
    assert done("config", "get", "limit").out == "4\n"
    config.write_text("tags = " + "[" * 5000 + "]" * 5000)
    ran = run("list")
    assert (ran.code, len(ran.err.splitlines())) == (2, 1)
