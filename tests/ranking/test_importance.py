"""Importance: bounded, and monotone in each thing that it is made of."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import agent_memory.ranking
from agent_memory.errors import ConfigurationError, ValidationError
from agent_memory.ranking.importance import (
    CompositeScorer,
    ImportanceScorer,
    KeywordScorer,
    Scorer,
    TagScorer,
)
from agent_memory.records import LongTermRecord

NOW = datetime(2026, 5, 8, tzinfo=UTC)
NEW = LongTermRecord(id="x", content="Alice prefers dark mode", created_at=NOW, updated_at=NOW)

shares = st.floats(0, 1)
ages = st.timedeltas(timedelta(0), timedelta(days=700_000))
weights = st.floats(0, 1e6)
records = st.builds(
    lambda importance, count, age, idle, pinned, tags: replace(
        NEW,
        importance=importance,
        access_count=count,
        updated_at=NOW - age,
        accessed_at=None if idle is None else NOW - idle,
        pinned=pinned,
        tags=tags,
    ),
    shares,
    st.integers(0, 10**9),
    ages,
    st.none() | ages,
    st.booleans(),
    st.sampled_from([(), ("a",), ("a", "b")]),
)
simple: st.SearchStrategy[Scorer] = st.one_of(
    st.builds(
        ImportanceScorer,
        base_weight=weights,
        access_weight=weights,
        recency_weight=st.floats(0.001, 10),
        many_accesses=st.integers(1, 10**6),
        half_life=st.timedeltas(timedelta(seconds=1), timedelta(days=10_000)),
    ),
    st.builds(
        KeywordScorer, st.dictionaries(st.sampled_from(["dark", "bob"]), shares, min_size=1), otherwise=shares
    ),
    st.builds(TagScorer, st.dictionaries(st.sampled_from("abc"), shares, min_size=1), otherwise=shares),
)
scorers = simple | st.lists(st.tuples(simple, st.floats(0.1, 10)), min_size=1, max_size=3).map(
    CompositeScorer
)


@given(scorers, records)
def test_every_score_is_a_share(scorer: Scorer, record: LongTermRecord) -> None:
    assert 0 <= scorer(record, NOW) <= 1


@given(records, st.floats(0, 1), st.integers(0, 1000), ages)
def test_more_importance_more_use_and_less_age_never_lower_it(
    record: LongTermRecord, importance: float, count: int, later: timedelta
) -> None:
    scorer = ImportanceScorer()
    score = scorer(record, NOW)
    tiny = 1e-12
    assert scorer(replace(record, importance=max(record.importance, importance)), NOW) >= score - tiny
    assert scorer(replace(record, access_count=record.access_count + count), NOW) >= score - tiny
    assert scorer(replace(record, accessed_at=NOW), NOW) >= score - tiny
    assert scorer(record, NOW + later) <= score + tiny
    assert scorer(replace(record, pinned=True), NOW) >= score - tiny


def test_an_average_new_memory_is_in_the_middle() -> None:
    scorer = ImportanceScorer()
    assert scorer(NEW, NOW) == pytest.approx(0.5)
    assert scorer(replace(NEW, importance=1.0, access_count=50), NOW) == pytest.approx(1.0)
    assert scorer(replace(NEW, importance=0.0), NOW + timedelta(days=7)) == pytest.approx(0.1)
    assert ImportanceScorer(access_weight=0, recency_weight=0)(replace(NEW, importance=0.3), NOW) == 0.3


@pytest.mark.parametrize(
    ("content", "score"),
    [
        ("The DEADLINE is Friday", 0.9),
        ("the deadlines", 0.1),
        ("birthday party before the deadline", 0.9),
        ("Her birthday party", 0.7),
        ("birthday", 0.1),
        ("下周是生日聚会", 0.6),
        ("C++ is a language", 0.8),
        ("nothing", 0.1),
    ],
)
def test_keywords(content: str, score: float) -> None:
    scorer = KeywordScorer({"deadline": 0.9, "birthday party": 0.7, "生日": 0.6, "c++": 0.8}, otherwise=0.1)
    assert scorer(replace(NEW, content=content), NOW) == score


def test_keywords_and_tags_without_values_count_fully() -> None:
    assert KeywordScorer(["dark"])(NEW, NOW) == 1.0
    assert KeywordScorer("alice")(NEW, NOW) == 1.0
    assert TagScorer(["ui"])(NEW, NOW) == 0.5
    assert TagScorer(["ui"])(replace(NEW, tags=("ui", "x")), NOW) == 1.0
    assert TagScorer({"ui": 0.2, "x": 0.7})(replace(NEW, tags=("ui", "x")), NOW) == 0.7


def test_a_composite_is_the_weighted_mean_of_scorers_and_functions() -> None:
    composite = CompositeScorer([(TagScorer(["ui"], otherwise=0.0), 3.0), (lambda record, now: 2.0, 1.0)])
    assert composite(NEW, NOW) == 0.25
    assert composite(replace(NEW, tags=("ui",)), NOW) == 1.0


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="weights"):
        ImportanceScorer(base_weight=-1)
    with pytest.raises(ConfigurationError, match="weights"):
        ImportanceScorer(base_weight=0, access_weight=0, recency_weight=0)
    with pytest.raises(ConfigurationError, match="weights"):
        ImportanceScorer(base_weight=float("nan"))
    with pytest.raises(ConfigurationError, match="many_accesses"):
        ImportanceScorer(many_accesses=0)
    with pytest.raises(ValidationError, match="duration"):
        ImportanceScorer(half_life=0)
    with pytest.raises(ConfigurationError, match="weights"):
        CompositeScorer([])
    with pytest.raises(ConfigurationError, match="keyword"):
        KeywordScorer([])
    with pytest.raises(ConfigurationError, match="'dark'"):
        KeywordScorer({"dark": 1.1})
    with pytest.raises(ConfigurationError, match="otherwise"):
        TagScorer(["a"], otherwise=float("nan"))
    with pytest.raises(ConfigurationError, match="NaN"):
        CompositeScorer([(lambda record, now: float("nan"), 1.0)])(NEW, NOW)


def test_the_package_gives_every_name_and_loads_none_before_it_is_used() -> None:
    for name in agent_memory.ranking.__all__:
        assert getattr(agent_memory.ranking, name) is not None
    assert set(agent_memory.ranking.__all__) <= set(dir(agent_memory.ranking))
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = agent_memory.ranking.nothing_such
    code = "import sys, agent_memory.ranking; print('agent_memory.ranking.decay' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
