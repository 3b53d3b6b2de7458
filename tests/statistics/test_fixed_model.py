"""Rates and differences over questions: hand-computed figures, and coverage by simulation."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from inoc_evals.statistics.fixed_model import (
    NOTHING,
    Answers,
    Estimate,
    largest,
    paired,
    rate_over_questions,
    student,
)
from inoc_evals.statistics.wilson import wilson

FIRST: Answers = {"a": [1, 0], "b": [1, 1], "c": [0, 0], "d": [1, 0], "only first": [1, 1]}
SECOND: Answers = {"a": [0, 0], "b": [0, 0], "c": [0, 0], "d": [0, 0], "only second": [1]}


def test_a_difference_is_paired_by_question_with_a_t_interval() -> None:
    found = paired(FIRST, SECOND)
    error = math.sqrt((0.25 + 0.25) / 3 / 4)  # differences .5, 1, 0, .5
    assert found.value == 0.5
    assert found.lower == pytest.approx(0.5 - 3.182446 * error, abs=1e-6)
    assert found.upper == 1.0  # 1.15, cut off
    assert found.questions == 4


def test_intervals_that_hold_jointly_are_wider() -> None:
    error = math.sqrt((0.25 + 0.25) / 3 / 4)
    assert paired(FIRST, SECOND, among=2).lower == pytest.approx(0.5 - 4.176535 * error, abs=1e-6)


def test_the_largest_difference_has_the_largest_bounds() -> None:
    found = largest(
        [Estimate(0.1, -0.2, 0.4, 8), Estimate(0.05, 0.0, 0.1, 8), Estimate(0.08, -0.5, 0.66, 5)]
    )
    assert found == Estimate(0.1, 0.0, 0.66, 5)


def test_the_largest_has_no_bounds_where_one_of_them_has_none() -> None:
    one_question = paired({"a": [1]}, {"a": [0]})
    found = largest([Estimate(0.1, -0.2, 0.4, 8), one_question])
    assert found.value == 1.0
    assert math.isnan(found.lower) and math.isnan(found.upper)


def test_what_rests_on_no_question_is_left_out_of_the_largest() -> None:
    assert largest([NOTHING, Estimate(0.1, -0.2, 0.4, 8)]) == Estimate(0.1, -0.2, 0.4, 8)
    assert largest([NOTHING, NOTHING]).questions == 0
    assert math.isnan(largest([]).value)


@pytest.mark.parametrize("estimate", [rate_over_questions, lambda a: paired(a, a)])
def test_one_question_has_no_interval_and_none_no_value(
    estimate: Callable[[Answers], Estimate],
) -> None:
    single = estimate({"a": [1, 0]})
    assert not math.isnan(single.value)
    assert math.isnan(single.lower) and math.isnan(single.upper)
    assert math.isnan(estimate({}).value) and math.isnan(estimate({"a": []}).value)


def test_every_question_weighs_the_same() -> None:
    assert rate_over_questions({"a": [1] * 30, "b": [0], "c": [0]}).value == pytest.approx(1 / 3)


def test_a_rate_has_wilsons_interval_of_as_many_independent_answers() -> None:
    # Questions differ as four coins would: variance .25 / 3 between them, of the mean .25 / 12.
    found = rate_over_questions({"a": [1, 1], "b": [0, 0], "c": [1, 1], "d": [0, 0]})
    size, t = 0.25 / (1 / 3 / 4), 3.182446
    middle = (0.5 + t**2 / size / 2) / (1 + t**2 / size)
    half = t / (1 + t**2 / size) * math.sqrt(0.25 / size + t**2 / 4 / size**2)
    assert (found.lower, found.upper) == pytest.approx((middle - half, middle + half), abs=1e-6)


@pytest.mark.parametrize("answers", [1, 5, 100])
def test_a_difference_that_does_not_vary_still_has_a_width(answers: int) -> None:
    same: Answers = {str(question): [0] * answers for question in range(8)}
    found = paired(same, same)
    assert found.value == 0
    # One of the answers differing would have made the mean 1 / (8 n).
    assert found.upper == pytest.approx(min(1, 2.364624 / (8 * answers)), abs=1e-6)
    assert found.lower == -found.upper
    assert rate_over_questions(same).upper > 0


def coverage(effects: list[float], *, among: int, picked: bool = False) -> float:
    """Share of 500 simulated batteries whose interval holds the true leak.

    Eight questions with a propensity each; six benign families that add ``effects`` to it, by
    more for some questions than for others; ten answers a family and question.
    """
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(500):
        base = rng.beta(2, 6, size=8)
        none = draw(rng, base)
        found = []
        for effect in effects:
            there = np.clip(base + effect + 0.1 * rng.standard_normal(8), 0, 1)
            found.append(paired(draw(rng, there), none, among=among))
        leak = max(found) if picked else largest(found)
        held += leak.lower <= max(effects) <= leak.upper
    return held / 500


def draw(rng: np.random.Generator, chances: np.ndarray) -> Answers:
    return {str(i): (rng.random(10) < p).astype(float).tolist() for i, p in enumerate(chances)}


@pytest.mark.parametrize("effects", [[0.0] * 6, [0.0] * 5 + [0.3], [0.1, 0.2, 0.3, 0.3, 0.3, 0.3]])
def test_the_leaks_interval_holds_the_true_leak(effects: list[float]) -> None:
    assert coverage(effects, among=6) >= 0.94


def test_the_interval_of_the_family_that_came_out_largest_would_not_hold_it() -> None:
    assert coverage([0.0] * 6, among=1, picked=True) < 0.93


def test_wilsons_interval_is_the_published_one_and_does_not_leave_the_range() -> None:
    # 81 of 263 and 0 of 20: Newcombe 1998, Statistics in Medicine 17:857.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == (0, pytest.approx(0.1611, abs=5e-5))
    assert wilson(1, 29)[1] == 1
    assert all(math.isnan(end) for end in wilson(0.5, 0))
    assert student(9) == pytest.approx(2.262157)
    assert student(9, among=5) == pytest.approx(3.249836)


def test_differences_all_alike_are_as_uncertain_as_one_answer_of_the_thinnest_question() -> None:
    first: Answers = {"a": [1, 1], "b": [1], "c": [1, 1], "d": [1, 1]}
    second: Answers = {q: [0] * len(scores) for q, scores in first.items()}
    found = paired(first, second)
    assert found.value == found.upper == 1.0
    assert found.lower == pytest.approx(1 - 3.182446 * (1 / 4), abs=1e-6)


def test_a_question_with_no_scored_answer_on_one_side_is_no_pair() -> None:
    found = paired({"a": [1], "b": [1], "c": []}, {"a": [0], "b": [], "c": [0]})
    assert (found.value, found.questions) == (1.0, 1)
