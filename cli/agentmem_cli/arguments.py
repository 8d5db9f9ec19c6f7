"""Which of the words typed are options, which are text, and where each has to stand.

The global options may stand anywhere, so they are moved to the front; a text may begin with a hyphen, as the lists do
that language models answer in, and is then moved behind `--`. For both it must be known which of a command's options
take a value: `--source -q` names a source.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from agentmem_cli.settings.names import OUTPUTS

_WITH_VALUE = {"--agent", "-a", "--db", "--backend", "--output", "-o"}
_SWITCHES = {"--json", "--ndjson", "--quiet", "-q", "--verbose", "-v", "--debug", "--offline", "--yes", "-y"}


def arranged(arguments: Sequence[str], root: Any) -> list[str]:
    """Return the words as the parser takes them; `root` is the program, asked for its commands."""
    first: list[str] = []  # global options
    rest: list[str] = []  # all others, as they stood
    named: list[str] = []  # of those, the command's words and its options
    texts: list[str] = []  # and its arguments
    hyphened = False
    at, valued = root, frozenset[str]()
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            rest += [word, *waiting]
            texts += waiting
            break
        name, equals, _ = word.partition("=")
        option = word.startswith("-") and word != "-"
        if option and at is None and is_text(word, valued):
            hyphened = True
            taken, place = [word], texts
        elif name in valued:
            taken = [word] if equals or not waiting else [word, waiting.pop(0)]
            place = named
        elif option and word[1] != "-" and word[:2] in valued:
            taken, place = [word], named
        elif (found := _global(word, waiting)) is not None:
            first += found
            continue
        else:
            taken, place = [word], named if option or at is not None else texts
            if at is not None and not option:
                at, valued = _entered(at, word)
        rest += taken
        place += taken
    return [*first, *named, "--", *texts] if hyphened else first + rest


def is_text(word: str, valued: Collection[str]) -> bool:
    """Return whether a word that begins with a hyphen is a text: up to an equals sign, no option holds a space."""
    head = word.partition("=")[0]
    attached = word[:2] in valued and word[1:2] != "-" and word[2:3] != " "  # `-t'two words'`
    return " " in head and not attached


def _global(word: str, waiting: list[str]) -> list[str] | None:
    """Return the global option that a word is, with its value; None if it is none."""
    name, equals, _ = word.partition("=")
    if word in _SWITCHES:
        return [word]
    if name in _WITH_VALUE and (equals or waiting):
        return [word] if equals else [word, waiting.pop(0)]
    if word[:2] == "-a" and word[2:3] not in ("", "-"):
        return [word]
    if word[:2] == "-o" and word[2:] in OUTPUTS:
        return [word]
    if len(word) > 2 and word[0] == "-" and word[1] != "-" and set(word[1:]) <= set("qvy"):
        return [f"-{letter}" for letter in word[1:]]
    return None


def _entered(group: Any, word: str) -> tuple[Any, frozenset[str]]:
    """Return the group of that name below a group; or None, and which options take a value of the command it is."""
    found = group.get_command(None, word)
    if found is None or hasattr(found, "list_commands"):
        return found or group, frozenset()
    return None, frozenset(
        name
        for parameter in found.params
        if not getattr(parameter, "is_flag", True) and not getattr(parameter, "count", False)
        for name in (*parameter.opts, *parameter.secondary_opts)
    )
