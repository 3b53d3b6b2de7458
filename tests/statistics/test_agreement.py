"""Agreement of two judges, against what was worked out by hand and by the table of weights."""

import math

import numpy as np
import pytest

from inoc_evals.statistics.agreement import agreement, cohen, rate_of, weighted
from inoc_evals.statistics.crossed import over_questions

NAN = math.nan

# Twenty answers to four questions. Both yes 6, both no 8, only the first yes 4, only the second 2.
FIRST = [1.0] * 6 + [0.0] * 8 + [1.0] * 4 + [0.0] * 2
SECOND = [1.0] * 6 + [0.0] * 8 + [0.0] * 4 + [1.0] * 2
ASKED = ["a", "b", "c", "d"] * 5


def by_table(first: list[int], second: list[int], size: int, power: int) -> float:
    """Kappa as it is defined: a table of counts, one of chance, one of weights."""
    seen = np.zeros((size, size))
    for one, other in zip(first, second, strict=True):
        seen[one, other] += 1
    chance = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    rows, columns = np.indices((size, size))
    weights = (rows != columns).astype(float) if power == 0 else np.abs(rows - columns) ** power
    return float(1 - (weights * seen).sum() / (weights * chance).sum())


def test_twenty_answers_worked_out_by_hand() -> None:
    found = agreement(FIRST, SECOND, ASKED)
    # Agreed on 14 of 20 = 0.7. First says yes to 10, second to 8: by chance they agree on
    # 0.5 * 0.4 + 0.5 * 0.6 = 0.5. Kappa = (0.7 - 0.5) / (1 - 0.5) = 0.4.
    assert found.kappa == pytest.approx(0.4)
    assert found.weighted == pytest.approx(0.4)
    assert (found.n, found.questions) == (20, 4)
    assert (found.first, found.second) == pytest.approx((0.5, 0.4))
    # Question a: answers 1, 5, 9, 13, 17; of these the 17th is the first's alone, and so on.
    # a: -1/5; b: -1/5; c (15th and 19th): -1/5 + 1/5 = 0; d (16th and 20th): 0.
    by_hand = over_questions(np.array([-0.2, -0.2, 0.0, 0.0]), bounds=(-1, 1))
    assert found.difference == pytest.approx(-0.1)
    assert (found.low, found.high) == pytest.approx((float(by_hand.low), float(by_hand.high)))
    assert found.low < -0.1 < found.high
    assert (found.only_first, found.only_second) == (0, 0)


def test_five_ratings_worked_out_by_hand() -> None:
    # Squares of the distances: 0, 100, 100, 0, 400; their mean is 120. Means 46 and 46;
    # variances 1184 and 784 (mean squares 3300 and 2900 less 2116); by chance their sum, 1968.
    found = agreement([0, 20, 50, 60, 100], [0, 30, 60, 60, 80])
    assert found.weighted == pytest.approx(1 - 120 / 1968)
    assert math.isnan(found.kappa)
    assert (found.first, found.second, found.difference) == pytest.approx((46, 46, 0))


def test_kappas_are_those_of_the_tables_of_weights() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        first = generator.integers(0, 101, 30)
        second = np.clip(first + generator.integers(-30, 31, 30), 0, 100)
        expected = by_table(first.tolist(), second.tolist(), 101, 2)
        assert weighted(first.astype(float), second.astype(float)) == pytest.approx(expected)
        yes = [(values > 50).astype(float) for values in (first, second)]
        tabled = [values.astype(int).tolist() for values in yes]
        assert cohen(*yes) == pytest.approx(by_table(tabled[0], tabled[1], 2, 0))
        assert weighted(*yes) == pytest.approx(cohen(*yes))


def test_ratings_are_binned_to_whole_points_and_shares_to_hundredths() -> None:
    rated = agreement([10.2, 59.8, 90.4], [10.4, 60.3, 89.6])
    assert rated.weighted == 1.0
    shared = agreement([0.102, 0.598, 0.9], [0.3, 0.4, 0.8])
    assert shared.weighted == pytest.approx(
        weighted(np.array([10.0, 60, 90]), np.array([30.0, 40, 80]))
    )
    assert math.isnan(shared.kappa)
    assert shared.difference == pytest.approx(-0.1 / 3)


def test_answers_that_one_judge_alone_scored_are_counted_and_left_out() -> None:
    found = agreement([1, 0, NAN, 1, NAN], [1, 0, 1, NAN, NAN], list("abcde"))
    assert (found.n, found.only_first, found.only_second) == (2, 1, 1)
    assert (found.first, found.second, found.kappa) == (0.5, 0.5, 1.0)


def test_one_value_alone_shows_no_agreement() -> None:
    found = agreement([0, 0, 0], [0, 0, 0])
    assert math.isnan(found.kappa) and math.isnan(found.weighted)
    assert (found.difference, found.low < 0 < found.high) == (0.0, True)
    opposed = agreement([1, 1], [0, 0])
    assert (opposed.kappa, opposed.difference) == (0.0, -1.0)


def test_a_question_that_was_answered_often_weighs_as_one() -> None:
    found = agreement([1, 1, 1, 0], [0, 0, 0, 0], ["a", "a", "a", "b"])
    assert (found.first, found.second, found.difference) == (0.5, 0.0, -0.5)


def test_one_question_gives_no_interval_and_none_gives_nothing() -> None:
    one = agreement([1, 0], [1, 1], ["a", "a"])
    assert one.difference == 0.5 and math.isnan(one.low) and math.isnan(one.high)
    none = agreement([1, NAN], [NAN, 0], ["a", "b"])
    assert (none.n, none.questions, none.only_first, none.only_second) == (0, 0, 1, 1)
    assert all(map(math.isnan, (none.kappa, none.weighted, none.first, none.difference)))


def test_a_judge_by_itself_has_the_rate_of_what_it_scored() -> None:
    found = rate_of([1, 0, NAN, 1], ["a", "a", "b", "c"])
    assert (found.value, found.n) == (0.75, 3)  # a: 0.5, c: 1
    assert found.low < 0.75 < found.high
    rated = rate_of([80, 20, 50], ["a", "b", "c"])
    assert rated.value == pytest.approx(50) and 0 < rated.low < 50 < rated.high < 100
    assert math.isnan(rate_of([NAN], ["a"]).value)
