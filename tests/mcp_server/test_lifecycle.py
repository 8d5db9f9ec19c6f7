"""The server begins at once, says nothing but protocol, and never outlives its client."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.process.programs import heeding_signals
from tests.cli.running import done

from .raw import LATEST, Raw

HELLO = {"protocolVersion": LATEST, "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
PATCHED = (sys.executable, "-c")
"""Before the text of a program that changes something and then is `agentmem mcp`."""
MAIN = "\nsys.argv[0] = 'agentmem'\nfrom agentmem_cli.entry import main\nmain()\n"


def test_nothing_but_the_standard_library_is_imported_until_the_tools_are_listed(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        "from agentmem_mcp import start\n"
        "start._PATIENCE = 600\n"
        "write = start.Wire.write\n"
        "def telling(self, line):\n"
        f"    with open({str(tmp_path / 'modules')!r}, 'w') as file: json.dump(sorted(sys.modules), file)\n"
        "    write(self, line)\n"
        "start.Wire.write = telling\n"
    )
    with Raw("mcp", command=(*PATCHED, program + MAIN)) as server:
        server.begin()
        assert server.ask("tools/list")["result"]["tools"]
        imported = set(json.loads((tmp_path / "modules").read_text()))
    ours = {name for name in imported if name.partition(".")[0] in ("agent_memory", "agentmem_cli")}
    assert ours <= {
        "agent_memory",
        "agent_memory.version",
        "agentmem_cli",
        "agentmem_cli.entry",
        "agentmem_cli.process",
        "agentmem_cli.signals",
        "agentmem_cli.streams",
        "agentmem_cli.warm",
        "agentmem_cli.warm.place",
    }
    assert not imported & {"mcp", "mcp_types", "anyio", "asyncio", "pydantic", "typer", "numpy", "sqlite3"}
    assert not imported & {"pathlib", "shutil", "socket", "subprocess"}, "each takes milliseconds"


def test_whatever_is_printed_does_not_reach_the_client() -> None:
    program = (
        "import os, subprocess, sys\n"
        "from agentmem_mcp import start\n"
        "front = start.Front\n"
        "def noisy(*arguments):\n"
        "    print('noise')\n"
        "    os.write(1, b'noise\\n')\n"
        "    subprocess.run(['echo', 'noise'])\n"
        "    assert os.read(0, 10) == b'' and sys.stdin.read() == ''\n"
        "    return front(*arguments)\n"
        "start.Front = noisy\n"
    )
    with Raw("mcp", command=(*PATCHED, program + MAIN)) as server:
        server.begin()
        assert server.call("recall").startswith("Memory is empty")
        assert server.end() == []
    assert [line.strip() for line in server.said].count(b"noise") == 3


def test_what_was_asked_before_the_client_closed_its_pipe_is_answered() -> None:
    with Raw() as server:
        server.request(1, "initialize", HELLO)
        server.notify("notifications/initialized")
        server.request(2, "tools/call", {"name": "add", "arguments": {"content": "said in haste"}})
        first, second = server.end()
        assert first["id"] == 1
        assert second["result"]["content"][0]["text"].startswith("stored ")
        assert server.process.returncode == 0
    assert "said in haste" in done("list").out


def test_a_client_that_says_nothing_is_left_without_a_word() -> None:
    with Raw() as server:
        assert server.end() == []
        assert server.process.returncode == 0
    assert server.said == []


def test_a_write_that_waits_for_a_lock_is_finished_after_the_client_has_gone() -> None:
    done("add", "the first")
    path = Path(os.environ["AGENTMEM_HOME"]) / "default.db"
    with Raw() as server:
        server.begin()
        server.call("search", query="first")
        lock = sqlite3.connect(path)
        lock.execute("begin immediate")
        server.request(2, "tools/call", {"name": "add", "arguments": {"content": "the second"}})
        assert server.process.stdin is not None
        server.process.stdin.close()
        time.sleep(2.0)  # longer than a read would be waited for
        lock.rollback()
        lock.close()
        assert server.process.wait(30) == 0
    assert "the second" in done("list").out


@pytest.mark.parametrize(("number", "code"), [("SIGTERM", 143), ("SIGINT", 130), ("SIGHUP", 129)])
@pytest.mark.parametrize("busy", [False, True], ids=["at first", "in a conversation"])
def test_a_signal_ends_it_as_it_ends_any_command(number: str, code: int, busy: bool) -> None:
    with Raw(preexec_fn=heeding_signals) as server:
        server.begin()
        if busy:
            server.call("add", content="kept")
        server.process.send_signal(getattr(signal, number))
        assert server.process.wait(30) == code
    if busy:
        assert "kept" in done("list").out


def test_a_client_that_does_not_read_any_more_has_gone() -> None:
    reads, writes = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "agentmem_cli", "mcp"], stdin=subprocess.PIPE, stdout=writes
    ) as server:
        os.close(writes)
        assert server.stdin is not None
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
        server.stdin.write(json.dumps(message).encode() + b"\n")
        server.stdin.flush()
        assert os.read(reads, 10)
        os.close(reads)
        server.stdin.write(b'{"jsonrpc": "2.0", "id": 2, "method": "tools/list"}\n')
        server.stdin.flush()
        assert server.wait(30) == 0


def test_it_ends_with_its_client_though_another_process_holds_the_pipe() -> None:
    client = (
        "import subprocess, sys, time\n"
        "server = subprocess.Popen([sys.executable, '-m', 'agentmem_cli', 'mcp'], stdin=0, stdout=1)\n"
        "print('started', file=sys.stderr, flush=True)\n"
        "time.sleep(600)\n"
    )
    reads, writes = os.pipe()  # this process keeps the end that should tell of the client's end
    with subprocess.Popen(
        [sys.executable, "-c", client], stdin=reads, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stderr is not None
        os.close(reads)
        parent.stderr.readline()
        message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
        os.write(writes, json.dumps(message).encode() + b"\n")
        assert json.loads(parent.stdout.readline())["id"] == 1
        parent.kill()
        assert parent.stdout.read() == b""  # it ends when the server has gone, who has its other end
    os.close(writes)


def test_it_ends_where_the_client_is_silent_for_longer_than_the_setting_says() -> None:
    with Raw(environment={"AGENTMEM_MCP_IDLE": "1s"}) as server:
        server.begin()
        server.call("recall")
        assert server.process.wait(30) == 0


def test_it_closes_the_file_while_the_client_is_silent_and_opens_it_again() -> None:
    program = "import sys\nfrom agentmem_mcp import session\nsession._REST = 0.3\n"
    with Raw("mcp", command=(*PATCHED, program + MAIN)) as server:
        server.begin()
        server.call("add", content="the sky is blue")
        wait_until_gone(Path(os.environ["AGENTMEM_HOME"]) / "default.db-wal")
        assert "the sky is blue" in server.call("search", query="sky")


def wait_until_gone(path: Path) -> None:
    end = time.monotonic() + 30
    while path.exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_person_who_starts_it_by_hand_is_told_what_it_is_for(tmp_path: Path) -> None:
    import pty

    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "agentmem_cli", "mcp"], stdin=terminal, stdout=terminal, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        assert b"Ctrl-C" in process.stderr.readline()
        process.terminate()
        process.wait(30)
    os.close(controller)
    os.close(terminal)
