"""The three streams of the program, made fit for whatever is at their other ends.

A stream may be closed, its encoding may lack most characters, and a terminal obeys what it is sent: none of that may
keep a memory from being stored, or a stored text from being shown.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

if TYPE_CHECKING:
    from typing_extensions import Buffer

_NARROWEST, _WIDEST = 40, 500
_ERRORS = "agentmem"
_TOLD = "agentmem-told"
"""Error handlers: for pipes and files on stdout, and for stderr and terminals."""

_OBEYED = (
    "\r\n|[\x00-\x08\x0b-\x1f\x7f-\x9f"  # the control characters but for tab and newline
    "\u2028\u2029\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufff9-\ufffb"  # separators, and what turns text around
    "\U000e0000-\U000e007f]"  # letters that are not shown
)
_PLAINER = {
    **dict.fromkeys("█▏▎▍▌▋▊▉", "#"),
    "…": "...",
    "·": ".",
    "×": "x",
    "📌": "*",
    "\N{REPLACEMENT CHARACTER}": "?",
}
"""What we draw with, for encodings that lack it."""


def prepare() -> None:
    """Make the streams of this process fit; to be called once, before anything else opens a file."""
    _open_closed()
    codecs.register_error(_ERRORS, _written)
    codecs.register_error(_TOLD, _without_bytes)
    sys.stdout = _prepared(sys.stdout, _ERRORS)
    sys.stderr = _prepared(sys.stderr, _TOLD)


def _open_closed() -> None:
    """Have something at the numbers 0 to 2; else the next file that is opened gets one, and is written to."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _prepared(stream: TextIO, errors: str) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream.isatty():
        stream.reconfigure(errors=_TOLD)  # bytes of a file name may be what a terminal obeys
        return Terminal(stream)
    stream.reconfigure(errors=errors)
    return stream


def _written(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks: bytes of file names as they were, our own drawings plainer, the rest escaped."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    result: list[str] = []
    for place in range(error.start, error.end):
        char = error.object[place]
        if "\udc80" <= char <= "\udcff" and not result:
            return bytes((ord(char) - 0xDC00,)), place + 1
        if "\udc80" <= char <= "\udcff":
            return "".join(result), place
        result.append(_plainer(char))
    return "".join(result), error.end


def _without_bytes(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write what an encoding lacks plainer or escaped, bytes of file names as well: what results is always valid."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plainer, error.object[error.start : error.end])), error.end


def _plainer(char: str) -> str:
    return _PLAINER.get(char) or char.encode("ascii", "backslashreplace").decode("ascii")


class Terminal(io.TextIOWrapper):
    """A stream to a terminal, which never gets to see what it would obey."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        super().__init__(
            stream.buffer, encoding=stream.encoding, errors=stream.errors, newline=None, line_buffering=True
        )
        self.unchecked = stream
        """The same terminal, for what is meant to be obeyed: colours, and a bar that is drawn over."""

    def write(self, text: str) -> int:
        """Write a text with its control characters made visible."""
        super().write(harmless(text))
        return len(text)


@cache
def _obeyed() -> re.Pattern[str]:
    """Compile the pattern at first use: 2 ms, which `--help` in a pipe does not need."""
    return re.compile(_OBEYED)


def harmless(text: str) -> str:
    """Return a text in which nothing is left that a terminal would obey; lines stay lines."""
    return _obeyed().sub(_shown, text)


def harmless_json(text: str) -> str:
    """Return JSON in which nothing is left that a terminal would obey; it still says the same."""
    return _obeyed().sub(_escaped, text)


def _shown(match: re.Match[str]) -> str:
    return "\n" if match[0] == "\r\n" else "\N{REPLACEMENT CHARACTER}"


def _escaped(match: re.Match[str]) -> str:
    if ord(match[0][0]) < 0x20:
        return match[0]  # between the values; within them JSON has none
    return "".join(f"\\u{int.from_bytes(pair, 'big'):04x}" for pair in _pairs(match[0]))


def _pairs(text: str) -> list[bytes]:
    units = text.encode("utf-16-be")
    return [units[place : place + 2] for place in range(0, len(units), 2)]


def unchecked(stream: TextIO) -> TextIO:
    """Return the stream that takes control sequences, for what the program itself draws."""
    stream.flush()
    return stream.unchecked if isinstance(stream, Terminal) else stream


class _Lines(io.RawIOBase):
    """A terminal, for lines of JSON that come as bytes."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        chunk = bytes(data)
        self._terminal.write(harmless_json(chunk.decode("utf-8", "replace")))
        return len(chunk)


def binary_stdout() -> BinaryIO:
    """Return stdout for whole lines of JSON in bytes."""
    return cast("BinaryIO", _Lines(sys.stdout)) if isinstance(sys.stdout, Terminal) else sys.stdout.buffer


def can_write(text: str) -> bool:
    """Return whether stdout's encoding has every character of a text."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def columns() -> int:
    """Return how many characters fit on a line; of what cannot be meant, the nearest that can."""
    import shutil  # with all compressions there are, which the program may not need

    return max(_NARROWEST, min(shutil.get_terminal_size().columns, _WIDEST))


def obeys() -> bool:
    """Return whether stderr is a terminal on which something can be drawn over."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def written_out() -> str | None:
    """Write out what is left for stdout, or say why it does not take it."""
    try:
        sys.stdout.flush()
    except OSError as error:
        return refused(error)
    return None


def refused(error: OSError) -> str | None:
    """Send what follows on stdout nowhere, and say why it takes nothing; that its reader has gone is no reason."""
    give_up(sys.stdout)
    if isinstance(error, BrokenPipeError):
        return None
    return f"cannot write to stdout: {(error.strerror or str(error)).lower()}"


def finish(reason: str | None = None) -> None:
    """Say why stdout took nothing, and leave nothing that Python would complain of in its own words as it ends."""
    try:
        if reason is not None:
            print(f"error: {reason}", file=sys.stderr)  # noqa: T201
        sys.stderr.flush()
    except (OSError, ValueError):
        give_up(sys.stderr)


def give_up(stream: TextIO) -> None:
    """Let what is written to a stream from now on go nowhere."""
    with suppress(OSError, ValueError):
        opened = os.open(os.devnull, os.O_WRONLY)
        os.dup2(opened, stream.fileno())
        os.close(opened)
