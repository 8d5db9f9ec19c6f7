"""What somebody gave with a memory and what is only a default, by the public API."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory import clock
from agent_memory.agent import AgentMemory
from agent_memory.errors import ValidationError
from agent_memory.testing.store.support import MemoryTests, texts

OUTCOMES = {
    "success": True, "Succeeded.": True, "OK": True, "done (two retries)": True, "failed": False,
    "FAILED: timeout": False, "error(42)": False, "timed  out": False, "unsuccessful": False, "partial": None,
    "cancelled": None, "canceled: nobody came": None, "unknown": None, "error-free": None,
    "failed over successfully": None, "passed with warnings": None, "tests failing": None, "no failures": None,
}  # fmt: skip
"""What an outcome says of how an event went."""


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Live in a time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


class GivenTests(MemoryTests):
    """What is kept of what was given, what is taken away, and what a name, an outcome and a day are."""

    async def test_what_comes_with_a_known_fact_is_kept(self, memory: AgentMemory) -> None:
        happened = datetime(2026, 1, 2, 9, tzinfo=UTC)
        first = await memory.long_term.add("Builds take ten minutes", metadata={"env": "dev"})
        again = await memory.long_term.add(
            "Builds  take ten minutes", metadata={"env": "prod"}, occurred_at=happened, source="ci", ttl="7d"
        )
        assert again == first
        stored = await memory.get(first)
        assert stored is not None
        assert (stored.metadata, stored.occurred_at, stored.source) == ({"env": "prod"}, happened, "ci")
        ends = stored.expires_at
        assert ends is not None
        assert await memory.long_term.store_fact("Builds take ten minutes") == first
        assert await memory.get(first, count_access=False) is not None
        (kept,) = await memory.list(types="fact")
        assert (kept.importance, kept.expires_at) == (0.5, ends)  # the default of a fact was not given
        await memory.long_term.store_fact("Builds take ten minutes", importance=0.7)
        (kept,) = await memory.list(types="fact")
        assert kept.importance == 0.7

    async def test_a_fact_of_a_session_that_was_named_is_that_sessions_own(self, memory: AgentMemory) -> None:
        ids = [
            await memory.long_term.add("Likes tea", session=session)
            for session in (None, "ann", "bob", "ann")
        ]
        assert len(set(ids)) == 3
        assert ids[1] == ids[3]
        assert texts(await memory.list(session="bob")) == ["Likes tea"]

    async def test_a_key_keeps_what_is_not_given(self, memory: AgentMemory) -> None:
        first = await memory.long_term.add(
            "Lisbon", importance=0.9, key="city", source="chat", tags=["home"], ttl="30d", session="ann"
        )
        before = await memory.get(first)
        assert await memory.long_term.add("Porto", key="city") == first
        after = await memory.get("city")
        assert before is not None
        assert after is not None
        kept = ("importance", "source", "tags", "expires_at", "session")
        assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
        await memory.long_term.add("Faro", importance=0.5, key="city")
        assert (await memory.get("city")).importance == 0.5  # type: ignore[union-attr]

    async def test_update_takes_away_by_none_and_keeps_what_is_left_out(self, memory: AgentMemory) -> None:
        happened = datetime(2026, 1, 2, tzinfo=UTC)
        stored = await memory.long_term.add(
            "Lisbon", key="city", source="chat", ttl="30d", occurred_at=happened, importance=0.9
        )
        kept = await memory.update(stored, "Porto")
        assert (kept.key, kept.source, kept.occurred_at) == ("city", "chat", happened)
        assert kept.expires_at is not None
        tombstoned = await memory.update(stored, key=None, source=None, ttl=None, occurred_at=None)
        assert (tombstoned.key, tombstoned.source, tombstoned.expires_at, tombstoned.occurred_at) == (
            None,
            None,
            None,
            None,
        )
        assert (tombstoned.content, tombstoned.importance) == ("Porto", 0.9)
        assert await memory.get("city") is None
        wrong: tuple[dict[str, Any], ...] = (
            {"content": None}, {"importance": None}, {"tags": None}, {"metadata": None}, {"session": None},
            {"category": None},
        )  # fmt: skip
        for changes in wrong:
            with pytest.raises(ValidationError, match=next(iter(changes))):
                await memory.update(stored, **changes)
        assert await memory.get(stored) is not None

    async def test_a_skill_without_its_key_keeps_its_name(self, memory: AgentMemory) -> None:
        skill = await memory.procedural.record_workflow("ship", ["build", "test"])
        assert (await memory.update(skill, key="release")).name == "release"  # type: ignore[attr-defined]
        tombstoned = await memory.update(skill, key=None)
        assert (tombstoned.key, tombstoned.name) == (None, "release")  # type: ignore[attr-defined]
        record = await memory.procedural.get_skill("release")
        assert record is not None
        assert record.id == skill

    async def test_a_default_time_to_live_starts_anew_and_a_given_one_stays(
        self, memory: AgentMemory
    ) -> None:
        start = clock.now()
        with clock.fixed(start):
            await memory.short_term.set_working_memory("branch", "one")
            await memory.short_term.set_working_memory("plan", "one", ttl="3h")
            note = await memory.short_term.add("a note")
        with clock.fixed(start + timedelta(minutes=50)):
            await memory.short_term.set_working_memory("branch", "two")
            await memory.short_term.set_working_memory("plan", "two")
            await memory.update(note, "another note")
        with clock.fixed(start + timedelta(minutes=100)):
            assert await memory.short_term.list_working_memory() == {"branch": "two", "plan": "two"}
            assert texts(await memory.list(types="note", metadata={}))
            ends = (await memory.get("plan")).expires_at  # type: ignore[union-attr]
            assert ends is not None
            assert abs(ends - start - timedelta(hours=3)) < timedelta(seconds=1)
        with clock.fixed(start + timedelta(minutes=115)):
            assert await memory.short_term.list_working_memory() == {"plan": "two"}
            await memory.update("plan", ttl=None)
        with clock.fixed(start + timedelta(days=3)):
            await memory.update("plan", importance=0.9)
        with clock.fixed(start + timedelta(days=9)):
            assert await memory.short_term.get_working_memory("plan") == "two"

    @pytest.mark.parametrize("word", ["café", "Việt が"])
    async def test_a_name_is_the_same_in_whichever_form(self, memory: AgentMemory, word: str) -> None:
        composed, apart = unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)
        assert composed != apart
        text = f"An entry about {apart}"
        first = await memory.long_term.add(
            text, key=apart, tags=[apart], source=apart, session=apart, metadata={apart: apart}
        )
        stored = await memory.get(composed)
        assert stored is not None
        assert (stored.id, stored.content) == (first, text)
        for form in (composed, apart):
            for filters in (
                {"tags": form}, {"source": form}, {"session": form}, {"metadata": {form: form}},
                {"metadata": {form: {"in": [form, "x"]}}}, {"key": form},
            ):  # fmt: skip
                assert [record.id for record in await memory.list(**filters)] == [first], filters
        assert await memory.long_term.add("Another", key=composed) == first
        await memory.update(first, add_tags=[composed], metadata={composed: None})
        assert ((await memory.get(apart)).tags, (await memory.get(apart)).metadata) == ((composed,), {})  # type: ignore[union-attr]
        await memory.long_term.store_preference(apart, "yes")
        assert texts(await memory.long_term.get_preferences(composed)) == ["yes"]
        skill = await memory.procedural.record_skill(apart, "how", triggers=[apart])
        assert await memory.procedural.record_skill(composed, "how, better") == skill
        await memory.conversation.add_message("user", "hello", conversation_id=apart)
        await memory.conversation.add_message("user", "again", conversation_id=composed)
        assert texts(await memory.conversation.get_messages(conversation_id=apart)) == ["hello", "again"]

    async def test_an_outcome_is_one_of_a_few_words(self, memory: AgentMemory) -> None:
        for outcome, success in OUTCOMES.items():
            event = await memory.episodic.record_event("deploy", "A deploy", outcome)
            stored = await memory.get(event)
            assert (stored.outcome, stored.success) == (outcome, success)  # type: ignore[union-attr]
        said = await memory.episodic.record_event("deploy", "Another", "passed with warnings", success=True)
        assert (await memory.get(said)).success is True  # type: ignore[union-attr]
        assert (await memory.update(said, outcome="failed: disk full")).success is False  # type: ignore[attr-defined]
        failed = {failed_event.outcome for failed_event in await memory.episodic.get_failed_events()}
        assert failed == {outcome for outcome, went in OUTCOMES.items() if went is False} | {
            "failed: disk full"
        }

    @pytest.mark.parametrize(
        ("place", "moment", "day", "another"),
        [
            ("Asia/Tokyo", datetime(2026, 5, 7, 16, 30, tzinfo=UTC), "8 May 2026 Friday", "Thursday"),
            ("America/New_York", datetime(2026, 3, 9, 2, 0, tzinfo=UTC), "8 March 2026 Sunday", "Monday"),
        ],
    )  # fmt: skip
    async def test_the_day_of_a_memory_is_its_writers(
        self, memory: AgentMemory, place: str, moment: datetime, day: str, another: str
    ) -> None:
        with zone(place):
            event = await memory.episodic.record_event("visit", "The inspector came", occurred_at=moment)
            message = await memory.conversation.add_message("user", "He was early", at=moment)
        with zone("UTC"):
            await memory.update(event, add_tags=["seen"])
            if memory.backend.capabilities.full_text:
                results = await memory.search(day, mode="keyword")
                assert {result.memory.id for result in results} == {event, message}
                assert another in day or await memory.search(another, mode="keyword") == []
        stored = await memory.get(event)
        assert stored is not None
        assert stored.occurred_at == moment
