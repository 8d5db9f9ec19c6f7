"""What one memory that cannot be read may stop: nothing but itself. Each server's tests damage one in their ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent_memory import AgentMemory, MemoryConfig
from agent_memory.errors import IntegrityError

_APPLE, _BANANA, _CHERRY = (f"the {name} is ripe" for name in ("apple", "banana", "cherry"))
Damage = Callable[[str], None]
"""Damages the memory with this id."""


async def stops_nothing_but_itself(config: MemoryConfig, damage: Damage, folder: Path) -> None:
    """Damage one of three memories, and use the store in every way."""
    async with AgentMemory("tester", config=config) as memory:
        apple, banana, cherry = [
            await memory.long_term.add(text, tags=["fruit"]) for text in (_APPLE, _BANANA, _CHERRY)
        ]
        damage(banana)

        async def contents() -> set[str]:
            return {item.content for item in await memory.list()}

        assert await contents() == {_APPLE, _CHERRY}
        assert [name for name in memory.damaged if name.startswith("memory ")] == [f"memory {banana}"]
        assert {item.content for item in await memory.list(tags=["fruit"])} == {_APPLE, _CHERRY}
        for reference in (banana, banana[:8]):
            with pytest.raises(IntegrityError, match=f"memory {banana} is damaged"):
                await memory.get(reference)
        for query in ("apple is ripe", "banana is ripe"):
            assert banana not in {result.memory.id for result in await memory.search(query)}
        assert "apple" in (await memory.recall("what is ripe", min_relevance=0)).text
        await memory.export_to(folder / "export.ndjson")
        exported = (folder / "export.ndjson").read_text()
        assert apple in exported
        assert cherry in exported
        faults = [str(fault) for fault in await memory.check()]
        assert faults
        assert all(banana in fault for fault in faults)
        again = await memory.long_term.add(_BANANA)
        assert again != banana
        await memory.update(apple, "the apple is eaten")
        await memory.forget(cherry)
        if memory.backend.capabilities.journal:
            await memory.undo()
            assert await contents() == {"the apple is eaten", _BANANA, _CHERRY}
        assert all(banana in str(fault) for fault in await memory.repair())
        assert again in {result.memory.id for result in await memory.search("banana is ripe")}
    async with AgentMemory("tester", config=config) as reopened:
        assert "the apple is eaten" in {item.content for item in await reopened.list()}
        with pytest.raises(IntegrityError, match="is damaged"):
            await reopened.get(banana)


async def history_stops_nothing_but_itself(config: MemoryConfig, damage: Damage) -> None:
    """Damage the first change of one of two memories, and use the journal in every way."""
    async with AgentMemory("tester", config=config) as memory:
        apple, cherry = [await memory.long_term.add(text) for text in (_APPLE, _CHERRY)]
        await memory.update(apple, "the apple is eaten")
        await memory.update(cherry, "the cherry is eaten")
        damage(apple)
        assert len(await memory.history(cherry)) == 2
        assert [version.verb for version in await memory.history(apple)] == ["update"]
        assert any("change" in name for name in memory.damaged)
        assert len(await memory.log()) == 4
        faults = [str(fault) for fault in await memory.check()]
        assert len(faults) == 1
        assert "change" in faults[0]
        await memory.undo()
        assert {item.content for item in await memory.list()} == {"the apple is eaten", _CHERRY}
        with pytest.raises(IntegrityError, match="is damaged"):
            await memory.undo(3)
