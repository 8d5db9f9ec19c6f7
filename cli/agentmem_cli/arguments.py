"""A text may begin with a hyphen, as the lists do that language models answer in; options are told from it here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from typer.core import TyperCommand

from agent_memory.errors import ValidationError
from agentmem_cli import repeating


class Command(TyperCommand):
    """A command that takes a word with a hyphen and a space for a text, wherever no option holds a space."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words after the command's name, its texts behind `--`."""
        valued = {
            name
            for parameter in self.params
            if not getattr(parameter, "is_flag", True) and not getattr(parameter, "count", False)
            for name in (*parameter.opts, *parameter.secondary_opts)
        }
        return super().parse_args(ctx, arranged(args, valued))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; whoever runs it for somebody else hears of it before."""
        repeating.begins(ctx.command_path.split()[1:])
        return super().invoke(ctx)


def arranged(words: Sequence[str], valued: Collection[str]) -> list[str]:
    """Return the words as the parser takes them: where a text begins with a hyphen, all texts behind `--`.

    Args:
        words: what follows the command's name.
        valued: the command's options that take a value. `--source -q` names a source.

    Raises:
        ValidationError: a word such as `-one` would be read as `-o ne`, and there is no such form.
    """
    options: list[str] = []
    texts: list[str] = []
    hyphened = False
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            texts += waiting
            break
        if not word.startswith("-") or word == "-":
            texts.append(word)
        elif is_text(word, valued):
            hyphened = True
            texts.append(word)
        else:
            if word[:2] == "-o" and word[2:] and not _is_form(word[2:]):
                raise ValidationError(
                    f"no such option: {word}", hint="a text that begins with a hyphen goes behind --"
                )
            options.append(word)
            if word in valued and waiting:
                options.append(waiting.pop(0))
    return [*options, "--", *texts] if hyphened else list(words)


def _is_form(word: str) -> bool:
    from agentmem_cli.settings.names import OUTPUTS  # here, since most commands need no settings to be parsed

    return word in OUTPUTS


def is_text(word: str, valued: Collection[str]) -> bool:
    """Return whether a word that begins with a hyphen is a text: up to an equals sign, no option holds a space."""
    head = word.partition("=")[0]
    attached = word[:2] in valued and word[1:2] != "-" and word[2:3] != " "  # `-t'two words'`
    return " " in head and not attached
