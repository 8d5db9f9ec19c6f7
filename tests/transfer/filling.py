"""Stores with everything in them that may move, and what they look like from outside."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agent_memory import clock
from agent_memory.records import MemoryRecord, Status
from agent_memory.storage.base import Store
from agent_memory.storage.changes import Add, Operation, Remove, Replace
from agent_memory.testing import builders
from agent_memory.transfer import moving
from agent_memory.transfer.stream import Parts

ALL_PARTS = Parts(history=True, usage=True, vectors=True)
WITH_VECTORS = Parts(vectors=True)
PRESENT = Parts()


async def exported(store: Store, parts: Parts = ALL_PARTS) -> bytes:
    file = io.BytesIO()
    await moving.export(store, file, parts)
    return file.getvalue()


async def imported(store: Store, text: bytes, **given: Any) -> moving.Moved:
    return await moving.import_(store, io.BytesIO(text), **given)


async def put(store: Store, *records: MemoryRecord, vectors: Any = None) -> list[Any]:
    written = await store.commit(Operation(verb="add"), [Add(record) for record in records], vectors)
    return [write.record for write in written]


async def change(store: Store, record: MemoryRecord, verb: str = "update", **fields: Any) -> Any:
    written = await store.commit(Operation(verb=verb), [Replace(replace(record, **fields), verb)])
    return written[0].record


async def remove(store: Store, record: MemoryRecord, *, erase: bool = False) -> None:
    await store.commit(Operation(verb="forget"), [Remove(record, erase=erase)])


async def fill(store: Store) -> dict[str, Any]:
    """Store all six types, and whatever else may have happened to a memory; some of it by name."""
    space = await store.add_space(builders.space("filled", 8))
    past = clock.now() - timedelta(days=3)
    records = [
        builders.note("the build is running", context_type="task", expires_at=past),
        builders.note("5", key="port", kind="working", value={"port": 5, "list": [1.5, None, "ü"]}),
        builders.fact("Alice lives in Lisbon", key="alice", tags=("home", "größe"), importance=1),
        builders.preference(
            "dark mode", metadata={"deep": {"a": [1, 2.0, -0.0, True, None]}, "": "x\u2028y"}
        ),
        *(builders.message(f"message {number} 記憶 😀", created_at=past) for number in range(5)),
        builders.event("Deployed\r\n\x1fdone", success=True, duration=90, participants=("Bob", "Al")),
        builders.document("Python was created by Guido", document_id="d", position=0, title="T"),
        builders.document("It is a language", document_id="d", position=1, created_at=past),
        builders.skill("On 429, wait", triggers=("429",), steps=("wait", "try again"), pinned=True),
    ]
    vectors = {
        builders.digest(item): pieces
        for item, *pieces in zip(
            records[2:],
            builders.random_vectors(len(records) - 2, seed=1),
            builders.random_vectors(len(records) - 2, seed=2),
            strict=True,
        )
    }
    stored = dict(zip(("note", "work", "fact", "pref"), await put(store, *records[:4]), strict=False))
    messages = await put(store, *records[4:9])
    rest = await put(store, *records[9:])
    stored |= dict(zip(("event", "first", "second", "skill"), rest, strict=True))
    await store.put_vectors(space, vectors)
    stored["fact"] = await change(store, stored["fact"], content="Alice lives in Porto", key="alice")
    stored["fact"] = await change(store, stored["fact"], "tag", tags=("home", "new"))
    stored["work"] = await change(store, stored["work"], content="6", value=6)
    await change(store, messages[1], "archive", status=Status.ARCHIVED)
    await change(store, stored["pref"], "merge", status=Status.SUPERSEDED, superseded_by=stored["fact"].id)
    purged, shredded = await put(store, builders.fact("to be purged"), builders.event("to be shredded"))
    await remove(store, await change(store, purged, content="was purged"))
    await remove(store, shredded, erase=True)
    await remove(store, messages[3])
    await store.commit(Operation(verb="restore"), [Add(messages[3], brought_back=True, verb="restore")])
    await store.touch([stored["fact"].id, stored["skill"].id])
    await store.touch([stored["fact"].id])
    await store.set_setting("conversation", "chat-1")
    return {**stored, "purged": purged, "shredded": shredded}
