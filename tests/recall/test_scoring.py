from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_memory.recall import constants
from agent_memory.recall.scoring import Distribution, Parts, cosine_distribution, logistic, piecewise

NUMBERS = st.floats(-50, 50)


@given(st.floats(allow_nan=False))
def test_the_logistic_stays_in_its_bounds(value: float) -> None:
    assert 0.0 <= logistic(value) <= 1.0


@given(NUMBERS, NUMBERS)
def test_the_logistic_keeps_the_order(left: float, right: float) -> None:
    if left < right:
        assert logistic(left) <= logistic(right)


def test_z_scores() -> None:
    assert Distribution(1.0, 2.0).z(5.0) == 2.0


@given(st.integers(0, 1000), st.floats(-1, 1), st.floats(0, 1))
def test_a_distribution_can_always_be_divided_by(count: int, mean: float, deviation: float) -> None:
    background = Distribution(0.77, 0.023)
    blended = cosine_distribution(count, mean, deviation, background)
    assert blended.deviation >= constants.SMALLEST_DEVIATION
    assert min(mean, background.mean) - 1e-9 <= blended.mean <= max(mean, background.mean) + 1e-9


def test_the_background_fades_as_the_sample_grows() -> None:
    background = Distribution(0.05, 0.1)
    few, many = (cosine_distribution(count, 0.4, 0.2, background) for count in (2, 500))
    assert abs(few.mean - background.mean) < abs(few.mean - 0.4)
    assert many.mean == pytest.approx(0.4, abs=0.02)
    assert many.deviation == pytest.approx(0.2, abs=0.02)


def test_the_prior_is_the_embedders_own() -> None:
    background = Distribution(0.77, 0.023)
    nothing = cosine_distribution(0, 0.0, 0.0, background)
    assert (nothing.mean, nothing.deviation) == pytest.approx(background)
    few = cosine_distribution(5, 0.79, 0.02, background)
    assert 0.77 < few.mean < 0.79
    default = Distribution(constants.BACKGROUND_MEAN, constants.BACKGROUND_DEVIATION)
    another = cosine_distribution(5, 0.79, 0.02, default)
    assert few.z(0.83) - few.z(0.79) > 1.5
    assert another.z(0.83) - another.z(0.79) < 0.2


@given(NUMBERS, NUMBERS, st.floats(-0.2, 0.2), st.floats(-0.2, 0))
def test_scores_are_shares_and_boosts_stay_small(
    words: float, meaning: float, importance: float, decay: float
) -> None:
    parts = Parts(keyword_z=words, vector_z=meaning, cosine=0.5, importance=importance, decay=decay)
    assert 0.0 <= parts.score <= 1.0
    assert abs(parts.total - parts.evidence) <= 0.4 + 1e-9


def test_an_exact_key_beats_everything_else() -> None:
    key = Parts(exact_key=True)
    rest = Parts(keyword_z=15.0, vector_z=10.0, importance=0.2)
    assert key.total > rest.total


def test_the_explanation_adds_up() -> None:
    parts = Parts(bm25=3.0, keyword_z=4.0, cosine=0.6, vector_z=5.0, importance=0.1, decay=-0.05)
    explained = parts.explain(("words",))
    assert math.isclose(explained["sum"], 0.3 * 4 + 0.7 * 5 + 0.1 - 0.05, abs_tol=1e-6)


@given(NUMBERS, NUMBERS, st.floats(0, 3), st.integers(1, 40))
def test_the_explanation_adds_up_whatever_words_count(
    keyword_z: float, vector_z: float, share: float, words: int
) -> None:
    parts = Parts(keyword_z=keyword_z, cosine=0.6, vector_z=vector_z)
    parts.weigh_words(share, words)
    explained = parts.explain(())
    shown = [explained[name]["weight"] * explained[name]["z"] for name in ("words", "meaning")]
    more = explained["meaning"].get("without_words", 0.0)
    assert math.isclose(sum(shown) + more, explained["sum"], abs_tol=0.01)


@given(st.floats(0, 20), st.floats(-3, 10), st.floats(0, 1), st.floats(0, 1), st.integers(1, 40))
def test_no_memory_stands_lower_for_having_words(
    keyword_z: float, vector_z: float, less: float, more: float, words: int
) -> None:
    less, more = sorted((less, more))
    with_less, with_more = (Parts(keyword_z=keyword_z, vector_z=vector_z) for _ in range(2))
    without = Parts(keyword_z=0.0, vector_z=vector_z)
    with_less.weigh_words(less, words)
    with_more.weigh_words(more, words)
    without.weigh_words(0.0, words)
    assert without.total <= with_less.total + 1e-9
    assert with_less.total <= with_more.total + 1e-9


def test_two_words_of_a_query_count_in_full_and_one_of_many_does_not() -> None:
    whole, two, one = (Parts(keyword_z=10.0, vector_z=1.0) for _ in range(3))
    whole.weigh_words(1.0, 1)
    two.weigh_words(0.4, 5)
    one.weigh_words(0.2, 5)
    assert whole.evidence == two.evidence == pytest.approx(0.3 * 10 + 0.7)
    assert one.evidence == pytest.approx(0.3 * 10 / 4 + 0.7)
    assert one.topic == two.topic == two.evidence


def test_of_many_pieces_one_is_near_by_chance() -> None:
    distribution = Distribution(0.0, 0.1)
    assert piecewise([0.3], distribution) == pytest.approx(3.0)
    assert piecewise([0.0, 0.3], distribution) < piecewise([0.3, 0.0], distribution)
    assert piecewise([0.0] * 11 + [0.3], distribution) < 3.0
    nearer = piecewise([0.0] * 11 + [0.9], distribution)
    assert nearer == pytest.approx(9.0 - constants.CHANCE * math.sqrt(2 * math.log(12)))
