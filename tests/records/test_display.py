"""How records and results show themselves, and their way to dicts and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_memory import (
    ConfigurationError,
    EpisodicRecord,
    LongTermRecord,
    MemoryConfig,
    MemoryRecord,
    SyncAgentMemory,
    ValidationError,
)

LONG = "a zebra " * 400
HTML = "<b>bold & brave</b> zebra"


@pytest.fixture
def memory() -> Iterator[SyncAgentMemory]:
    with SyncAgentMemory("t", MemoryConfig(backend="memory", embedding_provider="dummy")) as opened:
        yield opened


def filled(memory: SyncAgentMemory) -> list[MemoryRecord]:
    memory.short_term.set_working_memory("k", {"a": [1, None]})
    memory.long_term.store_preference("ui", "dark mode")
    memory.conversation.add_message("user", "hello", name="Maria")
    memory.episodic.record_event("deploy", "it failed", outcome="failed", participants=["a"], duration=3)
    memory.semantic.add(HTML, metadata={"k": [1]}, title="t")
    memory.procedural.record_skill("s", "do it", triggers=["x", "y"])
    id = memory.long_term.add(
        LONG, tags=["b", "a"], key="key", ttl="7d", occurred_at="2026-01-01", pinned=True
    )
    memory.forget(memory.long_term.add("an archived one"))
    assert memory.get(id) is not None
    return memory.list(None, status=None)


def test_every_record_comes_back_from_its_dict(memory: SyncAgentMemory) -> None:
    records = filled(memory)
    assert len({type(record) for record in records}) == 6
    for record in records:
        data = json.loads(json.dumps(record.to_dict()))
        beside = {
            name: getattr(record, name) for name in ("revision", "utc_offset", "session_given", "ttl_given")
        }
        for kind in (MemoryRecord, type(record)):
            back = kind.from_dict(data)
            assert type(back) is type(record)
            assert replace(back, **beside) == record


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"type": "episodic"}, "episodic memory: build it with EpisodicRecord"),
        ({"colour": "red"}, "no field 'colour'"),
        ({"triggers": ["x"]}, "no field 'triggers'"),
        ({"id": None}, "no id"),
        ({"created_at": "soon"}, "cannot be read"),
        ({"created_at": 5}, "cannot be read"),
        ({"tags": 5}, "cannot be read"),
        ({"status": "lost"}, "cannot be read"),
    ],
)
def test_what_is_no_dict_of_a_record_is_told(change: dict[str, Any], match: str) -> None:
    data = {"id": "x", "type": "long_term", "content": "y", "created_at": "2026-01-01T00:00:00.000000Z"}
    assert LongTermRecord.from_dict(data).created_at == datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValidationError, match=match):
        LongTermRecord.from_dict({**data, **change})
    with pytest.raises(ConfigurationError, match="novel"):
        MemoryRecord.from_dict({**data, "type": "novel"})
    with pytest.raises((ValidationError, ConfigurationError)):
        MemoryRecord.from_dict({name: value for name, value in data.items() if name != "type"})


def test_a_repr_is_short(memory: SyncAgentMemory) -> None:
    for record in filled(memory):
        text = repr(record)
        assert text.startswith(f"{type(record).__name__}(id='{record.id}'")
        assert len(text) < 200
    (found,) = memory.search("zebra", key="key")
    assert "…" in repr(found)
    assert len(repr(found)) < 260
    assert repr(found).startswith(f"ScoredMemory(score={found.score:.2f}")
    recall = memory.recall("zebra", budget=200)
    assert repr(recall).startswith(f"Recall(tokens={recall.tokens}, budget=200, items=")
    assert len(repr(recall)) < 200
    archived = memory.list(status="archived")[0]
    assert "status='archived'" in repr(archived)


def test_a_notebook_gets_a_table_in_which_nothing_is_html(memory: SyncAgentMemory) -> None:
    records: Any = filled(memory)
    found: Any = memory.search("zebra")
    recall: Any = memory.recall("zebra", budget=500)
    for shown in (*records, found, *found, recall):
        html = shown._repr_html_()
        assert "<table>" in html
        assert "<b>" not in html
    assert "&lt;b&gt;bold &amp; brave" in found._repr_html_()
    assert len(found._repr_html_()) < 2000


def test_a_result_is_its_memory_with_its_scores(memory: SyncAgentMemory) -> None:
    memory.episodic.record_event("deploy", "a zebra crossed")
    (found,) = memory.search("zebra", explain=True)
    data = found.to_dict()
    assert memory.search("zebra", explain=True).to_dicts()[0].keys() == data.keys()
    assert {**data, **found.memory.to_dict()} == data
    assert data["content"] == "a zebra crossed"
    assert {"score", "relevance", "similarity", "explanation"} <= {*data}
    assert "explanation" not in memory.search("zebra")[0].to_dict()
    assert isinstance(found.memory, EpisodicRecord)
