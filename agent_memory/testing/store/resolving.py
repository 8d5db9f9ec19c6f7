"""Which memory an id, a key or the beginning of an id means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from agent_memory.errors import AmbiguousIdError, MemoryNotFoundError, ValidationError
from agent_memory.records import MemoryType, Status
from agent_memory.storage.base import JournalStore, KeywordStore, Store, VectorStore
from agent_memory.storage.where import Condition, Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import MemoryTests, StoreTests, put

if TYPE_CHECKING:
    from agent_memory.agent import AgentMemory

_UNSTORABLE = ("\x00", "a\x00b", "\ud800", "ä\udcff")
"""What no store keeps in a text: a NUL, and half a character."""
_ONE, _OTHER, _THIRD = "abcdefgh0000000000m1", "abcdefgh0000000000m2", "abczzzzz0000000000m3"


class UnstorableTests(MemoryTests):
    """What no store can keep is looked for alike in all of them."""

    @pytest.mark.parametrize("text", _UNSTORABLE, ids=ascii)
    async def test_nothing_is_called_by_what_no_store_keeps(self, memory: AgentMemory, text: str) -> None:
        await memory.add("apples", key="k", tags=["t"])
        store = memory.backend
        assert await store.get([text, _ONE]) == {}
        if isinstance(store, JournalStore):
            assert (await store.history(text), await store.histories([text])) == ([], {})
        for attempt in (
            lambda: memory.get(text),
            lambda: memory.pin(text),
            lambda: memory.list(tags=[text]),
            lambda: memory.list(session=text),
            lambda: memory.search("apples", key=text),
            lambda: memory.count(metadata={"name": text}),
            lambda: memory.count(fields={"role": {"in": [text]}}),
            lambda: memory.forget_where(source=text),
            lambda: memory.conversation.get_messages(conversation_id=text),
        ):
            with pytest.raises(ValidationError, match=r"NUL|valid Unicode"):
                await attempt()
        with pytest.raises(ValidationError, match=r"NUL|valid Unicode"):
            Where(metadata=(Condition(f"n{text}", "exists", True),))

    async def test_a_nul_in_a_query_is_a_space(self, memory: AgentMemory) -> None:
        stored = await memory.add("apples are red")
        if not isinstance(memory.backend, (KeywordStore, VectorStore)):
            return  # which finds nothing
        for query in ("apples\x00", "\x00apples\x00red"):
            assert [item.memory.id for item in await memory.search(query)] == [stored]
            assert stored in [item.memory.id for item in (await memory.recall(query, min_relevance=0)).items]
        with pytest.raises(ValidationError, match="the query is not valid Unicode at character 7"):
            await memory.search("apples \ud800")


class ResolvingTests(StoreTests):
    """Which memory an id, a key or the beginning of an id means."""

    async def test_an_exact_id_wins_over_a_key_and_that_over_a_prefix(self, store: Store) -> None:
        await put(
            store,
            builders.fact("one", id=_ONE),
            builders.fact("third", id=_THIRD, key=_ONE),
            builders.fact("other", id=_OTHER, key="abcz"),
        )
        for reference, expected in (
            (_ONE, _ONE),
            (f" {_ONE}\n", _ONE),
            (_ONE.upper(), _ONE),
            ("abcz", _OTHER),
            ("abczz", _THIRD),
            ("ABCZZ", _THIRD),
            (_ONE[:-1] + "1", _ONE),
        ):
            assert (await store.resolve(reference)).id == expected, reference

    async def test_several_that_begin_so_are_named(self, store: Store) -> None:
        await put(store, builders.fact("one", id=_ONE), builders.fact("other", id=_OTHER))
        with pytest.raises(AmbiguousIdError) as caught:
            await store.resolve("abcd")
        assert caught.value.candidates == (_ONE, _OTHER)

    async def test_nothing_is_found_by_too_little_or_by_wildcards(self, store: Store) -> None:
        await put(store, builders.fact("one", id=_ONE))
        for reference in (
            "abc",
            "a",
            "____",
            "%%%%",
            "abc%",
            "abcd*",
            "abc?",
            "bcde",
            _ONE + "0",
            "[a]bcd",
            "'",
        ):
            with pytest.raises(MemoryNotFoundError):
                await store.resolve(reference)
        for reference in ("", "  "):
            with pytest.raises(ValidationError, match="empty"):
                await store.resolve(reference)
        with pytest.raises(MemoryNotFoundError, match="no skill 'nothing'"):
            await store.resolve("nothing", what="skill")

    async def test_only_the_statuses_and_types_asked_for_are_meant(self, store: Store) -> None:
        await put(
            store,
            builders.fact("active", id=_ONE, key="k"),
            builders.fact("archived", id=_OTHER, key="k", status=Status.ARCHIVED),
            builders.event("event", id=_THIRD, key="e"),
        )
        assert (await store.resolve("k")).id == _ONE
        assert (await store.resolve("k", statuses=(Status.ARCHIVED,))).id == _OTHER
        assert (await store.resolve("abcdefgh", statuses=(Status.ARCHIVED,))).id == _OTHER
        assert (await store.resolve("abcz", types=(MemoryType.EPISODIC,))).id == _THIRD
        assert (await store.resolve("abcdefgh", statuses=(Status.ACTIVE,))).id == _ONE
        for reference, types in ((_THIRD, MemoryType.LONG_TERM), ("e", MemoryType.SEMANTIC)):
            with pytest.raises(MemoryNotFoundError):
                await store.resolve(reference, types=(types,))
        with pytest.raises(MemoryNotFoundError):
            await store.resolve(_OTHER, statuses=(Status.ACTIVE,))

    async def test_one_key_in_several_types_is_ambiguous(self, store: Store) -> None:
        fact, event = await put(store, builders.fact(key="k"), builders.event(key="k"))
        with pytest.raises(AmbiguousIdError) as caught:
            await store.resolve("k")
        assert set(caught.value.candidates) == {fact.id, event.id}
        assert (await store.resolve("k", types=(MemoryType.EPISODIC,))).id == event.id

    async def test_the_active_one_is_found_behind_any_number_put_away(self, store: Store) -> None:
        old = datetime(2020, 1, 1, tzinfo=UTC)
        active = (await put(store, builders.fact("active", key="k", created_at=old)))[0]
        await put(store, *(builders.fact(str(n), key="k", status=Status.ARCHIVED) for n in range(20)))
        assert (await store.resolve("k")).id == active.id

    async def test_what_has_expired_hides_nothing(self, store: Store) -> None:
        old = datetime(2020, 1, 1, tzinfo=UTC)
        await put(store, builders.fact("one", id=_ONE, expires_at=old), builders.fact("other", id=_OTHER))
        assert (await store.resolve("abcd")).id == _OTHER
        with pytest.raises(MemoryNotFoundError):
            await store.resolve(_ONE)
