"""The Typer program: global options, and commands that are imported when they run."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agentmem_cli import errors, global_options
from agentmem_cli.arguments import Command
from agentmem_cli.tree import COMMANDS, HIDDEN, SECTIONS, Entry, Noun, Tree

PROGRAM = "agentmem"
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class LazyGroup(TyperGroup):
    """A group that knows its commands by name and imports one when it is asked for."""

    path: tuple[str, ...] = ()
    tree: Tree = COMMANDS
    verb_meant: str | None = None
    """The command that runs where none is named."""
    everywhere: Sequence[Any] = ()
    """The program's options, which every command takes too."""

    def list_commands(self, ctx: Any) -> list[str]:
        """List the commands in the order of the tree."""
        return list(self.tree)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Import the command of that name."""
        entry = self.tree.get(cmd_name) or (HIDDEN.get(cmd_name) if not self.path else None)
        if entry is None:
            return None
        if cmd_name not in self.commands:
            built = (
                _noun(cmd_name, entry, self.everywhere)
                if isinstance(entry, Noun)
                else _command((*self.path, cmd_name), entry)
            )
            global_options.add(built, self.everywhere)
            self.commands[cmd_name] = built
        return self.commands[cmd_name]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words; where no command is among them, add the one that is meant then."""
        named = any(word in self.tree for word in args) or (args and not args[0].startswith("-"))
        if self.verb_meant is not None and not named and not {"-h", "--help"}.intersection(args):
            args = [*args, self.verb_meant]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; for a slip of the pen, name the nearest one."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            raise errors.UnknownCommandError(" ".join((PROGRAM, *self.path)), args[0], list(self.tree))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by section, without importing any."""
        sections: Mapping[str, Tree] = SECTIONS if not self.path else {"Commands": self.tree}
        width = max(len(name) for tree in sections.values() for name in tree)
        for title, tree in sections.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(width), entry.summary.replace("`", "")) for name, entry in tree.items()]
                )


def _command(path: tuple[str, ...], entry: Entry) -> Any:
    words = (*path[:-1], entry.alias_of) if entry.alias_of else path
    module = import_module("agentmem_cli.commands." + ".".join(words))
    function = getattr(module, words[-1], None)
    if not callable(function):
        function = getattr(module, words[-1] + "_")
    single = typer.Typer(add_completion=False, rich_markup_mode=None, context_settings=_SETTINGS)
    single.command(path[-1], cls=Command, help=_help(function), hidden=entry.alias_of is not None)(function)
    return typer.main.get_command(single)


def _help(function: Callable[..., object]) -> str:
    """Return a docstring as help; a mark keeps its examples from being wrapped into a paragraph."""
    text = inspect.getdoc(function) or ""
    return text.replace("`", "").replace("\n\nExamples:\n", "\n\n\b\nExamples:\n")


def _noun(name: str, noun: Noun, everywhere: Sequence[Any]) -> Any:
    group = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings=_SETTINGS,
    )

    @group.callback(help=noun.summary)
    def about() -> None: ...

    command = typer.main.get_command(group)
    command.name, command.path, command.tree = name, (name,), noun.verbs  # type: ignore[attr-defined]
    command.everywhere, command.verb_meant = everywhere, noun.verb_meant  # type: ignore[attr-defined]
    return command


@cache
def command() -> Any:
    """Build the root of the program, once for all calls in a process."""
    root = typer.Typer(
        cls=LazyGroup,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings=_SETTINGS,
    )
    root.callback()(_global_options)
    built = typer.main.get_command(root)
    built.name = PROGRAM
    built.everywhere = [option for option in built.params if option.param_type_name == "option"]  # type: ignore[attr-defined]
    global_options.collect(built.everywhere)  # type: ignore[attr-defined]
    return built


def _global_options(
    agent: Annotated[str | None, typer.Option("--agent", "-a", metavar="AGENT", help="Whose memory.")] = None,
    db: Annotated[
        str | None, typer.Option("--db", metavar="PATH", help="The file itself; beats --agent.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option("--backend", metavar="URL", help="A backend's name or URL.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FORM", help="table, text, json, ndjson, csv or id."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Short for --output json.")] = False,
    ndjson: Annotated[bool, typer.Option("--ndjson", help="Short for --output ndjson.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No notices on stderr.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="More of them.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """The local-first memory of AI agents: six kinds, one file, found by words and by meaning.

    These options may stand before or after any command.

    Examples:
        agentmem add "User prefers dark mode" --type fact
        agentmem search "which theme?"
        agentmem recall "set up the editor" --budget 800
    """


_global_options.__doc__ = _help(_global_options)


def main(arguments: Sequence[str]) -> int:
    """Run the program and return its exit code."""
    with errors.reported(arguments) as outcome:
        result = command().main(list(arguments), prog_name=PROGRAM, standalone_mode=False)
        outcome.code = result if isinstance(result, int) else 0
        sys.stdout.flush()
    return outcome.code
