"""Listing, counting, grouping and going through memories."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.errors import ValidationError
from agent_memory.records import MemoryType, Status
from agent_memory.storage.base import Group, KeywordStore, Order, Store
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import EVERYTHING, StoreTests, change, ids, put, remove, texts

_DAY = datetime(2026, 5, 8, tzinfo=UTC)


def _days(number: int) -> datetime:
    return _DAY + timedelta(days=number)


class ReadingTests(StoreTests):
    """Listing, counting, grouping and going through memories."""

    async def test_memories_are_fetched_by_id_whatever_their_status(self, store: Store) -> None:
        records = await put(
            store,
            builders.fact("active"),
            builders.fact("archived", status=Status.ARCHIVED),
            builders.fact("superseded", status=Status.SUPERSEDED),
            builders.fact("expired", expires_at=_DAY),
        )
        wanted = [*ids(records), records[0].id, "no such memory", "", "'", records[0].id.upper()]
        assert await store.get(wanted) == {record.id: record for record in records}
        assert await store.get([]) == {}

    # --- order ---------------------------------------------------------------------------------------------

    async def test_the_newest_come_first(self, store: Store) -> None:
        await put(store, *(builders.event(str(day), created_at=_days(day)) for day in (3, 1, 2)))
        assert texts(await store.select(Where())) == ["3", "2", "1"]

    async def test_ties_go_by_the_order_of_storing(self, store: Store) -> None:
        await put(store, *(builders.event(text, created_at=_DAY) for text in "abc"))
        await put(store, builders.event("d", created_at=_DAY))
        assert texts(await store.select(Where())) == ["d", "c", "b", "a"]
        assert texts(await store.select(Where(), Order("importance", descending=False))) == [
            "a",
            "b",
            "c",
            "d",
        ]

    async def test_every_order(self, store: Store) -> None:
        with clock.fixed(_DAY):
            first, second, third = await put(
                store,
                builders.event("a", created_at=_days(1), occurred_at=_days(9), importance=0.5),
                builders.document("b", created_at=_days(3), importance=0.1, document_id="d", position=1),
                builders.document("c", created_at=_days(2), importance=0.9, document_id="d", position=0),
            )
            await store.touch([second.id])
        with clock.fixed(_days(20)):
            await change(store, third, tags=("t",))
        with clock.fixed(_days(21)):
            await change(store, first, tags=("t",))
            await store.touch([first.id])
        expected = {
            "created": "acb",
            "updated": "bca",
            "occurred": "cba",
            "importance": "bac",
            "position": "acb",
            "used": "cba" if store.capabilities.usage else "abc",
        }
        for by, letters in expected.items():
            ascending = await store.select(Where(), Order(by, descending=False))  # type: ignore[arg-type]
            descending = await store.select(Where(), Order(by))  # type: ignore[arg-type]
            assert "".join(texts(ascending)) == letters, by
            assert ids(descending) == ids(ascending)[::-1], by

    async def test_limit_and_offset_cut_the_list(self, store: Store) -> None:
        await put(store, *(builders.event(str(day), created_at=_days(day)) for day in range(5)))
        for limit, offset, expected in (
            (2, 0, "43"),
            (2, 2, "21"),
            (2, 4, "0"),
            (2, 5, ""),
            (0, 0, ""),
            (None, 3, "10"),
            (99, 0, "43210"),
        ):
            records = await store.select(Where(), limit=limit, offset=offset)
            assert "".join(texts(records)) == expected, (limit, offset)

    async def test_senseless_orders_groups_and_limits_are_refused(self, store: Store) -> None:
        wrong: Any = "colour; drop table memory"
        with pytest.raises(ValidationError, match="colour"):
            await store.select(Where(), Order(wrong))
        with pytest.raises(ValidationError, match="colour"):
            await store.groups(Where(), wrong)
        with pytest.raises(ValidationError):
            await store.select(Where(), limit=-1)
        with pytest.raises(ValidationError):
            await store.select(Where(), offset=-1)

    # --- groups --------------------------------------------------------------------------------------------

    async def test_memories_are_counted_per_value(self, store: Store) -> None:
        await put(
            store,
            builders.fact("2", tags=("a",), created_at=_days(5), occurred_at=_days(2), session="q"),
            builders.fact("1", tags=("a", "b"), created_at=_days(1), source="s", category="x"),
            builders.skill("3", tags=("a", "c"), created_at=_days(3), category="x"),
            builders.message("4", created_at=_days(4), role="tool"),
            builders.event("5", created_at=_days(4), event_type="deploy"),
            builders.document("6", created_at=_days(4), document_id="d"),
            builders.fact("7", tags=("a",), status=Status.ARCHIVED, created_at=_days(9)),
            builders.fact("8", tags=("a",), expires_at=_days(-100), created_at=_days(9)),
        )
        assert await store.groups(Where(), "tag") == [
            Group("a", 3, _days(1), _days(3)),
            Group("b", 1, _days(1), _days(1)),
            Group("c", 1, _days(3), _days(3)),
        ]
        expected: dict[Any, dict[str, int]] = {
            "type": {"long_term": 2, "procedural": 1, "conversation": 1, "episodic": 1, "semantic": 1},
            "status": {"active": 6},
            "session": {"q": 1, "chat-1": 1},
            "source": {"s": 1},
            "conversation_id": {"chat-1": 1},
            "event_type": {"deploy": 1},
            "category": {"x": 2},
            "document_id": {"d": 1},
            "role": {"tool": 1},
        }
        for by, counts in expected.items():
            groups = await store.groups(Where(), by)
            assert {group.value: group.count for group in groups} == counts, by
            assert [group.count for group in groups] == sorted(counts.values(), reverse=True), by
            assert all(type(group.value) is str for group in groups), by
        (put_away,) = await store.groups(Where(statuses=(Status.ARCHIVED,)), "status")
        assert (put_away.value, put_away.count) == ("archived", 1)
        (facts,) = await store.groups(Where(types=(MemoryType.LONG_TERM,), expired=None), "type")
        assert facts.count == 3

    # --- expiry --------------------------------------------------------------------------------------------

    async def test_what_has_expired_is_never_returned_unless_asked_for(self, store: Store) -> None:
        lasting, dying = await put(
            store,
            builders.message("apples last", tags=("t",)),
            builders.message("apples rot", tags=("t",), key="k", expires_at=_days(1)),
        )
        reads: list[Callable[[], Awaitable[Any]]] = [
            lambda: store.select(Where(tags_any=("t",))),
            lambda: store.neighbours(lasting.id, 5, 5),
        ]
        with clock.fixed(_days(1) - timedelta(microseconds=1)):
            assert await store.count(Where()) == 2
            assert (await store.resolve("k")).id == dying.id
            for read in reads:
                assert len(await read()) == 2
        with clock.fixed(_days(1)):
            assert await store.count(Where()) == 1
            assert [group.count for group in await store.groups(Where(), "tag")] == [1]
            assert [ids(page) async for page in store.scan(Where())] == [[lasting.id]]
            for read in reads:
                assert ids(await read()) == [lasting.id]
            for reference in ("k", dying.id, dying.id[:12]):
                with pytest.raises(LookupError):
                    await store.resolve(reference)
            if isinstance(store, KeywordStore):
                assert [memory_id for memory_id, _ in await store.by_keyword(["apples"], Where(), 9)] == [
                    lasting.id
                ]
            assert ids(await store.select(Where(expired=True))) == [dying.id]
            assert await store.count(Where(expired=None)) == 2
            assert set(await store.get([dying.id])) == {dying.id}

    # --- going through everything --------------------------------------------------------------------------

    async def test_a_scan_visits_everything_once_in_batches(self, store: Store) -> None:
        records = [builders.event(str(number), created_at=_days(-number)) for number in range(25)]
        await put(store, *records)
        for batch in (1, 7, 25, 1000):
            pages = [page async for page in store.scan(Where(), batch)]
            assert [record for page in pages for record in ids(page)] == ids(records)
            assert all(0 < len(page) <= batch for page in pages)
        some = [ids(page) async for page in store.scan(Where(ids=(records[3].id, records[1].id)), 1)]
        assert some == [[records[1].id], [records[3].id]]

    async def test_a_scan_goes_on_while_others_write(self, store: Store) -> None:
        stored = await put(store, *(builders.event(str(number)) for number in range(20)))
        seen: list[str] = []
        async for page in store.scan(Where(), 4):
            seen += texts(page)
            if len(seen) == 8:
                await put(store, builders.event("new"))
                await remove(store, stored[0], stored[10])
                await change(store, stored[1], tags=("changed",))
                await change(store, stored[12], tags=("changed",))
        assert [text for text in seen if text != "new"] == [
            str(number) for number in range(20) if number != 10
        ]
        assert seen.count("new") <= 1

    # --- messages around a message -------------------------------------------------------------------------

    async def test_the_messages_around_one(self, store: Store) -> None:
        messages = await put(store, *(builders.message(str(number)) for number in range(8)))
        await put(
            store,
            builders.message("elsewhere", conversation_id="chat-2"),
            builders.message("so far", kind="summary"),
        )
        await change(store, messages[3], "archive", status=Status.ARCHIVED)
        middle = messages[4].id
        assert texts(await store.neighbours(middle, 0, 0)) == ["4"]
        assert texts(await store.neighbours(middle, 2, 1)) == ["1", "2", "4", "5"]
        assert texts(await store.neighbours(middle, 99, 99)) == ["0", "1", "2", "4", "5", "6", "7"]
        assert texts(await store.neighbours(messages[0].id, 3, 1)) == ["0", "1"]
        event = (await put(store, builders.event()))[0]
        assert await store.neighbours(event.id, 1, 1) == []
        assert await store.neighbours("no such memory", 1, 1) == []

    async def test_the_message_before_and_after_each(self, store: Store) -> None:
        messages = await put(store, *(builders.message(str(number)) for number in range(6)))
        other = (await put(store, builders.message("elsewhere", conversation_id="chat-2")))[0]
        summary = (await put(store, builders.message("so far", kind="summary", key="s")))[0]
        event = (await put(store, builders.event()))[0]
        await change(store, messages[3], "archive", status=Status.ARCHIVED)
        first, second, third, archived, fifth, last = ids(messages)
        asked = [first, third, archived, fifth, last, other.id, summary.id, event.id, "no such memory"]
        assert await store.adjacent(asked, -1) == {
            third: second,
            archived: third,
            fifth: third,
            last: fifth,
        }
        assert await store.adjacent(asked, 1) == {first: second, third: fifth, archived: fifth, fifth: last}
        assert await store.adjacent([], 1) == {}

    async def test_reading_changes_nothing(self, store: Store) -> None:
        record = (await put(store, builders.message("hello", key="k")))[0]
        version = await store.version()
        await store.select(Where())
        await store.resolve("k")
        await store.neighbours(record.id, 1, 1)
        await store.adjacent([record.id], 1)
        await store.groups(Where(), "role")
        assert await store.version() == version
        assert await store.select(EVERYTHING) == [record]
