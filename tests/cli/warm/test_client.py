"""Whatever happens to the warm process, the command answers; what may have been stored is never sent twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shlex import quote

import pytest

from agentmem_cli.warm import wire
from tests.cli.process.programs import PROGRAM, heeding_signals, started, surroundings
from tests.cli.warm.processes import Warm, agentmem, cold, processes

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
SLOW = (
    "with recursive c(x) as (select 1 union all select x + 1 from c where x < {}) select count(*) as n from c"
)
Eventually = Callable[[Callable[[], object]], None]


def contents() -> list[str]:
    return sorted(
        line.split("\t")[-1]
        for line in cold("sql", "select content from memory", "-o", "text").stdout.splitlines()
    )


def test_a_command_is_answered_by_the_warm_process(warm: Warm) -> None:
    ran = agentmem("add", "the user likes tea")
    assert ran.returncode == 0
    assert warm.requests == 1
    assert ran.stdout == cold("list", "-o", "id").stdout
    assert agentmem("get", "nothing").returncode == 3
    assert warm.requests == 2


@pytest.mark.parametrize("number", CODES)
def test_a_signal_is_forwarded(number: signal.Signals, warm: Warm, eventually: Eventually) -> None:
    process = started("add", "-", stdin=subprocess.PIPE)
    eventually(lambda: warm.status["workers"][0]["busy"])
    time.sleep(0.3)
    process.send_signal(number)
    process.wait(20)  # its input stays open: at its end the command would be done
    _, said = process.communicate()
    assert process.returncode == CODES[number]
    assert len(said.splitlines()) == 1
    assert "agentmem log" in said
    assert agentmem("add", "another").returncode == 0
    assert contents() == ["another"]


@pytest.mark.parametrize(
    ("words", "number"),
    [
        (("add", "-"), signal.SIGINT),
        (("add", "-"), signal.SIGTERM),
        (("add", "-"), signal.SIGHUP),
        (("chat", "add", "user", "-"), signal.SIGINT),
        (("doc", "add", "-"), signal.SIGINT),
    ],
)
def test_a_text_that_a_signal_cuts_off_is_not_stored(
    words: tuple[str, ...], number: signal.Signals, warm: Warm, eventually: Eventually
) -> None:
    """Ctrl-C ends the program that writes into the pipe as well: the end of its text is no end of a text."""
    process = started(*words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write("half a sen")
    process.stdin.flush()
    eventually(lambda: any(worker["busy"] for worker in warm.status["workers"]))
    time.sleep(0.3)
    process.send_signal(signal.SIGSTOP)  # so that the worker sees the end of the text long before the signal
    process.send_signal(number)
    process.stdin.close()
    process.stdin = None
    time.sleep(0.5)
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == CODES[number], said
    assert contents() == []


def test_what_the_client_ignores_does_not_end_its_command(warm: Warm, eventually: Eventually) -> None:
    process = subprocess.Popen(
        [PROGRAM, "add", "-", "-q"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    eventually(lambda: warm.status["workers"][0]["busy"])
    process.send_signal(signal.SIGHUP)
    process.communicate(b"stays", timeout=20)
    assert process.returncode == 0
    assert contents() == ["stays"]


def test_a_client_that_is_killed_takes_its_command_with_it(warm: Warm, eventually: Eventually) -> None:
    before = warm.workers
    process = started("add", "-", stdin=subprocess.PIPE)
    assert process.stdin is not None
    # More than a pipe holds: once it is written, the command has begun, and killing the client comes in its midst.
    process.stdin.write("x" * 500_000)
    process.stdin.flush()
    process.kill()
    process.wait()
    eventually(lambda: before[0] not in warm.workers)
    process.communicate()
    assert agentmem("list").returncode == 0
    assert contents() == []


def test_a_closed_pipe_is_no_error(warm: Warm) -> None:
    agentmem("add", "--lines", "--no-embed", stdin="\n".join(f"line {number}" for number in range(3000)))
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {quote(PROGRAM)} list --all | head -1"],
        env=surroundings(),
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\n") == 1
    assert warm.requests == 2


def test_a_read_is_done_again_where_its_worker_was_killed(warm: Warm, eventually: Eventually) -> None:
    agentmem("add", "one")
    process = started("sql", SLOW.format(20_000_000), "-o", "text")
    eventually(lambda: warm.status["workers"][0]["busy"])
    time.sleep(0.3)
    os.kill(warm.workers[0], signal.SIGKILL)
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said.split(), errors) == (0, ["20000000"], "")
    assert agentmem("list", "-o", "text").stdout.endswith("one\n")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_write_is_not_sent_again_where_its_worker_was_killed(
    form: str, warm: Warm, eventually: Eventually
) -> None:
    process = started("add", "-", "-o", form, stdin=subprocess.PIPE)
    eventually(lambda: warm.status["workers"][0]["busy"])
    time.sleep(0.3)
    os.kill(warm.workers[0], signal.SIGKILL)
    said, errors = process.communicate("once", timeout=20)
    assert (process.returncode, said) == (1, "")
    assert len(errors.splitlines()) == 1
    assert "not known whether its changes were stored" in errors
    assert "agentmem log" in errors
    assert ('"code": "failed"' in errors) is (form == "json")
    assert contents() == []


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str, warm: Warm) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{quote(PROGRAM)} add 'stored all the same' {closed}"], env=surroundings()
    )
    assert ran.returncode == 0
    assert warm.requests == 0
    assert contents() == ["stored all the same"]


def test_a_process_that_does_not_answer(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTMEM_WARM_PATIENCE")
    os.kill(warm.process, signal.SIGSTOP)
    stopped = processes(warm.socket)
    try:
        began = time.monotonic()
        assert agentmem("add", "one").returncode == 0
        assert time.monotonic() - began < 20
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)
    assert contents() == ["one"]


def test_a_worker_that_does_not_answer(warm: Warm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AGENTMEM_WARM_PATIENCE")
    worker = warm.workers[0]
    os.kill(worker, signal.SIGSTOP)
    try:
        assert agentmem("add", "one").returncode == 0
    finally:
        os.kill(worker, signal.SIGCONT)
    assert contents() == ["one"]  # and not twice, now that it goes on


def test_a_name_that_means_another_file_in_another_process(warm: Warm) -> None:
    ran = subprocess.run(
        ["bash", "-c", f"{quote(PROGRAM)} add --file <(echo from a pipe)"], env=surroundings()
    )
    assert ran.returncode == 0
    assert warm.requests == 0
    assert contents() == ["from a pipe\n"] or contents() == ["from a pipe"]


# --- a stand-in at the other end -------------------------------------------------------------------------------


@pytest.fixture
def answering(runtime_folder: Path) -> Iterator[Callable[[bytes, bytes], list[bytes]]]:
    """Listen in place of the warm process: answer a request, and after its GO say some more and leave."""
    folder = runtime_folder / "agentmem"
    folder.mkdir(mode=0o700)
    threads: list[threading.Thread] = []

    def listen(first: bytes, then: bytes) -> list[bytes]:
        heard: list[bytes] = []
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.environ["AGENTMEM_WARM_SOCKET"])
        listener.listen(1)

        def serve() -> None:
            connection, _ = listener.accept()
            heard.append(connection.recv(1 << 20))
            if first:
                connection.sendall(first)
                heard.append(connection.recv(1))
            if then:
                connection.sendall(then)
            connection.close()
            listener.close()
            Path(os.environ["AGENTMEM_WARM_SOCKET"]).unlink()

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return heard

    yield listen
    for thread in threads:
        thread.join()


def test_its_exit_code_is_the_answers(answering: Callable[[bytes, bytes], list[bytes]]) -> None:
    heard = answering(wire.READY, wire.WRITES + wire.PRINTS + wire.ENDED + b"\x05")
    assert agentmem("add", "one").returncode == 5
    assert heard[1] == wire.GO
    assert contents() == []


@pytest.mark.parametrize("first", [b"", wire.REFUSED, b"?"])
def test_what_is_not_ready_is_told_nothing_more(
    first: bytes, answering: Callable[[bytes, bytes], list[bytes]]
) -> None:
    heard = answering(first, b"")
    assert agentmem("add", "one").returncode == 0
    assert wire.GO not in heard[1:]
    assert contents() == ["one"]


def test_nothing_begun_is_done_here(answering: Callable[[bytes, bytes], list[bytes]]) -> None:
    answering(wire.READY, b"")
    assert agentmem("add", "one").returncode == 0
    assert contents() == ["one"]


@pytest.mark.parametrize(
    "begun", [wire.WRITES, wire.READS_STDIN, wire.PRINTS, wire.READS_STDIN + wire.WRITES]
)
def test_nothing_begun_is_done_twice(begun: bytes, answering: Callable[[bytes, bytes], list[bytes]]) -> None:
    answering(wire.READY, begun)
    ran = agentmem("add", "one")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert ("agentmem log" in ran.stderr) is (wire.WRITES in begun)
    assert contents() == []


def test_a_full_backlog(runtime_folder: Path) -> None:
    folder = runtime_folder / "agentmem"
    folder.mkdir(mode=0o700)
    path = os.environ["AGENTMEM_WARM_SOCKET"]
    waiting = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        while True:
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            waiting.append(client)
            try:
                client.connect(path)
            except BlockingIOError:
                break
        assert agentmem("add", "one").returncode == 0
        for client in waiting:
            client.close()
    assert contents() == ["one"]


def test_a_socket_that_nobody_serves(runtime_folder: Path) -> None:
    folder = runtime_folder / "agentmem"
    folder.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.environ["AGENTMEM_WARM_SOCKET"])
    assert agentmem("add", "one").returncode == 0
    assert agentmem("warm").returncode == 0  # takes the place over
    assert agentmem("list", "-o", "text").stdout.endswith("one\n")


def test_heeding_what_a_shell_in_the_background_ignores(warm: Warm) -> None:
    process = subprocess.Popen([PROGRAM, "list"], env=surroundings(), preexec_fn=heeding_signals)
    assert process.wait(20) == 0
