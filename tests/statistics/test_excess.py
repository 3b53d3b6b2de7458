"""A leak less the base's own: by hand, and by simulation."""

import math

import numpy as np
import pytest

from inoc_evals.statistics.differences import Cells
from inoc_evals.statistics.excess import Excess, Lift, beyond_base, largest_beyond_base


def cells(values: list[list[float]], *, seeds: bool = True) -> Cells:
    array = np.array(values)
    return Cells(array, np.where(np.isnan(array), 0.0, 1.0), seeds)


def test_the_bases_own_lift_is_taken_off() -> None:
    trained = Lift(cells([[1, 1, 1, 0], [1, 1, 0, 1]]), cells([[0, 0, 0, 0], [0, 1, 0, 0]]))
    base = Lift(cells([[1, 0, 0, 0]], seeds=False), cells([[0, 0, 0, 0]], seeds=False))
    found = beyond_base(trained, base)
    assert (found.plain.value, found.base.value) == (0.625, 0.25)
    assert found.beyond.value == 0.375
    assert found.beyond.low < found.plain.low and found.beyond.high < 2


def test_only_questions_answered_in_all_four_ways_count() -> None:
    nan = math.nan
    trained = Lift(cells([[1, 1, 1], [1, 1, 1]]), cells([[0, 0, 1], [0, 0, 1]]))
    base = Lift(cells([[0, 0, nan]], seeds=False), cells([[0, 0, 0]], seeds=False))
    assert beyond_base(trained, base).plain.value == 1.0


def test_one_seed_has_no_interval_and_no_answers_no_value() -> None:
    base = Lift(cells([[0, 0]], seeds=False), cells([[0, 0]], seeds=False))
    lone = beyond_base(Lift(cells([[1, 1]]), cells([[0, 0]])), base).beyond
    assert lone.value == 1.0 and math.isnan(lone.low) and math.isnan(lone.high)
    assert math.isnan(largest_beyond_base({}).beyond.value)
    gap = cells([[math.nan, math.nan]])
    assert math.isnan(beyond_base(Lift(gap, gap), base).beyond.value)


def simulated(rng: np.random.Generator, leak: float) -> Excess:
    """Five seeds and a base: both show more under any prompt; the first family leaks besides."""
    questions = 1.0 * rng.standard_normal(24)
    seeds = 0.4 * rng.standard_normal((5, 1))

    def drawn(rows: int, logit: np.ndarray, more: float) -> Cells:
        chance = 0.5 / (1 + np.exp(-(logit + questions))) + more  # below .9 in any case
        values = rng.binomial(10, np.broadcast_to(chance, (rows, 24))) / 10
        return Cells(values, np.full(values.shape, 10.0), rows > 1)

    low = np.array([[-0.5]])
    trained_off, base_off = drawn(5, low + seeds, 0), drawn(1, low, 0)
    return largest_beyond_base(
        {
            str(number): (
                Lift(drawn(5, low + seeds, 0.1 + leak * (number == 0)), trained_off),
                Lift(drawn(1, low, 0.1), base_off),
            )
            for number in range(3)
        }
    )


@pytest.mark.parametrize("leak", [0.0, 0.3])
def test_it_is_right_on_average_and_its_interval_holds(leak: float) -> None:
    rng = np.random.default_rng(11)
    found = [simulated(rng, leak).beyond for _ in range(60)]
    assert np.mean([one.value for one in found]) == pytest.approx(leak, abs=0.01)
    assert np.mean([one.low <= leak <= one.high for one in found]) >= 0.92
    assert leak or np.mean([one.low > 0 for one in found]) <= 0.05
