from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import pytest
import typer

from agentmem_cli.reference.as_json import describe, usage
from agentmem_cli.reference.as_markdown import page
from agentmem_cli.reference.tree import Argument, Command, read


class Shape(StrEnum):
    TABLE = "table"
    JSON = "json"


def sample() -> Command:
    app = typer.Typer(no_args_is_help=True, add_completion=False, help="Remember things.")
    chat = typer.Typer(help="Talk.")
    app.add_typer(chat, name="chat")

    @app.callback()
    def everywhere(
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say less.")] = False,
    ) -> None: ...

    @app.command(epilog="Examples:\n\n  $ agentmem get 7f3k2m9q\n\n  $ agentmem list -o id | agentmem get -")
    def get(
        ids: Annotated[list[str], typer.Argument(metavar="ID|KEY...", help="What to show.")],
        shape: Annotated[Shape, typer.Option("--shape", help="How it looks.")] = Shape.TABLE,
        tags: Annotated[
            list[str] | None, typer.Option("--tag", "-t", metavar="TAG", help="Only these.")
        ] = None,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say less.")] = False,
        limit: Annotated[int | None, typer.Option("--limit", "-n", help="How many.")] = None,
    ) -> None:
        """Show memories.

        By id, or by key.
        """

    @chat.command("add")
    def add(role: Annotated[str, typer.Argument(help="Who speaks.")]) -> None:
        """Add a message."""

    @app.command(hidden=True)
    def secret() -> None:
        """Nothing to see."""

    return read(typer.main.get_command(app))


TREE = sample()


def test_every_visible_command_is_there() -> None:
    assert [" ".join(command.path) for command in TREE.walk()] == ["", "get", "chat", "chat add"]


def test_a_command_is_read_with_all_that_belongs_to_it() -> None:
    get = TREE.commands[0]
    assert get.summary == "Show memories."
    assert get.text == "Show memories.\n\nBy id, or by key."
    assert get.examples == ("agentmem get 7f3k2m9q", "agentmem list -o id | agentmem get -")
    assert get.arguments == (Argument("ID|KEY", "What to show.", True, True, (), "ids"),)
    options = {option.names[0]: option for option in get.options}
    assert options["--tag"].names == ("--tag", "-t")
    assert (options["--tag"].multiple, options["--tag"].kind, options["--tag"].metavar) == (
        True,
        "tags",
        "TAG",
    )
    assert (options["--shape"].choices, options["--shape"].default) == (("table", "json"), "table")
    assert (options["--quiet"].metavar, options["--quiet"].kind) == (None, None)
    assert options["--limit"].default is None


def test_usage_is_one_line() -> None:
    assert usage(TREE.commands[0], set()) == "agentmem get [OPTIONS] ID|KEY..."
    assert usage(TREE.commands[1], set()) == "agentmem chat COMMAND"
    assert usage(TREE.commands[1].commands[0], {("--help",)}) == "agentmem chat add ROLE"


def test_the_json_names_global_options_once() -> None:
    described = describe(TREE, version="1.2", exit_codes={0: "done", 3: "not found"})
    assert described["exit_codes"] == {"0": "done", "3": "not found"}
    assert "--quiet" in [name for option in described["global_options"] for name in option["names"]]
    get = next(item for item in described["commands"] if item["command"] == "get")
    assert [option["names"] for option in get["options"]] == [["--shape"], ["--tag", "-t"], ["--limit", "-n"]]
    assert get["examples"][0] == "agentmem get 7f3k2m9q"
    assert {item["name"] for item in described["settings"]} >= {"agent", "embedding.provider"}


@pytest.mark.parametrize(
    "line",
    [
        "## agentmem get",
        "### agentmem chat add",
        "$ agentmem get 7f3k2m9q",
        "Usage: `agentmem get [OPTIONS] ID|KEY...`",
        "| `--tag`, `-t` `TAG` | Only these. May be repeated. |",
        "| `--shape` | How it looks. One of `table`, `json`. Default: `table`. |",
        "| `ID`\\|`KEY` | What to show. |",
        "| 3 | not found |",
        "| [`chat`](#agentmem-chat) | Talk. `add` |",
    ],
)
def test_the_page_tells_it_to_people(line: str) -> None:
    assert line in page(TREE, exit_codes={0: "done", 3: "not found"}).splitlines()
