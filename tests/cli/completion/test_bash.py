from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from agentmem_cli.completion import bash

from .conftest import CASES, TREE

HARNESS = r"""
source "$1"
line=$2
# Cut as readline does: at blanks, and at : and = into words of their own.
eval "COMP_WORDS=($3)"
COMP_LINE=$line COMP_POINT=${#line} COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_agentmem
((${#COMPREPLY[@]})) && printf '%s\n' "${COMPREPLY[@]}"
exit 0
"""


def complete(tmp_path: Path, line: str) -> list[str]:
    script = tmp_path / "agentmem.bash"
    script.write_text(bash.script(TREE))
    words: list[str] = []
    for word in line.split(" "):
        for mark in ":=":
            word = word.replace(mark, f"\0{mark}\0")
        words += [part for part in word.split("\0") if part] or [""]
    done = subprocess.run(
        ["bash", "--norc", "-c", HARNESS, "bash", str(script), line, shlex.join(words)],
        capture_output=True, text=True, check=True, cwd=tmp_path, timeout=30,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(("line", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_offered(tmp_path: Path, program: Path, line: str, expected: list[str]) -> None:
    assert sorted(complete(tmp_path, line)) == sorted(expected)


def test_blanks_and_quotes_in_values_are_escaped(tmp_path: Path, program: Path) -> None:
    assert complete(tmp_path, "agentmem -a bob") == [r"bob\ the\ builder"]
    assert complete(tmp_path, "agentmem get -t it") == [r"it\'s"]


def test_inside_quotes_nothing_is_escaped(tmp_path: Path, program: Path) -> None:
    assert complete(tmp_path, 'agentmem -a "bob') == ["bob the builder"]


def test_a_colon_in_a_value_does_not_double_what_stands_before_it(tmp_path: Path, program: Path) -> None:
    assert complete(tmp_path, "agentmem get --tag lang:") == ["en", "fr"]
    assert complete(tmp_path, "agentmem get --tag lang:f") == ["fr"]
    assert complete(tmp_path, "agentmem get --tag=lang:f") == ["fr"]
    assert complete(tmp_path, "agentmem get --tag la") == ["lang:en", "lang:fr"]


def test_files_are_offered_where_a_file_is_meant(tmp_path: Path, program: Path) -> None:
    (tmp_path / "notes.md").touch()
    assert complete(tmp_path, "agentmem chat add --file no") == ["notes.md"]


def test_the_words_before_are_handed_on(tmp_path: Path, program: Path) -> None:
    (tmp_path / "bin" / "agentmem").write_text('#!/bin/sh\necho "$@" >> asked\necho x\n')
    complete(tmp_path, "agentmem -a bob get 1 x")
    assert (tmp_path / "asked").read_text() == "__complete ids x -a bob get 1\n"


def test_the_script_is_valid_and_has_no_text_that_a_shell_expands(tmp_path: Path) -> None:
    script = tmp_path / "agentmem.bash"
    script.write_text(bash.script(TREE))
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True, check=True).stderr == b""
    assert "HOME" not in script.read_text()
