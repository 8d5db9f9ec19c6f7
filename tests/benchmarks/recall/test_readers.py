"""Question sets are read as their protocols say."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import question_sets

from benchmarks.recall import readers


def test_realmem_questions_see_the_sessions_before_their_own(tmp_path: Path) -> None:
    for person in ("one", "two"):
        path = tmp_path / f"{person}_dialogues_tiny.json.gz"
        path.write_bytes(gzip.compress(json.dumps(question_sets.realmem()).encode()))
    questions = readers.read(tmp_path)
    assert [agent.id for agent in questions.agents] == ["one", "two"]
    assert questions.levels == ("session",)
    first, second = questions.agents[0].questions
    assert [(item.stored, item.gold_sessions) for item in (first, second)] == [
        (2, {"greenhouse"}),
        (6, {"greenhouse", "kiln"}),
    ]
    assert first.asked_at == datetime(2025, 3, 2, 9, 0, 0, tzinfo=UTC)
    said = [item.arguments["occurred_at"] for item in questions.agents[0].items]
    assert said == sorted(set(said))
    assert questions.agents[0].items[2].arguments["conversation_id"] == "kiln"
    assert len(readers.read(tmp_path, limit=1).agents) == 1
    assert len(readers.read(path).agents) == 1


def test_precisionmembench_keeps_pinned_and_superseded_beliefs_apart(tmp_path: Path) -> None:
    question_sets.write_precisionmembench(tmp_path)
    questions = readers.read(tmp_path)
    agents = {agent.id: agent for agent in questions.agents}
    items = {item.id: item for item in agents["test-user"].items}
    assert set(items) == {"kettle", "lamp", "old-lamp", "oven"}
    assert items["kettle"].text == "The kettle boils at 96 degrees. (teapot, boiler)"
    assert {name for name, item in items.items() if item.judged} == {"kettle", "lamp"}
    assert {name for name, item in items.items() if item.archived} == {"old-lamp"}
    assert {name for name, item in items.items() if item.arguments["pinned"]} == {"oven"}
    assert {question.id: question.gold for question in agents["test-user"].questions} == {
        "boiler": {"kettle"},
        "nothing": set(),
    }
    assert agents["test-user"].questions[0].tags == ("domain:kitchen",)
    assert not agents["new-user"].items


def test_what_is_no_question_set_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text("[]")
    with pytest.raises(ValueError, match="neither LoCoMo"):
        readers.read(path)
