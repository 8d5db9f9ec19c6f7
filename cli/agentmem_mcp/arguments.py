"""Reading the arguments of a call: what does not fit is refused with a sentence that names the argument.

Models are not always exact with types, so a number in quotes is a number, and one tag is a list of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from agent_memory.errors import ValidationError
from agentmem_mcp.definitions import Argument, Tool


def read(tool: Tool, arguments: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the arguments that were given, in the types that the tool takes; null is not given.

    Raises:
        ValidationError: one is missing, unknown or of a wrong type.
    """
    present = {name: value for name, value in (arguments or {}).items() if value is not None}
    known = {argument.name: argument for argument in tool.arguments}
    if strange := [name for name in present if name not in known]:
        raise ValidationError(
            f"{tool.name} has no argument {strange[0][:100]!r}", hint="its arguments are " + ", ".join(known)
        )
    values = {name: _value(known[name], value) for name, value in present.items()}
    for argument in tool.arguments:
        if argument.required and (argument.name not in values or not str(values[argument.name]).strip()):
            missing = "is missing" if argument.name not in values else "is empty"
            raise ValidationError(f"the argument {argument.name} {missing}", hint="call again with it")
    return values


def _value(argument: Argument, value: Any) -> Any:
    if argument.kind == "string":
        if not isinstance(value, str):
            raise _wrong(argument, value, "text")
        if argument.choices and value not in argument.choices:
            raise _wrong(argument, value, "one of " + ", ".join(argument.choices))
        return value
    if argument.kind == "strings":
        return _strings(argument, value)
    return _number(argument, value)


def _strings(argument: Argument, value: Any) -> list[str]:
    if isinstance(value, str):
        try:
            read = json.loads(value) if value.lstrip().startswith("[") else value
        except (ValueError, RecursionError):
            read = value
        value = read if isinstance(read, list) else [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(argument, value, "a list of texts")
    return value


def _number(argument: Argument, value: Any) -> int | float:
    number: Any = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    expected = "a whole number" if argument.kind == "integer" else "a number"
    if isinstance(number, bool) or not isinstance(number, (int, float)) or number != number:
        raise _wrong(argument, value, expected)
    if argument.kind == "integer":
        if isinstance(number, float) and not number.is_integer():
            raise _wrong(argument, value, expected)
        number = int(number)
    if argument.least is not None and number < argument.least:
        raise _wrong(argument, value, f"{argument.least:g} or more")
    if argument.most is not None and number > argument.most:
        raise _wrong(argument, value, f"{argument.most:g} or less")
    return number  # type: ignore[no-any-return]  # an int or a float, as checked above


def _wrong(argument: Argument, value: Any, expected: str) -> ValidationError:
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        shown = type(value).__name__
    shown = shown if len(shown) <= 100 else shown[:99] + "…"
    return ValidationError(f"the argument {argument.name} cannot be {shown}", hint=f"give {expected}")
