"""Where text comes from: the command line, a pipe, files, one memory per line, or NDJSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from agent_memory.errors import ValidationError
from agent_memory.text.files import read_files
from agent_memory.text.incoming import decoded, from_json, whole, with_newlines
from agentmem_cli.context import stdin_is_piped


def one(text: str | None) -> str:
    """Return the text given, or what stdin holds where it is `-` or left out and something is piped in.

    Raises:
        ValidationError: there is none.
    """
    if text is not None and text != "-":
        if not text.strip():
            raise ValidationError("the text is empty", hint="give some text, or pipe it in with -")
        return text
    if text is None and not stdin_is_piped():
        raise ValidationError("there is no text", hint="type it, pipe it in, or give - to read from here")
    read = stdin()
    if not read.strip():
        raise ValidationError("stdin is empty", hint="pipe some text in, or type it after the command")
    return read.rstrip("\n")


def stdin() -> str:
    """Read all of stdin as UTF-8."""
    return decoded(whole(sys.stdin.buffer, "stdin"), "stdin")


def refuse_text_beside(text: str | None, files: Sequence[Path] | None, glob: str | None = None) -> None:
    """Raise ValidationError if a text stands beside files: nobody can know which of the two is meant."""
    if text is not None and (files or glob):
        option = "--file" if files else "--glob"
        raise ValidationError(
            f"'{_cut(text)}' stands beside {option}",
            hint="write --file before each file, or `agentmem doc add FILE ...` for documents",
        )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"


def lines(text: str | None, files: Sequence[Path] | None = None, glob: str | None = None) -> list[str]:
    """Return the lines of files, or of the text given or piped in, empty ones left out."""
    stripped = [line.strip() for _, line in _numbered(text, files, glob)]
    return [line for line in stripped if line]


def _numbered(
    text: str | None, files: Sequence[Path] | None = None, glob: str | None = None
) -> Iterator[tuple[str, str]]:
    """Return lines, each with its name, such as `line 3`."""
    refuse_text_beside(text, files, glob)
    if files or glob:
        for file in read_files(files or (), glob):
            yield from ((f"{file.source} line {number}", line) for number, line in _enumerated(file.text))
    else:
        whole = stdin() if text in (None, "-") else str(text)
        yield from ((f"line {number}", line) for number, line in _enumerated(whole))


def _enumerated(text: str) -> Iterator[tuple[int, str]]:
    yield from enumerate(split_lines(text), 1)


def split_lines(text: str) -> list[str]:
    """Cut a text where a line ends: at a newline, with or without a carriage return, and nowhere else.

    `str.splitlines` also cuts at form feeds and at U+2028, which stand within texts and within JSON.

    Returns:
        The lines, without their ends.
    """
    return with_newlines(text).split("\n")


def ndjson(
    text: str | None = None, files: Sequence[Path] | None = None, glob: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read one JSON object per line from files, or from the text given or piped in, each with its line's name.

    Yields:
        The name of a line, such as `line 3`, and its object.

    Raises:
        ValidationError: a line is not one; the message says which.
    """
    for name, line in _numbered(text, files, glob):
        if not line.strip():
            continue
        try:
            item = from_json(line, name)
        except json.JSONDecodeError as error:
            raise ValidationError(f"{name} is not JSON: {error}", hint="nothing was stored") from None
        if not isinstance(item, dict):
            raise ValidationError(
                f"{name} is not a JSON object",
                hint="nothing was stored; `jq -c '.[]'` writes one object per line",
            )
        yield name, item


def references(arguments: Sequence[str] | None) -> list[str]:
    """Return ids as they were given, or one per line from stdin for `-`.

    Raises:
        ValidationError: there is none.
    """
    result: list[str] = []
    for value in arguments or ():
        result += lines("-") if value == "-" else [value]
    if not result:
        raise ValidationError("there is no id", hint="give an id, the beginning of one, or a key")
    return result
