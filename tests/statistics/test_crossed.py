"""The intervals hold the truth as often as they say, and give none where none is honest."""

import numpy as np
import pytest
from scipy.stats import binomtest
from simulation import (
    RATES,
    Design,
    answers,
    bootstrap_of_seed_means,
    covers,
    difference_coverage,
    rate_coverage,
)

from inoc_evals.statistics.crossed import (
    DIFFERENCE,
    Array,
    Estimates,
    over_questions,
    over_seeds_and_questions,
)

GRID = [
    Design(seeds, questions, seed_sd, question_sd=0.5)
    for seeds in (3, 5, 10)
    for questions, seed_sd in ((50, 0.3), (50, 1.0), (100, 0.0), (100, 0.3))
]


def mean_by_seeds(found: dict[tuple[Design, float], float]) -> dict[int, float]:
    return {
        seeds: float(np.mean([value for (design, _), value in found.items() if design[0] == seeds]))
        for seeds in (3, 5, 10)
    }


def in_range(coverage: float) -> bool:
    return 0.93 <= coverage <= 0.97


def test_intervals_of_rates_cover_the_nominal_share() -> None:
    found = rate_coverage(over_seeds_and_questions, GRID, RATES, 600)
    assert all(in_range(value) for value in mean_by_seeds(found).values()), mean_by_seeds(found)
    assert min(found.values()) > 0.88  # skewed corners, see docs/design/intervals.md


def test_a_bootstrap_of_seed_means_fails_the_same_check() -> None:
    three = [design for design in GRID if design.seeds == 3]
    found = rate_coverage(bootstrap_of_seed_means, three, RATES, 300)
    assert np.mean(list(found.values())) < 0.8


def test_intervals_of_paired_differences_cover_the_nominal_share() -> None:
    pairs = ((0.5, 0.05), (0.9, 0.02), (0.5, 0.5), (0.8, 0.6))
    found = difference_coverage(GRID, pairs, 500)
    for seeds in (3, 5, 10):
        part = [value for (design, _), value in found.items() if design.seeds == seeds]
        assert in_range(float(np.mean(part)))


def test_intervals_cover_with_unscored_answers() -> None:
    rng = np.random.default_rng(3)

    def with_gaps(values: Array) -> Estimates:
        return over_seeds_and_questions(np.where(rng.random(values.shape) < 0.2, np.nan, values))

    grid = [Design(seeds, 60, 0.4, 0.7) for seeds in (3, 5, 10)]
    found = rate_coverage(with_gaps, grid, RATES, 600)
    assert all(in_range(value) for value in mean_by_seeds(found).values()), mean_by_seeds(found)


def test_differences_from_one_fixed_model_cover_the_nominal_share() -> None:
    rng = np.random.default_rng(4)
    found = []
    for seeds in (3, 5, 10):
        for rate, base in ((0.5, 0.05), (0.8, 0.5), (0.3, 0.3)):
            tuned = answers(rng, Design(seeds, 100, 0.4, 0.7), (rate,), 800, 0.0)[0]
            fixed = answers(rng, Design(1, 100, 0.0, 0.7), (base,), 800, 0.0)[0]
            estimate = over_seeds_and_questions(tuned - fixed, bounds=DIFFERENCE)
            found.append(covers(estimate, rate - base))
    assert in_range(float(np.mean(found))), found


def test_intervals_of_rated_answers_of_a_fixed_model_cover_the_nominal_share() -> None:
    rng = np.random.default_rng(5)
    for mean in (0.1, 0.5):
        values = rng.beta(8 * mean, 8 * (1 - mean), size=(4000, 40))
        assert in_range(covers(over_questions(values), mean))


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
        assert 0 <= low <= rate <= high <= 1
        assert high - low > 0.004


def test_equal_seed_means_have_an_interval_with_width() -> None:
    values = np.zeros((3, 60))
    values[[0, 1, 2], [0, 1, 2]] = 1
    _, low, high = over_seeds_and_questions(values)
    assert low < 1 / 60 < high
    assert high - low > 0.02
    # As wide as the Wilson interval of p (1 - p) N² answers: the variance of one in N.
    assert high == pytest.approx(0.0615, abs=0.001)


def test_no_difference_anywhere_has_an_interval_around_zero() -> None:
    rate, low, high = over_seeds_and_questions(np.zeros((3, 100)), bounds=DIFFERENCE)
    assert rate == 0
    assert -0.1 < low < -0.01
    assert low == pytest.approx(-high)


def test_whole_differences_are_answers_in_steps() -> None:
    """-1 and 1 like 0 and 1: the interval is the same, mapped."""
    values = np.zeros((3, 60))
    values[[0, 1, 2], [0, 1, 2]] = 1
    _, low, high = over_seeds_and_questions(values)
    difference = over_seeds_and_questions(2 * values - 1, bounds=DIFFERENCE)
    assert difference.low == pytest.approx(2 * low - 1)
    assert difference.high == pytest.approx(2 * high - 1)


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
    assert narrow.rate == wide.rate == 0.5
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


@pytest.mark.parametrize(("hits", "total"), [(0, 20), (1, 1), (3, 100), (100, 100)])
def test_a_fixed_models_interval_is_wilsons(hits: int, total: int) -> None:
    values = np.r_[np.ones(hits), np.zeros(total - hits), np.nan]
    rate, low, high = over_questions(values)
    wilson = binomtest(hits, total).proportion_ci(method="wilson")
    assert rate == pytest.approx(hits / total)
    assert (low, high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)


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
