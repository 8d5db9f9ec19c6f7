"""Changing one line of a TOML file and leaving everything else, comments too, as it was.

The result is read back before it is used; what cannot be changed so simply is left to an editor.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from agent_memory.errors import ConfigurationError
from agentmem_cli.settings.files import flat

_HEADER = re.compile(r"\s*\[")


def with_value(path: Path, text: str, name: str, value: Any) -> str:
    """Return a file's text with a setting set; `path` is only for messages.

    Args:
        value: as TOML holds it; None takes the setting out.

    Raises:
        ConfigurationError: the file is not TOML, or too intricate to be changed line by line.
    """
    import tomllib

    try:
        before = flat(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not TOML: {error}", hint="`agentmem config edit` opens it"
        ) from error
    expected = {key: item for key, item in before.items() if key != name}
    if value is not None:
        expected[name] = value
    result = _edited(text, name, value)
    try:
        if flat(tomllib.loads(result)) == expected:
            return result
    except tomllib.TOMLDecodeError:
        pass
    raise ConfigurationError(
        f"{name} cannot be changed by itself in {path}", hint="`agentmem config edit` opens it in your editor"
    )


def _edited(text: str, name: str, value: Any) -> str:
    lines = text.removesuffix("\n").split("\n") if text else []  # `splitlines` also cuts where TOML does not
    family, _, option = name.rpartition(".")
    written = None if value is None else _toml(value)
    at = _find(lines, family, option)
    spelling = option
    if at is None and family:
        at, spelling = _find(lines, "", name), name
    if at is not None:
        comment = _comment(lines[at])
        if written is None:
            del lines[at]
        else:
            lines[at] = f"{_key(spelling)} = {written}" + (f"  {comment}" if comment else "")
    elif written is not None:
        _insert(lines, family, f"{_key(option)} = {written}")
    return "\n".join([*lines, ""]) if lines else ""


def _key(name: str) -> str:
    return ".".join(
        part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part) for part in name.split(".")
    )


def _section(lines: list[str], family: str) -> tuple[int, int] | None:
    """Return the lines between a table's header and the next one; for no table, those before the first."""
    headers = [number for number, line in enumerate(lines) if _HEADER.match(line)]
    start = 0
    if family:
        opening = re.compile(rf"\s*\[\s*{re.escape(family)}\s*\]\s*(#.*)?$")
        found = [number for number in headers if opening.match(lines[number])]
        if not found:
            return None
        start = found[0] + 1
    return start, next((number for number in headers if number >= start), len(lines))


def _find(lines: list[str], family: str, name: str) -> int | None:
    section = _section(lines, family)
    if section is None:
        return None
    key = re.compile(r"\s*" + r"\s*\.\s*".join(re.escape(part) for part in name.split(".")) + r"\s*=")
    return next((number for number in range(*section) if key.match(lines[number])), None)


def _comment(line: str) -> str:
    """Return the comment at the end of a line: from the first # that the value is whole without."""
    import tomllib

    for place in (number for number, char in enumerate(line) if char == "#"):
        try:
            tomllib.loads(line[:place])
        except tomllib.TOMLDecodeError:
            continue
        return line[place:]
    return ""


def _insert(lines: list[str], family: str, line: str) -> None:
    section = _section(lines, family)
    if section is None:
        if lines and lines[-1].strip():
            lines.append("")
        lines += [f"[{family}]", line]
        return
    start, place = section
    if place < len(lines):
        while place > start and lines[place - 1].lstrip().startswith("#"):
            place -= 1  # before what is said about the next table
    while place > start and not lines[place - 1].strip():
        place -= 1  # before the empty lines between the two
    lines.insert(place, line)
    if not family and place + 1 < len(lines) and _HEADER.match(lines[place + 1]):
        lines.insert(place + 1, "")


def _toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    # Text, numbers and switches are written as in JSON, but for this one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
