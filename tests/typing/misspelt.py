"""What a type checker has to refuse: each line's comment names the error. Never run."""

from __future__ import annotations

from agent_memory import AgentMemory, Filters, MemoryConfig, SyncAgentMemory

MemoryConfig(backnd="sqlite")  # call-arg
MemoryConfig(offline="perhaps")  # arg-type
config = MemoryConfig()
config.offlin = True  # attr-defined
filters: Filters = {"sesion": "x"}  # typeddict-unknown-key


async def asynchronous(memory: AgentMemory) -> None:
    await memory.search("x", sesion="y")  # call-arg
    await memory.search("x", mode="words")  # arg-type
    await memory.recall("x", pined=True)  # call-arg
    await memory.list(metdata={})  # call-arg
    await memory.count(tag="x")  # call-arg
    await memory.forget_where(type="fact")  # call-arg
    await memory.update("x", outcom="failed")  # call-arg
    await memory.update("x", importance="high")  # arg-type
    await memory.add("x", "fact", categry="y")  # call-arg
    await memory.add_detailed("x", "fact", categry="y")  # call-arg
    await memory.add_files("x.md", taggs="y")  # call-arg
    await memory.long_term.add("x", categry="y")  # call-arg
    await memory.list(status="archive")  # arg-type
    print((await memory.of("fact").list())[0].contents)  # attr-defined
    await memory.long_term.list(min_importnce=0.5)  # call-arg
    memory.iterate(sesion="y")  # call-arg


def blocking(memory: SyncAgentMemory) -> None:
    memory.search("x", sesion="y")  # call-arg
    memory.search("x", 5, "fact", pinned="yes")  # arg-type
    memory.recall("x", pined=True)  # call-arg
    memory.list(metdata={})  # call-arg
    memory.count(tag="x")  # call-arg
    memory.forget_where(type="fact")  # call-arg
    memory.update("x", outcom="failed")  # call-arg
    memory.update("x", revison="r")  # call-arg
    memory.add("x", "fact", categry="y")  # call-arg
    memory.long_term.add("x", categry="y")  # call-arg
    memory.episodic.record_event("a", "b", outcom="c")  # call-arg
    memory.conversation.add_message("user", "a", tag="b")  # call-arg
    memory.procedural.record_skill("a", "b", trigers="c")  # call-arg
    memory.semantic.add_document("a", titel="b")  # call-arg
    memory.episodic.count(sesion="y")  # call-arg
    memory.count(status=["active", "archive"])  # list-item
    print(memory.of("fact").list()[0].contents)  # attr-defined
    print(memory.long_term.list()[0].categry)  # attr-defined
    record = memory.episodic.get("x")
    assert record is not None
    print(record.outcom)  # attr-defined
    print(record.triggers)  # attr-defined
