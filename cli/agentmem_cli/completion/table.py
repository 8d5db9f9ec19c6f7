"""The tree of commands as flat tables, the form in which all four shells have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agentmem_cli.completion.kinds import DYNAMIC, FILES, OF_NOUNS
from agentmem_cli.reference.tree import Argument, Command, Option

SWITCH, FREE = "", "free"


class Word(NamedTuple):
    """Something that may be typed, with what it means."""

    text: str
    meaning: str


class Row(NamedTuple):
    """What may follow one command."""

    path: str
    """The command's words with a space between them; empty for the program itself."""
    commands: tuple[Word, ...]
    options: tuple[Word, ...]
    """Its own options, without those that every command has."""
    values: dict[str, str]
    """Per spelling of an option what its value is: `free`, `files`, `@kind`, `=one two`; empty for a switch."""
    arguments: tuple[str, ...]
    """Per argument what it is; the last one repeats where `many` says so."""
    many: bool


def rows(root: Command) -> list[Row]:
    """Return one row per command, the program itself first; its options hold for all others too."""
    everywhere = {option.names for option in root.options}
    result = []
    for command in root.walk():
        noun = command.path[0] if len(command.path) > 1 else ""
        own = [item for item in command.options if not command.path or item.names not in everywhere]
        result.append(
            Row(
                path=" ".join(command.path),
                commands=tuple(Word(item.path[-1], _line(item.summary)) for item in command.commands),
                options=tuple(Word(name, _line(item.help)) for item in own for name in item.names),
                values={name: _value(item, noun) for item in own for name in item.names},
                arguments=tuple(_value(argument, noun) for argument in command.arguments),
                many=any(argument.multiple for argument in command.arguments[-1:]),
            )
        )
    return result


def _value(what: Option | Argument, noun: str) -> str:
    if isinstance(what, Option) and what.metavar is None:
        return SWITCH
    if what.choices:
        return "=" + " ".join(what.choices)
    if what.kind is not None and what.kind.startswith("="):
        return what.kind
    if what.kind in DYNAMIC:
        return f"@{OF_NOUNS.get(noun, {}).get(what.kind, what.kind)}"
    return FILES if what.kind == FILES else FREE


def _line(text: str) -> str:
    """Return the first sentence, in which no shell sees anything to expand."""
    sentence = text.strip().partition(". ")[0].splitlines()[0] if text.strip() else ""
    return sentence.rstrip(".").replace("`", "'").replace("$", "").replace("\\", "/").replace('"', "'")


def cases(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Turn (key, result) pairs around: every result with all keys that have it."""
    grouped: dict[str, list[str]] = {}
    for key, value in pairs:
        grouped.setdefault(value, []).append(key)
    return grouped


def values_table(table: list[Row]) -> dict[str, list[str]]:
    """Return what each option takes, as keys `PATH --option` by value; switches are left out.

    An option of the program itself has the key `* --option`, as it holds everywhere.
    """
    pairs = [
        (f"{row.path or '*'} {name}", value)
        for row in table
        for name, value in row.values.items()
        if value != SWITCH
    ]
    return cases(pairs)


def arguments_table(table: list[Row]) -> dict[str, list[str]]:
    """Return what each argument is, as keys `PATH NUMBER` by value, counted from 0; free text is left out.

    The number of an argument that repeats is `*`.
    """
    pairs = []
    for row in table:
        for number, value in enumerate(row.arguments):
            last = number == len(row.arguments) - 1
            if value != FREE:
                pairs.append((f"{row.path} {'*' if last and row.many else number}", value))
    return cases(pairs)
