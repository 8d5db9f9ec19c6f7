"""Deleting documents for good by their ids: all chunks that they ever had."""

from __future__ import annotations

import pytest

from agent_memory.agent import AgentMemory
from agent_memory.errors import MemoryNotFoundError
from agent_memory.storage.base import JournalStore
from agent_memory.testing.store.support import MemoryTests, texts


class ForgettingTests(MemoryTests):
    """Purging and shredding by the id of a document, on every store."""

    async def test_purging_a_document_takes_its_archived_chunks_too(self, memory: AgentMemory) -> None:
        await memory.semantic.add_chunks(["the secret word is xyzzy", "kept"], document_id="notes")
        await memory.semantic.add_chunks(["the word is public", "kept"], document_id="notes")
        await memory.semantic.add_chunks(["another document"], document_id="other")
        assert await memory.count(status="archived") == 1
        gone = await memory.forget("notes", purge=True)
        assert sorted(texts(gone)) == ["kept", "the secret word is xyzzy", "the word is public"]
        assert texts(await memory.list(None, status=None)) == ["another document"]

    async def test_forgetting_a_document_archives_its_active_chunks_alone(self, memory: AgentMemory) -> None:
        await memory.semantic.add_chunks(["first", "kept"], document_id="notes")
        await memory.semantic.add_chunks(["second", "kept"], document_id="notes")
        assert sorted(texts(await memory.forget("notes"))) == ["kept", "second"]
        assert await memory.count(status="archived") == 3

    async def test_shredding_a_document_leaves_nothing_of_earlier_versions(self, memory: AgentMemory) -> None:
        await memory.semantic.add_chunks(["the secret word is xyzzy", "kept"], document_id="notes")
        await memory.semantic.add_chunks(["the word is public", "kept"], document_id="notes")
        plan = await memory.plan_forget("notes", shred=True)
        assert len(plan.records) == 3
        assert len(await memory.forget(plan)) == 3
        assert await memory.list(None, status=None) == []
        store = memory.backend
        if isinstance(store, JournalStore):
            assert await store.purged() == []
            versions = await store.histories([record.id for record in plan.records])
            shown = [entry for entries in versions.values() for entry in entries]
            assert all(entry.before is None and entry.after is None for entry in shown)
        with pytest.raises(MemoryNotFoundError):
            await memory.forget("notes", shred=True)

    async def test_a_document_that_was_purged_can_be_shredded_by_its_id(self, memory: AgentMemory) -> None:
        await memory.semantic.add_chunks(["the secret word is xyzzy", "kept"], document_id="notes")
        await memory.semantic.add_chunks(["the word is public", "kept"], document_id="notes")
        await memory.forget("notes", purge=True)
        store = memory.backend
        if isinstance(store, JournalStore):
            assert len(await store.purged()) == 3
            assert len(await memory.forget("notes", shred=True)) == 3
            assert await store.purged() == []
        with pytest.raises(MemoryNotFoundError):  # where nothing is kept of what was purged, at once
            await memory.forget("notes", shred=True)
