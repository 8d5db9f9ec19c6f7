"""The sha256 of large files, computed once and remembered until the file changes."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from agent_memory import paths, temporary


def sha256_of(path: Path, *, again: bool = False) -> str:
    """Return the sha256 of a file in hexadecimal, from memory where path, size and time are as they were.

    Args:
        path: the file.
        again: read the file whatever is remembered.

    Raises:
        OSError: the file cannot be read.
    """
    path = path.resolve()
    state = path.stat()
    stamp = [state.st_size, state.st_mtime_ns]
    if not again:
        known = _read().get(str(path))
        if isinstance(known, list) and len(known) == 3 and known[:2] == stamp and isinstance(known[2], str):
            return known[2]
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    _remember(str(path), [*stamp, digest])
    return digest


def _store() -> Path:
    return paths.cache() / "hashes.json"


def _read() -> dict[str, Any]:
    try:
        content = json.loads(_store().read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _remember(path: str, entry: list[Any]) -> None:
    """Write the entry by replacing the file. Of two writers at once one is forgotten, and computes again."""
    store = _store()
    with contextlib.suppress(OSError):
        paths.private_folder(store.parent)
        content = json.dumps({**_read(), path: entry}, indent=0)
        handle, name = tempfile.mkstemp(dir=store.parent, prefix=store.name)
        try:
            with temporary.registered(name):
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(content)
                os.replace(name, store)  # noqa: PTH105 - the temporary file has a name, not a Path
        except OSError:
            os.unlink(name)  # noqa: PTH108
            raise
