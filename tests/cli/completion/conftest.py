"""A small tree of commands, and a program of that name that answers what is stored."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest

from agentmem_cli.reference.tree import Argument, Command, Option

PROGRAM = """\
import sys
_, word, kind, prefix, *before = sys.argv
assert word == "__complete"
stored = {
    "agents": ["alice\\tone", "bob the builder\\ttwo"],
    "tags": ["lang:en\\t3 memories", "lang:fr", "it's\\t1"],
    "ids": ["7f3k2m9q\\t" + " ".join(before)],
}
print("\\n".join(stored[kind]))
"""


def option(
    *names: str, metavar: str | None = None, choices: tuple[str, ...] = (), kind: str | None = None
) -> Option:
    return Option(names, f"Set {names[0]}: it's $HOME `here`.", metavar, None, False, choices, kind)


def command(*path: str, **more: tuple[object, ...]) -> Command:
    given = {"arguments": (), "options": (), "examples": (), "commands": (), **more}
    return Command(path=path, summary=f"Do {path}.", text="", **given)  # type: ignore[arg-type]


TREE = command(
    options=(option("--agent", "-a", metavar="AGENT", kind="agents"), option("--quiet", "-q")),
    commands=(
        command(
            "get",
            arguments=(Argument("ID", "", True, True, (), "ids"),),
            options=(option("--tag", "-t", metavar="TAG", kind="tags"), option("--explain")),
        ),
        command(
            "chat",
            commands=(
                command(
                    "chat",
                    "add",
                    arguments=(
                        Argument("ROLE", "", True, False, ("user", "assistant"), None),
                        Argument("TEXT", "", False, False, (), None),
                    ),
                    options=(
                        option("--file", metavar="FILE", kind="files"),
                        option("--name", metavar="NAME"),
                    ),
                ),
                command(
                    "chat", "list", options=(option("--sort", metavar="HOW", choices=("created", "used")),)
                ),
            ),
        ),
    ),
)

CASES = {
    "commands": ("agentmem ", ["get", "chat"]),
    "a command begun": ("agentmem ch", ["chat"]),
    "options of the program": ("agentmem --", ["--agent", "--quiet"]),
    "a noun's commands": ("agentmem chat ", ["add", "list"]),
    "options of a command and of all": (
        "agentmem get -",
        ["--tag", "-t", "--explain", "--agent", "-a", "--quiet", "-q"],
    ),
    "a stored value": ("agentmem -a al", ["alice"]),
    "a value of an option before the command": ("agentmem --agent alice ge", ["get"]),
    "choices": ("agentmem chat list --sort ", ["created", "used"]),
    "choices behind an equals sign": ("agentmem chat list --sort=u", ["used"]),
    "the first argument": ("agentmem chat add a", ["assistant"]),
    "free text offers nothing": ("agentmem chat add user ", []),
    "a free value offers nothing": ("agentmem chat add --name ", []),
    "an argument that repeats": ("agentmem get 1 2 7f", ["7f3k2m9q"]),
    "a switch takes no value": ("agentmem get --explain 7", ["7f3k2m9q"]),
    "an option of all after the command": ("agentmem get --agent al", ["alice"]),
}
"""What is typed, and what has to be offered, in any order."""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    file = folder / "agentmem"
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    # Python's own path may hold spaces or be longer than a first line with "#!" may be.
    file.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return file
