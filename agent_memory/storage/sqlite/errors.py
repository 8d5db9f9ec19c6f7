"""Turning what the driver raises into our errors, in one place, keeping the cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent_memory.errors import (
    BackendError,
    IntegrityError,
    StoreBusyError,
    StoreFullError,
    StoreReadOnlyError,
    ValidationError,
)
from agent_memory.filesystem import MORE_OPEN_FILES, lacks_descriptors
from agent_memory.hints import Hint
from agent_memory.storage.sqlite import driver

_BUSY = ("database is locked", "database table is locked", "database schema is locked", "locking protocol")
_CHANGED = ("database schema has changed",)
"""Said where others create or change tables faster than SQLite prepares a statement anew; it gives up after 50."""
_DAMAGED = (
    "not a database",
    "malformed",
    "disk image",
    "no such table",
    "no such column",
    "database corruption",
)
_READ_ONLY = ("readonly database", "read-only")
_FULL = ("disk is full", "disk full")
_LEAST_ROOM = 64 << 10
"""Bytes without which not even a short memory is stored."""
_CANNOT_OPEN = "unable to open database file"
_FAILED = "disk I/O error"
"""Also said where there is no room for the file's index of its log, or the process may not write files so large."""


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what the driver raises into our errors.

    Told apart by SQLite's own words, which have stayed the same for twenty years: not every driver passes on the
    numbers of its errors.

    Raises:
        ValidationError: a value cannot be stored.
    """  # noqa: DOC501
    try:
        yield
    except driver.Error as error:
        raise _ours(error, path) from error
    except UnicodeDecodeError as error:  # even the name of a column is no text
        raise _damaged(path) from error
    except OverflowError as error:
        raise ValidationError("a number is too large to be stored", hint="keep it below 2**63") from error
    except UnicodeEncodeError as error:
        raise ValidationError(
            f"a text holds half a character: {error.reason}", hint="decode it anew, with errors='replace'"
        ) from error


def is_busy(error: BaseException | None) -> bool:
    """Return whether another connection stood in the way."""
    return _says(error, (*_BUSY, *_CHANGED))


def schema_changed(error: BaseException | None) -> bool:
    """Return whether a statement has to be made anew, since the tables have changed under it."""
    return _says(error, _CHANGED)


def is_no_text(error: BaseException | None) -> bool:
    """Return whether a stored text is no UTF-8."""
    return _says(error, ("Could not decode to UTF-8",))


def is_damage(error: BaseException | None) -> bool:
    """Return whether the file, or an index in it, cannot be read on; a constraint may fail by what it holds, too."""
    return _says(error, (*_DAMAGED, "fts5:", "vtable constructor failed", "constraint failed"))


def is_unwritable(error: BaseException | None) -> bool:
    """Return whether the file or its folder cannot be written, or has no room for more; it may well be readable."""
    return _says(error, (*_READ_ONLY, *_FULL, _CANNOT_OPEN, _FAILED))


def why_unwritable(error: Exception, path: str) -> BackendError:
    """Return what to tell whoever wants to write to a file that could be opened for reading only."""
    if _says(error, (*_FULL, _FAILED)) or (_says(error, (_CANNOT_OPEN,)) and lacks_descriptors()):
        return _ours(error, path)
    return StoreReadOnlyError(path)


def _no_room(path: str) -> bool:
    """Return whether the disk is full: SQLite reports a disk error where its index of the log finds no room."""
    from shutil import disk_usage

    try:
        return disk_usage(Path(path).parent).free < _LEAST_ROOM
    except OSError:
        return False


def _says(error: BaseException | None, words: tuple[str, ...]) -> bool:
    return isinstance(error, driver.Error) and any(word in str(error) for word in words)


def _damaged(path: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is damaged, or not a database",
        hint=Hint("restore it from a backup, or save what can still be read with {SALVAGE}"),
    )


def _ours(error: Exception, path: str) -> BackendError:
    if is_busy(error):
        return StoreBusyError(path)
    if _says(error, _DAMAGED):
        return _damaged(path)
    if _says(error, _READ_ONLY):
        return StoreReadOnlyError(path)
    if _says(error, _FULL) or (_says(error, (_FAILED,)) and _no_room(path)):
        return StoreFullError(path)
    if _says(error, ("unable to open",)):
        if lacks_descriptors():  # SQLite has one word for every reason
            return BackendError(f"cannot open {path}: too many open files", hint=MORE_OPEN_FILES)
        return BackendError(f"cannot open {path}", hint="check that the folder exists and may be written")
    if _says(error, (_FAILED,)):
        return BackendError(
            f"reading or writing {path} failed",
            hint="check that the disk has room and is sound, then try again",
        )
    if isinstance(error, driver.module.IntegrityError):
        return IntegrityError(
            f"{path} refuses what was to be written: {error}",
            hint=Hint("{REPAIR} makes anew what is derived, and says what is wrong with the rest"),
        )
    return BackendError(f"{path}: {error}", hint=Hint("{CHECK} says what is wrong"))
