"""Running what refuses to run as root: a user without rights, and folders that this user may read."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def somebody_else() -> dict[str, Any]:
    """Return the arguments that make `subprocess.run` run as another user; none where this is not root."""
    if os.geteuid() != 0:
        return {}
    names = {item.pw_name: item for item in pwd.getpwall()}
    user = next(names[name] for name in ("postgres", "nobody") if name in names)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def folder_for(who: dict[str, Any], prefix: str) -> Path:
    """Make a folder that belongs to a user and that this user can reach.

    Root's own temporary folder may lie where nobody else may enter, so the usual ones are tried after it.
    """
    for place in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path("/tmp")):
        if place.is_dir() and (not who or _all_may(place, stat.S_IXOTH)):
            made = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
            if who:
                os.chown(made, who["user"], who["group"])
            return made
    raise RuntimeError("no temporary folder may be entered by other users: set TMPDIR to one that may")


def readable(folder: Path) -> bool:
    """Return whether every user may read all that is in a folder."""
    return _all_may(folder, stat.S_IXOTH) and all(
        path.is_symlink() or path.stat().st_mode & stat.S_IROTH for path in folder.rglob("*")
    )


def copy_readable(folder: Path, target: Path) -> None:
    """Copy a folder so that every user may read it and run what is in it."""
    shutil.copytree(folder, target, symlinks=True)
    for not_link in (target, *_not_links(target)):
        not_link.chmod(not_link.stat().st_mode | (0o055 if not_link.stat().st_mode & stat.S_IXUSR else 0o044))


def _not_links(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not path.is_symlink())


def _all_may(folder: Path, mode: int) -> bool:
    return all(parent.stat().st_mode & mode for parent in (folder.resolve(), *folder.resolve().parents))
