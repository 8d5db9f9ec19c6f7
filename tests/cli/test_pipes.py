"""The pipes that users have in their fingers, through a real shell and the real program."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.fixture
def shell(clean_surroundings: Path) -> Path:
    return clean_surroundings


def sh(script: str, *, code: int = 0) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent
    env = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(["bash", "-o", "pipefail", "-c", script], env=env, capture_output=True, text=True)
    assert ran.returncode == code, ran.stderr
    return ran


def test_git_log_into_events(shell: Path) -> None:
    git = "git -c user.name=t -c user.email=t@example.org -c init.defaultBranch=main"
    sh(f'git init -q . && for n in 1 2 3; do {git} commit -q --allow-empty -m "change $n"; done')
    ran = sh("git log -20 --format=%s | agentmem add --lines --type event --tag git")
    assert len(ran.stdout.splitlines()) == 3
    assert len(json.loads(sh("agentmem list --type event --tag git --json").stdout)) == 3


def test_a_file_into_a_document(shell: Path) -> None:
    (shell / "notes.md").write_text("# Notes\n\nThe cache lives in Redis.\n")
    sh("cat notes.md | agentmem add - --type doc")
    assert "Redis" in sh("agentmem search cache --type doc").stdout


def test_search_into_jq_into_forget(shell: Path) -> None:
    sh("agentmem add 'deploy one' -q && agentmem add 'deploy two' -q")
    ran = sh('agentmem search "deploy" --ndjson | jq -r .id | xargs agentmem forget --dry-run')
    assert "would archive 2" in ran.stderr
    assert len(sh("agentmem list -o id").stdout.splitlines()) == 2


def test_recall_into_a_prompt(shell: Path) -> None:
    sh("agentmem event add 'The build failed: no space left' --outcome failed")
    sh('agentmem recall "why did the build fail" --budget 1500 --format xml > prompt.txt')
    assert "no space left" in (shell / "prompt.txt").read_text()


def test_nothing_known(shell: Path) -> None:
    sh("agentmem add 'something else entirely'")
    script = 'agentmem search zzzqqq --mode keyword --fail-empty || echo "nothing known"'
    assert sh(script).stdout == "nothing known\n"


def test_list_into_get(shell: Path) -> None:
    sh("agentmem add one -q && agentmem add two -q")
    found = json.loads(sh("agentmem list --type fact -o id | xargs agentmem get --json").stdout)
    assert {result["content"] for result in found} == {"one", "two"}


def test_a_reader_that_has_seen_enough_is_no_error(shell: Path) -> None:
    sh("seq 1 3000 | agentmem add --lines --no-embed -q > /dev/null")
    ran = sh("agentmem list --all | head -n 1")
    assert ran.stderr == ""


def test_python_m_is_the_same_program(shell: Path) -> None:
    assert (
        sh(f"{shlex.quote(sys.executable)} -m agentmem_cli version").stdout == sh("agentmem version").stdout
    )


def test_an_interrupt_exits_with_130(shell: Path) -> None:
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "agentmem"), "add", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ.copy(),
        text=True,
        # What a shell starts in the background ignores interrupts, and so would all that it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    _wait_until_it_waits(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    assert "Traceback" not in said


def _wait_until_it_waits(pid: int) -> None:
    """Wait until a process has used no time of the processor for half a second."""
    used, still = "", 0
    for _ in range(200):
        time.sleep(0.1)
        stat = Path(f"/proc/{pid}/stat")
        now = " ".join(stat.read_text().rpartition(")")[2].split()[11:13]) if stat.exists() else ""
        still = still + 1 if now == used else 0
        used = now
        if still >= (5 if stat.exists() else 20):
            return
