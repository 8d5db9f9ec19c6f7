"""How often one search asks the database; for PostgreSQL and Redis see the tests of these."""

from __future__ import annotations

from pathlib import Path

import pytest
from servers.counting import fill, search

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.storage.sqlite import SqliteStore

pytestmark = pytest.mark.anyio

BEFORE = 90
"""SQL statements of this search when every question was asked by itself (commit 178db8c), measured in the same way:
those that SQLite's own modules run in turn are not counted."""


async def test_a_search_runs_at_most_half_of_the_statements_that_it_once_ran(tmp_path: Path) -> None:
    config = MemoryConfig(backend_config={"path": tmp_path / "a.db"}, embedding_provider="dummy")
    async with AgentMemory(config=config) as memory:
        await fill(memory)
        await search(memory)
        statements: list[str] = []
        store = memory.backend
        assert isinstance(store, SqliteStore)
        await store._run(lambda connection: connection.set_trace_callback(statements.append))
        results = await search(memory)
        await store._run(lambda connection: connection.set_trace_callback(None))
    assert "ConversationRecord" in {type(result.memory).__name__ for result in results}
    asked = [statement for statement in statements if not statement.startswith("--")]
    assert 10 < len(asked) <= BEFORE / 2, "\n".join(asked)
