"""The blocking face of `ProceduralMemory`."""

from __future__ import annotations

from agent_memory.memories.procedural import ProceduralMemory
from agent_memory.records import ProceduralRecord
from agent_memory.sync.blocking import SyncTypeMemory, blocking


class SyncProceduralMemory(SyncTypeMemory[ProceduralRecord]):
    """The same as `ProceduralMemory`, blocking."""

    record_skill = blocking(ProceduralMemory.record_skill)
    record_workflow = blocking(ProceduralMemory.record_workflow)
    get_skill = blocking(ProceduralMemory.get_skill)
    require_skill = blocking(ProceduralMemory.require_skill)
    use_skill = blocking(ProceduralMemory.use_skill)
    get_skill_as_object = blocking(ProceduralMemory.get_skill_as_object)
    get_skills_by_category = blocking(ProceduralMemory.get_skills_by_category)
    find_applicable_skills = blocking(ProceduralMemory.find_applicable_skills)
    record_skill_usage = blocking(ProceduralMemory.record_skill_usage)
    get_most_used_skills = blocking(ProceduralMemory.get_most_used_skills)
    get_most_successful_skills = blocking(ProceduralMemory.get_most_successful_skills)
    add_trigger = blocking(ProceduralMemory.add_trigger)
