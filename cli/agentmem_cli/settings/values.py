"""Reading a setting's value, from text or from TOML, and writing it as text again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from agent_memory import clock, paths
from agent_memory.errors import ConfigurationError, ValidationError
from agentmem_cli.settings.names import Setting

_SWITCHES = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def parse(setting: Setting, value: Any, *, base: Path | None = None) -> Any:
    """Return the value that text or a TOML value means.

    Args:
        base: the folder that relative paths start from; None for the current one.
        value: the value as it was given.
        setting: whose value it is.

    Raises:
        ConfigurationError: it is not a value of that setting.
    """  # noqa: DOC501
    if isinstance(value, str) and not value.strip():
        raise ConfigurationError(f"the setting {setting.name} is empty", hint="give a value, or leave it out")
    value = _without_line_end(setting, value)
    kind = setting.kind
    if kind == "switch":
        return _switch(setting, value)
    if kind in ("count", "number"):
        return _count(setting, value)
    if kind == "share":
        return _share(setting, value)
    if kind == "words":
        return _words(setting, value)
    if kind == "duration":
        return _duration(setting, value)
    if kind == "option":
        return _option(setting, value, base)
    if not isinstance(value, str):
        raise _wrong(setting, value, 'text, as in "..."')
    if kind == "choice" and value not in setting.choices:
        raise ConfigurationError.unknown(setting.name, value, setting.choices)
    return _path(value, base) if kind == "path" else value


def _without_line_end(setting: Setting, value: Any) -> Any:
    """Return a value without the end of a line, which comes along where it was read from a file."""
    if not isinstance(value, str):
        return value
    return value.strip() if setting.name == "backend" else value.rstrip("\r\n")


def _switch(setting: Setting, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in _SWITCHES:
        return _SWITCHES[value.strip().lower()]
    raise _wrong(setting, value, "true or false")


def _count(setting: Setting, value: Any) -> int:
    try:
        number = int(value) if isinstance(value, str) else value
    except ValueError:
        number = None
    if not isinstance(number, int) or isinstance(number, bool):
        raise _wrong(setting, value, "a whole number such as " + str(setting.default))
    least = (0 if setting.kind == "count" else 1) if setting.least is None else setting.least
    if number < least or (setting.most is not None and number > setting.most):
        most = "" if setting.most is None else f" to {setting.most}"
        raise _wrong(setting, value, f"a whole number from {least}{most}, such as {setting.default}")
    return number


def _share(setting: Setting, value: Any) -> float:
    least = 0 if setting.least is None else setting.least
    most = 1 if setting.most is None else setting.most
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = least - 1.0
    if isinstance(value, bool) or not least <= number <= most:
        raise _wrong(setting, value, f"a number from {least} to {most}")
    return number


def _words(setting: Setting, value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise _wrong(setting, value, "words with commas between them")
    return tuple(dict.fromkeys(word.strip() for word in words if word.strip()))


def _duration(setting: Setting, value: Any) -> timedelta:
    try:
        return clock.as_duration(value)
    except ValidationError as error:
        raise _wrong(setting, value, "90s, 10m, 2h or 7d") from error


def _option(setting: Setting, value: Any, base: Path | None) -> Any:
    """Read an option whose kind only its user knows: numbers and switches are written as such."""
    if not isinstance(value, str):
        return value
    word = value.strip().lower()
    if word in ("true", "false"):
        return word == "true"
    if word.isascii() and word.isdigit():
        return int(word)
    if setting.name.rpartition(".")[2] in ("path", "cache_dir") or setting.name.endswith("_file"):
        return str(_path(value, base))
    return value


def _path(value: str, base: Path | None) -> Path:
    path = paths.expanded(value)
    if str(path).startswith("~"):
        raise ConfigurationError(f"there is no home folder for {value}", hint="give the whole path")
    return path if path.is_absolute() else (base or Path.cwd()) / path


def _wrong(setting: Setting, value: Any, expected: str) -> ConfigurationError:
    return ConfigurationError(f"the setting {setting.name} cannot be {value!r}", hint=f"give {expected}")


def check_embedder(name: str, where: str) -> str:
    """Return an embedder's name if there is such an embedder.

    Raises:
        ConfigurationError: there is none; the message says where it was named, and lists those there are.
    """
    from agent_memory.embeddings.registry import EMBEDDERS, NO_EMBEDDER

    if name == NO_EMBEDDER or name in EMBEDDERS.builtin or name in EMBEDDERS.names():
        return name
    raise ConfigurationError(
        f"there is no embedder {name!r}, set by {where}",
        hint="use one of " + ", ".join(sorted({*EMBEDDERS.names(), NO_EMBEDDER})),
    )


def as_json(value: Any) -> Any:
    """Return a value as JSON and TOML hold it."""
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def as_text(value: Any) -> str:
    """Return a value as people type it; nothing for None."""
    value = as_json(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def duration_text(value: timedelta) -> str:
    """Write a duration in the largest unit that it is a whole number of: `7d`, `90m`, `45s`."""
    seconds = value.total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"
