"""Spreads of seeds and questions: what was put in is found, and noise alone is none."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inoc_evals.statistics.spread import Spread, spread


def table(
    seeds: int, questions: int, of_seeds: float, of_questions: float, noise: float
) -> NDArray[np.float64]:
    rng = np.random.default_rng(5)
    return np.asarray(
        0.5
        + rng.normal(0, of_seeds, (seeds, 1))
        + rng.normal(0, of_questions, questions)
        + rng.normal(0, noise, (seeds, questions))
    )


def test_both_spreads_are_found_under_the_answers_noise() -> None:
    found = spread(table(400, 400, 0.1, 0.2, 0.4))
    assert found.seeds == pytest.approx(0.1, rel=0.1)
    assert found.questions == pytest.approx(0.2, rel=0.1)


def test_noise_alone_is_no_spread() -> None:
    found = spread(table(200, 200, 0, 0, 0.4))
    assert found.seeds is not None and found.seeds < 0.02
    assert found.questions is not None and found.questions < 0.02


def test_without_noise_they_are_those_of_the_means() -> None:
    values = np.array([[0.1], [0.3]]) + np.array([0.0, 0.2, 0.4])
    assert spread(values) == pytest.approx((np.std([0.1, 0.3], ddof=1), 0.2))


def test_gaps_and_seeds_without_an_answer_are_left_out() -> None:
    values = table(40, 200, 0.1, 0.2, 0.3)
    holes = values.copy()
    holes[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    emptied = np.vstack([holes, np.full((1, 200), np.nan)])
    assert spread(emptied) == spread(holes)
    assert spread(holes) == pytest.approx(spread(values), abs=0.02)


@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (0, 0), (1, 1)])
def test_one_seed_or_one_question_tells_neither(shape: tuple[int, int]) -> None:
    assert spread(np.full(shape, 0.5)) == Spread(None, None)


def test_where_every_answer_is_needed_for_the_means_neither_is_told() -> None:
    values = np.array([[0.1, np.nan], [0.2, 0.4]])
    assert spread(values) == Spread(None, None)
