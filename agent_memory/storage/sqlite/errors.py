"""Turning what the driver raises into our errors, in one place, keeping the cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agent_memory.errors import BackendError, IntegrityError, StoreBusyError, ValidationError
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


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what the driver raises into our errors.

    Told apart by SQLite's own words, which have stayed the same for twenty years: not every driver passes on the
    numbers of its errors.
    """
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
    """Say whether another connection stood in the way."""
    return _says(error, (*_BUSY, *_CHANGED))


def schema_changed(error: BaseException | None) -> bool:
    """Say whether a statement has to be made anew, since the tables have changed under it."""
    return _says(error, _CHANGED)


def is_no_text(error: BaseException | None) -> bool:
    """Say whether a stored text is no UTF-8."""
    return _says(error, ("Could not decode to UTF-8",))


def is_damage(error: BaseException | None) -> bool:
    """Say whether the file, or an index in it, cannot be read on; a constraint may fail by what it holds, too."""
    return _says(error, (*_DAMAGED, "fts5:", "vtable constructor failed", "constraint failed"))


def is_read_only(error: BaseException | None) -> bool:
    """Say whether the file or its folder cannot be written."""
    return _says(error, (*_READ_ONLY, "unable to open database file"))


def _says(error: BaseException | None, words: tuple[str, ...]) -> bool:
    return isinstance(error, driver.Error) and any(each in str(error) for each in words)


def _damaged(path: str) -> IntegrityError:
    return IntegrityError(
        f"{path} is damaged, or not a database",
        hint="restore it from a backup, or save what can still be read with `agentmem doctor --salvage NEW`",
    )


def _ours(error: Exception, path: str) -> BackendError:
    if is_busy(error):
        return StoreBusyError(path)
    if _says(error, _DAMAGED):
        return _damaged(path)
    if _says(error, _READ_ONLY):
        return BackendError(f"{path} is read-only", hint="check the permissions of the file and its folder")
    if _says(error, ("disk is full", "disk full")):
        return BackendError(
            f"the disk of {path} is full", hint="make room and try again; nothing was written"
        )
    if _says(error, ("unable to open",)):
        return BackendError(f"cannot open {path}", hint="check that the folder exists and may be written")
    if _says(error, ("disk I/O error",)):
        return BackendError(f"reading or writing {path} failed", hint="check the disk, then try again")
    if isinstance(error, driver.module.IntegrityError):
        return IntegrityError(
            f"{path} refuses what was to be written: {error}",
            hint="`agentmem doctor --fix` makes anew what is derived, and says what is wrong with the rest",
        )
    return BackendError(f"{path}: {error}", hint="`agentmem doctor` says what is wrong")
