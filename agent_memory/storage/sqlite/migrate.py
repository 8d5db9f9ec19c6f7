"""Bringing a file's schema up to date, all of it in one transaction.

The steps are plain numbered SQL. Tables and columns of the memory types need none: a type or field declares the
schema version that brings it (`records.own_field`), and `declared.py` adds what a file lacks. SQLite and PostgreSQL
count alike from version 5 on; a number is either a step's or a declaration's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from agent_memory.errors import IntegrityError
from agent_memory.hints import Hint
from agent_memory.records import NEWEST_FIELD, OWN_FIELDS
from agent_memory.storage.sqlite import declared, driver
from agent_memory.storage.sqlite.driver import Connection

APPLICATION_ID: Final = 0x41474D31  # "AGM1": how `file` and we know our files
FOLDER: Final = Path(__file__).parent / "migrations"


class Migration(NamedTuple):
    """One step from a schema version to the next."""

    number: int
    path: Path


def migrations(folder: Path = FOLDER) -> list[Migration]:
    """List the steps in order; `0001_first.sql` makes version 1."""
    # Not `glob`: since Python 3.12 it finds nothing where the folder cannot be read, and says nothing.
    return sorted(Migration(int(path.name[:4]), path) for path in folder.iterdir() if path.suffix == ".sql")


def newest(folder: Path = FOLDER) -> int:
    """Return the schema version that this program writes: the newest step's, or the newest declared field's."""
    return max(migrations(folder)[-1].number, NEWEST_FIELD)


def schema_version(connection: Connection) -> int:
    """Return the version of the file's schema; 0 where there is none yet."""
    return int(connection.execute("pragma user_version").fetchone()[0])


def check_ours(connection: Connection, path: str, known: int) -> int:
    """Return the schema version of a file of ours, 0 for an empty one.

    Raises:
        IntegrityError: it is another program's, or a later version's of this one.
    """
    # The application id is read last: somebody may be making the file at this moment, and it must not seem to have
    # tables of nobody's.
    tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
    version = schema_version(connection)
    application = connection.execute("pragma application_id").fetchone()[0]
    if application == APPLICATION_ID:
        if version > known:
            raise IntegrityError(
                f"{path} was written by a newer version (schema {version}, this one knows {known})",
                hint="upgrade this program",
            )
        return version
    if application or version or tables:
        raise IntegrityError(
            f"{path} is a database of another program", hint=Hint("give {ANOTHER_FILE}; nothing was changed")
        )
    return 0


def migrate(connection: Connection, folder: Path = FOLDER) -> bool:
    """Apply the steps that are missing, and add what the record classes declare. Call it inside `begin immediate`.

    Returns:
        Whether there were any.
    """
    version = schema_version(connection)  # looked at again: somebody may have been faster
    known = newest(folder)
    if version >= known:
        return False
    for step in migrations(folder):
        if step.number > version:
            for statement in statements(step.path.read_text(encoding="utf-8")):
                connection.execute(statement)
    declared.add_missing(connection, OWN_FIELDS)
    connection.execute(f"pragma user_version = {known}")
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    return True


def statements(script: str) -> Iterator[str]:
    """Cut a script into its statements; `executescript` would commit our transaction."""
    pending = ""
    for part in script.split(";")[:-1]:
        pending += f"{part};"
        if driver.module.complete_statement(pending):  # and not a semicolon in a text, a comment or a trigger
            yield pending
            pending = ""
