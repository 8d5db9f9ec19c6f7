"""The newest messages of a conversation cost the same however long it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory.records import MemoryType
from agent_memory.storage.base import Order
from agent_memory.storage.damage import Damaged
from agent_memory.storage.sqlite import driver, filters, reading
from agent_memory.storage.sqlite.damage import ReadContext
from agent_memory.storage.where import Condition, Where
from agent_memory.testing import builders

from .support import add, opened, raw

pytestmark = pytest.mark.anyio
NEWEST = Where(
    types=(MemoryType.CONVERSATION,),
    fields=(
        Condition("kind", "=", "message"),
        Condition("conversation_id", "=", "long"),
        Condition("role", "!=", "system"),
    ),
)


def steps(connection: driver.Connection) -> int:
    """Read the newest ten messages, and count SQLite's steps in hundreds."""
    taken = 0

    def one_more() -> int:
        nonlocal taken
        taken += 1
        return 0

    connection.set_progress_handler(one_more, 100)
    found = reading.select(connection, ReadContext("tester", Damaged()), NEWEST, Order("position"), 10, 0)
    connection.set_progress_handler(None, 0)
    assert len(found) == 10
    return taken


async def test_a_window_of_a_long_conversation_takes_no_more_steps(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    taken = []
    async with opened(path) as store:
        for count in (50, 4_000):
            messages = [
                builders.message(f"message {number}", conversation_id="long") for number in range(count)
            ]
            await add(store, *messages)
            with raw(path) as connection:
                filters.register(connection)
                taken.append(steps(connection))
    assert taken[1] <= 2 * taken[0]
