"""Every example runs, and does what it says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent


def run(*arguments: str, cwd: Path | None = None, stdin: str = "", **environment: str) -> str:
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **environment}
    ran = subprocess.run(
        arguments, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=200
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_every_example_is_run_here() -> None:
    here = Path(__file__).read_text()
    assert [
        path.name
        for path in sorted(EXAMPLES.iterdir())
        if path.suffix in (".py", ".sh") and path.name not in here
    ] == []


def test_the_quick_start_runs_as_printed() -> None:
    run(sys.executable, str(EXAMPLES / "quick_start.py"))


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_every_call_of_the_api_reference(backend: str) -> None:
    out = run(sys.executable, str(EXAMPLES / "api_reference.py"), backend)
    assert out == f"{backend}: 9 memories of six types\n"


def test_the_same_ten_lines_three_times() -> None:
    shell = run("sh", str(EXAMPLES / "ten_lines.sh"))
    assert "User prefers dark mode" in shell
    assert "disk full" in shell
    for name in ("ten_lines_sync.py", "ten_lines_async.py"):
        out = run(sys.executable, str(EXAMPLES / name))
        assert out.splitlines()[0] == "User prefers dark mode"
        assert "disk full" in out


def test_the_readme_shows_these_lines() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```(?:sh|python)\n(.*?)```", readme, re.DOTALL)
    for name in ("ten_lines_sync.py", "ten_lines_async.py"):
        code = (EXAMPLES / name).read_text().partition('"""\n\n')[2].strip()
        assert any(code == block.strip() for block in blocks), name
    lines = [
        line for line in (EXAMPLES / "ten_lines.sh").read_text().splitlines() if line.startswith("agentmem")
    ]
    assert any(all(line in block for line in lines) for block in blocks)


def test_the_demo(tmp_path: Path) -> None:
    out = run("sh", str(EXAMPLES / "demo.sh"), cwd=tmp_path)
    assert out.endswith("All six kinds of memory went in and came back.\n")


def test_an_agents_loop_remembers(tmp_path: Path) -> None:
    said = "My name is Ada.\nWhat is my name?\n"
    out = run("sh", str(EXAMPLES / "agent_loop.sh"), stdin=said, AGENT_MODEL="tail -n 1")
    assert out == "User: My name is Ada.\nUser: What is my name?\n"
    messages = json.loads(run("agentmem", "-a", "shell-agent", "list", "--type", "chat", "--json"))
    assert [message["role"] for message in messages] == ["assistant", "user", "assistant", "user"]
    prompts = run("sh", str(EXAMPLES / "agent_loop.sh"), stdin="Who am I?\n", AGENT_MODEL="cat")
    assert "My name is Ada." in prompts


def test_the_git_log_recorder_adds_each_commit_once(tmp_path: Path) -> None:
    git = ["git", "-c", "user.name=Tester", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    run(*git, "init", "-q", ".", cwd=tmp_path)
    for number in range(3):
        run(*git, "commit", "-q", "--allow-empty", "-m", f'change "{number}"', cwd=tmp_path)
    script = str(EXAMPLES / "git_log_recorder.sh")
    run("sh", script, str(tmp_path), AGENTMEM_AGENT="git")
    run(*git, "commit", "-q", "--allow-empty", "-m", "one more", cwd=tmp_path)
    run("sh", script, str(tmp_path), AGENTMEM_AGENT="git")
    run("sh", script, str(tmp_path), AGENTMEM_AGENT="git")
    events = json.loads(run("agentmem", "-a", "git", "event", "timeline", "--json"))
    assert [event["content"] for event in events] == ['change "0"', 'change "1"', 'change "2"', "one more"]
    assert {event["event_type"] for event in events} == {"commit"}


def test_a_backend_written_by_somebody_else_passes_the_suite(tmp_path: Path) -> None:
    site, folder = tmp_path / "site", EXAMPLES / "json_folder"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(site)]
    run(sys.executable, *install, str(folder))
    suite = [
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-n",
        "0",
        "--rootdir",
        str(folder),
        str(folder / "tests"),
    ]
    assert "failed" not in run(sys.executable, *suite, cwd=tmp_path, PYTHONPATH=str(site))
    added = run(
        "agentmem", *("--backend", "json-folder", "add", "kept in a file"), cwd=tmp_path, PYTHONPATH=str(site)
    )
    assert (tmp_path / "memories/default/memories" / f"{added.strip()}.json").exists()
