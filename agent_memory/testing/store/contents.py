"""What goes in comes out, field by field and letter for letter."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord, Status, canonical_json, version_to_dict
from agent_memory.storage.base import Order, Store
from agent_memory.storage.changes import new_id
from agent_memory.storage.where import Where
from agent_memory.testing import builders, strategies
from agent_memory.testing.store.support import (
    StoreFactory,
    StoreTests,
    everything,
    examples,
    ids,
    opened,
    put,
)

_LATER = datetime(2031, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
_FULL: dict[str, Any] = {
    "importance": 0.123456789,
    "created_at": datetime(2024, 2, 29, 1, 2, 3, 4, tzinfo=UTC),
    "updated_at": datetime(2025, 2, 28, 23, 0, 0, 1, tzinfo=UTC),
    "occurred_at": datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    "expires_at": _LATER,
    "metadata": {
        "lang": "de",
        "stars": 3,
        "ratio": 0.1,
        "yes": True,
        "none": None,
        "deep": {"list": [1, "x", {}]},
    },
    "tags": ("a", "größe", "日本"),
    "key": "the key",
    "source": "https://example.org/?q=1&r='2'",
    "session": "session 1",
    "pinned": True,
}
_SAMPLES: dict[str, MemoryRecord] = {
    "note": builders.note(kind="working", context_type="task", value={"step": [1, 2.5, None, "é"]}, **_FULL),
    "fact": builders.fact(category="home", superseded_by=new_id(), **_FULL),
    "preference": builders.preference(**_FULL),
    "message": builders.message(role="assistant", name="Eve", position=7, **{**_FULL, "session": "chat-1"}),
    "summary": builders.message(kind="summary", **{**_FULL, "session": "chat-1"}),
    "event": builders.event(
        event_type="deploy",
        outcome="worked",
        success=False,
        participants=("Ann", "Bo, the 2nd"),
        location="Zürich",
        duration=0.25,
        **_FULL,
    ),
    "document": builders.document(document_id=new_id(), title="Python", position=0, **_FULL),
    "skill": builders.skill(
        kind="workflow",
        category="ops",
        triggers=("429", "rate limit"),
        steps=("wait", "try again"),
        use_count=12,
        success_count=11,
        last_used_at=clock.to_text(_LATER),
        **_FULL,
    ),
    "bare note": builders.note(),
    "bare fact": builders.fact(),
    "bare message": builders.message(),
    "bare event": builders.event(),
    "bare document": builders.document(),
    "bare skill": builders.skill(),
    "archived": builders.fact(status=Status.ARCHIVED),
    "superseded": builders.fact(status=Status.SUPERSEDED, superseded_by=new_id()),
    "no importance": builders.event(importance=0.0, duration=0.0, success=True),
    "false and nothing": builders.note(
        kind="working", value=False, metadata={"a": False, "b": 0, "c": "", "d": []}
    ),
}
_TEXTS = {
    "emoji": "👩‍👩‍👧‍👦 at the 🏖️, flag 🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "line ends": "one\r\ntwo\rthree\n\n\tfour\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029five ",
    "controls": "bell \x07 escape \x1b[31m delete \x7f",
    "quotes": "'; drop table memory; -- \" ` \\ %_*",
    "combining": "e\u0301 is not é, A\u030a is not Å",
    "right to left": "שלום \u202eעולם\u202c مرحبا",
    "unassigned": "\u0378 \ufffe \uffff \U0010ffff \ue000",
    "byte order mark": "\ufefftext\ufeff",
    "markup": "<b>&amp;</b> {{x}} ${y} [red]z[/red]",
    "chinese": "今天天气很好",
    "one letter": "a",
    "punctuation": "?!…",
    "very long": "All work and no play makes Jack a dull boy. " * 25_000,
    "one long word": "x" * 100_000,
}


async def _is_refused(store: Store, record: MemoryRecord) -> bool:
    """Return whether a memory is larger than a store takes, after looking that it says so and keeps nothing of it."""
    largest = store.capabilities.largest
    if largest is None or len(canonical_json(version_to_dict(record)).encode()) <= largest:
        return False
    with pytest.raises(ValidationError, match=store.name):
        await put(store, record)
    assert await everything(store) == {}
    return True


class ContentTests(StoreTests):
    """What goes in comes out, field by field and letter for letter."""

    @pytest.mark.parametrize("name", _SAMPLES)
    async def test_every_field_of_every_type_comes_back(self, store: Store, name: str) -> None:
        given_record = _SAMPLES[name]
        stored = (await put(store, given_record))[0]
        for source in (stored, (await store.get([given_record.id]))[given_record.id]):
            assert type(source) is type(given_record)
            for field_ in fields(given_record):
                if field_.name in ("agent_id", "revision"):
                    continue
                expected, actual = getattr(given_record, field_.name), getattr(source, field_.name)
                if field_.name == "position" and name == "bare message":
                    expected = 0
                assert actual == expected, field_.name
                assert type(actual) is type(expected), field_.name
            assert source.agent_id == store.agent_id
            assert len(source.revision) == 20
        assert await everything(store) == {stored.id: stored}

    @pytest.mark.parametrize("name", _TEXTS)
    async def test_any_text_comes_back_letter_for_letter(self, store: Store, name: str) -> None:
        text = _TEXTS[name]
        short = text[:200].strip()
        record = builders.event(
            text,
            metadata={short: text, "list": [text]},
            tags=(short,),
            key=short,
            source=short,
            session=short,
            event_type=short,
            participants=(short, "b"),
        )
        if await _is_refused(store, record):
            return
        await put(store, record)
        stored = (await store.get([record.id]))[record.id]
        assert stored == replace(record, agent_id=stored.agent_id, revision=stored.revision)
        assert ids(await store.select(Where(tags_any=(short,), keys=(short,), sources=(short,)))) == [
            record.id
        ]

    async def test_big_metadata_comes_back(self, store: Store) -> None:
        metadata = {f"key {number}": {"list": list(range(20)), "text": "é" * 50} for number in range(2_000)}
        record = builders.fact(metadata=metadata)
        if await _is_refused(store, record):
            return
        await put(store, record)
        assert (await store.get([record.id]))[record.id].metadata == metadata

    @examples
    @given(record=strategies.records(content=strategies.texts))
    async def test_whatever_is_stored_comes_back(
        self, store_factory: StoreFactory, anyio_backend: object, record: MemoryRecord
    ) -> None:
        with clock.fixed(strategies.NOW):
            async with opened(store_factory, f"agent {new_id()}") as fresh:
                stored = (await put(fresh, record))[0]
                read = await fresh.get([record.id])
                assert read == {record.id: stored}
                position = {"position": stored.position} if hasattr(stored, "position") else {}
                own = {"agent_id": stored.agent_id, "revision": stored.revision}
                assert stored == replace(record, **own, **position)
                assert await fresh.check() == []

    async def test_changing_what_was_given_or_got_changes_nothing_stored(self, store: Store) -> None:
        metadata: dict[str, Any] = {"list": [1]}
        value: dict[str, Any] = {"deep": [1]}
        record = builders.note(metadata=metadata, value=value)
        await put(store, record)
        metadata["list"].append(2)
        value["deep"].append(2)
        for _ in range(2):
            got: Any = (await store.get([record.id]))[record.id]
            listed: Any = (await store.select(Where()))[0]
            for source in (got, listed):
                assert (source.metadata, source.value) == ({"list": [1]}, {"deep": [1]})
                source.metadata["list"].append(3)
                source.value["deep"].append(3)
        await put(store, plain := builders.fact("without metadata"))
        for _ in range(2):
            bare: Any = (await store.get([plain.id]))[plain.id]
            assert bare.metadata == {}
            bare.metadata["put in"] = "by the caller"

    async def test_many_at_once_stay_in_order(self, store: Store) -> None:
        moment = clock.now()
        records = [builders.event(f"event {number}", created_at=moment) for number in range(1_500)]
        assert ids(await put(store, *records)) == ids(records)
        assert ids(await store.select(Where(), Order("created", descending=False))) == ids(records)
