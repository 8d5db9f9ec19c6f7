"""Asking a backend whether it keeps agents apart."""

from __future__ import annotations

from agent_memory.storage.base import Store, vector_store
from agent_memory.storage.changes import new_id
from agent_memory.storage.isolation import leaks


async def check_isolation(store: Store) -> list[str]:
    """Plant a canary for a made-up agent beside a store, and ask for it as another; see `AgentMemory`."""
    space = await vector_store(store).current_space() if store.capabilities.vectors else None
    name = f"canary-{new_id()}"
    planted, asked = store.sibling(f"{name}-planted"), store.sibling(f"{name}-asking")
    await planted.open()
    try:
        await asked.open()
        try:
            # A backend may hold vectors of one dimension only: that of the memories it has.
            return await (
                leaks(planted, asked) if space is None else leaks(planted, asked, dimension=space.dimension)
            )
        finally:
            await asked.drop()
    finally:
        await planted.drop()
