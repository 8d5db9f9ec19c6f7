"""The README's ten lines, without async."""

from agent_memory import SyncAgentMemory

with SyncAgentMemory("demo") as memory:
    memory.long_term.store_fact("User prefers dark mode", tags=["ui"])
    memory.episodic.record_event("deploy", "Deploy of v2 failed: disk full", outcome="failed")
    memory.procedural.record_skill("free-disk", "Delete old images with docker system prune")
    for found in memory.search("Which theme should the interface have?", limit=1):
        print(found.memory.content)
    print(memory.recall("why did the deploy fail", budget=500))
