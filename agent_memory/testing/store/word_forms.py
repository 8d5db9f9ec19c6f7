"""Finding words by their parts, codes by their beginnings, and symbols."""

from __future__ import annotations

import pytest

from agent_memory.records import MemoryRecord, Status
from agent_memory.storage.base import KeywordStore
from agent_memory.storage.where import Where
from agent_memory.testing import builders
from agent_memory.testing.store.support import StoreTests, change, needs, put, remove
from agent_memory.text.analysis import query_terms
from agent_memory.text.porter import stem

_HASH = "9fceb02d0ae598e95dc970b74767f19372d61af8"


async def _best(store: KeywordStore, query: str) -> list[str]:
    """Return what the words of a query nominate, and what begins like one of them."""
    terms = query_terms(query)
    begun = [longer for term in terms for longer in await store.terms_beginning(term, 50)]
    by_stem = {stem(term): term for term in [*terms, *begun]}
    return [memory_id for memory_id, _ in await store.by_keyword(list(by_stem.values()), Where(), 10)]


class WordFormTests(StoreTests):
    """Finding words by their parts, codes by their beginnings, and symbols."""

    @needs("full_text")
    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("call computeShippingCost first", "shipping cost"),
            ("compute the shipping cost first", "computeShippingCost"),
            ("compute_shipping_cost comes first", "computeShippingCost"),
            ("HTMLParser chokes", "html parser"),
            ("an html parser", "HTMLParser"),
            ("userId is wrong", "user id"),
            ("the user id is wrong", "userId"),
            ("uses XMLHttpRequest", "http request"),
            ("runs on iOS", "ios"),
            ("s3Bucket is full", "s3 bucket"),
            ("sha256 sums", "sha 256"),
            ("python 3 only", "python3"),
            ("счётПользователя пуст", "пользователя"),
            ("größeBerechnen hängt", "berechnen"),
        ],
    )
    async def test_a_compound_and_its_parts_find_each_other(
        self, store: KeywordStore, text: str, query: str
    ) -> None:
        wanted, _ = await put(store, builders.event(text), builders.event("nothing of that kind"))
        assert await _best(store, query) == [wanted.id]

    @needs("full_text")
    async def test_the_whole_word_counts_more_than_its_parts(self, store: KeywordStore) -> None:
        parts, whole, _ = await put(
            store,
            builders.event("the shipping cost to compute"),
            builders.event("see computeShippingCost here"),
            builders.event("shipping"),
        )
        assert (await _best(store, "computeShippingCost"))[:2] == [whole.id, parts.id]

    @needs("full_text")
    @pytest.mark.parametrize("length", [7, 8, 10, 12, 39])
    async def test_a_code_is_found_by_its_beginning(self, store: KeywordStore, length: int) -> None:
        records = [builders.event(f"commit {_HASH} broke it"), builders.event("commit 8fceb02d0ae5 did not")]
        wanted, _ = await put(store, *records)
        assert await store.terms_beginning(_HASH[:length], 50) == [_HASH]
        assert await _best(store, _HASH[:length].upper()) == [wanted.id]

    @needs("full_text")
    @pytest.mark.parametrize(
        "code",
        ["a1b2c3d4e5f60718", "0f1e2d3c4babee", "4c01d5ed", "7f3k2m9qll", "i0abcd1234ing", "3f2504e04f89ies"],
    )
    async def test_what_stemming_takes_from_a_code_hides_nothing(
        self, store: KeywordStore, code: str
    ) -> None:
        wanted, _ = await put(store, builders.event(f"the id is {code}"), builders.event("another"))
        assert [stem(term) for term in await store.terms_beginning(code[:7], 50)] == [stem(code)]
        assert await _best(store, code[:7]) == [wanted.id]
        assert await _best(store, code) == [wanted.id]

    @needs("full_text")
    async def test_beginnings_are_listed_in_order_and_no_further_than_asked(
        self, store: KeywordStore
    ) -> None:
        codes = [f"a1b2c3d{number:03}" for number in range(120)]
        await put(
            store, *[builders.event(f"id {code}") for code in reversed(codes)], builders.event("a1b2c3")
        )
        await put(store, *[builders.event(f"again {codes[0]}, {number}") for number in range(250)])
        assert await store.terms_beginning("a1b2c3d", 50) == codes[:50]
        assert await store.terms_beginning("a1b2c3d", 2) == codes[:2]
        assert await store.terms_beginning("a1b2c3d11", 50) == codes[110:]
        assert await store.terms_beginning("a1b2c3d", 0) == []
        assert await store.terms_beginning("b1b2c3d", 50) == []

    @needs("full_text")
    @pytest.mark.parametrize("prefix", ["a1b2c3", "shipping", "12345678", "", "a1b2c3d%", "a1b2c3d*", "Ω"])
    async def test_only_codes_are_looked_up_by_their_beginning(
        self, store: KeywordStore, prefix: str
    ) -> None:
        await put(store, builders.event("a1b2c3d4 shippings 123456789 Ωmega"))
        assert await store.terms_beginning(prefix, 50) == []

    @needs("full_text")
    async def test_beginnings_follow_the_text(self, store: KeywordStore) -> None:
        record: MemoryRecord
        record, other = await put(
            store, builders.fact(f"built {_HASH}"), builders.fact(f"released {_HASH} at last")
        )
        assert await store.terms_beginning(_HASH[:8], 5) == [_HASH]
        record = await change(store, record, content="built a1b2c3d4e5f6")
        assert await store.terms_beginning(_HASH[:8], 5) == [_HASH]
        assert await store.terms_beginning("a1b2c3d", 5) == ["a1b2c3d4e5f6"]
        other = await change(store, other, status=Status.ARCHIVED)
        assert await _best(store, _HASH[:8]) == []
        await remove(store, other)
        await remove(store, record, erase=True)
        assert await store.terms_beginning(_HASH[:8], 5) == []
        assert await store.terms_beginning("a1b2c3d", 5) == []
        assert await store.check() == []

    @needs("full_text")
    async def test_beginnings_are_there_after_a_rebuild(self, store: KeywordStore) -> None:
        wanted = (await put(store, builders.event(f"commit {_HASH}")))[0]
        await store.rebuild()
        assert await _best(store, _HASH[:9]) == [wanted.id]
        assert await store.check() == []

    @needs("full_text")
    @pytest.mark.parametrize("symbol", ["🎉", "❤️", "→", "€", "👍🏿", "👨‍👩‍👦", "🇩🇰", "☕", "≥"])
    async def test_a_symbol_finds_the_memory_that_holds_it(self, store: KeywordStore, symbol: str) -> None:
        others = ["👍🏽", "👨‍👩‍👧", "🇩🇪", "🇪🇩", "💔", "←", "£", "≤", "🍵", "no symbol"]
        records = await put(store, *[builders.event(f"noted {other}") for other in [*others, symbol]])
        assert (await _best(store, symbol))[0] == records[-1].id
        assert (await _best(store, f"what was {symbol}?"))[0] == records[-1].id

    @needs("full_text")
    async def test_a_picture_of_any_colour_is_found_by_the_plain_one(self, store: KeywordStore) -> None:
        dark, _, plain = await put(
            store, builders.event("ok 👍🏿"), builders.event("no 👎🏿"), builders.event("ok 👍")
        )
        assert set(await _best(store, "👍")) == {dark.id, plain.id}
        assert set(await _best(store, "👍🏻")) == {dark.id, plain.id}
