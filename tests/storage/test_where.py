"""The filter language: what a condition means, and what is refused."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.errors import ValidationError
from agent_memory.records import MemoryRecord, MemoryType, Status
from agent_memory.storage.where import (
    FILTER_FIELDS,
    OPERATORS,
    Condition,
    Period,
    Where,
    conditions,
    period,
    words,
)
from agent_memory.testing import builders, strategies

NOW = strategies.NOW


def holds(operator: Any, value: Any, actual: Any) -> bool:
    return Condition("name", operator, value).holds({"name": actual})


@pytest.mark.parametrize(
    ("operator", "value", "fits", "misses"),
    [
        ("=", 1, [1, 1.0], [True, "1", 2, None, [1], {}]),
        ("=", True, [True], [1, 1.0, "true", False, None]),
        ("=", "a", ["a"], ["A", "", 1, None, ["a"]]),
        ("!=", 1, [0, 2.5, -1], [1, 1.0, True, False, "2", None, [2]]),
        ("!=", False, [True], [False, 0, 1, "x", None]),
        ("!=", "a", ["A", ""], ["a", 1, True, None]),
        ("<", 2, [1, 1.9, -5], [2, 3, True, "1", None]),
        ("<=", 2, [2, 2.0, 1], [3, "2"]),
        (">", "a", ["b", "aa", "é"], ["a", "B", 5, None]),
        (">=", "a", ["a", "b"], ["A", ""]),
        ("in", (1, "a"), [1, 1.0, "a"], [True, "1", 2, "b", None, [1]]),
        ("in", (True,), [True], [1, False]),
        ("in", (), [], [1, "a", True, None]),
        ("exists", True, [0, "", False, [], {}], [None]),
        ("exists", False, [None], [0, "", False, []]),
    ],
)
def test_what_a_condition_means(operator: str, value: Any, fits: list[Any], misses: list[Any]) -> None:
    for actual in fits:
        assert holds(operator, value, actual), actual
    for actual in misses:
        assert not holds(operator, value, actual), actual


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_missing_value_matches_nothing_but_its_absence(operator: Any) -> None:
    value: Any = {"in": (1,), "exists": True}.get(operator, 1)
    assert not Condition("name", operator, value).holds({})
    assert not Condition("name", operator, value).holds({"name": None})
    assert Condition("name", "exists", False).holds({"other": 1})


@given(strategies.conditions(st.just("name"), strategies.scalars), strategies.json_values)
def test_no_value_makes_a_condition_fail(condition: Condition, actual: Any) -> None:
    result = condition.holds({"name": actual})
    assert result in (True, False)
    if isinstance(actual, (list, dict)) or actual is None:
        assert result == (condition.operator == "exists" and condition.value is (actual is not None))


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("~", 1),
        ("", 1),
        ("=", None),
        ("=", [1]),
        ("=", (1,)),
        ("=", {}),
        ("=", float("nan")),
        ("<", True),
        (">=", None),
        ("in", "text"),
        ("in", [1]),
        ("in", (None,)),
        ("in", (1, (2,))),
        ("in", (float("nan"),)),
        ("exists", 1),
        ("exists", "true"),
        ("exists", None),
    ],
)
def test_what_cannot_be_compared_is_refused(operator: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        Where(metadata=(Condition("name", operator, value),))


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_name_has_to_be_text(name: Any) -> None:
    with pytest.raises(ValidationError, match="name"):
        Where(metadata=(Condition(name, "=", 1),))


def test_a_field_that_no_type_has_is_refused_and_the_known_ones_named() -> None:
    with pytest.raises(ValidationError, match=r"'colour'.*event_type"):
        Where(fields=(Condition("colour", "=", "red"),))
    assert "value" not in FILTER_FIELDS
    assert "triggers" not in FILTER_FIELDS


# --- conditions as programs give them ----------------------------------------------------------------------------


def test_conditions_are_read_from_mappings_and_triples() -> None:
    given = {"lang": "en", "stars": {">=": 3, "<": 5}, "kind": ["a", "b"], "there": {"exists": True}}
    expected = (
        Condition("lang", "=", "en"),
        Condition("stars", ">=", 3),
        Condition("stars", "<", 5),
        Condition("kind", "in", ("a", "b")),
        Condition("there", "exists", True),
    )
    assert conditions(given) == expected
    assert conditions([(item.name, item.operator, item.value) for item in expected]) == expected
    assert conditions([["kind", "in", ["a", "b"]]]) == (Condition("kind", "in", ("a", "b")),)
    assert conditions({"kind": {"in": {"a"}}}) == (Condition("kind", "in", ("a",)),)
    assert conditions({"env": [{"!=": "prod"}, {"!=": "test", "exists": True}]}) == (
        Condition("env", "!=", "prod"),
        Condition("env", "!=", "test"),
        Condition("env", "exists", True),
    )
    assert conditions(None) == conditions({}) == conditions([]) == ()


@pytest.mark.parametrize(
    "given",
    [
        {"a": {"~": 1}},
        {"a": None},
        {"a": {"=": None}},
        [("a", "=")],
        ["abc"],
        [("a", "=", None)],
        {"": 1},
        {"a": {"<": [1]}},
        {"a": [{"!=": "x"}, "y"]},
        {"a": [["!=", "x"]]},
    ],
)
def test_wrong_conditions_are_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        conditions(given)


def test_words_are_kept_once_and_in_order() -> None:
    assert words(None) == ()
    assert words("one two") == ("one two",)
    assert words(["b", "a", "b"]) == ("b", "a")
    assert words([]) == ()


# --- periods -----------------------------------------------------------------------------------------------------


def test_a_period_is_half_open() -> None:
    day, second = NOW + timedelta(days=1), timedelta(microseconds=1)
    both = Period(NOW, day)
    assert [both.holds(item) for item in (NOW - second, NOW, day - second, day)] == [False, True, True, False]
    assert Period(None, NOW).holds(NOW - second)
    assert Period(NOW, None).holds(day)
    assert Period().holds(NOW)
    assert not Period(day, NOW).holds(NOW)


def test_a_period_is_read_in_utc() -> None:
    there = timezone(timedelta(hours=9))
    assert period(None, None) is None
    read = period(datetime(2026, 5, 8, 9, tzinfo=there), None)
    assert read == Period(datetime(2026, 5, 8, 0, tzinfo=UTC), None)
    assert read is not None
    assert read.start is not None
    assert read.start.tzinfo is UTC
    with pytest.raises(ValidationError, match="timezone"):
        period(datetime(2026, 5, 8), None)  # noqa: DTZ001


# --- memories ----------------------------------------------------------------------------------------------------

_EVENT = builders.event(
    "x",
    tags=("a", "b"),
    key="k",
    source="s",
    session="q",
    importance=0.5,
    created_at=NOW,
    occurred_at=NOW - timedelta(days=2),
    metadata={"n": 1},
    event_type="deploy",
    success=True,
)


@pytest.mark.parametrize(
    ("fits", "misses"),
    [
        ({"types": (MemoryType.EPISODIC, MemoryType.SEMANTIC)}, {"types": (MemoryType.SEMANTIC,)}),
        ({"ids": (_EVENT.id, "x")}, {"ids": ("x",)}),
        ({"ids": None}, {"ids": ()}),
        ({"tags_any": ("b", "c")}, {"tags_any": ("c",)}),
        ({"tags_all": ("a", "b")}, {"tags_all": ("a", "c")}),
        ({"keys": ("k", "l")}, {"keys": ("l",)}),
        ({"sources": ("s",)}, {"sources": ("t",)}),
        ({"sessions": ("q",)}, {"sessions": ("r",)}),
        ({"statuses": ()}, {"statuses": (Status.ARCHIVED,)}),
        ({"pinned": False}, {"pinned": True}),
        ({"min_importance": 0.5}, {"min_importance": 0.51}),
        ({"created": Period(NOW, None)}, {"created": Period(None, NOW)}),
        ({"updated": Period(NOW, NOW + timedelta(1))}, {"updated": Period(None, NOW)}),
        ({"occurred": Period(None, NOW - timedelta(1))}, {"occurred": Period(NOW - timedelta(1), None)}),
        ({"metadata": conditions({"n": 1})}, {"metadata": conditions({"n": {">": 1}})}),
        ({"fields": conditions({"event_type": "deploy"})}, {"fields": conditions({"event_type": "x"})}),
        ({"fields": conditions({"success": True})}, {"fields": conditions({"success": {"!=": True}})}),
        ({"fields": conditions({"role": {"exists": False}})}, {"fields": conditions({"role": {"!=": "x"}})}),
        ({"expired": None}, {"expired": True}),
    ],
)
def test_every_part_counts(fits: dict[str, Any], misses: dict[str, Any]) -> None:
    assert Where(**fits).matches(_EVENT, NOW)
    assert not Where(**misses).matches(_EVENT, NOW)


def test_without_a_time_of_its_own_a_memory_happened_when_it_was_stored() -> None:
    record = builders.event(created_at=NOW)
    assert Where(occurred=Period(NOW, NOW + timedelta(1))).matches(record, NOW)


def test_a_memory_expires_at_the_moment_itself() -> None:
    record = builders.event(expires_at=NOW)
    just_before = NOW - timedelta(microseconds=1)
    assert Where().matches(record, just_before)
    assert not Where().matches(record, NOW)
    assert Where(expired=True).matches(record, NOW)
    assert not Where(expired=True).matches(record, just_before)
    assert Where(expired=None).matches(record, NOW)


@given(strategies.records(), strategies.wheres(), strategies.wheres())
def test_parts_are_joined_by_and(record: MemoryRecord, one: Where, other: Where) -> None:
    names = ("tags_any", "sources", "sessions", "keys")
    if any(getattr(one, name) and getattr(other, name) for name in names) or one.types or other.types:
        return
    joined = Where(
        tags_any=one.tags_any or other.tags_any,
        tags_all=one.tags_all + other.tags_all,
        keys=one.keys or other.keys,
        sources=one.sources or other.sources,
        sessions=one.sessions or other.sessions,
        statuses=(),
        min_importance=max(one.min_importance, other.min_importance),
        metadata=one.metadata + other.metadata,
        fields=one.fields + other.fields,
        expired=None,
    )
    parts = [
        Where(
            tags_any=item.tags_any,
            tags_all=item.tags_all,
            keys=item.keys,
            sources=item.sources,
            sessions=item.sessions,
            statuses=(),
            min_importance=item.min_importance,
            metadata=item.metadata,
            fields=item.fields,
            expired=None,
        )
        for item in (one, other)
    ]
    assert joined.matches(record, NOW) == all(part.matches(record, NOW) for part in parts)


def test_the_suites_filter_by_everything_there_is() -> None:
    assert {*strategies.FILTERS, "ids"} == {part.name for part in fields(Where)}
