"""Reading a backend's own options, which come from Python, from a file, or as text from the environment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from agent_memory import paths
from agent_memory.errors import ConfigurationError

_MOST_SECONDS: Final = 1e6
_MOST: Final = 2**31 - 1
_SWITCHES: Final = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}


def whole(options: Mapping[str, Any], name: str, default: int, *, least: int = 0) -> int:
    """Return an option that is a whole number.

    Args:
        options: the options that are given.
        name: which one.
        default: its value where it is not given.
        least: the smallest that is accepted.

    Returns:
        The number.

    Raises:
        ConfigurationError: it is something else.
    """  # noqa: DOC501
    number = _number(options, name, default, expected := f"a whole number from {least} on, such as {default}")
    if number != int(number) or not least <= number <= _MOST:
        raise _wrong(name, options[name], expected)
    return int(number)


def seconds(options: Mapping[str, Any], name: str, default: float, *, zero: bool = False) -> float:
    """Return an option that is a time in seconds.

    Args:
        options: the options that are given.
        name: which one.
        default: its value where it is not given.
        zero: whether none at all is a time.

    Returns:
        The seconds.

    Raises:
        ConfigurationError: it is something else.
    """  # noqa: DOC501
    number = _number(options, name, default, expected := f"seconds, such as {default:g}")
    if not 0 <= number < _MOST_SECONDS or not (number or zero):
        raise _wrong(name, options[name], expected)
    return number


def switch(options: Mapping[str, Any], name: str, default: bool) -> bool:
    """Return an option that is on or off.

    Args:
        options: the options that are given.
        name: which one.
        default: its value where it is not given.

    Returns:
        Whether it is on.

    Raises:
        ConfigurationError: it is something else.
    """  # noqa: DOC501
    value = options.get(name)
    if value is None:
        return default
    read = _SWITCHES.get(str(value).strip().lower())
    if read is None:
        raise _wrong(name, value, "true or false")
    return read


def secret(options: Mapping[str, Any], name: str) -> str | None:
    """Return what a file holds that an option names, without white space around it.

    Args:
        options: the options that are given.
        name: which one names the file.

    Returns:
        The text; None where no file is named.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if not options.get(name):
        return None
    path = paths.expanded(str(options[name]))
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigurationError(
            f"{name} cannot be read: {path} ({why.lower()})", hint="name a file of one line"
        ) from error


def _number(options: Mapping[str, Any], name: str, default: float, expected: str) -> float:
    value = options.get(name)
    if value is None:
        return default
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise _wrong(name, value, expected) from None
    if not math.isfinite(number):
        raise _wrong(name, value, expected)
    return number


def _wrong(name: str, value: object, expected: str) -> ConfigurationError:
    return ConfigurationError(f"backend_config.{name} is {value!r}", hint=f"give {expected}")
