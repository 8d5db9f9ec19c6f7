"""One resolver: what an id, a key, a document, a title or a name means, in the library and so for every face."""

from __future__ import annotations

import pytest

from agent_memory import AmbiguousIdError, MemoryNotFoundError, SyncAgentMemory, ValidationError
from agent_memory.memories.references import conversation

LONG = "\n\n".join(f"Section {number}: " + "much is said here about it. " * 20 for number in range(12))


@pytest.fixture
def memory(cutting_memory: SyncAgentMemory) -> SyncAgentMemory:
    return cutting_memory


def test_a_document_is_named_by_its_id_a_prefix_of_it_or_its_title(memory: SyncAgentMemory) -> None:
    ids = memory.semantic.add_document(LONG, title="Handbook")
    document = memory.semantic.get_documents()[0].id
    assert len(ids) > 3
    for reference in (document, document[:6], ids[2], "Handbook"):
        assert [chunk.id for chunk in memory.semantic.get_document(reference)] == ids
    assert memory.semantic.get_document("nothing") == []
    assert [record.id for record in memory.get_named(document)[document]] == ids


def test_the_newest_document_of_a_title_counts(memory: SyncAgentMemory) -> None:
    memory.semantic.add_document("the first text", title="Notes")
    newer = memory.semantic.add("the second text", title="Notes")
    assert [chunk.id for chunk in memory.semantic.get_document("Notes")] == [newer]


def test_names_that_lists_print_are_accepted(memory: SyncAgentMemory) -> None:
    old = memory.long_term.store_preference("editor", "vim")
    preference = memory.long_term.store_preference("editor", "emacs")
    skill = memory.procedural.record_skill("free-disk", "prune, then retry")
    event = memory.episodic.record_event("deploy", "it went well", key="last")
    named = memory.get_named(["editor", "free-disk", "last", "nothing", old])
    assert {name: [record.id for record in records] for name, records in named.items()} == {
        "editor": [preference],
        "free-disk": [skill],
        "last": [event],
        "nothing": [],
        old: [old],
    }


def test_each_memory_stands_under_the_first_name_that_means_it(memory: SyncAgentMemory) -> None:
    id = memory.long_term.add("a fact", key="k")
    assert list(memory.get_named(["k", id, "k"])) == ["k"]


def test_verbs_take_the_id_of_a_document_for_all_of_its_chunks(memory: SyncAgentMemory) -> None:
    ids = memory.semantic.add_document(LONG)
    document = memory.semantic.get_documents()[0].id
    assert memory.pin(document).id == ids[0]
    assert memory.count(pinned=True) == len(ids)
    assert [operation.verb for operation in memory.log()][:1] == ["pin"]
    memory.unpin_many([document])
    assert memory.count(pinned=True) == 0
    assert memory.history(document)[0].memory_id == ids[0]
    assert [record.id for record in memory.forget(document)] == ids
    assert memory.count() == 0


def test_what_means_nothing_changes_nothing(memory: SyncAgentMemory) -> None:
    id = memory.long_term.add("a fact")
    for call in (memory.pin_many, memory.unpin_many, memory.forget):
        with pytest.raises(MemoryNotFoundError):
            call([id, "nothing"])
    assert memory.count(pinned=False) == 1
    with pytest.raises(ValidationError):
        memory.get_named("")


def test_what_was_put_away_is_said_to_be_that(memory: SyncAgentMemory) -> None:
    id = memory.long_term.add("a fact", key="k")
    memory.forget(id)
    note = memory.short_term.add("a note", ttl=1e-6)
    calls = (
        lambda reference: memory.update(reference, "another"),
        lambda reference: memory.pin(reference),
        lambda reference: memory.forget(reference),
        lambda reference: memory.get_named(reference, missing_ok=False),
    )
    for call in calls:
        for reference in (id, id[:8], "k"):
            with pytest.raises(MemoryNotFoundError, match=rf"it is archived; `restore\('{id[:8]}'\)`"):
                call(reference)
        with pytest.raises(MemoryNotFoundError, match="it has expired"):
            call(note)
        with pytest.raises(MemoryNotFoundError, match="shows what is there"):
            call("nothing")
    assert memory.restore(id[:8]).id == id


def test_what_is_near_a_document_is_near_its_first_chunk(memory: SyncAgentMemory) -> None:
    memory.semantic.add_document(LONG)
    document = memory.semantic.get_documents()[0].id
    single = memory.semantic.add("Section 0: much is said here about it.")
    assert [found.memory.id for found in memory.semantic.find_related(document, min_score=0.0)] == [single]


KNOWN = ["support", "support-4711", "7f3k2m9q7f3k2m9q7f3k", "7f3kaaaaaaaaaaaaaaaa"]


@pytest.mark.parametrize(
    ("reference", "existing", "meant"),
    [
        ("support", True, "support"),
        ("support-4", True, "support-4711"),
        ("support-4", False, None),
        ("7f3k2", False, "7f3k2m9q7f3k2m9q7f3k"),
        ("new", True, None),
        ("new", False, None),
    ],
)
def test_a_conversation_is_named_by_its_id_or_a_beginning_of_it(
    reference: str, existing: bool, meant: str | None
) -> None:
    assert conversation(reference, KNOWN, existing=existing) == meant


def test_a_beginning_of_two_conversations_is_ambiguous() -> None:
    for existing in (True, False):
        with pytest.raises(AmbiguousIdError):
            conversation("7f3k", KNOWN, existing=existing)


def test_a_conversation_that_is_to_exist_does(memory: SyncAgentMemory) -> None:
    with pytest.raises(MemoryNotFoundError):
        memory.conversation.use_conversation()
    memory.conversation.add_message("user", "hello", conversation_id="support-4711")
    memory.conversation.add_message("user", "well?", conversation_id="other")
    assert memory.conversation.use_conversation("support") == "support-4711"
    assert memory.conversation.conversation_id == "support-4711"
    begun = memory.conversation.new_conversation("begun")
    assert memory.conversation.use_conversation("begun") == begun
    with pytest.raises(MemoryNotFoundError, match="new_conversation"):
        memory.conversation.use_conversation("third", default=True)
    found = memory.conversation.get_conversation("other")
    assert ([message.content for message in found.messages], found.total, found.summary) == (
        ["well?"],
        1,
        None,
    )
