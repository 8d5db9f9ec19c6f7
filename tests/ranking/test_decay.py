"""Decay: bounded, never rising with age, and none for what is pinned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.ranking.decay import (
    AccessRefreshed,
    Custom,
    Decay,
    DecayPolicy,
    Exponential,
    Linear,
    NoDecay,
    Stepped,
)
from agent_memory.records import EpisodicRecord, LongTermRecord, MemoryRecord, MemoryType

NOW = datetime(2026, 5, 8, tzinfo=UTC)
WEEK = timedelta(days=7)

shares = st.floats(0, 1)
durations = st.timedeltas(timedelta(microseconds=1), timedelta(days=40_000))
ages = st.timedeltas(timedelta(0), timedelta(days=700_000))


def written(age: timedelta, **more: object) -> LongTermRecord:
    then = NOW - age
    return LongTermRecord(id="x", content="x", created_at=then, updated_at=then, **more)  # type: ignore[arg-type]


@st.composite
def stepped(draw: st.DrawFn) -> Stepped:
    at = draw(st.lists(durations, min_size=1, max_size=4, unique=True).map(sorted))
    left = sorted(draw(st.lists(shares, min_size=len(at), max_size=len(at))), reverse=True)
    return Stepped(zip(at, left, strict=True))


plain = st.one_of(
    st.just(NoDecay()),
    durations.map(Exponential),
    st.builds(Linear, durations, shares),
    stepped(),
    st.sampled_from([1.5, 0.5, -2.0]).map(lambda start: Custom(lambda age: start - age / WEEK)),
)
curves = plain | plain.map(AccessRefreshed)
policies = st.builds(
    DecayPolicy,
    default=curves,
    by_type=st.dictionaries(st.sampled_from(list(MemoryType)), curves, max_size=2),
    by_tag=st.dictionaries(st.sampled_from(["a", "b"]), curves, max_size=2),
)


@given(curves | policies, ages, ages, st.none() | ages, st.sampled_from([(), ("a",), ("a", "b"), ("c",)]))
def test_what_is_left_is_a_share_and_never_rises_with_age(
    decay: Decay | DecayPolicy,
    one: timedelta,
    other: timedelta,
    idle: timedelta | None,
    tags: tuple[str, ...],
) -> None:
    accessed = None if idle is None else NOW - idle
    younger, older = sorted([one, other])
    left, later = (decay(written(age, tags=tags, accessed_at=accessed), NOW) for age in (younger, older))
    assert 0 <= later <= left <= 1


@given(curves | policies, ages, st.booleans())
def test_what_is_pinned_does_not_decay(decay: Decay | DecayPolicy, age: timedelta, tagged: bool) -> None:
    assert decay(written(age, pinned=True, tags=("a",) if tagged else ()), NOW) == 1.0


@given(plain, ages)
def test_an_access_only_ever_refreshes(curve: Decay, age: timedelta) -> None:
    record = written(age)
    seen = replace(record, accessed_at=NOW)
    assert AccessRefreshed(curve)(record, NOW) == curve(record, NOW)
    assert AccessRefreshed(curve)(seen, NOW) == curve.left(timedelta(0)) >= curve(seen, NOW)


@pytest.mark.parametrize(
    ("curve", "age", "left"),
    [
        (NoDecay(), 1000 * WEEK, 1.0),
        (Exponential(WEEK), timedelta(0), 1.0),
        (Exponential(WEEK), WEEK, 0.5),
        (Exponential("7d"), 3 * WEEK, 0.125),
        (Exponential(60), timedelta(seconds=120), 0.25),
        (Linear(2 * WEEK), WEEK, 0.5),
        (Linear(2 * WEEK), 5 * WEEK, 0.0),
        (Linear(2 * WEEK, least=0.2), WEEK, 0.6),
        (Linear(2 * WEEK, least=0.2), 5 * WEEK, 0.2),
        (Stepped({"7d": 0.5, "1d": 0.9}), timedelta(hours=23), 1.0),
        (Stepped({"7d": 0.5, "1d": 0.9}), timedelta(days=1), 0.9),
        (Stepped({"7d": 0.5, "1d": 0.9}), 2 * WEEK, 0.5),
        (Custom(lambda age: 1 - age / (4 * WEEK)), WEEK, 0.75),
        (Custom(lambda age: 7.0), WEEK, 1.0),
    ],
)
def test_curves(curve: Decay, age: timedelta, left: float) -> None:
    assert curve(written(age), NOW) == pytest.approx(left)


def test_age_runs_from_what_happened_else_from_the_present_version() -> None:
    curve = Exponential(WEEK)
    event = EpisodicRecord(
        id="x", content="x", created_at=NOW, updated_at=NOW, occurred_at=NOW - WEEK, event_type="trip"
    )
    assert curve(event, NOW) == 0.5
    assert curve(replace(event, occurred_at=NOW + WEEK), NOW) == 1.0
    updated = replace(written(5 * WEEK), updated_at=NOW - WEEK)
    assert curve(updated, NOW) == 0.5


def test_a_tag_decides_before_the_type_and_the_type_before_the_default() -> None:
    policy = DecayPolicy(
        default=Exponential(WEEK),
        by_type={"event": Linear(4 * WEEK)},
        by_tag={"keep": NoDecay(), "brief": Stepped({"1h": 0.0})},
    )
    fact = written(WEEK)
    event: MemoryRecord = EpisodicRecord(
        id="x", content="x", created_at=fact.created_at, updated_at=fact.updated_at
    )
    assert policy(fact, NOW) == 0.5
    assert policy(event, NOW) == 0.75
    assert policy(replace(event, tags=("brief",)), NOW) == 0.0
    assert policy(replace(event, tags=("brief", "keep")), NOW) == 1.0
    assert DecayPolicy.exponential("7d")(event, NOW) == 0.5
    assert DecayPolicy.none()(event, NOW) == 1.0


@pytest.mark.parametrize("wrong", [0, -1, "soon", timedelta(0), float("nan"), True])
def test_a_half_life_that_is_no_duration_is_refused(wrong: float) -> None:
    with pytest.raises(ValidationError):
        Exponential(wrong)
    with pytest.raises(ValidationError):
        Linear(wrong)
    with pytest.raises(ValidationError):
        Stepped([(wrong, 0.5)])


def test_other_wrong_parameters_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="least"):
        Linear("7d", least=1.5)
    with pytest.raises(ConfigurationError, match="no step"):
        Stepped({})
    with pytest.raises(ConfigurationError, match="rises"):
        Stepped({"1d": 0.2, "2d": 0.4})
    with pytest.raises(ConfigurationError, match="value"):
        Stepped({"1d": -0.2})
    with pytest.raises(ConfigurationError, match="memory type"):
        DecayPolicy(by_type={"dream": NoDecay()})
    with pytest.raises(ConfigurationError, match="NaN"):
        Custom(lambda age: float("nan"))(written(WEEK), NOW)
