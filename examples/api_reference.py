"""Every call of the README's API reference, on any backend: `python examples/api_reference.py [BACKEND]`."""

import asyncio
import sys
from datetime import timedelta

from agent_memory import AgentMemory, MemoryConfig


async def main(backend: str) -> None:
    config = MemoryConfig(
        backend=backend,
        embedding_provider="dummy",
        backend_config={},
        embedding_config={},
        short_term_ttl=timedelta(hours=1),
        conversation_max_messages=100,
        enable_scoring=True,
        enable_decay=True,
    )
    async with AgentMemory(agent_id="reference", config=config) as memory:
        # Short-term: the context of the task at hand
        await memory.short_term.add("context", importance=0.7)
        await memory.short_term.add_context("task state", context_type="task")
        await memory.short_term.set_working_memory("key", "value")
        value = await memory.short_term.get_working_memory("key")
        assert value == "value"
        await memory.short_term.cleanup_expired()

        # Long-term: facts and preferences
        await memory.long_term.store_fact("fact", tags=["tag1", "tag2"])
        await memory.long_term.store_preference("category", "preference")
        facts = await memory.long_term.get_facts(tags=["tag1"])
        prefs = await memory.long_term.get_preferences("category")
        assert [fact.content for fact in facts] == ["fact"]
        assert [pref.content for pref in prefs] == ["preference"]

        # Conversation: who said what
        await memory.conversation.add_message(role="user", content="Hello")
        messages = await memory.conversation.get_messages(limit=10)
        turns = await memory.conversation.get_last_n_turns(5)
        history = await memory.conversation.format_history()
        assert len(messages) == len(turns) == 1
        assert history == "user: Hello"
        await memory.conversation.new_conversation()

        # Episodic: what happened
        await memory.episodic.record_event(
            event_type="action",
            description="Did something",
            outcome="success",
        )
        events = await memory.episodic.get_events_by_type("action")
        recent = await memory.episodic.get_recent_events(hours=24)
        assert events == recent
        assert len(events) == 1

        # Semantic: knowledge by meaning
        memory_id = await memory.semantic.add("knowledge content")
        results = await memory.semantic.search("query", limit=10)
        related = await memory.semantic.find_related(memory_id, limit=5)
        assert [result.memory.id for result in results] == [memory_id]
        assert related == []

        # Procedural: how things are done
        skill_id = await memory.procedural.record_skill(
            name="skill_name",
            pattern="How to do something",
            triggers=["trigger1", "trigger2"],
        )
        skills = await memory.procedural.find_applicable_skills("situation with trigger1")
        await memory.procedural.record_skill_usage(skill_id, success=True)
        assert [skill.memory.id for skill in skills] == [skill_id]

        stats = await memory.get_stats()
        print(f"{backend}: {stats['total']} memories of six types")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "memory"))
