"""The shell's words for the acts that hints of the library name."""

from __future__ import annotations

import re

import pytest

from agent_memory.hints import PYTHON
from agentmem_cli.hints import SHELL
from agentmem_cli.tree import COMMANDS, Noun
from tests.cli.running import run


def test_the_shell_has_words_for_every_act() -> None:
    assert SHELL.keys() == PYTHON.keys()


@pytest.mark.parametrize("words", SHELL.values())
def test_every_command_that_a_hint_names_exists(words: str) -> None:
    for command in re.findall(r"agentmem ([a-z]+(?: [a-z]+)?)", words):
        first, _, second = command.partition(" ")
        assert first in COMMANDS
        entry = COMMANDS[first]
        assert not isinstance(entry, Noun) or second in entry.verbs


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (("get", "nothing"), "`agentmem list` shows what is there"),
        (("restore", "nothing"), "`agentmem list --archived` shows what can be restored"),
        (("agents", "show", "nobody"), "`agentmem agents list` shows those there are"),
        (("doc", "add", "missing.md"), "check the name; a text, not a path, is given with --text"),
        (("add", "gr\udcf6\udcdfe"), "convert it, for example with iconv -t utf-8"),
    ],
)
def test_the_command_line_says_what_to_type(command: tuple[str, ...], hint: str) -> None:
    assert run(*command).err.rstrip().endswith(hint)
    assert f'"hint": "{hint}"' in run(*command, "--json").err
