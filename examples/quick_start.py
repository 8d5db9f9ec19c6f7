import asyncio
from agent_memory import AgentMemory, MemoryConfig

async def main():
    # Initialize with in-memory backend and dummy embeddings
    config = MemoryConfig(
        backend="memory",
        embedding_provider="dummy",  # Use "openai" for production
    )

    async with AgentMemory(agent_id="my-agent", config=config) as memory:
        # Short-term memory (session context)
        await memory.short_term.add("User prefers dark mode", importance=0.7)

        # Long-term memory (persistent facts)
        await memory.long_term.store_fact("User's name is Alice", tags=["personal"])

        # Conversation memory
        await memory.conversation.add_message(role="user", content="Hello!")
        await memory.conversation.add_message(role="assistant", content="Hi there!")

        # Episodic memory (events)
        await memory.episodic.record_event(
            event_type="task_completed",
            description="Finished code review",
            outcome="success",
        )

        # Semantic memory (vector search)
        await memory.semantic.add("Python was created by Guido van Rossum")
        results = await memory.semantic.search("Who made Python?", limit=5)

        # Procedural memory (skills)
        await memory.procedural.record_skill(
            name="error_handling",
            pattern="When API returns 429, retry with exponential backoff",
            triggers=["rate limit", "429"],
        )

asyncio.run(main())
