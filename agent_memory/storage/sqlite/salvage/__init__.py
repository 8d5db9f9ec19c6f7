"""Saving what SQLite can still read of a damaged file into a new one.

`source` opens a copy of the file, mending what stands in the way of reading; `reaching` reads every row that can be
reached, from both ends and through the indexes; `filling` writes them into the new file, and brings back from the
history what is lost of the memories themselves.
"""

from __future__ import annotations

from pathlib import Path

from agent_memory import filesystem
from agent_memory.errors import IntegrityError, MemoryNotFoundError, ValidationError
from agent_memory.hints import Hint
from agent_memory.storage.sqlite import ownership
from agent_memory.storage.sqlite.connection import BUSY_TIMEOUT, open_file
from agent_memory.storage.sqlite.errors import translated
from agent_memory.storage.sqlite.salvage import filling, reaching, source
from agent_memory.storage.sqlite.salvage.filling import Salvaged


def salvage(path: Path, new: Path) -> Salvaged:
    """Save every row that can still be reached into a new file. The old file is only read.

    Returns:
        What was saved, and what could not be.

    Raises:
        MemoryNotFoundError: there is no such file.
        ValidationError: there is something at `new`, or no folder for it.
        IntegrityError: nothing can be read; no new file is left then.
    """
    if not filesystem.file_size(path):
        raise MemoryNotFoundError(str(path), what="memory file", hint=Hint("give {FILE} of a damaged one"))
    if any(
        filesystem.kind(position)
        for position in (new, *(ownership.beside(new, item) for item in ownership.BESIDE))
    ):
        raise ValidationError(f"{new} is there already", hint="give a name that is free")
    if not new.absolute().parent.is_dir():
        raise ValidationError(f"there is no folder {new.absolute().parent}", hint="make it first")
    try:
        with translated(str(path)), source.opened(path, new.absolute().parent) as old:
            reached = reaching.everything(old.connection)
        if not reached.rows["memory"] and not reached.rows["journal"]:
            raise IntegrityError(f"no memory can be read in {path}", hint="restore it from a backup")
        connection, unwritable = open_file(str(new), busy_timeout=BUSY_TIMEOUT, synchronous="full")
        if unwritable is not None:
            connection.close()
            raise unwritable
        try:
            return filling.fill(connection, reached, first_form=old.first_form)
        finally:
            connection.close()
    except BaseException:
        ownership.delete(new)
        raise


__all__ = ["Salvaged", "salvage"]
