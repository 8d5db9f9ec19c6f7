"""Text from outside as bytes: its encoding, its byte-order mark and its line ends, read alike at every door.

What stands at the end of a line belongs to the file and not to the text: a copy with other line ends says the same.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from agent_memory import filesystem
from agent_memory.errors import ValidationError

DEEPEST: Final = 100
"""How many brackets may stand within each other: no value that means something is nearly as deep."""
_MARKS: Final = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
MOST_BYTES: Final = 256_000_000
"""What is read at once, from stdin or from a file: a stream without an end must not fill the memory."""
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


def whole(stream: BinaryIO, where: str) -> bytes:
    """Read a stream to its end.

    Returns:
        The bytes.

    Raises:
        ValidationError: it holds more than `MOST_BYTES`.
    """
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ValidationError(
            f"{where} holds more than {MOST_BYTES // 1_000_000} MB", hint="store it in several parts"
        )
    return data


def whole_file(path: str) -> bytes:
    """Read a file to its end, without waiting for anybody to write to a named pipe that nobody has open.

    Returns:
        The bytes.

    Raises:
        OSError: it cannot be read.
        ValidationError: it holds more than `MOST_BYTES`.
    """
    with filesystem.opened(path, "rb") as file:
        return whole(file, path)


def decoded(data: bytes, where: str) -> str:
    """Return UTF-8 as text, without a byte-order mark, and with newlines alone as line ends.

    Raises:
        ValidationError: it is in another encoding; the message names it where its mark tells.
    """
    try:
        return with_newlines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValidationError(f"{where} {not_utf8(data, error)}", hint=how_to_convert(data)) from None


def not_utf8(data: bytes, error: UnicodeDecodeError) -> str:
    """Describe what bytes are that are no UTF-8, as the end of a sentence."""
    name = other_encoding(data)
    return f"is {name}, not UTF-8" if name else f"is not UTF-8 text (byte {error.start})"


def how_to_convert(data: bytes) -> str:
    """Return what to type, to make UTF-8 of them."""
    name = other_encoding(data)
    start = f"-f {name} " if name else ""
    return f"convert it, for example with iconv {start}-t utf-8"


def other_encoding(data: bytes) -> str | None:
    """Return the encoding that a byte-order mark tells, if it is not UTF-8."""
    return next((name for mark, name in _MARKS if data.startswith(mark)), None)


def with_newlines(text: str) -> str:
    """Return a text whose lines end in newlines alone.

    A carriage return by itself is a line end only where the text ends in one and has no others; elsewhere it stands
    within a line, as in the output of a program that draws over what it drew.
    """
    if "\r" not in text:
        return text
    if text.endswith("\r") and "\n" not in text:
        return text.replace("\r", "\n")
    return text.replace("\r\n", "\n")


def check_depth(value: Any, what: str) -> None:
    """Check that no brackets stand too deep within each other.

    Raises:
        ValidationError: they do.
    """  # noqa: DOC501
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [item for item in level if isinstance(item, (dict, list, tuple))]
        if not level:
            return
        level = [item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer)]
    raise too_deep(what)


def too_deep(what: str) -> ValidationError:
    """Build the error for brackets that stand too deep within each other."""
    return ValidationError(
        f"{what} has more than {DEEPEST} brackets within each other", hint="store it as text, or in parts"
    )


def from_json(text: str, what: str) -> Any:
    """Read JSON.

    Returns:
        The value.

    Raises:
        ValidationError: its brackets stand too deep within each other.
        json.JSONDecodeError: it is not JSON.
    """  # noqa: DOC501
    import json  # not where settings are looked for

    try:
        value = json.loads(text)
    except RecursionError:
        raise too_deep(what) from None
    if isinstance(value, (dict, list)):
        check_depth(value, what)
    return value
