"""The blocking face of `EpisodicMemory`."""

from __future__ import annotations

from agent_memory.memories.episodic import EpisodicMemory
from agent_memory.records import EpisodicRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking


class SyncEpisodicMemory(SyncTypeMemory[EpisodicRecord]):
    """The same as `EpisodicMemory`, blocking."""

    record_event = blocking(EpisodicMemory.record_event)
    record_action = blocking(EpisodicMemory.record_action)
    get_events_by_type = blocking(EpisodicMemory.get_events_by_type)
    get_events_in_range = blocking(EpisodicMemory.get_events_in_range)
    get_recent_events = blocking(EpisodicMemory.get_recent_events)
    get_successful_events = blocking(EpisodicMemory.get_successful_events)
    get_failed_events = blocking(EpisodicMemory.get_failed_events)
    find_similar_events = blocking(EpisodicMemory.find_similar_events)
    get_event_timeline = blocking(EpisodicMemory.get_event_timeline)
