"""A working week of three agents in the shell: what a new user would type, turn after turn, on files that stay.

Nothing is prepared and nothing is made up: the embedder is the real one, and each turn finds what the turns before it
have left. Faults that no test of one command shows come up here, such as indexes that one process leaves behind and
the next one trips over.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

import pytest
from cli.running import Ran, run

from . import conversation
from .script import Step, contents, read

DAYS = sorted((Path(__file__).parent / "week").glob("*.txt"))
STEPS = read(DAYS)
TURNS = [step for step in STEPS if step.kind == "turn"]
SEARCH = re.compile(r"agentmem .*\bsearch\b")
IN_PROCESSES_OF_THEIR_OWN = 60
"""So many first turns each begin a new process, as in a shell; and so do all later ones that need a shell. The others
run in this process, each on a newly opened store: 250 interpreters would take minutes to start."""
LEFT_OUT = {
    "config edit": "opens an editor",
    "config trust": "is about files of a cloned repository",
    **dict.fromkeys(("warm start", "warm status", "warm stop"), "is about a process, and stores nothing"),
    "storage distribute": "prints statements for an administrator of servers",
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def shell(private_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the agents; nothing of a person's own settings is in reach."""
    for name in [name for name in os.environ if name.startswith("AGENTMEM_")]:
        if name not in ("AGENTMEM_HOME", "AGENTMEM_CACHE", "AGENTMEM_SQLITE_DRIVER"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AGENTMEM_CONFIG", str(private_home / "config" / "config.toml"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def in_shell(line: str, names: Mapping[str, str]) -> Ran:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        env={**os.environ, **names},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def in_this_process(line: str, names: Mapping[str, str]) -> Ran:
    program, *arguments = [Template(word).safe_substitute(names) for word in shlex.split(line)]
    assert program == "agentmem"
    return run(*arguments)


def needs_a_shell(line: str) -> bool:
    return not line.startswith("agentmem ") or re.search(r"[|<>;&`]|\$\(", line) is not None


def faults(step: Step, ran: Ran, names: dict[str, str]) -> list[str]:
    """Return what is not as expected."""
    code = 0
    found = []
    for name, value in step.expected:
        match name:
            case "exit":
                code = int(value)
            case "id":
                names[value] = ran.out.strip()
                good = re.fullmatch(r"[0-9a-z]{20}", names[value]) is not None
            case "lines":
                good = len(ran.lines) == int(value)
            case "out":
                good = value in ran.out
            case "not":
                good = value not in ran.out
            case "err":
                good = value in ran.err
            case "first":
                good = any(value in line for line in ran.lines[:3])
        if name != "exit" and not good:
            found.append(f"{name}: {value}")
    if ran.code != code:
        found.append(f"exit: {ran.code} instead of {code}")
    if "Traceback" in ran.err:
        found.append("a traceback")
    return found


@pytest.mark.timeout(600)
def test_the_week(shell: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names: dict[str, str] = {}
    wrong = []
    for step in STEPS:
        if step.kind == "export":
            monkeypatch.setenv(*step.text.split("=", 1))
        elif step.kind == "write":
            path = shell / step.text
            path.parent.mkdir(exist_ok=True)
            path.write_text(contents(step), encoding="utf-8")
        elif step.kind == "conversation":
            conversation.write(shell / step.text)
        else:
            own = TURNS.index(step) < IN_PROCESSES_OF_THEIR_OWN or needs_a_shell(step.text)
            ran = (in_shell if own else in_this_process)(step.text, names)
            if found := faults(step, ran, names):
                told = "\n  ".join([f"{step.where}: $ {step.text}", *found])
                wrong.append(f"{told}\n{ran.out[:600]}{ran.err[:600]}")
    assert not wrong, "\n\n".join(wrong)


def test_the_session_is_as_long_as_it_says() -> None:
    assert len(TURNS) >= 200
    assert (
        sum(any(name == "first" for name, _ in turn.expected) for turn in TURNS if SEARCH.search(turn.text))
        >= 60
    )
    assert len(list(conversation.messages())) == conversation.MESSAGES == 2_000


def commands(text: str) -> set[str]:
    """Return the commands, with their verbs, that a text calls."""
    from agentmem_cli.tree import COMMANDS, HIDDEN, Noun

    found = set()
    for words in re.findall(r"\bagentmem((?: +[^\s|;&<>()]+)+)", text):
        for place, word in enumerate(given := words.split()):
            if word in COMMANDS or word in HIDDEN:
                entry = COMMANDS.get(word)
                verb = given[place + 1] if isinstance(entry, Noun) else ""
                found.add(f"{word} {verb}".strip())
                break
    return found


def test_the_session_uses_every_command() -> None:
    from agentmem_cli.tree import COMMANDS, HIDDEN, Noun

    there = set(HIDDEN)
    for name, entry in COMMANDS.items():
        there |= {f"{name} {verb}" for verb in entry.verbs} if isinstance(entry, Noun) else {name}
    used = set().union(*(commands(turn.text) for turn in TURNS))
    assert there - used == LEFT_OUT.keys()
    assert commands((ROOT / "README.md").read_text(encoding="utf-8")) & there <= used
