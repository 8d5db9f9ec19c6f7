from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from agentmem_cli import exit_codes, reference
from agentmem_cli.reference.as_json import usage
from agentmem_cli.reference.tree import Command

from .running import done, run

COMMANDS = [command for command in reference.root().walk() if command.path and not command.commands]


def test_the_whole_tree_as_json() -> None:
    told = done("help", "--json").json
    assert {item["command"] for item in told["commands"]} == {
        " ".join(command.path) for command in reference.root().walk() if command.path
    }
    assert set(told["exit_codes"]) == {str(code) for code in exit_codes.MEANINGS}
    assert ["--agent", "-a"] in [option["names"] for option in told["global_options"]]
    assert [item["command"] for item in done("help", "chat", "add", "--json").json["commands"]] == [
        "chat add"
    ]


def test_the_help_of_one_command_is_that_of_its_own_flag() -> None:
    assert done("help", "chat", "add").out.strip() == done("chat", "add", "--help").out.strip()
    assert done("help").out.strip() == done("--help").out.strip()
    ran = run("help", "chat", "ad")
    assert ran.code == 2
    assert "did you mean `agentmem chat add`?" in ran.err


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.path))
def test_every_command_teaches(command: Command) -> None:
    assert command.summary.endswith(".")
    assert len(command.examples) >= 2
    assert any(f"agentmem {' '.join(command.path)}" in example for example in command.examples)
    assert all(option.help for option in command.options), "every option says what it does"
    assert all(argument.help for argument in command.arguments)
    assert usage(command, set()).startswith("agentmem ")


def test_the_reference_page_is_fresh() -> None:
    page = Path(__file__).parents[2] / "docs" / "cli.md"
    assert page.read_text(encoding="utf-8") == reference.page(), "run `make docs`"


def test_the_skill_is_short_and_has_what_agents_list_it_by() -> None:
    text = done("help", "--skill").out
    assert len(text.splitlines()) <= 40
    assert text.isascii(), "it is printed on any terminal"
    front = re.match(r"---\nname: agentmem\ndescription: (.+)\n---\n", text)
    assert front is not None
    assert len(front[1]) <= 1024, "longer descriptions are refused"
    assert ": " not in front[1], "a colon would have to be quoted"


def test_every_command_of_the_skill_works() -> None:
    text = done("help", "--skill").out
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    taught = {words[1] for words in lines}
    assert taught >= {"add", "search", "recall", "update", "forget", "chat"}
    for program, *arguments in lines:
        assert program == "agentmem"
        done(*arguments)
    assert done("list", "--type", "fact", "-o", "id").lines, "what was added is there"
    assert "Fridays" not in done("list").out, "what was updated and then forgotten is not"
