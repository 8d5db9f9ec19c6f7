"""Whatever stands at the other ends of the streams, what was given is stored, and what is shown can be shown."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.cli.process.programs import ANYWHERE, PROGRAM, surroundings

TEXT = "héllo 你好 … 👍"


def sh(script: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", script.replace("agentmem", shlex.quote(PROGRAM), 1)],
        env=surroundings(**variables),
        capture_output=True,
    )


def contents() -> list[str]:
    ran = subprocess.run([PROGRAM, "list", "--json"], capture_output=True, check=True)
    return [load["content"] for load in json.loads(ran.stdout)]


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    assert sh(f"agentmem add 'stored all the same' {closed}").returncode == 0
    assert contents() == ["stored all the same"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_narrow_encodings(encoding: str) -> None:
    subprocess.run([PROGRAM, "add", TEXT, "--tag", "çà"], check=True, capture_output=True)
    for form in ("text", "table"):
        ran = sh(f"agentmem list -o {form}", PYTHONIOENCODING=encoding)
        assert (ran.returncode, ran.stderr) == (0, b"")
        assert "\\u4f60" in ran.stdout.decode(encoding)
    ran = sh("agentmem list --json", PYTHONIOENCODING=encoding)
    assert json.loads(ran.stdout.decode(encoding))[0]["content"] == TEXT
    assert sh(f"agentmem get {shlex.quote(TEXT)}", PYTHONIOENCODING=encoding).returncode == 3


@pytest.mark.parametrize("locale", ["C", "POSIX", "xx_YY.UTF-8", "nonsense"])
def test_locales(locale: str) -> None:
    program, more = ANYWHERE
    there = surroundings(LC_ALL=locale, **more)
    subprocess.run([*program, "add", TEXT], env=there, check=True, capture_output=True)
    assert contents() == [TEXT]
    subprocess.run([*program, "list"], env=there, check=True, capture_output=True)


@pytest.mark.parametrize("columns", ["0", "1", "10", "-3", "wide", "1000000000"])
def test_widths_that_cannot_be_meant(columns: str) -> None:
    subprocess.run([PROGRAM, "add", "a fact with a few words in it"], check=True, capture_output=True)
    for command in ("list -o table", "--help"):
        ran = sh(f"agentmem {command}", COLUMNS=columns)
        assert ran.returncode == 0, ran.stderr
        assert len(ran.stdout) < 20_000
    assert b"fact" in sh("agentmem list -o table", COLUMNS=columns).stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command", ["version", "list", "list --json", "export -", "--help", "get a-fact --json"]
)
def test_a_full_stdout(command: str, unbuffered: str) -> None:
    subprocess.run([PROGRAM, "add", "something", "--key", "a-fact"], check=True, capture_output=True)
    ran = sh(f"agentmem {command} > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert b"no space left" in ran.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_stderr() -> None:
    assert sh("agentmem list 2> /dev/full").returncode == 0
    assert sh("agentmem get nothing 2> /dev/full").returncode == 3


def test_a_database_is_never_opened_as_a_closed_stream() -> None:
    ran = sh("agentmem add 'one fact' -v >&- 2>&-")
    assert ran.returncode == 0
    folder = Path(os.environ["AGENTMEM_HOME"])
    assert (folder / "default.db").read_bytes().startswith(b"SQLite format 3")
    assert contents() == ["one fact"]


@pytest.mark.parametrize(
    "command", ["--db $'/no/\\xff.db' list", "--db $'\\xc6\\xe9.db' search x", "import $'\\x80'"]
)
def test_stderr_is_valid_whatever_bytes_a_name_has(command: str) -> None:
    said = sh(f"agentmem {command}", LC_ALL="C.UTF-8").stderr
    assert said
    said.decode("utf-8")


@pytest.mark.parametrize("command", ["get no-such known", "history no-such", "chat show no-such"])
def test_what_is_wrong_is_said_once_though_stdout_takes_nothing(command: str) -> None:
    subprocess.run([PROGRAM, "add", "a fact", "--key", "known"], check=True, capture_output=True)
    ran = sh(f"agentmem {command} > /dev/full")
    errors = [line for line in ran.stderr.decode().splitlines() if line.startswith("error: ")]
    assert (ran.returncode, len(errors)) in ((3, 1), (1, 1), (0, 0)), ran.stderr
