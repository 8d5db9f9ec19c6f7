"""What may be chosen from is what the library accepts, and what the command line says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent_memory import AgentMemoryError, MemoryConfig, SyncAgentMemory, choices


@pytest.mark.parametrize(
    ("names", "call"),
    [
        (choices.modes, lambda memory, name: memory.search("zebra", mode=name)),
        (choices.formats, lambda memory, name: memory.recall("zebra", format=name)),
        (choices.orders, lambda memory, name: memory.list(sort=name)),
    ],
)
def test_each_choice_is_accepted_and_another_is_not(
    names: Callable[[], tuple[str, ...]], call: Callable[[SyncAgentMemory, str], object]
) -> None:
    with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="dummy")) as memory:
        memory.long_term.add("a zebra")
        for name in names():
            assert call(memory, name)
        with pytest.raises(AgentMemoryError, match="nothing-of-this"):
            call(memory, "nothing-of-this")


def test_a_list_reads_as_a_sentence() -> None:
    assert choices.listed(["a", "b", "c"]) == "a, b or c"
    assert choices.listed(["a"]) == "a"
    assert "refuse" in choices.conflicts()
