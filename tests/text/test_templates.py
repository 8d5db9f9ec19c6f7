"""What of each type of memory is indexed, embedded and compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.records import (
    RECORD_CLASSES,
    ConversationRecord,
    EpisodicRecord,
    LongTermRecord,
    MemoryRecord,
    ProceduralRecord,
    SemanticRecord,
    ShortTermRecord,
)
from agent_memory.text.analysis import analyse, query_terms
from agent_memory.text.templates import (
    content_hash,
    date_words,
    embedded_text,
    embedding_hash,
    indexed_text,
    normalise,
)

from .records import make

LONG_AGO = datetime(2023, 5, 8, 10, tzinfo=UTC)

EMBEDDED = [
    (make(ShortTermRecord, "Reviewing the parser"), "Reviewing the parser"),
    (make(ShortTermRecord, "main.py", kind="working", key="open_file"), "open file: main.py"),
    (make(LongTermRecord, "The sky is blue", tags=("nature",), key="sky"), "The sky is blue"),
    (make(LongTermRecord, "dark", kind="preference", category="ui_theme"), "ui theme: dark"),
    (
        make(ConversationRecord, "I moved to Porto.", name="Ana", occurred_at=LONG_AGO),
        'Ana said, "I moved to Porto."',
    ),
    (make(ConversationRecord, "Hello", role="assistant"), 'assistant said, "Hello"'),
    (make(ConversationRecord, "Ana moved.", kind="summary", role="system"), "Ana moved."),
    (make(EpisodicRecord, "It rained."), "It rained."),
    (
        make(
            EpisodicRecord,
            "Finished code review",
            event_type="task_completed",
            outcome="success",
            participants=("Ana", "Bo"),
            location="Porto",
        ),
        "task completed: Finished code review. Outcome: success. With Ana, Bo. At Porto",
    ),
    (make(SemanticRecord, "Guido made it.", title="Python"), "Python\nGuido made it."),
    (make(SemanticRecord, "Guido made it."), "Guido made it."),
    (
        make(
            ProceduralRecord,
            "Retry with backoff",
            name="error_handling",
            key="error_handling",
            triggers=("rate limit", "429"),
            category="http",
        ),
        "error handling: Retry with backoff. For: rate limit, 429. Category: http",
    ),
    (
        make(ProceduralRecord, "1. build\n2. ship", name="release", kind="workflow", steps=("build", "ship")),
        "release: 1. build\n2. ship",
    ),
    (
        make(ProceduralRecord, "How to release", name="release", steps=("build",)),
        "release: How to release\nbuild",
    ),
]


@pytest.mark.parametrize(
    ("record", "text"), EMBEDDED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_embedded_text(record: MemoryRecord, text: str) -> None:
    assert embedded_text(record) == text


INDEXED: list[tuple[MemoryRecord, str, str]] = [
    (make(ShortTermRecord, "main.py", kind="working", key="open_file"), "open file main py", ""),
    (make(LongTermRecord, "The sky", tags=("nature", "color"), key="k7"), "sky nature color k7", "2026 may"),
    (make(LongTermRecord, "The war", occurred_at=LONG_AGO), "war 8 may 2023 monday", ""),
    (make(LongTermRecord, "dark", kind="preference", category="theme"), "theme dark", "preference"),
    (
        make(ConversationRecord, "Hi", name="Ana", occurred_at=LONG_AGO),
        "ana hi 8 may 2023 monday",
        "user 2026",
    ),
    (make(ConversationRecord, "Hi", role="assistant"), "assistant hi 8 may 2026 friday", "user"),
    (
        make(ConversationRecord, "Ana moved", kind="summary", role="system", key="summary:c9"),
        "ana moved 2026",
        "c9 system",
    ),
    (
        make(
            EpisodicRecord,
            "Review",
            event_type="task_completed",
            outcome="success",
            participants=("Bo",),
            location="Porto",
            occurred_at=LONG_AGO,
        ),
        "review task completed success bo porto 8 may 2023 monday",
        "2026",
    ),
    (make(SemanticRecord, "Guido", title="Python"), "python guido", "2026"),
    (
        make(
            ProceduralRecord,
            "Retry",
            name="error_handling",
            triggers=("rate limit",),
            steps=("wait",),
            category="http",
        ),
        "error handling rate limit retry wait http",
        "2026",
    ),
]


@pytest.mark.parametrize(("record", "present", "absent"), INDEXED)
def test_indexed_words(record: MemoryRecord, present: str, absent: str) -> None:
    found = set(analyse(indexed_text(record)))
    assert set(present.split()) <= found
    assert not set(absent.split()) & found


def test_a_key_that_is_the_name_is_indexed_once() -> None:
    record = make(ProceduralRecord, "Retry", name="backoff", key="backoff")
    assert analyse(indexed_text(record)).count("backoff") == 1


def test_a_day_named_in_a_question_is_among_the_words_of_its_messages() -> None:
    message = make(ConversationRecord, "We went hiking", name="Ana", occurred_at=LONG_AGO)
    assert {"8", "may", "2023"} <= set(query_terms("What did Ana do on 8 May, 2023?"))
    assert {"8", "may", "2023"} <= set(analyse(indexed_text(message)))


def test_the_day_is_that_of_utc_and_in_english() -> None:
    assert date_words(datetime(2023, 5, 8, tzinfo=UTC)) == "8 May 2023 Monday"
    assert date_words(datetime(2024, 12, 31, tzinfo=UTC)) == "31 December 2024 Tuesday"


def test_the_same_text_in_any_unicode_form_has_one_embedding() -> None:
    assert embedding_hash("caf\u00e9") == embedding_hash("cafe\u0301")
    assert embedding_hash("cafe") != embedding_hash("caf\u00e9")
    assert len(embedding_hash("")) == 16


@given(st.text())
def test_normalising_is_idempotent_and_collapses_white_space(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "  " not in once
    assert once == once.strip()


@pytest.mark.parametrize(
    ("kind", "change", "same"),
    [
        (LongTermRecord, {"content": "  The   sky\n is blue "}, True),
        (LongTermRecord, {"content": "the sky is blue"}, False),
        (LongTermRecord, {"tags": ("a",), "importance": 0.9, "source": "x", "metadata": {"a": 1}}, True),
        (LongTermRecord, {"created_at": LONG_AGO, "updated_at": LONG_AGO, "pinned": True}, True),
        (LongTermRecord, {"key": "sky"}, False),
        (LongTermRecord, {"kind": "preference"}, False),
        (LongTermRecord, {"category": "nature"}, False),
        (SemanticRecord, {"document_id": "d1"}, False),
        (SemanticRecord, {"position": 3}, False),
        (SemanticRecord, {"title": "Sky"}, True),
        (ProceduralRecord, {"name": "look_up"}, False),
        (ProceduralRecord, {"use_count": 3, "triggers": ("x",)}, True),
    ],
)
def test_what_makes_two_memories_the_same(
    kind: type[MemoryRecord], change: dict[str, Any], same: bool
) -> None:
    record = make(kind, "The sky is blue")
    assert (content_hash(replace(record, **change)) == content_hash(record)) is same


def test_hashes_differ_between_types_and_do_not_run_fields_together() -> None:
    hashes = {content_hash(make(kind, "x")) for kind in RECORD_CLASSES.values()}
    assert len(hashes) == len(RECORD_CLASSES)
    assert content_hash(make(LongTermRecord, "x", key="a")) != content_hash(make(LongTermRecord, "a x"))
    one = make(SemanticRecord, "x", document_id="d", position=1)
    assert content_hash(one) != content_hash(make(SemanticRecord, "x", document_id="d1"))


@given(st.sampled_from(sorted(RECORD_CLASSES)), st.text(min_size=1))
def test_every_memory_has_words_of_its_content_and_something_to_embed(kind: Any, content: str) -> None:
    record = make(RECORD_CLASSES[kind], content)
    assert content in indexed_text(record)
    assert content.rstrip() in embedded_text(record)


def test_the_date_of_a_time_elsewhere_is_given_in_utc() -> None:
    evening = datetime(2023, 5, 8, 23, tzinfo=timezone(timedelta(hours=-5))).astimezone(UTC)
    assert "9 May 2023 Tuesday" in indexed_text(make(EpisodicRecord, "x", occurred_at=evening))
