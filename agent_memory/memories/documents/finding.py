"""Which files are meant by the paths that somebody names: files as they are, folders with all that lies in them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from agent_memory.errors import ValidationError
from agent_memory.hints import Hint

Place = str | os.PathLike[str]
_SHOWN = 80  # characters of a name in an error: a whole text may have been given by mistake


class File(NamedTuple):
    """A file that a document is read from."""

    path: str
    """Absolute, with every link resolved: what the document is known by."""
    shown: str
    """As it was named, or as its folder was."""
    named: bool
    """It was named itself, so that it is an error if it cannot be read."""


class Folder(NamedTuple):
    """A folder that was named."""

    path: str
    """Absolute, with every link resolved."""
    shown: str
    empty: bool
    """Nothing at all lies in it, as in the place of a disk that is not mounted."""


class Skipped(NamedTuple):
    """A file that was found and not read, and why."""

    shown: str
    reason: str


class Finding(NamedTuple):
    """What was found."""

    files: list[File]
    """Each once, in the order of the paths, a folder's in the order of their names."""
    folders: list[Folder]
    skipped: list[Skipped]


def find(paths: Iterable[Place], pattern: str | None = None) -> Finding:
    """Find the files that paths name.

    In folders, and the folders in them, hidden files are left out, and so is what a link to a folder leads to.
    Links to files are followed.

    Args:
        paths: files and folders, opened as they are given.
        pattern: of files in folders only those whose name, or path within the folder, fits, such as `*.md` or
            `guides/*.txt`. Where no folder is named: the files too that it fits, seen from the current folder.

    Returns:
        The files, the folders that were named, and what was skipped.

    Raises:
        ValidationError: there is nothing of that name, or it is neither a file nor a folder.
    """
    finding = Finding([], [], [])
    files = list(_files([os.fspath(path) for path in paths], pattern, finding))
    if pattern is not None and not finding.folders:
        files += [(shown, False) for shown in _matching(pattern)]
    known: dict[str, File] = {}
    for shown, by_name in files:
        path = os.path.realpath(shown)
        if not _is_unicode(path):
            if by_name:
                raise ValidationError(f"the name of {_cut(shown)} is not UTF-8", hint="rename it")
            finding.skipped.append(Skipped(_cut(shown), "has a name that is not UTF-8"))
            continue
        before = known.get(path)
        if before is None or (by_name and not before.named):
            known[path] = File(path, before.shown if before is not None else shown, by_name)
    finding.files.extend(known.values())
    return finding


def is_gone(path: str) -> bool:
    """Return whether a file is not there any more; one that only cannot be looked at is not gone."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _files(named: Iterable[str], pattern: str | None, finding: Finding) -> Iterator[tuple[str, bool]]:
    for shown in named:
        mode = _mode(shown)
        if stat.S_ISREG(mode):
            yield shown, True
        elif stat.S_ISDIR(mode):
            within = list(_walk(shown, pattern, finding))
            finding.folders.append(Folder(os.path.realpath(shown), shown, _is_empty(shown)))
            yield from ((item, False) for item in within)
        else:
            raise ValidationError(
                f"{_cut(shown)} is neither a file nor a folder", hint="pipe its text in, and give - instead"
            )


def _mode(shown: str) -> int:
    try:
        return os.stat(shown).st_mode  # noqa: PTH116 - for Path the empty name is a folder
    except (OSError, ValueError) as error:  # ValueError: a NUL within the name
        if os.path.islink(shown):  # noqa: PTH114
            raise ValidationError(
                f"{_cut(shown)} is a link to nothing", hint="name the file that is meant"
            ) from None
        if isinstance(error, PermissionError):
            raise ValidationError(
                f"cannot read {_cut(shown)}: {error.strerror}", hint="see `ls -l`"
            ) from None
        raise ValidationError(
            f"there is no file or folder '{_cut(shown)}'",
            hint=Hint("check the name; a text, not a path, is given with {DOCUMENT_TEXT}"),
        ) from None


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _cut(shown: str) -> str:
    """Return a name for people, on one line, not too long, and printable whatever its bytes are."""
    line = " ".join(shown.encode("utf-8", "replace").decode().split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def _walk(folder: str, pattern: str | None, finding: Finding) -> Iterator[str]:
    """Iterate over a folder and those in it, without recursion: how deep they go is not ours to say."""
    waiting = [(folder, "")]
    while waiting:
        position, within = waiting.pop()
        try:
            with os.scandir(position) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            if not within:
                raise ValidationError(
                    f"cannot read the folder {_cut(position)}: {error.strerror}", hint="see `ls -ld`"
                ) from None
            finding.skipped.append(Skipped(position, f"cannot be read ({error.strerror})"))
            continue
        deeper: list[tuple[str, str]] = []
        for entry in entries:
            relative = f"{within}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                deeper.append((entry.path, f"{relative}/"))
            elif entry.is_dir():
                finding.skipped.append(Skipped(entry.path, "is a link to a folder; name that folder"))
            elif pattern is None or fits(relative, pattern):
                if entry.is_file():
                    yield entry.path
                else:
                    reason = "is a link to nothing" if entry.is_symlink() else "is not a regular file"
                    finding.skipped.append(Skipped(entry.path, reason))
        waiting += reversed(deeper)


def fits(relative: str, pattern: str) -> bool:
    """Return whether a file's name, or its path within its folder, fits a pattern; `**/` may stand for nothing."""
    name = relative.rpartition("/")[2]
    return any(
        fnmatchcase(text, item) for text in (name, relative) for item in (pattern, pattern.replace("**/", ""))
    )


def _matching(pattern: str) -> list[str]:
    from glob import glob

    paths = sorted(name for name in glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not paths:
        raise ValidationError(f"no file fits '{_cut(pattern)}'", hint="quote the pattern, and try it with ls")
    return paths
