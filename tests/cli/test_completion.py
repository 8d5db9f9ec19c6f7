from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from agentmem_cli.completion import FILES

from .running import done, run

COMPLETIONS = Path(__file__).parents[2] / "completions"


@pytest.mark.parametrize("shell", FILES)
def test_the_scripts_in_the_repository_are_fresh(shell: str) -> None:
    printed = done("completion", shell).out
    assert (COMPLETIONS / FILES[shell]).read_text(encoding="utf-8") == printed, "run `make completions`"


def test_there_are_no_others() -> None:
    assert {file.name for file in COMPLETIONS.iterdir()} == set(FILES.values())
    assert run("completion", "csh").code == 2


def test_the_real_program_completes_what_is_stored(tmp_path: Path) -> None:
    """From the key press to the answer: the real script, the real program, a real file."""
    id = done("add", "a fact", "-a", "alice", "-t", "food").out.strip()
    harness = r"""
    source "$1"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
    _agentmem
    printf '%s\n' "${COMPREPLY[@]}"
    """
    program = tmp_path / "agentmem"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m agentmem_cli "$@"\n')
    program.chmod(0o755)

    def complete(*words: str) -> list[str]:
        arguments = [
            "bash",
            "--norc",
            "-c",
            harness,
            "bash",
            str(COMPLETIONS / FILES["bash"]),
            str(program),
            *words,
        ]
        return subprocess.run(
            arguments, capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()

    assert complete("-a", "") == ["alice"]
    assert complete("get", "-a", "alice", id[:4]) == [id]
    assert complete("search", "--agent", "alice", "--tag", "") == ["food"]
    assert complete("sea") == ["search"]
    done("work", "set", "step", "one", "-a", "alice")
    done("pref", "set", "theme", "dark", "-a", "alice")
    done("add", "at length", "--key", "another", "-a", "alice")
    assert complete("-a", "alice", "work", "get", "") == ["step"]
    assert complete("-a", "alice", "pref", "list", "") == ["theme"]
    assert {"step", "another"} <= set(complete("-a", "alice", "get", ""))
    assert "skill" in complete("list", "--type", "s")
    assert complete("config", "get", "emb") == ["embedding.provider"]
