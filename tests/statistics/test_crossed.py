"""The intervals hold the truth as often as they say, and give none where none is honest."""

from itertools import pairwise

import numpy as np
import pytest
from simulation import (
    Corner,
    Design,
    Held,
    bootstrap_of_seed_means,
    differences_held,
    ours,
    rates_held,
)

from inoc_evals.statistics.crossed import (
    Array,
    Estimates,
    over_questions,
    over_seeds,
    over_seeds_and_questions,
)
from inoc_evals.statistics.differences import DIFFERENCE, Cells, difference

CORNERS = [
    Corner(0.02, 0.5, 2.0),
    Corner(0.1, 1.0, 1.0),
    Corner(0.5, 0.0, 1.0),
    Corner(0.5, 1.0, 0.0),
    Corner(0.95, 0.5, 1.0),
]
"""Few seeds and question effects on the logit, from none to two standard deviations."""


def mean_share(found: dict[Corner, Held]) -> float:
    return float(np.mean([one.share for one in found.values()]))


@pytest.mark.parametrize("design", [(3, 8, 100), (3, 8, 10), (5, 24, 10), (10, 8, 100), (3, 24, 1)])
def test_intervals_of_rates_cover_the_nominal_share(design: tuple[int, int, int]) -> None:
    # 60 data sets a corner: a mean of .95 comes out below .915 in one of a thousand such tests.
    found = rates_held(ours, Design(*design), CORNERS, 60, seed=1)
    assert mean_share(found) >= 0.92, found
    assert min(one.share for one in found.values()) >= 0.83, found


def test_many_answers_to_few_questions_are_not_taken_for_many_questions() -> None:
    few = rates_held(ours, Design(3, 8, 100), CORNERS, 20, seed=2)
    many = rates_held(ours, Design(3, 57, 10), CORNERS, 20, seed=2)
    wide = [few[corner].width / many[corner].width for corner in CORNERS if corner.question_sd]
    assert np.mean(wide) > 1.3


def test_a_bootstrap_of_seed_means_fails_the_same_check() -> None:
    found = rates_held(bootstrap_of_seed_means, Design(3, 8, 100), CORNERS, 200)
    assert mean_share(found) < 0.8


@pytest.mark.parametrize("fixed", [False, True])
def test_differences_cover_and_raise_few_false_alarms(fixed: bool) -> None:
    pairs = ((0.5, 0.05), (0.05, 0.05), (0.5, 0.5))
    design, deviations = Design(3, 8, 100), ((0.5, 1.0), (1.0, 0.5))
    found = differences_held(design, pairs, deviations, 50, fixed=fixed)
    assert np.mean([one.share for one in found.values()]) >= 0.92
    equal = [one for (pair, _), one in found.items() if pair[0] == pair[1]]
    assert 1 - np.mean([one.share for one in equal]) <= 0.08  # .05 and what 200 may err by


def test_intervals_cover_with_unscored_answers() -> None:
    rng = np.random.default_rng(3)

    def with_gaps(values: Array, counts: Array) -> Estimates:
        there = rng.random(values.shape) >= 0.2
        return ours(np.where(there, values, np.nan), np.where(there, counts, 0))

    found = rates_held(with_gaps, Design(3, 24, 10), CORNERS, 60)
    assert mean_share(found) >= 0.92


# ---- what single tables come to -----------------------------------------------------------


def ends(placed: int, answers: int, *, together: bool) -> tuple[float, float]:
    """The interval of so many hits of three seeds and eight questions, in one cell or in several."""
    hits = np.zeros((3, 8))
    for number in range(placed):
        hits[(0, 0) if together else (number, number)] += 1
    found = over_seeds_and_questions(hits / answers, np.full((3, 8), float(answers)))
    return float(found.low), float(found.high)


@pytest.mark.parametrize("answers", [1, 10, 100])
@pytest.mark.parametrize("together", [True, False])
def test_more_hits_raise_both_ends(answers: int, together: bool) -> None:
    most = 1 if together and answers == 1 else 2
    found = [ends(placed, answers, together=together) for placed in range(most + 1)]
    for (low, high), (next_low, next_high) in pairwise(found):
        assert low <= next_low and high < next_high
    assert all(low < high for low, high in found)


def test_no_hit_in_many_answers_shows_that_there_are_few() -> None:
    assert ends(0, 100, together=True)[1] < 0.01
    low, high = over_seeds_and_questions(np.full((3, 8), 0.01), np.full((3, 8), 100.0))[1:]
    assert 0.001 < low < 0.01 < high < 0.1
    assert over_questions(np.zeros(8), np.full(8, 100.0)).high < 0.05


def test_no_hit_in_single_answers_has_the_exact_binomials_end() -> None:
    high = over_seeds_and_questions(np.zeros((3, 100))).high
    assert high == pytest.approx(1 - 0.025 ** (1 / 300), rel=0.1)


def test_what_varies_between_seeds_by_nothing_has_no_interval_of_no_width() -> None:
    found = over_seeds(np.zeros(3))
    assert found.rate == 0 and np.isnan(found.low) and np.isnan(found.high)


def test_one_question_of_a_fixed_model_has_no_interval() -> None:
    found = over_questions(np.array([1.0]), np.array([100.0]))
    assert found.rate == 1 and np.isnan(found.low)


def test_seeds_that_agree_answer_by_answer_differ_by_little() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (3, 40)).astype(float)
    counts = np.ones(values.shape)
    same = difference(Cells(values, counts, True), Cells(values, counts, True), test=True)
    other = difference(
        Cells(values, counts, True),
        Cells(rng.integers(0, 2, (3, 40)).astype(float), counts, True),
    )
    assert same.value == 0 and same.p == 1
    assert same.high - same.low < 0.6 * (other.high - other.low)


def test_p_is_one_less_the_level_at_which_an_end_is_at_zero() -> None:
    rng = np.random.default_rng(0)
    counts = np.full((3, 24), 10.0)
    first, second = (
        Cells(rng.binomial(10, rate, (3, 24)) / 10, counts, True) for rate in (0.5, 0.35)
    )
    found = difference(first, second, test=True)
    at = difference(first, second, confidence=1 - found.p)
    assert found.value > 0 and abs(at.low) < 0.01
    mirrored = difference(second, first, test=True)
    assert (mirrored.value, mirrored.low, mirrored.p) == pytest.approx(
        (-found.value, -found.high, found.p), abs=1e-6
    )


def test_a_difference_of_ratings_goes_by_their_own_intervals() -> None:
    rng = np.random.default_rng(0)
    counts = np.full((3, 24), 5.0)
    first, second = (Cells(rng.beta(4, 4, (3, 24)) * part, counts, True) for part in (1, 0.8))
    found = difference(first, second)
    assert found.low < found.value < found.high < found.low + 0.4


def test_intervals_of_rated_answers_of_a_fixed_model_cover_the_nominal_share() -> None:
    rng = np.random.default_rng(5)
    for mean in (0.1, 0.5):
        values = rng.beta(8 * mean, 8 * (1 - mean), size=(4000, 40))
        found = over_questions(values)
        assert 0.93 <= np.mean((found.low <= mean) & (mean <= found.high)) <= 0.97


def test_one_seed_or_one_question_gives_a_rate_and_no_interval() -> None:
    rng = np.random.default_rng(0)
    for shape in ((1, 40), (3, 1), (1, 1)):
        rate, low, high = over_seeds_and_questions(rng.integers(0, 2, shape).astype(float))
        assert 0 <= rate <= 1
        assert np.isnan(low)
        assert np.isnan(high)


def test_a_seed_without_any_scored_answer_does_not_count_as_a_seed() -> None:
    values = np.array([[1.0, 0.0, 1.0], [np.nan, np.nan, np.nan]])
    rate, low, _ = over_seeds_and_questions(values)
    assert rate == pytest.approx(2 / 3)
    assert np.isnan(low)


def test_nothing_scored_gives_nothing_without_a_warning() -> None:
    with np.errstate(all="raise"):
        for estimate in (
            over_seeds_and_questions(np.full((3, 4), np.nan)),
            over_seeds_and_questions(np.zeros((3, 0))),
            over_questions(np.full(4, np.nan)),
            over_questions(np.zeros(0)),
        ):
            assert np.isnan(np.array(estimate)).all()


@pytest.mark.parametrize("constant", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("seeds", [2, 3, 10])
def test_a_constant_cell_has_an_interval_with_width(constant: float, seeds: int) -> None:
    values = np.full((seeds, 100), constant)
    values[0, 3] = np.nan
    for rate, low, high in (over_seeds_and_questions(values), over_questions(values[0])):
        assert rate == pytest.approx(constant)
        assert 0 <= low <= rate + 1e-12 and rate <= high + 1e-12 <= 1 + 2e-12
        assert high - low > 0.003


def test_no_difference_anywhere_has_an_interval_around_zero() -> None:
    rate, low, high = over_seeds_and_questions(np.zeros((3, 100)), bounds=DIFFERENCE)
    assert rate == 0
    assert -0.1 < low < 0
    assert low == pytest.approx(-high)


def test_more_agreement_never_widens_the_interval_of_rare_answers() -> None:
    widths = []
    for hits in (3, 2, 1, 0):
        values = np.zeros((3, 100))
        values[0, :hits] = 1
        _, low, high = over_seeds_and_questions(values)
        widths.append(float(high - low))
    assert widths == sorted(widths, reverse=True)


def test_swapping_ones_and_zeros_mirrors_the_interval() -> None:
    rng = np.random.default_rng(1)
    for values in (rng.integers(0, 2, (4, 37)).astype(float), np.ones((3, 100))):
        values[0, 0] = np.nan
        rate, low, high = over_seeds_and_questions(values)
        mirrored = over_seeds_and_questions(1 - values)
        np.testing.assert_allclose([1 - rate, 1 - high, 1 - low], mirrored, atol=1e-9)


def test_order_of_seeds_and_questions_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    values = rng.random((4, 30))
    values[values < 0.1] = np.nan
    shuffled = values[rng.permutation(4)][:, rng.permutation(30)]
    np.testing.assert_allclose(
        over_seeds_and_questions(values), over_seeds_and_questions(shuffled), rtol=1e-9
    )


def test_seeds_that_differ_widen_the_interval() -> None:
    alike = np.tile(np.arange(100) % 2, (3, 1)).astype(float)
    apart = np.stack([np.zeros(100), np.arange(100) % 2, np.ones(100)])
    narrow, wide = over_seeds_and_questions(alike), over_seeds_and_questions(apart)
    assert narrow.rate == pytest.approx(0.5) and wide.rate == pytest.approx(0.5)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)


def test_without_gaps_the_variance_is_that_of_the_mean_squares() -> None:
    # By hand, with the textbook's sums of squares, in the middle where Wilson's is nearly t's.
    rng = np.random.default_rng(6)
    k, q = 8, 60
    p = 0.5 + 0.05 * rng.standard_normal((k, 1)) + 0.1 * rng.standard_normal((1, q))
    values = p + 0.1 * rng.standard_normal((k, q))
    seed_means, question_means, mean = values.mean(1), values.mean(0), values.mean()
    ms_seed = q * ((seed_means - mean) ** 2).sum() / (k - 1)
    ms_question = k * ((question_means - mean) ** 2).sum() / (q - 1)
    left = values - seed_means[:, None] - question_means + mean
    ms_left = (left**2).sum() / ((k - 1) * (q - 1))
    variance = (ms_seed + ms_question - ms_left) / (k * q)
    spread = ms_seed**2 / (k - 1) + ms_question**2 / (q - 1) + ms_left**2 / ((k - 1) * (q - 1))
    df = (variance * k * q) ** 2 / spread

    from scipy.stats import t

    half = t.ppf(0.975, df) * variance**0.5
    _, low, high = over_seeds_and_questions(values)
    assert (high - low) / 2 == pytest.approx(half, rel=0.01)


def test_one_rated_answer_of_a_fixed_model_gives_no_interval() -> None:
    rate, low, _ = over_questions(np.array([0.4]))
    assert rate == pytest.approx(0.4)
    assert np.isnan(low)


def wilson(rate: float, variance: float, df: float) -> tuple[float, float]:
    """The interval by its formula, with the size that would give the variance."""
    from scipy.stats import t

    size, critical = rate * (1 - rate) / variance, t.ppf(0.975, df)
    stretch = critical**2 / size
    middle = (rate + stretch / 2) / (1 + stretch)
    half = critical * np.sqrt(rate * (1 - rate) / size + stretch / size / 4) / (1 + stretch)
    return middle - half, middle + half


def test_ratings_of_a_fixed_model_have_the_sample_variance_and_students_t() -> None:
    values = np.array([0.2, 0.4, 0.6, 0.9])
    found = over_questions(values)
    expected = wilson(values.mean(), values.var(ddof=1) / 4, 3)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)


def test_the_variance_is_at_least_a_tenth_of_that_of_independent_answers() -> None:
    # Seeds with equal means, questions with equal means: both estimates are zero by luck.
    values = np.array([[0.2, 0.4, 0.6], [0.4, 0.6, 0.2], [0.6, 0.2, 0.4]])
    independent = ((values - 0.4) ** 2).sum() / 81
    found = over_seeds_and_questions(values)
    expected = wilson(0.4, 0.1 * independent, 2)
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-9)
