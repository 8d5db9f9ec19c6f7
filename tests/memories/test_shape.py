"""Reading objects in the shape in which memories are printed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_memory import ValidationError
from agent_memory.memories.shape import read_shape, read_shapes, storing_order

DAY = datetime(2026, 5, 8, tzinfo=UTC)


def test_names_of_the_shell_and_of_the_record_mean_the_same() -> None:
    item, dropped = read_shape(
        {"text": "x", "tag": "t", "meta": {"n": 1}, "at": "2026-05-08T00:00Z", "type": "event", "key": None}
    )
    assert item == {"content": "x", "tags": "t", "metadata": {"n": 1}, "occurred_at": DAY, "type": "episodic"}
    assert dropped == frozenset()


def test_what_a_store_says_of_its_own_is_left_out_and_told() -> None:
    item, dropped = read_shape(
        {"id": "7f3k", "content": "x", "updated_at": "2026-05-08T00:00Z", "access_count": 3, "accessed_at": None,
         "status": "active", "score": 0.5}
    )  # fmt: skip
    assert item == {"content": "x"}
    assert dropped == {"id", "updated_at", "access_count", "status", "score"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"contnt": "x"}, "'contnt'"),
        ({"content": "x", "colour": None}, "'colour'"),
        ({"content": "x", "text": "y"}, "second time"),
        ({"content": "x", "status": "gone"}, "status"),
        ({"content": "x", "pinned": "no"}, "pinned"),
        ({"content": "x", "tags": 5}, "tags"),
        ({"content": "x", "tags": [5]}, "tags"),
        ({"content": "x", "steps": {"a": 1}}, "steps"),
        ({"content": "x", "metadata": "n=1"}, "metadata"),
        ({"content": "x", "importance": True}, "importance"),
        ({"content": "x", "created_at": "someday"}, "someday"),
        ({"content": "x", "occurred_at": True}, "occurred_at"),
        ({"content": "x", "last_used_at": "someday"}, "someday"),
        ({"content": "x", "expires_at": "2020-01-01"}, "ended"),
        ({"content": "x", "expires_at": "9999-01-01", "ttl": "7d"}, "both"),
        ({"content": "x", "type": "colour"}, "colour"),
        ({"content": "x", "type": 5}, "type"),
        ({}, "content"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=f"^line 4: .*{says}"):
        read_shapes([{"content": "fine"}, wrong], names=["line 2", "line 4"])


def test_what_is_said_once_for_all_gives_way_to_what_is_said_of_one() -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    shaped = read_shapes(
        [
            {"content": "x", "importance": 0.9, "tags": ["t"], "expires_at": ends.isoformat()},
            {"content": "y"},
        ],
        {"importance": 0.1, "tags": ["all"], "ttl": "7d", "type": "event"},
    )
    first, second = (item.item for item in shaped)
    assert first == {
        "content": "x",
        "importance": 0.9,
        "tags": ["all", "t"],
        "expires_at": ends,
        "type": "event",
    }
    assert second == {"content": "y", "importance": 0.1, "tags": ["all"], "ttl": "7d", "type": "event"}


def test_a_listing_is_stored_from_its_end() -> None:
    def times(*days: int) -> list[dict[str, Any]]:
        return [{"created_at": DAY + timedelta(days=day)} for day in days]

    assert list(storing_order(times(3, 2, 2, 1))) == [3, 2, 1, 0]
    assert list(storing_order(times(1, 2, 3))) == [0, 1, 2]
    assert list(storing_order([*times(3), {}, *times(1)])) == [0, 1, 2]
