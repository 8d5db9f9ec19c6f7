"""The blocking face of `ShortTermMemory`."""

from __future__ import annotations

from agent_memory.memories.short_term import ShortTermMemory
from agent_memory.records import ShortTermRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking


class SyncShortTermMemory(SyncTypeMemory[ShortTermRecord]):
    """The same as `ShortTermMemory`, blocking."""

    add_context = blocking(ShortTermMemory.add_context)
    get_context = blocking(ShortTermMemory.get_context)
    set_working_memory = blocking(ShortTermMemory.set_working_memory)
    get_working_memory = blocking(ShortTermMemory.get_working_memory)
    list_working_memory = blocking(ShortTermMemory.list_working_memory)
    plan_clear = blocking(ShortTermMemory.plan_clear)
    cleanup_expired = blocking(ShortTermMemory.cleanup_expired)
    extend_ttl = blocking(ShortTermMemory.extend_ttl)
