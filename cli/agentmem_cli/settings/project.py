"""The project file: where it is looked for, whose it must be, and whether it is trusted.

`.agentmem.toml` is read from the current folder up to the repository's root; outside a repository only the
current folder counts. Anybody can put such a file into a repository that others clone, so that by itself it may
set only what is harmless. `agentmem config trust` records the hash of one file as it is now.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from agent_memory.errors import ConfigurationError

FILE_NAME = ".agentmem.toml"
_REPOSITORY_MARKS = (".git", ".hg", ".jj", ".svn")
_LARGEST = 1 << 20  # bytes; a settings file is a page long


class ProjectFile(NamedTuple):
    """A project file of this user's, as it was read once: what is hashed is what is used."""

    path: Path
    content: bytes


class Refused(NamedTuple):
    """A project file that is not read, and why."""

    path: Path
    reason: str


def find(start: Path | None = None) -> ProjectFile | Refused | None:
    """Find and read the project file that counts in a folder, the current one if none is given."""
    try:
        folder = Path(start or Path.cwd()).absolute()
    except FileNotFoundError:  # the current folder was removed
        return None
    for candidate in _folders(folder):
        path = candidate / FILE_NAME
        if os.path.lexists(path):
            return _read(path)
    return None


def _folders(start: Path) -> list[Path]:
    """List the folders from one up to the root of its repository; only itself where there is none."""
    folders: list[Path] = []
    for folder in (start, *start.parents):
        folders.append(folder)
        if any((folder / mark).exists() for mark in _REPOSITORY_MARKS):
            return folders
    return [start]


def _read(path: Path) -> ProjectFile | Refused:
    # Opened once, and judged by what was opened: the name may point elsewhere a moment later. Not blocking,
    # since a pipe of that name would wait for ever.
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        return Refused(path, f"it cannot be read ({error.strerror})")
    about = os.fstat(handle)
    if not stat.S_ISREG(about.st_mode):
        os.close(handle)  # Python makes no file of a folder
        return Refused(path, "it is not a file")
    with os.fdopen(handle, "rb") as file:
        if not _ours(about) or not _ours(path.lstat()):
            return Refused(path, "it belongs to another user")
        if not _ours(path.parent.stat()):
            return Refused(path, "its folder belongs to another user")
        if about.st_size > _LARGEST:
            return Refused(path, "it is larger than a megabyte")
        return ProjectFile(path, file.read(_LARGEST))


def _ours(about: os.stat_result) -> bool:
    user = getattr(os, "getuid", None)  # Windows has none, and no such owners either
    return user is None or about.st_uid in (user(), 0)


# --- trust ---------------------------------------------------------------------------------------------------


def trust_list(user_config: Path) -> Path:
    """Return the file that holds what was trusted, beside the user's config."""
    return user_config.with_name("trusted")


def is_trusted(project: ProjectFile, user_config: Path) -> bool:
    """Return whether exactly this content, at this path, was trusted."""
    try:
        lines = trust_list(user_config).read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return False
    return _line(project) in lines


def trust(project: ProjectFile, user_config: Path) -> None:
    """Record a project file's hash, in place of an older one of the same path."""
    from agentmem_cli.settings.files import write_private

    kept = [line for line in _lines(user_config) if _path_of(line) != _quoted(project.path)]
    write_private(trust_list(user_config), "\n".join([*kept, _line(project), ""]))


def distrust(path: Path, user_config: Path) -> bool:
    """Forget what was recorded of a path; False if nothing was."""
    from agentmem_cli.settings.files import write_private

    lines = _lines(user_config)
    kept = [line for line in lines if _path_of(line) != _quoted(path)]
    if len(kept) < len(lines):
        write_private(trust_list(user_config), "".join(f"{line}\n" for line in kept))
    return len(kept) < len(lines)


def _lines(user_config: Path) -> list[str]:
    try:
        return trust_list(user_config).read_text("utf-8", "surrogateescape").splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigurationError(
            f"cannot read {trust_list(user_config)}", hint=str(error.strerror)
        ) from error


def _line(project: ProjectFile) -> str:
    import hashlib

    return f"{hashlib.sha256(project.content).hexdigest()}  {_quoted(project.path)}"


def _path_of(line: str) -> str:
    return line.partition("  ")[2]


def _quoted(path: Path) -> str:
    # A path may hold a newline; a line of the list may not.
    return str(path).replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
