"""The blocking face of `LongTermMemory`."""

from __future__ import annotations

from agent_memory.memories.long_term import LongTermMemory
from agent_memory.records import LongTermRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking


class SyncLongTermMemory(SyncTypeMemory[LongTermRecord]):
    """The same as `LongTermMemory`, blocking."""

    store_fact = blocking(LongTermMemory.store_fact)
    store_fact_detailed = blocking(LongTermMemory.store_fact_detailed)
    store_preference = blocking(LongTermMemory.store_preference)
    store_preference_detailed = blocking(LongTermMemory.store_preference_detailed)
    get_preferences = blocking(LongTermMemory.get_preferences)
    get_facts = blocking(LongTermMemory.get_facts)
    update_fact = blocking(LongTermMemory.update_fact)
    update_fact_detailed = blocking(LongTermMemory.update_fact_detailed)
    get_by_tags = blocking(LongTermMemory.get_by_tags)
    add_tags = blocking(LongTermMemory.add_tags)
    find_duplicates = blocking(LongTermMemory.find_duplicates)
    consolidate_duplicates = blocking(LongTermMemory.consolidate_duplicates)
