"""Changing one setting in a TOML file and leaving everything else, comments too, as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from agent_memory.errors import ConfigurationError
from agentmem_cli.settings.files import flat


def with_value(path: Path, text: str, name: str, value: Any) -> str:
    """Return a file's text with a setting set.

    The result is read back before it is returned, so that a file which cannot be changed so is left to an editor.

    Args:
        path: only for messages.
        text: what the file holds.
        name: the setting, with dots for tables.
        value: as TOML holds it; None takes the setting out.

    Raises:
        ConfigurationError: the file is not TOML, or the setting cannot be changed without changing others.
    """
    try:
        before = flat(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(
            f"{path} is not TOML: {error}", hint="`agentmem config edit` opens it"
        ) from error
    expected = {key: item for key, item in before.items() if key != name}
    if value is not None:
        expected[name] = value
    result = _edited(text, name.split("."), value)
    if result is not None and _reads_as(result, expected):
        return result
    raise ConfigurationError(
        f"{name} cannot be changed by itself in {path}", hint="`agentmem config edit` opens it in your editor"
    )


def _edited(text: str, keys: list[str], value: Any) -> str | None:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        table: Any = document
        for key in keys[:-1]:
            if key not in table:
                if value is None:
                    return text
                table[key] = tomlkit.table()
            table = table[key]
        if value is None:
            table.pop(keys[-1], None)
        elif keys[-1] in table or not _inserted(table, keys[-1], value):
            table[keys[-1]] = value
        return document.as_string()
    except (TOMLKitError, TypeError, ValueError):  # a value stands where a table is wanted
        return None


def _inserted(table: Any, key: str, value: Any) -> bool:
    """Put a new key behind the last one; False where there is none.

    tomlkit would put it at the table's end, behind the comment that speaks of the next table.

    Returns:
        Whether there was a key to put it behind.
    """
    import tomlkit
    from tomlkit.items import AoT, Table

    container = table.value if isinstance(table, Table) else table
    body = getattr(container, "body", ())
    known = [name for name, item in body if name is not None and not isinstance(item, (AoT, Table))]
    if known:
        container._insert_after(known[-1], key, tomlkit.item(value))
    return bool(known)


def _reads_as(text: str, expected: dict[str, Any]) -> bool:
    try:
        return flat(tomllib.loads(text)) == expected
    except tomllib.TOMLDecodeError:
        return False
