from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent_memory import MemoryConfig, SyncAgentMemory, paths
from agentmem_cli.completion.values import main


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    config = MemoryConfig(embedding_provider="dummy")
    with SyncAgentMemory("alice", config) as memory:
        ids = {
            "fact": memory.long_term.add(
                "likes tea,\n\x1b[31m and a very long " + "story " * 20, tags=["food"]
            )
        }
    with SyncAgentMemory("bob the builder", config) as memory:
        ids["other"] = memory.long_term.add("likes beer", key="drink", tags=["beer", "odd\ntag"])
    return ids


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out.splitlines()


def test_agents(stored: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "agents", "") == ["alice\t1 memory", "bob the builder\t1 memory"]
    assert ask(capsys, "agents", "bob") == ["bob the builder\t1 memory"]


def test_ids_of_the_agent_on_the_command_line(
    stored: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = ask(capsys, "ids", "", "-a", "alice", "get")
    value, about = line.split("\t")
    assert value == stored["fact"]
    assert about.startswith("likes tea, [31m and a very long story")
    assert len(about) == 60
    other = [f"{stored['other']}\tlikes beer", "drink\tlikes beer"]
    assert ask(capsys, "ids", "", "--agent", "bob the builder") == other
    assert ask(capsys, "ids", "", "--agent", "=", "bob the builder") == other
    assert ask(capsys, "ids", "", "--agent=bob the builder") == other
    assert ask(capsys, "ids", "dri", "--db", str(paths.database("bob the builder"))) == other[1:]


def test_tags_that_a_terminal_cannot_show_are_left_out(
    stored: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(capsys, "tags", "", "-a", "bob the builder") == ["beer\t1 memory"]


def test_nothing_is_said_where_nothing_is_known(
    stored: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "broken.db").write_bytes(b"x" * 4000)
    (tmp_path / ".agentmem.toml").write_text("not toml")
    for arguments in ([], ["nonsense", ""]):
        assert ask(capsys, *arguments) == []
    assert len(ask(capsys, "ids", "", "-a", "alice")) == 1, (
        "a file of a project that cannot be read stops nothing"
    )
    (tmp_path / ".agentmem.toml").unlink()
    assert ask(capsys, "ids", "", "--db", str(tmp_path / "broken.db")) == []
    assert ask(capsys, "ids", "", "-a", "nobody") == []
    assert not paths.database("nobody").exists()


def test_it_loads_little(stored: dict[str, str]) -> None:
    program = (
        "import sys; from agentmem_cli.completion.values import main; main(['ids', '', '-a', 'alice']);"
        "heavy = {'typer', 'rich', 'pydantic', 'asyncio', 'anyio', 'numpy', 'onnxruntime'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stderr == "[]\n"
    assert done.stdout.startswith(stored["fact"])
