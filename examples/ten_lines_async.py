"""The README's ten lines, with async."""

import asyncio

from agent_memory import AgentMemory


async def main() -> None:
    async with AgentMemory("demo") as memory:
        await memory.long_term.store_fact("User prefers dark mode", tags=["ui"])
        await memory.episodic.record_event("deploy", "Deploy of v2 failed: disk full", outcome="failed")
        await memory.procedural.record_skill("free-disk", "Delete old images with docker system prune")
        for found in await memory.search("Which theme should the interface have?", limit=1):
            print(found.memory.content)
        print(await memory.recall("why did the deploy fail", budget=500))


asyncio.run(main())
