"""The history of a memory: what was done to it, by which operation, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_memory import MemoryConfig, SyncAgentMemory
from agent_memory.settings import Settings
from agent_memory.verbs import Verb


@pytest.mark.parametrize("backend", ["sqlite", "memory"])
def test_a_version_tells_which_operation_made_it(backend: str) -> None:
    settings: Settings = MemoryConfig(backend=backend, embedding_provider="none").settings()
    settings.actor = "a test"
    with SyncAgentMemory("t", settings) as memory:
        id = memory.long_term.add("one")
        memory.update(id, "two")
        memory.clear_all()
        memory.undo()
        memory.forget(id, purge=True)
        found = [(version.verb, version.operation_verb, version.actor) for version in memory.history(id)]
    assert found == [
        ("add", Verb.ADD, "a test"),
        ("update", Verb.UPDATE, "a test"),
        ("archive", Verb.CLEAR_ALL, "a test"),
        ("undo", Verb.UNDO, "a test"),
        ("purge", Verb.FORGET, "a test"),
    ]


def test_a_chunk_that_is_replaced_tells_that_its_document_was_updated(tmp_path: Path) -> None:
    file = tmp_path / "notes.md"
    file.write_text("The cache is in Oslo.")
    with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        (document,) = memory.semantic.add_paths(file).documents
        file.write_text("Nothing of that is left.")
        memory.semantic.add_paths(file)
        assert [(v.verb, v.operation_verb) for v in memory.history(document.ids[0])] == [
            ("add", "add"),
            ("archive", "update"),
        ]
        assert [operation.verb for operation in memory.log()] == ["update", "add"]


def test_an_operation_keeps_its_verb_as_plain_text() -> None:
    with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="none")) as memory:
        memory.long_term.add("one")
        (operation,) = memory.log()
        assert type(operation.verb) is str
        (version,) = memory.history(memory.list()[0].id)
        assert type(version.verb) is str
