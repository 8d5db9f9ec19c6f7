"""What stands at a path, asked before anything there is opened, replaced or deleted.

A name says nothing: where a file is expected there may be a folder, a named pipe that would be waited for without
end, or another program's file.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Literal

from agent_memory.errors import BackendError

Kind = Literal["a file", "a folder", "a named pipe", "a socket", "a device", "a disk"]
_KINDS: Final[tuple[tuple[Callable[[int], bool], Kind], ...]] = (
    (stat.S_ISREG, "a file"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a disk"),
)
_PATIENCE: Final = 3.0
"""Seconds within which somebody has to open the other end of a named pipe."""
_SPARE_DESCRIPTORS: Final = 4
"""What SQLite needs to open a store: the file, its log, the log's index, and the folder for a moment."""
MORE_OPEN_FILES: Final = "close what is not needed, or raise the limit of open files: ulimit -n"
"""What to do where a process may open no more files."""
STREAMS: Final[tuple[Kind, ...]] = ("a named pipe", "a device")
"""What is read or written from one end to the other, and holds nothing that could be lost."""


def kind(path: Path) -> Kind | None:
    """Return what is at a path, or None where nothing is; links are followed.

    Raises:
        BackendError: it may not be looked at.
    """
    about = _about(path)
    return None if about is None else _kind(about)


def file_size(path: Path) -> int | None:
    """Return the bytes of the file at a path, or None where nothing is; links are followed.

    Raises:
        BackendError: something else than a file is there, or it may not be looked at.
    """
    about = _about(path)
    if about is None:
        return None
    if (what := _kind(about)) != "a file":
        raise BackendError(f"{path} is {what}", hint="give the path of a file")
    return about.st_size


def opened(path: str | Path, mode: Literal["rb", "wb"]) -> BinaryIO:
    """Open a file or a stream; the other end of a named pipe is waited for only so long.

    Of one that nobody writes to in that time, there is nothing to read.

    Returns:
        The open file.

    Raises:
        OSError: it cannot be opened; a named pipe that nobody reads cannot be written to.
    """
    flags = os.O_RDONLY if mode == "rb" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    number = _opened_in_time(path, flags)
    try:
        if hasattr(os, "O_NONBLOCK"):
            if mode == "rb" and stat.S_ISFIFO(os.fstat(number).st_mode):
                _wait_for_writer(number)
            os.set_blocking(number, True)
        return os.fdopen(number, mode)
    except BaseException:
        os.close(number)
        raise


def is_out_of_descriptors(error: BaseException) -> bool:
    """Return whether an error says that this process, or the whole system, has too many files open."""
    return isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}


def lacks_descriptors() -> bool:
    """Return whether this process may not open as many files as a store needs; not every library says so itself."""
    numbers: list[int] = []
    try:
        numbers.extend(os.open(os.devnull, os.O_RDONLY) for _ in range(_SPARE_DESCRIPTORS))
    except OSError as error:
        return is_out_of_descriptors(error)
    finally:
        for number in numbers:
            os.close(number)
    return False


def _wait_for_writer(number: int) -> None:
    import select  # late: hardly anybody reads from a named pipe

    waiting = select.poll()  # `select` knows no descriptors from 1024 on
    waiting.register(number, select.POLLIN)
    waiting.poll(int(_PATIENCE * 1000))


def _opened_in_time(path: str | Path, flags: int) -> int:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.open(path, flags, 0o600)
        except OSError as error:
            if error.errno != errno.ENXIO or time.monotonic() > end:
                raise
        time.sleep(0.05)


def _about(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        said = "links that lead in a circle" if error.errno == errno.ELOOP else error.strerror
        raise BackendError(f"cannot look at {path}: {said}", hint="give the path of a file") from error


def _kind(about: os.stat_result) -> Kind:
    return next(name for is_one, name in _KINDS if is_one(about.st_mode))


def move(source: Path, target: Path) -> None:
    """Give a file another name in its file system, in one step that never takes another file's place.

    Raises:
        FileExistsError: something has that name already.
        OSError: it cannot be moved.
    """
    if os.name == "nt":
        source.rename(target)  # refuses by itself
        return
    taken = FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    failed = _rename_without_replacing(os.fsencode(source), os.fsencode(target))
    if failed == errno.EEXIST:
        raise taken
    if failed in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        # This file system cannot do it in one step: between the two, the name could be taken.
        if os.path.lexists(target):
            raise taken
        source.rename(target)
    elif failed:
        raise OSError(failed, os.strerror(failed), str(source))


def _rename_without_replacing(source: bytes, target: bytes) -> int:
    """Ask the system for it; return 0, or the number of the error, which is ENOSYS where it has no such call."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    at_folder, no_replace = -100, 1  # AT_FDCWD and RENAME_NOREPLACE of Linux
    exclusively = 4  # RENAME_EXCL of macOS
    if hasattr(library, "renameat2"):
        done = library.renameat2(at_folder, source, at_folder, target, no_replace)
    elif hasattr(library, "renamex_np"):
        done = library.renamex_np(source, target, exclusively)
    else:
        return errno.ENOSYS
    return ctypes.get_errno() if done else 0
