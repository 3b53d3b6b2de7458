"""Spearman's rho as scipy has it, and an interval that covers."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr

from inoc_evals.statistics.rank_correlation import rank_correlation


def test_it_is_scipys_ties_included() -> None:
    draw = np.random.default_rng(3)
    for _ in range(20):
        first, second = draw.integers(6, size=12), draw.normal(size=12)
        found = rank_correlation(first.tolist(), second.tolist())
        assert found.rho == pytest.approx(spearmanr(first, second).statistic)
        assert found.low <= found.rho <= found.high and found.n == 12


def test_pairs_that_are_not_known_are_left_out() -> None:
    found = rank_correlation([1, 2, 3, math.nan, 5, 6], [1, 2, 3, 9, 5, 6])
    assert (found.rho, found.n) == (pytest.approx(1), 5)


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([1, 2], [1, 2]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5])]
)
def test_what_cannot_be_known_is_none(first: list[float], second: list[float]) -> None:
    found = rank_correlation(first, second)
    assert all(map(math.isnan, found[:3])) and found.n == len(first)


def test_few_pairs_have_no_interval() -> None:
    found = rank_correlation([1, 2, 3, 4], [1, 3, 2, 4])
    assert found.rho == pytest.approx(0.8) and math.isnan(found.low)


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        first = draw.normal(size=14)
        found = rank_correlation(first.tolist(), (first + draw.normal(size=14)).tolist())
        covered += found.low <= 0.69 <= found.high  # rho of a correlation of .71
    assert covered >= 85
