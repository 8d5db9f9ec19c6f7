"""What a store remembers by name, such as its agent and its default conversation."""

from __future__ import annotations

from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import checked
from agent_memory.storage.sqlite.damage import UnreadableError, check_text
from agent_memory.storage.sqlite.driver import Connection


def get(connection: Connection, name: str, damaged: Damaged) -> str | None:
    """Return a value; None where there is none, or one that is damaged."""
    row = connection.execute("select * from setting where name = ?", (name,)).fetchone()
    if row is None:
        return None
    try:
        if not isinstance(row[1], str):
            raise UnreadableError("it is no text")
        check_text("value", row[1])
        if len(row) > 2 and not checked.sound(row[:2], row[2]):
            raise UnreadableError("it was changed outside this program")
    except UnreadableError as error:
        damaged.meet(f"setting {name}", str(error))
        return None
    return row[1]


def put(connection: Connection, name: str, value: str | None) -> None:
    """Remember a value; None forgets it. Call it inside a write transaction."""
    connection.execute("delete from setting where name = ?", (name,))
    if value is not None:
        connection.execute("insert into setting (name, value) values (?, ?)", (name, value))
        if connection.execute("pragma user_version").fetchone()[0] >= checked.SINCE:
            checked.seal(connection, "setting", "name = ?", (name,))
