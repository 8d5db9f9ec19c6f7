"""Files and folders that must not outlive the program, even if it is ended in the middle of its work.

Whoever makes one beside a file of the user's registers it for as long as it is there. Whoever ends the program
without unwinding it, as the command line does at a signal, calls `remove_all` first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_made: set[str] = set()


@contextmanager
def registered(path: str | os.PathLike[str]) -> Iterator[None]:
    """Have a file or folder removed if the program is ended meanwhile; otherwise it is its maker's to remove."""
    name = os.fspath(path)
    _made.add(name)
    try:
        yield
    finally:
        _made.discard(name)


def remove_all() -> None:
    """Remove all that is registered; what cannot be removed stays."""
    for name in tuple(_made):
        with suppress(OSError):
            if os.path.isdir(name) and not os.path.islink(name):  # noqa: PTH112, PTH114 - nothing is imported any more
                _remove_folder(name)
            else:
                os.unlink(name)  # noqa: PTH108


def _remove_folder(name: str) -> None:
    with os.scandir(name) as inside:
        for item in inside:
            with suppress(OSError):
                if item.is_dir(follow_symlinks=False):
                    _remove_folder(item.path)
                else:
                    os.unlink(item.path)  # noqa: PTH108
    os.rmdir(name)  # noqa: PTH106
