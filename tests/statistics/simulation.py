"""How often the intervals hold the truth, by simulation; also prints the tables of the docs.

Data: logit P(an answer shows the trait) = mu + seed effect + question effect, both normal, with mu
chosen so that the mean over all seeds and questions is exactly the rate asked for; then a number of
answers to each question by each seed.

    python tests/statistics/simulation.py [data sets of a corner]
"""

import itertools
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoc_evals.statistics.crossed import Estimates, over_seeds_and_questions
from inoc_evals.statistics.differences import Cells, Difference, difference

Array = NDArray[np.float64]
Method = Callable[[Array, Array], Estimates]
"""Means of cells and their numbers of answers, shape (data sets, seeds, questions)."""

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(81)


class Design(NamedTuple):
    """What is asked of whom."""

    seeds: int
    questions: int
    answers: int
    """Of each seed to each question."""


class Corner(NamedTuple):
    """A truth; deviations are on the logit scale."""

    rate: float
    seed_sd: float
    question_sd: float


DESIGNS = [Design(*sizes) for sizes in itertools.product((3, 5, 10), (8, 24, 57), (1, 10, 100))]
CORNERS = [
    Corner(*truth) for truth in itertools.product((0.02, 0.1, 0.5, 0.95), (0, 0.5, 1), (0, 1, 2))
]
PAIRS = ((0.5, 0.05), (0.9, 0.02), (0.5, 0.5), (0.05, 0.05), (0.2, 0.1))


def location(rate: float, deviation: float) -> float:
    """The mu at which a logit-normal with this deviation has this mean."""
    low, high = -30.0, 30.0
    for _ in range(80):
        mu = (low + high) / 2
        mean = float((_WEIGHTS / (1 + np.exp(-mu - deviation * _NODES))).sum() / _WEIGHTS.sum())
        low, high = (mu, high) if mean < rate else (low, mu)
    return mu


def hits(
    rng: np.random.Generator,
    design: Design,
    corners: Sequence[Corner],
    count: int,
    shared: float = 0.0,
) -> list[Array]:
    """Simulated hits, shape (count, seeds, questions), for each of the corners.

    ``shared`` is the correlation of question effects between them.
    """
    k, q, n = design
    common = rng.standard_normal((count, 1, q))
    drawn = []
    for rate, seed_sd, question_sd in corners:
        own = rng.standard_normal((count, 1, q))
        question = question_sd * (shared**0.5 * common + (1 - shared) ** 0.5 * own)
        seed = seed_sd * rng.standard_normal((count, k, 1))
        logit = location(rate, float(np.hypot(seed_sd, question_sd))) + seed + question
        drawn.append(rng.binomial(n, 1 / (1 + np.exp(-logit))).astype(np.float64))
    return drawn


class Held(NamedTuple):
    """What became of one corner."""

    share: float
    """Of the data sets whose interval holds the truth."""
    width: float
    too_high: float
    """Share of intervals above the truth."""
    too_low: float


def held(low: Array, high: Array, truth: float) -> Held:
    above, below = low > truth + 1e-9, high < truth - 1e-9
    inside = ~(above | below)
    return Held(*(float(np.mean(part)) for part in (inside, high - low, above, below)))


def ours(values: Array, counts: Array) -> Estimates:
    return over_seeds_and_questions(values, counts)


def rates_held(
    method: Method, design: Design, corners: Iterable[Corner], count: int, seed: int = 0
) -> dict[Corner, Held]:
    rng = np.random.default_rng(seed)
    found = {}
    for corner in corners:
        drawn = hits(rng, design, [corner], count)[0]
        estimate = method(drawn / design.answers, np.full(drawn.shape, float(design.answers)))
        found[corner] = held(estimate.low, estimate.high, corner.rate)
    return found


def differences_held(
    design: Design,
    pairs: Iterable[tuple[float, float]],
    deviations: Iterable[tuple[float, float]],
    count: int,
    *,
    fixed: bool = False,
    shared: float = 0.5,
    seed: int = 0,
) -> dict[tuple[tuple[float, float], tuple[float, float]], Held]:
    """As :func:`rates_held`, of differences; with ``fixed``, from one model without seeds."""
    rng = np.random.default_rng(seed)
    found = {}
    for pair, (seed_sd, question_sd) in itertools.product(pairs, deviations):
        corners = [
            Corner(pair[0], seed_sd, question_sd),
            Corner(pair[1], 0 if fixed else seed_sd, question_sd),
        ]
        sides = [drawn / design.answers for drawn in hits(rng, design, corners, count, shared)]
        each = [_difference(*two, design, fixed=fixed) for two in zip(*sides, strict=True)]
        low, high = (np.array([getattr(one, end) for one in each]) for end in ("low", "high"))
        found[pair, (seed_sd, question_sd)] = held(low, high, pair[0] - pair[1])
    return found


def _difference(first: Array, second: Array, design: Design, *, fixed: bool) -> Difference:
    counts = np.full(first.shape, float(design.answers))
    other = Cells(second[:1], counts[:1], False) if fixed else Cells(second, counts, True)
    return difference(Cells(first, counts, True), other)


# ---- other methods, for comparison -------------------------------------------------------


def bootstrap_of_seed_means(values: Array, counts: Array) -> Estimates:
    """Percentile bootstrap over the seeds' means, every resample of them enumerated."""
    means = values.mean(-1)
    k = means.shape[-1]
    if k > 5:
        draws = np.random.default_rng(0).integers(k, size=(2000, k))
    else:
        draws = np.array(list(itertools.product(range(k), repeat=k)))
    resampled = means[:, draws].mean(-1)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=-1)
    return Estimates(means.mean(-1), low, high)


def mean_squares(values: Array, counts: Array) -> Estimates:
    """Crossed random effects by mean squares, as ratings have them."""
    found = over_seeds_and_questions(100 * values, counts, bounds=(0.0, 100.0))
    return Estimates(*(part / 100 for part in found))


def t_over_seed_means(values: Array, counts: Array) -> Estimates:
    """Student's t on the seeds' means; questions count as fixed."""
    from scipy.stats import t

    means = values.mean(-1)
    k = means.shape[-1]
    half = t.ppf(0.975, k - 1) * means.std(-1, ddof=1) / k**0.5
    return Estimates(means.mean(-1), means.mean(-1) - half, means.mean(-1) + half)


def wilson_of_all(values: Array, counts: Array) -> Estimates:
    """Wilson's interval as if all answers were independent."""
    n, rate, z = counts.sum((-2, -1)), values.mean((-2, -1)), 1.96
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return Estimates(rate, middle - half, middle + half)


METHODS: dict[str, Method] = {
    "this one": ours,
    "mean squares": mean_squares,
    "t over seed means": t_over_seed_means,
    "bootstrap of seed means": bootstrap_of_seed_means,
    "Wilson of all answers": wilson_of_all,
}


def _line(name: str, found: Sequence[Held]) -> str:
    shares = np.array([one.share for one in found])
    width = np.mean([one.width for one in found])
    return (
        f"| {name} | {shares.mean():.3f} | {shares.min():.2f} | {np.mean(shares < 0.9):.0%} "
        f"| {width:.3f} |"
    )


def main(count: int) -> None:
    whole: dict[str, list[Held]] = {name: [] for name in METHODS}
    print("| seeds, questions, answers | mean | least | below .90 | width |")
    for number, design in enumerate(DESIGNS):
        for name, method in METHODS.items():
            found = rates_held(method, design, CORNERS, count, seed=number)
            whole[name] += found.values()
            if method is ours:
                print(_line(" x ".join(map(str, design)), list(found.values())), flush=True)
    for name, listed in whole.items():
        print(_line(name, listed))
    deviations = ((0, 1), (0.5, 0.5), (0.5, 2), (1, 1))
    for design in (Design(3, 8, 100), Design(3, 24, 10), Design(5, 24, 10)):
        for fixed in (False, True):
            differences = differences_held(design, PAIRS, deviations, count, fixed=fixed)
            name = f"{' x '.join(map(str, design))}, less {'a fixed model' if fixed else 'seeds'}"
            print(_line(name, list(differences.values())))
            equal = [one for (pair, _), one in differences.items() if pair[0] == pair[1]]
            print(f"  false alarms {1 - np.mean([one.share for one in equal]):.3f}", end="")
            print(f", of which too low {np.mean([one.too_low for one in equal]):.3f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
