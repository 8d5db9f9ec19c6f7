"""Which memory an id, a key or the beginning of an id means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent_memory.errors import AmbiguousIdError, MemoryNotFoundError, ValidationError
from agent_memory.records import MemoryType, Status
from agent_memory.storage.base import Store
from agent_memory.testing import builders
from agent_memory.testing.store.support import StoreTests, put

_ONE, _OTHER, _THIRD = "abcdefgh0000000000m1", "abcdefgh0000000000m2", "abczzzzz0000000000m3"


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
