"""Streams in files: written beside and renamed when they are whole, and read from end to end before they are used."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Self

from agent_memory import filesystem, paths, temporary
from agent_memory.batching import batched
from agent_memory.errors import IntegrityError, MemoryNotFoundError, PolicyError, ValidationError
from agent_memory.hints import Hint
from agent_memory.records import MemoryType, Status
from agent_memory.text.incoming import BYTE_ORDER_MARK, how_to_convert, other_encoding
from agent_memory.transfer import partial_files
from agent_memory.transfer.lines import end_line, head_line, line_of, read_head, read_line
from agent_memory.transfer.stream import BATCH, Entry, Head, Item, Stream

Progress = Callable[[int, int], None]
Place = str | os.PathLike[str] | BinaryIO
"""A file by its path, or one that is open in binary mode."""
_PORTION = 1 << 20
_COMPRESSED = {
    b"\x1f\x8b": "gunzip",
    b"PK\x03\x04": "unzip",
    b"BZh": "bunzip2",
    b"\xfd7zXZ": "unxz",
    b"\x28\xb5\x2f\xfd": "unzstd",
}
"""By how a file begins: what unpacks it."""


# --- writing ---------------------------------------------------------------------------------------------------


async def write(stream: Stream, position: Place, progress: Progress | None = None) -> int:
    """Write a stream, ordered by id, and return how many lines hold a memory or the note that one is gone.

    A file of that path is replaced once the new one is whole; only its owner may read it.

    Returns:
        How many such lines were written.
    """
    if not isinstance(position, str | os.PathLike):
        return await _write(stream, position, progress)
    with _beside(Path(position)) as file:
        return await _write(stream, file, progress)


async def _write(stream: Stream, file: BinaryIO, progress: Progress | None) -> int:
    digest = hashlib.blake2b(digest_size=32)

    def put(line: str) -> None:
        data = line.encode("utf-8") + b"\n"
        digest.update(data)
        file.write(data)

    put(head_line(stream.head))
    entries = sorted(stream.entries, key=lambda item: item.id)
    done = 0
    for batch in batched(entries, BATCH):
        for item in await stream.read(batch):
            put(line_of(item, stream.head.parts))
        done += len(batch)
        if progress is not None:
            progress(done, len(entries))
    tombstoned = sum(entry.tombstoned for entry in entries)
    put(end_line(len(entries) - tombstoned, tombstoned, digest.hexdigest()))
    file.flush()
    return len(entries)


@contextmanager
def _beside(path: Path) -> Iterator[BinaryIO]:
    """Open a new file beside a path, and let it take the path's place if all goes well."""
    path = paths.expanded(path)
    what = filesystem.kind(path)
    if what in filesystem.STREAMS:
        # Such as /dev/stdout: there is nothing to take the place of.
        try:
            stream = filesystem.opened(path, "wb")
        except OSError as error:
            reason = "nobody reads from it" if error.errno == errno.ENXIO else error.strerror
            raise ValidationError(f"cannot write to {path}: {reason}", hint="name a file") from None
        with stream as there:
            yield there
        return
    if what not in ("a file", None):
        raise ValidationError(f"{path} is {what}", hint="name a file to export to")
    if what == "a file" and _is_database(path):
        raise PolicyError(
            f"{path} is a database, and is not written over", hint="name another file to export to"
        )
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise ValidationError(f"there is no folder {path.parent}", hint="make it first, or name another file")
    partial_files.sweep(path.parent)
    # Readable by its owner alone from its first byte on.
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with temporary.registered(name):
            with os.fdopen(number, "wb") as file:
                partial_files.hold(file)
                yield file
                file.flush()
                os.fsync(file.fileno())
                if os.name != "nt":  # while it is held; there, a file that is open keeps its name
                    Path(name).replace(path)
            if os.name == "nt":
                Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# --- reading ---------------------------------------------------------------------------------------------------


class FileStream:
    """What is in a file; its lines are read again when their turn comes."""

    def __init__(
        self, file: BinaryIO, head: Head, entries: Sequence[Entry], offsets: dict[str, tuple[int, int]]
    ) -> None:
        self._file = file
        self._head = head
        self._entries = entries
        self._offsets = offsets

    @property
    def head(self) -> Head:
        """What is said of the whole."""
        return self._head

    @property
    def entries(self) -> Sequence[Entry]:
        """All there is: memories in the order of storing, then what is gone."""
        return self._entries

    async def read(self, entries: Sequence[Entry]) -> list[Item]:
        """Read some of it, in the order given."""
        result = []
        for entry in entries:
            offset, number = self._offsets[entry.id]
            self._file.seek(offset)
            result.append(_item(_own_line(self._file.readline()), number))
        return result

    @classmethod
    @contextmanager
    def of(cls, position: Place) -> Iterator[Self]:
        """Open a file and check all of it, for as long as it is used.

        Yields:
            What reads the file.

        Raises:
            IntegrityError: it is not an export, of an unknown version, or not whole.
            MemoryNotFoundError: there is no such file.
        """
        with _seekable(position) as file:
            yield cls._checked(file)

    @classmethod
    def _checked(cls, file: BinaryIO) -> Self:
        digest = hashlib.blake2b(digest_size=32)
        start = file.readline()
        first = _own_line(start.removeprefix(BYTE_ORDER_MARK))
        head = read_head(_text(first, 1))
        digest.update(first)
        offset, number, last = len(start), 1, ""
        entries: list[Entry] = []
        offsets: dict[str, tuple[int, int]] = {}
        for raw in iter(file.readline, b""):
            line = _own_line(raw)
            number += 1
            if line.startswith(b'{"end":'):
                _check_end(line, number, entries, digest.hexdigest())
                if file.read().strip():
                    raise IntegrityError(f"line {number + 1} of the export stands behind its end")
                entries.sort(key=lambda item: (item.tombstoned, item.position))
                return cls(file, head, entries, offsets)
            item = _item(line, number)
            if item.id <= last:
                raise IntegrityError(f"line {number} of the export is not in the order of ids")
            entries.append(_entry(item))
            offsets[item.id] = (offset, number)
            digest.update(line)
            offset, last = offset + len(raw), item.id
        raise IntegrityError(
            f"the export is not whole: it ends after line {number}, and nothing was imported",
            hint="copy or write it again",
        )


def _own_line(line: bytes) -> bytes:
    """Return a line as it was written: some programs that copy text give its lines other ends."""
    return line[:-2] + b"\n" if line.endswith(b"\r\n") else line


def _text(line: bytes, number: int) -> str:
    if unpack := next((tool for begin, tool in _COMPRESSED.items() if line.startswith(begin)), None):
        raise IntegrityError("the export is compressed", hint=f"unpack it first: {unpack}")
    if name := other_encoding(line):
        raise IntegrityError(f"the export is {name}, not UTF-8", hint=how_to_convert(line))
    if not line.endswith(b"\n") and line:
        raise IntegrityError(
            f"the export is not whole: it ends within line {number}, and nothing was imported",
            hint="copy or write it again",
        )
    try:
        return line[:-1].decode("utf-8")
    except UnicodeDecodeError as error:
        raise IntegrityError(
            f"line {number} of the export is not UTF-8", hint="copy or write it again"
        ) from error


def _item(line: bytes, number: int) -> Item:
    text = _text(line, number)
    try:
        return read_line(text)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise IntegrityError(
            f"line {number} of the export cannot be read: {said}", hint="nothing was imported"
        ) from error


def _entry(item: Item) -> Entry:
    record = item.record
    if record is None:
        return Entry(item.id, item.revision, 0, None, True)
    keyed = record.key is not None and record.status is Status.ACTIVE
    key = (MemoryType(record.memory_type), record.key) if keyed and record.key is not None else None
    return Entry(item.id, item.revision, item.position, key)


def _check_end(line: bytes, number: int, entries: Sequence[Entry], digest: str) -> None:
    try:
        said = json.loads(_text(line, number))["end"]
        there = (said["memories"], said["gone"], said["digest"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(f"line {number} of the export cannot be read") from error
    tombstoned = sum(entry.tombstoned for entry in entries)
    if there != (len(entries) - tombstoned, tombstoned, digest):
        raise IntegrityError(
            "the export was changed after it was written, or lines of it are missing: its end does not fit",
            hint="nothing was imported; copy or write it again",
        )


def _is_database(path: Path) -> bool:
    """Ask SQLite: if this process has the file open as a store, reading it besides would drop the store's locks."""
    from agent_memory.storage.sqlite import peek

    return peek.is_database(path)


@contextmanager
def _seekable(position: Place) -> Iterator[BinaryIO]:
    """Open a file at its beginning; what comes through a pipe is kept in a file without a name meanwhile."""
    if not isinstance(position, str | os.PathLike):
        with tempfile.TemporaryFile() as kept:
            while portion := position.read(_PORTION):
                if not kept.tell() and not portion.removeprefix(BYTE_ORDER_MARK).startswith(b"{"):
                    read_head(
                        _text(portion.split(b"\n", 1)[0][:200] + b"\n", 1)
                    )  # says what is wrong at once
                kept.write(portion)
            kept.seek(0)
            yield kept
        return
    path = paths.expanded(position)
    what = filesystem.kind(path)
    if what is None:
        raise MemoryNotFoundError(str(path), what="file", hint=Hint("name one that {EXPORT} wrote"))
    if what in filesystem.STREAMS:
        with filesystem.opened(path, "rb") as pipe, _seekable(pipe) as kept:
            yield kept
        return
    if what != "a file":
        raise ValidationError(f"{path} is {what}", hint=Hint("name a file that {EXPORT} wrote"))
    if _is_database(path):
        raise IntegrityError(
            f"{path} is a database, not an export",
            hint=Hint("if it is a memory, {MIGRATE} reads it"),
        )
    with path.open("rb") as file:
        yield file
