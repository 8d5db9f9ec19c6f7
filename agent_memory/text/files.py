"""Files whose whole text becomes one memory each, or is read line by line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from agent_memory.errors import ValidationError
from agent_memory.text.incoming import decoded, whole_file


class FileText(NamedTuple):
    """What stands in a file, and where it was read."""

    text: str
    source: str
    """The path as it was given."""


def read_files(paths: Iterable[str | os.PathLike[str]], glob: str | None = None) -> list[FileText]:
    """Read the text of files.

    Args:
        paths: the files.
        glob: a pattern of further files, seen from the current folder; `**` stands for any folders.

    Returns:
        The text of each file, without the newlines at its end; those of the pattern last, by name.

    Raises:
        ValidationError: no file fits the pattern, or a file is empty, is no UTF-8 text or cannot be read.
    """
    places = [*map(Path, paths), *(_matching(glob) if glob else ())]
    return [_read(path) for path in places]


def _read(path: Path) -> FileText:
    try:
        text = decoded(whole_file(str(path)), str(path))
    except OSError as error:
        raise ValidationError(f"cannot read {path}: {error.strerror}", hint="check the name") from None
    if not text.strip():
        raise ValidationError(f"{path} is empty", hint="leave it out")
    return FileText(text.rstrip("\n"), str(path))


def _matching(pattern: str) -> list[Path]:
    from glob import glob

    paths = sorted(Path(name) for name in glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not paths:
        raise ValidationError(f"no file fits '{pattern}'", hint="quote the pattern, and try it with ls")
    return paths
