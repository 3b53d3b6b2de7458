"""How often the intervals hold the truth, by simulation; also prints the table of the docs.

Data: logit P(answer shows the trait) = mu + seed effect + question effect, both normal, with
mu chosen so that the mean over all seeds and questions is exactly the rate asked for.

    python tests/statistics/simulation.py [replications]
"""

import itertools
import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from inoc_evals.statistics.crossed import DIFFERENCE, Estimates, over_seeds_and_questions

Array = NDArray[np.float64]
Method = Callable[[Array], Estimates]

RATES = (0.05, 0.2, 0.5, 0.8, 0.95)
PAIRS = ((0.5, 0.05), (0.9, 0.02), (0.5, 0.5), (0.8, 0.6), (0.98, 0.02), (0.1, 0.05))
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(81)


class Design(NamedTuple):
    """One corner of the grid; deviations are on the logit scale."""

    seeds: int
    questions: int
    seed_sd: float
    question_sd: float


def designs(
    seeds: Iterable[int],
    questions: Iterable[int] = (50, 100, 200),
    seed_sds: Iterable[float] = (0.0, 0.3, 1.0),
    question_sds: Iterable[float] = (0.0, 0.5, 1.0),
) -> list[Design]:
    return [Design(*item) for item in itertools.product(seeds, questions, seed_sds, question_sds)]


def location(rate: float, deviation: float) -> float:
    """The mu at which a logit-normal with this deviation has this mean."""
    low, high = -30.0, 30.0
    for _ in range(80):
        mu = (low + high) / 2
        mean = float((_WEIGHTS / (1 + np.exp(-mu - deviation * _NODES))).sum() / _WEIGHTS.sum())
        low, high = (mu, high) if mean < rate else (low, mu)
    return mu


def answers(
    rng: np.random.Generator, design: Design, rates: tuple[float, ...], count: int, shared: float
) -> list[Array]:
    """Simulated answers, shape (count, seeds, questions), for each of the rates.

    ``shared`` is the correlation of seed and of question effects between the rates.
    """
    k, q, seed_sd, question_sd = design

    def effects(shape: tuple[int, ...], deviation: float) -> list[Array]:
        common = rng.standard_normal(shape)
        own = [rng.standard_normal(shape) for _ in rates]
        return [deviation * (shared**0.5 * common + (1 - shared) ** 0.5 * each) for each in own]

    seed, question = effects((count, k, 1), seed_sd), effects((count, 1, q), question_sd)
    spread = float(np.hypot(seed_sd, question_sd))
    logits = [
        location(rate, spread) + a + b for rate, a, b in zip(rates, seed, question, strict=True)
    ]
    return [
        (rng.random((count, k, q), np.float32) < 1 / (1 + np.exp(-logit))).astype(np.float64)
        for logit in logits
    ]


def covers(estimate: Estimates, truth: float) -> float:
    inside = (estimate.low <= truth + 1e-9) & (truth - 1e-9 <= estimate.high)
    return float(inside.mean())


def rate_coverage(
    method: Method, grid: Iterable[Design], rates: Iterable[float], count: int, seed: int = 0
) -> dict[tuple[Design, float], float]:
    rng = np.random.default_rng(seed)
    return {
        (design, rate): covers(method(answers(rng, design, (rate,), count, 0.0)[0]), rate)
        for design, rate in itertools.product(grid, rates)
    }


def difference_coverage(
    grid: Iterable[Design],
    pairs: Iterable[tuple[float, float]],
    count: int,
    shared: float = 0.3,
    seed: int = 0,
) -> dict[tuple[Design, tuple[float, float]], float]:
    rng = np.random.default_rng(seed)
    found = {}
    for design, pair in itertools.product(grid, pairs):
        first, second = answers(rng, design, pair, count, shared)
        estimate = over_seeds_and_questions(first - second, bounds=DIFFERENCE)
        found[design, pair] = covers(estimate, pair[0] - pair[1])
    return found


# ---- other methods, for comparison -------------------------------------------------------


def bootstrap_of_seed_means(values: Array) -> Estimates:
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


def pigeonhole_bootstrap(values: Array, resamples: int = 400) -> Estimates:
    """Percentile bootstrap that resamples seeds and questions."""
    rng = np.random.default_rng(0)
    _, k, q = values.shape
    seeds = rng.multinomial(k, [1 / k] * k, size=resamples) / k
    questions = rng.multinomial(q, [1 / q] * q, size=resamples) / q
    resampled = np.einsum("nbq,bq->nb", np.einsum("nkq,bk->nbq", values, seeds), questions)
    low, high = np.quantile(resampled, [0.025, 0.975], axis=-1)
    return Estimates(values.mean((-2, -1)), low, high)


def t_over_seed_means(values: Array) -> Estimates:
    """Student's t on the seeds' means; questions count as fixed."""
    from scipy.stats import t

    means = values.mean(-1)
    k = means.shape[-1]
    half = t.ppf(0.975, k - 1) * means.std(-1, ddof=1) / k**0.5
    return Estimates(means.mean(-1), means.mean(-1) - half, means.mean(-1) + half)


def wilson_of_all(values: Array) -> Estimates:
    """Wilson's interval as if all answers were independent."""
    n, rate, z = values.shape[-2] * values.shape[-1], values.mean((-2, -1)), 1.96
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return Estimates(rate, middle - half, middle + half)


METHODS: dict[str, Method] = {
    "this one": over_seeds_and_questions,
    "t over seed means": t_over_seed_means,
    "bootstrap of seeds and questions": pigeonhole_bootstrap,
    "bootstrap of seed means": bootstrap_of_seed_means,
    "Wilson of all answers": wilson_of_all,
}


def _line(name: str, found: list[float]) -> str:
    coverage = np.array(found)
    within = np.mean((coverage >= 0.93) & (coverage <= 0.97))
    return (
        f"| {name} | {coverage.mean():.3f} | {coverage.min():.3f} | {coverage.max():.3f} "
        f"| {within:.0%} | {np.mean(coverage < 0.93):.0%} |"
    )


def main(count: int) -> None:
    for k in (3, 5, 10):
        grid = designs([k])
        print(f"k = {k}: method | mean | least | most | corners in .93-.97 | below .93")
        for name, method in METHODS.items():
            slow = method is pigeonhole_bootstrap
            found = rate_coverage(method, grid, RATES, 200 if slow else count)
            print(_line(name, list(found.values())))
            if method is over_seeds_and_questions:
                for sd in (0.0, 0.3, 1.0):
                    part = [value for (d, _), value in found.items() if d.seed_sd == sd]
                    print(_line(f"this one, seed sd {sd}", part))
                worst = sorted(found.items(), key=lambda item: item[1])[:3]
                print("  worst:", [(tuple(d), r, round(v, 3)) for (d, r), v in worst])
        pairs = difference_coverage(designs([k], question_sds=(0.0, 1.0)), PAIRS, count)
        print(_line("paired differences", list(pairs.values())))
        worst_pairs = sorted(pairs.items(), key=lambda item: item[1])[:3]
        print("  worst:", [(tuple(d), p, round(v, 3)) for (d, p), v in worst_pairs])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
