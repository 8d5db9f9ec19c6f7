"""A failure brings along what went well next, and the skill that fits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_memory import AgentMemory
from agent_memory.recall.outcomes import Outcomes
from agent_memory.recall.packing import Candidate
from agent_memory.storage.where import Where
from tests.recall.test_finding import local

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 1, tzinfo=UTC)


async def test_a_failed_deploy_brings_the_fix_and_the_skill(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        add = memory.episodic.add

        def day(number: int) -> datetime:
            return START + timedelta(days=number)

        await add("deploy of billing went out", event_type="deploy", outcome="success", occurred_at=day(0))
        failed = await add(
            "deploy of billing broke the build", event_type="deploy", outcome="failed", occurred_at=day(1)
        )
        await add("deploy of search went out", event_type="deploy", outcome="success", occurred_at=day(2))
        fixed = await add(
            "billing is live again: deploy with the pinned compiler",
            event_type="deploy",
            outcome="success",
            occurred_at=day(3),
        )
        await add("billing deploy number nine", event_type="deploy", outcome="success", occurred_at=day(4))
        skill = await memory.procedural.record_skill("ship_billing", "pin the compiler, then deploy billing")
        await memory.procedural.record_skill("make_tea", "boil water and wait")
        await memory.long_term.add_many([f"meeting {number} was about parking" for number in range(100)])

        recall = await memory.recall("what broke the build?", budget=120)
        ids = [item.memory.id for item in recall.items]
        place = ids.index(failed)
        assert ids[place + 1 : place + 3] == [fixed, skill]
        assert len(ids) == len(set(ids))

        only_events = await memory.recall("what broke the build?", budget=120, types=["episodic"])
        found = [item.memory.id for item in only_events.items]
        assert found[found.index(failed) + 1] == fixed
        assert skill not in found


async def test_a_failure_that_nothing_follows_brings_nothing(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        failed = await memory.episodic.add(
            "the backup ran out of space", event_type="backup", outcome="failed"
        )
        await memory.procedural.record_skill("make_tea", "boil water and wait")
        event = await memory.get(failed)
        assert event is not None
        candidate = Candidate(event)
        outcomes = Outcomes(memory.backend, memory._core.searcher)
        assert await outcomes.joined([candidate], Where(), "hybrid") == [candidate]
        skill = await memory.procedural.record_skill("free_backup_space", "when the backup is out of space")
        joined = await outcomes.joined([candidate], Where(), "hybrid")
        assert [item.memory.id for item in joined] == [failed, skill]


async def test_what_went_well_soon_after_a_failure_is_its_end_whatever_it_says(tmp_path: Path) -> None:
    async with AgentMemory(config=local(tmp_path / "a.db")) as memory:
        for text, outcome, hours in (
            ("the shop answered with 502", "failed", 0),
            ("rolled back to v1.9 and errors stopped", "success", 1),
            ("the queue was full", "failed", 48),
            ("a new certificate was ordered", "success", 72),
        ):
            await memory.episodic.add(
                text, event_type="incident", outcome=outcome, occurred_at=START + timedelta(hours=hours)
            )
        recall = await memory.recall("did the shop answer with 502?")
        assert [item.memory.content for item in recall.items][:2] == [
            "the shop answered with 502",
            "rolled back to v1.9 and errors stopped",
        ]
        recall = await memory.recall("was the queue full?")
        assert "a new certificate was ordered" not in [item.memory.content for item in recall.items]
