"""What a design can show: the chance that a drop is found, and the least that is.

    design = Design(seeds=5, questions=24, answers=10)
    power(design, Truth(rate=0.2, seed_sd=0.5, question_sd=1.0), to=0.05)     # .96
    least_drop(design, Truth(...))          # to what a rate of .2 has to fall to be found mostly
    end_at_none(design)                     # upper end of the interval where nothing shows

Data are drawn from the model that the intervals rest on (`hierarchical.py`), and a drop is found
where the interval of the difference is below zero: it is the report's own arithmetic that is tried.
"""

from typing import NamedTuple

import numpy as np

from inoc_evals.statistics.crossed import Array, over_seeds_and_questions
from inoc_evals.statistics.differences import Cells, difference
from inoc_evals.statistics.wilson import level_of_each

MOSTLY = 0.8
"""The chance with which a drop is to be found."""

_STEPS = 6
"""Halvings of the range in which the least drop is looked for."""


class Design(NamedTuple):
    """How much is asked of each condition."""

    seeds: int
    questions: int
    answers: int
    """Of each seed to each question."""

    @property
    def total(self) -> int:
        """Answers of one condition."""
        return self.seeds * self.questions * self.answers


class Truth(NamedTuple):
    """What is supposed of the condition without inoculation."""

    rate: float
    seed_sd: float
    """On the logit, as the next."""
    question_sd: float


def power(
    design: Design, truth: Truth, to: float, *, tests: int = 1, count: int = 100, seed: int = 0
) -> float:
    """Return the chance that a drop of the rate is shown.

    Args:
        design: Seeds, questions and answers of either condition.
        truth: The rate that falls, and how much seeds and questions differ.
        to: The rate it falls to, with the same deviations; questions are shared.
        tests: Contrasts that are to hold jointly (Bonferroni).
        count: Data sets that are drawn.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    counts = np.full((design.seeds, design.questions), float(design.answers))
    level, found = level_of_each(tests), 0
    for _ in range(count):
        question = truth.question_sd * rng.standard_normal((1, design.questions))
        before, after = (
            Cells(_drawn(rng, design, truth, rate, question), counts, seeds=True)
            for rate in (truth.rate, to)
        )
        found += difference(after, before, confidence=level).high < 0
    return found / count


def least_drop(
    design: Design, truth: Truth, *, tests: int = 1, count: int = 100, seed: int = 0
) -> float | None:
    """Return the highest rate that a fall to is found with a chance of MOSTLY; None for no rate.

    Arguments as for :func:`power`.
    """

    def mostly(to: float) -> bool:
        return power(design, truth, to, tests=tests, count=count, seed=seed) >= MOSTLY

    low, high = 0.0, truth.rate
    if not mostly(low):
        return None
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if mostly(middle) else (low, middle)
    return low


def end_at_none(design: Design) -> float:
    """Return the upper end of a rate's interval where no answer shows the trait."""
    counts = np.full((design.seeds, design.questions), float(design.answers))
    return float(over_seeds_and_questions(np.zeros_like(counts), counts).high)


def _drawn(
    rng: np.random.Generator, design: Design, truth: Truth, rate: float, question: Array
) -> Array:
    """Draw the means of a condition's cells."""
    seed = truth.seed_sd * rng.standard_normal((design.seeds, 1))
    logit = _location(rate, float(np.hypot(truth.seed_sd, truth.question_sd))) + seed + question
    chance = 1 / (1 + np.exp(-logit))
    drawn: Array = rng.binomial(design.answers, chance) / design.answers
    return drawn


def _location(rate: float, deviation: float) -> float:
    """Return the middle of a logit-normal with this mean."""
    if rate <= 0:
        return -40.0
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    low, high = -40.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = weights @ (1 / (1 + np.exp(-middle - deviation * nodes))) / weights.sum()
        low, high = (middle, high) if mean < rate else (low, middle)
    return middle
