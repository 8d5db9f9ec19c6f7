"""The sha256 of large files, computed once and remembered until the file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from agent_memory import paths, temporary

logger = logging.getLogger("agent_memory")
_LARGEST: Final = 1_000_000
"""Bytes of what is remembered."""
_MOST: Final = 500
"""Files that are remembered, the newest; each takes some two hundred bytes."""


def sha256_of(path: Path, *, again: bool = False) -> str:
    """Return the sha256 of a file in hexadecimal, from memory where the file is as it was.

    Size and time of change can be made to look as they were by whoever puts another content there; the time at which
    the system itself last saw a change cannot, nor is another file the same one to it.

    Args:
        path: the file.
        again: read the file whatever is remembered.

    Raises:
        OSError: the file cannot be read.
    """
    path = path.resolve()
    stamp, seen = _state(path)
    known = _read()
    if not again and (remembered := _remembered(known.get(str(path)), stamp, seen)) is not None:
        return remembered
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    known.pop(str(path), None)
    _remember({**dict(list(known.items())[1 - _MOST :]), str(path): [*stamp, digest, *seen]})
    return digest


def remembered_sha256(path: Path) -> str | None:
    """Return the sha256 of a file if it is remembered; the file itself is not read.

    Args:
        path: the file.

    Returns:
        The sha256 in hexadecimal, or None.

    Raises:
        OSError: the file cannot be looked at.
    """
    path = path.resolve()
    return _remembered(_read().get(str(path)), *_state(path))


def _state(path: Path) -> tuple[list[int], list[int]]:
    """Return what tells whether a file is as it was: what a user can set, and what only the system can."""
    state = path.stat()
    return [state.st_size, state.st_mtime_ns], [state.st_ctime_ns, state.st_ino, state.st_dev]


def _remembered(entry: list[Any] | None, stamp: list[int], seen: list[int]) -> str | None:
    if entry is None or entry[:2] != stamp or entry[3:] != seen:
        return None
    return str(entry[2])


def _store() -> Path:
    return paths.cache() / "hashes.json"


def _read() -> dict[str, list[Any]]:
    """Return what is remembered; rubbish in its place is said once, and then replaced."""
    store = _store()
    if not store.is_file():  # a named pipe would be waited for
        return {}
    try:
        with store.open("rb") as file:
            content = file.read(_LARGEST + 1)
        known = json.loads(content) if len(content) <= _LARGEST else None
    except OSError:
        return {}
    except (ValueError, RecursionError):
        known = None
    if isinstance(known, dict):
        return {path: entry for path, entry in known.items() if _is_entry(entry)}
    if content.strip():
        logger.warning("%s is not what was written there: models are checked again", store)
    return {}


def _is_entry(entry: object) -> bool:
    return isinstance(entry, list) and list(map(type, entry)) == [int, int, str, int, int, int]


def _remember(known: dict[str, list[Any]]) -> None:
    """Write it by replacing the file. Of two writers at once one is forgotten, and computes again."""
    store = _store()
    with contextlib.suppress(OSError):
        paths.private_folder(store.parent)
        content = json.dumps(known, indent=0)
        handle, name = tempfile.mkstemp(dir=store.parent, prefix=store.name)
        try:
            with temporary.registered(name):
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(content)
                os.replace(name, store)  # noqa: PTH105 - the temporary file has a name, not a Path
        except OSError:
            os.unlink(name)  # noqa: PTH108
            raise
