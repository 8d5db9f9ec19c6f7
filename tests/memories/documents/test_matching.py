"""What it takes to make stored chunks those of a new version."""

from __future__ import annotations

import random
from typing import Any

import pytest

from agent_memory.memories.documents.matching import match, update
from agent_memory.records import SemanticRecord, Status
from agent_memory.storage.changes import Add, Replace
from agent_memory.testing.builders import build


def chunk(content: str, position: int, **given: Any) -> SemanticRecord:
    return build(SemanticRecord, content, position=position, document_id="d", path="/d.md", **given)


def draft(**given: Any) -> Any:
    def made(text: str, position: int) -> Add:
        return Add(chunk(text, position, **given), frozenset({"document_id", "position", "path", *given}))

    return made


@pytest.mark.parametrize("seed", range(20))
def test_every_text_has_its_chunk_and_every_chunk_its_place(seed: int) -> None:
    chance = random.Random(seed)
    old = [chunk(chance.choice("abcde"), position) for position in range(chance.randrange(8))]
    texts = chance.choices("abcdef", k=chance.randrange(1, 8))
    matched, left = match(old, texts)
    for text in set(texts):
        here = [item for item in matched if item is not None and item.content == text]
        known = sum(item.content == text for item in old)
        assert len(here) == min(known, texts.count(text))
    assert sorted(item.id for item in [*filter(None, matched), *left]) == sorted(item.id for item in old)
    made = update(old, texts, draft())
    assert [(item.content, item.position) for item in made.chunks] == list(zip(texts, range(9), strict=False))
    assert made.added == sum(isinstance(change, Add) for change in made.changes) == matched.count(None)


def test_nothing_has_to_be_done_where_nothing_changed() -> None:
    old = [chunk("one", 0), chunk("two", 1)]
    assert update(old, ["one", "two"], draft()).changes == []


def test_white_space_alone_keeps_the_id_and_takes_the_text() -> None:
    old = [chunk("one  two", 0)]
    (change,) = update(old, ["one two\n"], draft()).changes
    assert isinstance(change, Replace)
    assert (change.record.id, change.record.content) == (old[0].id, "one two\n")


def test_what_is_gone_is_archived_first() -> None:
    made = update([chunk("one", 0), chunk("two", 1)], ["zero", "two"], draft())
    first, second = made.changes
    assert isinstance(first, Replace)
    assert (first.record.content, first.record.status) == ("one", Status.ARCHIVED)
    assert isinstance(second, Add)


def test_what_is_new_has_what_all_chunks_had_in_common() -> None:
    shared = {"title": "T", "importance": 0.9, "source": "s", "pinned": True}
    old = [
        chunk("one", 0, tags=("a", "b"), metadata={"n": 1, "x": 1}, **shared),
        chunk("two", 1, tags=("b", "c"), metadata={"n": 1, "x": True}, **shared),
    ]
    (new,) = (
        item
        for item in update(old, ["one", "new", "two"], draft(tags=("d",))).chunks
        if item.content == "new"
    )
    assert (new.title, new.importance, new.source, new.pinned) == ("T", 0.9, "s", True)
    assert (new.tags, new.metadata) == (("b", "d"), {"n": 1})


def test_what_is_given_wins_over_what_the_document_had() -> None:
    old = [chunk("one", 0, title="Old", importance=0.9, metadata={"n": 1})]
    made = update(old, ["one", "two"], draft(title="New", importance=0.2, metadata={"n": 2}))
    assert {(item.title, item.importance, item.metadata["n"]) for item in made.chunks} == {("New", 0.2, 2)}


def test_what_has_a_key_gets_a_new_version_under_its_id() -> None:
    old = [chunk("one", 0, key="k")]
    made = update(old, ["something else"], draft())
    assert [(item.id, item.key, item.content) for item in made.chunks] == [(old[0].id, "k", "something else")]
    assert made.archived == []
