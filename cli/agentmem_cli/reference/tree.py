"""Reading the tree of commands from the program itself.

Everything that describes the command line (its help in JSON, the reference page, the completions) is made from
this, so that none of them can disagree with the program. What is read are the attributes that Click and the
copy of it inside newer Typers have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from agentmem_cli.completion import kinds


class Option(NamedTuple):
    """One option of a command."""

    names: tuple[str, ...]
    """As they are typed, the long one first."""
    help: str
    metavar: str | None
    """What its value is called; None for a switch."""
    default: Any
    multiple: bool
    choices: tuple[str, ...]
    kind: str | None
    """What completes its value, where that is looked up."""


class Argument(NamedTuple):
    """One argument of a command."""

    name: str
    help: str
    required: bool
    multiple: bool
    choices: tuple[str, ...]
    kind: str | None


class Command(NamedTuple):
    """One command, or a noun with commands below it."""

    path: tuple[str, ...]
    """The words that call it, without the program's name."""
    summary: str
    """One line."""
    text: str
    """All of its help but the examples."""
    arguments: tuple[Argument, ...]
    options: tuple[Option, ...]
    examples: tuple[str, ...]
    commands: tuple[Command, ...]

    def walk(self) -> Iterator[Command]:
        """Iterate over this command and all below it, parents first."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read(command: Any, context: Any = None, path: tuple[str, ...] = ()) -> Command:
    """Read a Click or Typer command and everything below it; hidden ones are left out."""
    context = _context(command, context, path[-1] if path else "agentmem")
    parameters = [
        parameter for parameter in command.get_params(context) if not getattr(parameter, "hidden", False)
    ]
    text, examples = _help(command)
    below = []
    if hasattr(command, "list_commands"):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None and not subcommand.hidden:
                below.append(read(subcommand, context, (*path, name)))
    return Command(
        path=path,
        summary=command.get_short_help_str(200),
        text=text,
        arguments=tuple(
            _argument(parameter) for parameter in parameters if parameter.param_type_name == "argument"
        ),
        options=tuple(
            _option(parameter) for parameter in parameters if parameter.param_type_name == "option"
        ),
        examples=examples,
        commands=tuple(below),
    )


def _context(command: Any, parent: Any, name: str) -> Any:
    # With its settings, as when it runs: Click keeps the names of the help option that it is first asked for.
    return command.context_class(command, info_name=name, parent=parent, **command.context_settings)


def _help(command: Any) -> tuple[str, tuple[str, ...]]:
    """Split a command's help into its text and the examples, which stand at its end."""
    import inspect

    whole = inspect.cleandoc("\n\n".join(filter(None, (command.help, command.epilog)))).replace("\b\n", "")
    text, _, examples = whole.partition("Examples:\n")
    lines = (line.strip().removeprefix("$ ") for line in examples.splitlines())
    return text.strip(), tuple(line for line in lines if line)


def _choices(parameter: Any) -> tuple[str, ...]:
    described = getattr(parameter, "type_descriptor", None)
    choices = (
        getattr(described, "choices", None)
        or getattr(getattr(parameter, "type", None), "choices", None)
        or ()
    )
    return tuple(str(getattr(choice, "value", choice)) for choice in choices)


def _option(parameter: Any) -> Option:
    names = tuple(
        sorted([*parameter.opts, *parameter.secondary_opts], key=lambda name: not name.startswith("--"))
    )
    switch = bool(getattr(parameter, "is_flag", False) or getattr(parameter, "count", False))
    choices = () if switch else _choices(parameter)
    default = parameter.default
    return Option(
        names=names,
        help=" ".join((parameter.help or "").split()),
        metavar=None if switch else (parameter.metavar or ("|".join(choices) or parameter.name.upper())),
        default=None if callable(default) or default in ((), [], False, Ellipsis) else default,
        multiple=bool(parameter.multiple),
        choices=choices,
        kind=None if switch or choices else kinds.of_option(names, parameter.metavar),
    )


def _argument(parameter: Any) -> Argument:
    metavar = parameter.metavar or parameter.name.upper()
    choices = _choices(parameter)
    return Argument(
        name=metavar.strip("[]").removesuffix("...").rstrip("[] ."),
        help=" ".join((getattr(parameter, "help", None) or "").split()),
        required=bool(parameter.required),
        multiple=parameter.nargs == -1,
        choices=choices,
        kind=None if choices else kinds.of_argument(metavar),
    )
