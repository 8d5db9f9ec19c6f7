"""What undo says of what it cannot take back; what it takes back is tried by the suite of every backend."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import AgentMemory, MemoryConfig

pytestmark = pytest.mark.anyio


async def test_undo_says_how_many_imports_it_passes_over(
    memory: AgentMemory, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await memory.long_term.add("first")
    for number in (1, 2):
        async with AgentMemory(f"other {number}", MemoryConfig(backend="memory")) as other:
            await other.long_term.add(f"theirs {number}")
            await other.export_to(tmp_path / f"{number}.ndjson")
        await memory.import_from(tmp_path / f"{number}.ndjson")
    assert len(await memory.undo(dry_run=True)) == 1
    assert "undo passes over 2 imports" in caplog.text
    caplog.clear()
    await memory.long_term.add("last")
    assert len(await memory.undo()) == 1
    assert caplog.text == ""
    assert len(await memory.undo()) == 1
    assert "passes over 2 imports" in caplog.text
    caplog.clear()
    assert await memory.undo() == []
    assert "passes over 2 imports" in caplog.text
