"""What ends the program from outside ends it at once, and leaves a sound file."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.process.programs import PROGRAM, heeding_signals, started, surroundings, wait_for

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SOON = 10.0
"""Seconds: far more than it takes, however busy the machine is."""


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    """Send a signal, insist that the program ends soon and with the right code, and return what it said."""
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - began < SOON
    assert process.returncode == CODES[number], said
    assert "Traceback" not in said
    return said


def sound() -> None:
    ran = subprocess.run([PROGRAM, "doctor"], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def stored() -> int:
    ran = subprocess.run([PROGRAM, "list", "--all", "-o", "id"], capture_output=True, text=True, check=True)
    return len(ran.stdout.split())


@pytest.fixture
def file(private_home: Path) -> Path:
    return Path(os.environ["AGENTMEM_HOME"]) / "default.db"


@pytest.fixture
def many(file: Path) -> int:
    lines = "\n".join(f"number {number} of the things that are known" for number in range(2000))
    subprocess.run([PROGRAM, "add", "--lines", "--no-embed", "-q"], input=lines, text=True, check=True)
    return 2000


@pytest.mark.parametrize("number", CODES)
def test_waiting_for_stdin(number: signal.Signals, file: Path) -> None:
    process = started("add", "-", stdin=subprocess.PIPE)
    time.sleep(1.0)
    said = ended(process, number)
    assert len(said.splitlines()) == 1
    assert "agentmem log" in said


@pytest.mark.parametrize(
    ("number", "delay"),
    [(signal.SIGINT, 0.15), (signal.SIGINT, 0.4), (signal.SIGTERM, 0.25), (signal.SIGHUP, 0.5)],
)
def test_starting_up(number: signal.Signals, delay: float, file: Path) -> None:
    process = started("search", "something", stdin=subprocess.PIPE)
    time.sleep(delay)
    process.send_signal(number)  # does nothing where it is done already
    _, said = process.communicate(timeout=20)
    assert "Traceback" not in said
    assert process.returncode in (0, CODES[number])


@pytest.mark.parametrize("number", CODES)
def test_storing_many_lines(number: signal.Signals, file: Path) -> None:
    lines = "\n".join(f"line {number}" for number in range(20_000))
    process = started("add", "--lines", "--no-embed", stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.close()
    process.stdin = None
    wait_for(file)
    time.sleep(0.1)
    ended(process, number)
    sound()
    assert stored() in (0, 20_000)


def test_putting_many_away(many: int) -> None:
    number = signal.SIGINT
    process = started("forget", "--before", "now", "-y")
    time.sleep(0.8)
    process.send_signal(number)  # does nothing where it is done already
    process.communicate(timeout=SOON)
    assert process.returncode in (0, CODES[number])
    sound()
    assert stored() in (0, many)


def test_importing(many: int, file: Path, tmp_path: Path) -> None:
    subprocess.run([PROGRAM, "export", str(tmp_path / "all.ndjson"), "--history"], check=True)
    other = tmp_path / "other.db"
    process = started("--db", str(other), "import", str(tmp_path / "all.ndjson"))
    wait_for(other)
    ended(process, signal.SIGTERM)
    ran = subprocess.run([PROGRAM, "--db", str(other), "import", str(tmp_path / "all.ndjson"), "-q"])
    assert ran.returncode == 0
    ran = subprocess.run([PROGRAM, "--db", str(other), "doctor"], capture_output=True)
    assert ran.returncode == 0


def test_an_export_leaves_nothing_half_written(many: int, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    process = started("export", str(folder / "all.ndjson"), "--history")
    end = time.monotonic() + 20
    while not list(folder.iterdir()) and time.monotonic() < end:
        time.sleep(0.002)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode in (143, 0)
    assert [path.name for path in folder.iterdir()] in ([], ["all.ndjson"])


def test_reembedding_goes_on_where_it_was(many: int) -> None:
    process = started("reembed", "dummy", "-y")
    time.sleep(0.8)
    process.send_signal(signal.SIGINT)  # does nothing where it is done already
    process.communicate(timeout=SOON)
    assert process.returncode in (0, 130)
    sound()
    subprocess.run([PROGRAM, "index", "-q"], check=True, capture_output=True)


@pytest.mark.parametrize("number", CODES)
def test_a_question(number: signal.Signals, many: int) -> None:
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "forget", "--before", "now"],
        stdin=follower,
        stderr=follower,
        stdout=subprocess.DEVNULL,
        preexec_fn=heeding_signals,
    )
    os.close(follower)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(leader, 1000)
    process.send_signal(number)
    assert process.wait(SOON) == CODES[number]
    os.close(leader)
    assert stored() == many


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_midst_of_a_statement(number: signal.Signals, many: int) -> None:
    endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"
    process = started("sql", endless)
    time.sleep(1.5)
    assert len(ended(process, number).splitlines()) == 1


def test_what_is_ignored_stays_ignored(file: Path) -> None:
    process = subprocess.Popen(
        [PROGRAM, "add", "-", "-q"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    time.sleep(1.0)
    process.send_signal(signal.SIGHUP)
    process.communicate(b"stays", timeout=20)
    assert process.returncode == 0
    assert stored() == 1


def test_several_at_once_do_no_harm(file: Path) -> None:
    process = started("add", "-", stdin=subprocess.PIPE)
    time.sleep(1.0)
    for _ in range(5):
        for number in CODES:
            process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode in CODES.values()
    assert len(said.splitlines()) == 1


def test_an_editor_keeps_its_interrupts(tmp_path: Path) -> None:
    ready, script = tmp_path / "ready", tmp_path / "editor"
    script.write_text(
        f"#!/bin/sh\ntrap 'echo caught > {tmp_path}/caught; exit 0' INT\n: > {ready}\n"
        f"while [ ! -e {tmp_path}/caught ]; do sleep 0.1; done\n"
    )
    script.chmod(0o700)
    process = subprocess.Popen(
        [PROGRAM, "config", "edit"],
        env=surroundings(EDITOR=str(script)),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heeding_signals,
    )
    wait_for(ready)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 0
    assert (tmp_path / "caught").exists()
