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
    largest_by_halves,
    paired,
    rate_over_questions,
)
from inoc_evals.statistics.wilson import wilson

FIRST: Answers = {"a": [1, 0], "b": [1, 1], "c": [0, 0], "d": [1, 0], "only first": [1, 1]}
SECOND: Answers = {"a": [0, 0], "b": [0, 0], "c": [0, 0], "d": [0, 0], "only second": [1]}


def test_a_difference_is_paired_by_question() -> None:
    found = paired(FIRST, SECOND)
    assert (found.value, found.questions) == (0.5, 4)  # differences .5, 1, 0, .5
    assert -0.25 < found.lower < 0.1 and 0.8 < found.upper <= 1


def test_intervals_that_hold_jointly_are_wider() -> None:
    one, joint = paired(FIRST, SECOND), paired(FIRST, SECOND, among=2)
    assert joint.lower < one.lower and joint.upper > one.upper


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


@pytest.mark.parametrize("answers", [1, 5, 100])
def test_a_difference_that_does_not_vary_still_has_a_width(answers: int) -> None:
    same: Answers = {str(question): [0] * answers for question in range(8)}
    found = paired(same, same)
    assert found.value == 0
    assert 0 < found.upper < 1.2 * rate_over_questions(same).upper
    assert found.lower == pytest.approx(-found.upper)


def test_more_answers_to_the_same_questions_narrow_a_rate() -> None:
    ends = [
        rate_over_questions({str(q): [1] * count + [0] * count for q in range(8)})
        for count in (1, 5, 50)
    ]
    widths = [end.upper - end.lower for end in ends]
    assert widths[0] > widths[1] > widths[2] > 0


def battery(
    rng: np.random.Generator, effects: list[float], questions: int, answers: int
) -> tuple[dict[str, Answers], Answers]:
    """Six benign families that add ``effects`` to the propensity each question has by itself."""
    base = 1 / (1 + np.exp(2.5 - 1.2 * rng.standard_normal(questions)))
    groups = {
        str(number): draw(rng, np.clip(base + effect, 0, 1), answers)
        for number, effect in enumerate(effects)
    }
    return groups, draw(rng, base, answers)


def draw(rng: np.random.Generator, chances: np.ndarray, answers: int) -> Answers:
    return {str(i): (rng.random(answers) < p).astype(float).tolist() for i, p in enumerate(chances)}


def leaks(effects: list[float], design: tuple[int, int], count: int = 150) -> list[Estimate]:
    rng = np.random.default_rng(5)
    return [largest_by_halves(*battery(rng, effects, *design)).estimate for _ in range(count)]


DESIGNS = pytest.mark.parametrize("design", [(24, 2), (57, 1)])
"""Questions and answers to each under a family; `em_elicitation` asks 57 at least once."""


@DESIGNS
def test_without_a_leak_the_largest_is_zero_on_average_and_seldom_told_from_it(
    design: tuple[int, int],
) -> None:
    found = leaks([0.0] * 6, design)
    assert abs(np.mean([one.value for one in found])) < 0.015
    assert np.mean([one.lower > 0 for one in found]) <= 0.06


def test_the_family_that_came_out_largest_is_too_large() -> None:
    rng = np.random.default_rng(5)
    largest_seen = []
    for _ in range(150):
        groups, none = battery(rng, [0.0] * 6, 24, 2)
        largest_seen.append(max(paired(group, none).value for group in groups.values()))
    assert np.mean(largest_seen) > 0.03


@DESIGNS
def test_a_leak_of_three_tenths_is_found(design: tuple[int, int]) -> None:
    found = leaks([0.3] + [0.0] * 5, design)
    assert np.mean([one.lower > 0 for one in found]) >= 0.8
    assert np.mean([one.value for one in found]) == pytest.approx(0.3, abs=0.03)


def test_the_groups_that_were_chosen_are_named_and_gaps_are_left_out() -> None:
    none: Answers = {str(q): [0, 0] for q in range(6)}
    loud: Answers = {str(q): [1, 1] for q in range(5)}
    found = largest_by_halves({"quiet": none, "loud": loud}, none)
    assert found.groups == ("loud",)
    assert (found.estimate.value, found.estimate.questions) == (1.0, 5)
    assert largest_by_halves({}, none).estimate.questions == 0
    assert largest_by_halves({"loud": {"0": [1]}}, none).estimate.questions == 0


def test_wilsons_interval_is_the_published_one_and_does_not_leave_the_range() -> None:
    # 81 of 263 and 0 of 20: Newcombe 1998, Statistics in Medicine 17:857.
    assert wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == (0, pytest.approx(0.1611, abs=5e-5))
    assert wilson(1, 29)[1] == 1
    assert all(math.isnan(end) for end in wilson(0.5, 0))
    assert all(math.isnan(end) for end in wilson(math.nan, 10))


def test_one_thin_question_does_not_spoil_a_difference() -> None:
    first: Answers = {str(q): [1, 1] * 10 for q in range(8)}
    second: Answers = {q: [0] * 20 for q in first}
    thick = paired(first, second)
    thin = paired({**first, "0": [1]}, {**second, "0": [0]})
    assert thick.value == thin.value == 1.0
    assert thin.lower > 0.6 and thick.lower > 0.85


def test_a_question_with_no_scored_answer_on_one_side_is_no_pair() -> None:
    found = paired({"a": [1], "b": [1], "c": []}, {"a": [0], "b": [], "c": [0]})
    assert (found.value, found.questions) == (1.0, 1)
