"""Intervals for rates of 0/1 answers, over seeds and questions, many answers a cell.

The model is logit P = mu + seed + question, both effects normal. In three steps:

    weights of (seed SD, question SD)  how likely each pair of a grid makes these hits, times a
                                       weak prior, 1 / (SD + a little): that under which a mean
                                       of normal data has Student's t
    spread of the mean, at a rate m    exact under each pair: a beta distribution of that variance
    ends                               the m for which a mean so low, or so high, has 2.5 %

The rate is the mean over seeds of each seed's mean over questions. One model alone (no seed) has
the same with question effects only. `docs/design/intervals.md` has what this was compared with.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SEED_SDS = (0.02, 0.1, 0.2, 0.32, 0.5, 0.75, 1.05, 1.45, 2.0, 2.8)
"""Standard deviations between seeds, on the logit, that are weighed against each other."""
QUESTION_SDS = (0.05, 0.3, 0.6, 0.9, 1.25, 1.65, 2.2, 2.9)
"""The same between questions."""
FEW_SEED, FEW_QUESTION = 0.1, 0.6
"""Scales of the half-normal priors that few hits have, which say nothing of how they cluster."""


class _Tuned(NamedTuple):
    """Constants, for which the intervals hold as often as they say (docs/design/intervals.md)."""

    seed_prior: float
    """The priors' densities are 1 / (SD + this)."""
    question_prior: float
    always: float
    """Parts of a step that a rate is moved by on either side."""
    at_none: float
    """So much more where there is no hit, whose end is then that of the exact binomial."""
    fades: float
    """Hits by which it is half as much."""


_NEW_SEEDS = _Tuned(0.04, 0.3, 0.1, 0.83, 8)
_ONE_MODEL = _Tuned(0.06, 0.4, 0.3, 0.63, 6)

_MU_SD = 8.0
"""Of the prior of mu: flat as far as rates go."""
_LARGEST = 32
"""Pairs of SDs that an interval is made of: the likeliest."""
_LIMIT = 14.0
"""Logit beyond which no rate is looked for."""
_NEWTON, _HALVINGS = 9, 36
_STEP = 2.0
"""Logits."""
_CHUNK = 2_000_000
"""Numbers in an array at a time."""


class Fitted(NamedTuple):
    """What rates and differences need of some data sets, one on each line."""

    rate: Array
    """Shape (n,)."""
    up: Array
    """By how much the rate is moved for the upper end, shape (n,): parts of the share of the heaviest
    cell over the root of its answers; with one answer a cell, of what an answer weighs."""
    down: Array
    """The same for the lower end."""
    weights: Array
    """Of pairs of SDs, shape (n, pairs), 1 in all."""
    concentration: Array
    """Of the mean's beta distribution, its logarithm, by pair and logit of the rate, shape (n,
    pairs, grid)."""


def fit(hits: Array, trials: Array, *, seeds: bool) -> Fitted:
    """Weigh the standard deviations by how well they explain the hits.

    Args:
        hits: Shape (n, seeds, questions): answers that are 1.
        trials: The same shape: scored answers; 0 where there is none.
        seeds: Whether new seeds are meant; otherwise the one model is fixed.
    """
    pairs = _pairs(seeds)
    present = trials > 0
    per_seed = np.maximum(present.sum(-1, keepdims=True), 1)
    share = present / per_seed / np.maximum(present.any(-1).sum(-1), 1)[:, None, None]
    seed_means = (hits / np.maximum(trials, 1)).sum(-1) / per_seed[..., 0]
    rate = seed_means.sum(-1) / np.maximum(present.any(-1).sum(-1), 1)
    size = max(1, _CHUNK // (hits[0].size * len(pairs.seed)))
    starts = range(0, len(hits), size)
    likely = [_log_likelihood(hits[i : i + size], trials[i : i + size], pairs) for i in starts]
    logs = np.concatenate(likely)
    total = hits.sum((-1, -2))
    misses = trials.sum((-1, -2)) - total
    rarer = np.minimum(total, misses)
    told = (1 - np.maximum(rarer, 1) ** -3.0)[:, None]
    weights = told * _weighed(logs, pairs.prior) + (1 - told) * _weighed(logs, pairs.few)
    one = share**2 / np.maximum(trials, 1)
    step, tuned = one.max((-1, -2)) ** 0.5, pairs.tuned
    up, down = (
        step * (tuned.always + tuned.at_none / (1 + there / tuned.fades))
        for there in (total, misses)
    )
    return Fitted(
        rate,
        up,
        down,
        weights,
        _concentration(share, one, pairs),
    )


def _weighed(logs: Array, prior: Array) -> Array:
    weights = np.exp(logs - logs.max(-1, keepdims=True)) * prior
    normal: Array = weights / weights.sum(-1, keepdims=True)
    return normal


def ends(fitted: Fitted, confidence: float | Array) -> tuple[Array, Array]:
    """Return the ends of the intervals, shape (n,) each.

    Args:
        fitted: The data sets.
        confidence: Nominal coverage, of all or of each.
    """
    from scipy.special import expit

    tail = (1 - np.asarray(confidence)) / 2
    order = np.argsort(-fitted.weights, -1, kind="stable")[:, :_LARGEST]
    weights = np.take_along_axis(fitted.weights, order, -1)
    likeliest = _Mixture(
        weights / weights.sum(-1, keepdims=True),
        np.take_along_axis(fitted.concentration, order[..., None], 1),
    )
    above = np.minimum(fitted.rate + fitted.up, 1)
    below = np.maximum(fitted.rate - fitted.down, 0)
    high = _bisect(lambda at: likeliest.below(above, at) > tail, len(above))
    low = _bisect(lambda at: 1 - likeliest.below(below, at) < tail, len(above))
    return (
        np.where(fitted.rate <= 0, 0.0, np.minimum(expit(low), fitted.rate)),
        np.where(fitted.rate >= 1, 1.0, np.maximum(expit(high), fitted.rate)),
    )


def deviations(fitted: Fitted, *, seeds: bool) -> tuple[Array, Array]:
    """Return how much seeds and questions differ on the logit, as the weights have it on average.

    Args:
        fitted: The data sets.
        seeds: As it was given to :func:`fit`; without them the first is zero.
    """
    pairs = _pairs(seeds)
    return fitted.weights @ pairs.seed, fitted.weights @ pairs.question


class _Pairs(NamedTuple):
    """The grid of standard deviations, with what a rate's answers vary by under each."""

    tuned: _Tuned
    seed: Array
    question: Array
    prior: Array
    few: Array
    """The prior for few hits."""
    grid: Array
    """Logits of rates, shape (grid,)."""
    total: Array
    """Variance of a chance between cells, shape (pairs, grid); so the next three."""
    same_seed: Array
    """Covariance of the chances of two questions of a seed."""
    same_question: Array
    """Covariance of the chances of two seeds at a question."""
    within: Array
    """Variance of an answer within its cell."""


@cache
def _pairs(seeds: bool) -> _Pairs:
    from scipy.special import expit

    seed_sds = np.array(SEED_SDS if seeds else (0.0,))
    question_sds = np.array(QUESTION_SDS)
    seed, question = (sd.ravel() for sd in np.meshgrid(seed_sds, question_sds, indexing="ij"))
    width = np.outer(_widths(seed_sds), _widths(question_sds)).ravel()
    tuned = _NEW_SEEDS if seeds else _ONE_MODEL
    prior = width / (seed + tuned.seed_prior) / (question + tuned.question_prior)
    few = width * np.exp(-((seed / FEW_SEED) ** 2 + (question / FEW_QUESTION) ** 2) / 2)
    nodes, mass = np.polynomial.hermite_e.hermegauss(25)
    mass = mass / mass.sum()
    centers, grid = np.linspace(-30, 30, 121), np.linspace(-_LIMIT, _LIMIT, 113)
    parts = []
    for a, b in zip(seed, question, strict=True):
        chance = expit(centers[:, None, None] + a * nodes[:, None] + b * nodes)
        of_seed, of_question = chance @ mass, np.einsum("gab,a->gb", chance, mass)
        mean, square = of_seed @ mass, ((chance**2) @ mass) @ mass
        moments = (
            square - mean**2,
            of_seed**2 @ mass - mean**2,
            of_question**2 @ mass - mean**2,
            mean - square,
        )
        logit = np.log(mean) - np.log1p(-mean)
        parts.append([np.interp(grid, logit, np.maximum(part, 0)) for part in moments])
    return _Pairs(tuned, seed, question, prior, few, grid, *np.moveaxis(np.array(parts), 1, 0))


def _widths(values: Array) -> Array:
    """Return how much of the line each value stands for."""
    if len(values) == 1:
        return np.ones(1)
    middles = (values[1:] + values[:-1]) / 2
    return np.diff(np.concatenate([[0.0], middles, [2 * values[-1] - middles[-1]]]))


def _log_likelihood(hits: Array, trials: Array, pairs: _Pairs) -> Array:
    """Return how likely each pair makes the hits, up to a constant, shape (n, pairs).

    Laplace's approximation at the effects that Newton's method finds.
    """
    from scipy.special import log_expit

    shape = (len(hits), len(pairs.seed))
    precisions = _Precisions.of(pairs)
    total = (hits.sum((1, 2)) + 0.5) / (trials.sum((1, 2)) + 1)
    start = np.repeat((np.log(total) - np.log1p(-total))[:, None], shape[1], 1)
    at = _Effects(start, np.zeros((*shape, hits.shape[1])), np.zeros((*shape, hits.shape[2])))
    for _ in range(_NEWTON):
        at = _improved(at, _system(at, hits, trials, precisions), precisions)
    last = _system(at, hits, trials, precisions)
    logit = at.logit
    fits = hits[:, None] * log_expit(logit) + (trials - hits)[:, None] * log_expit(-logit)
    penalty = (at.seed**2).sum(-1) * precisions.seed + at.mu**2 * precisions.mu
    penalty += (at.question**2).sum(-1) * precisions.question
    constant = hits.shape[1] * np.log(precisions.seed) + hits.shape[2] * np.log(precisions.question)
    determinant = np.log(last.of_question).sum(-1) + np.linalg.slogdet(last.matrix)[1]
    likely: Array = fits.sum((-1, -2)) + (constant - penalty - determinant) / 2
    return likely


class _Precisions(NamedTuple):
    """Of the effects, under each pair: shape (pairs,)."""

    seed: Array
    question: Array
    mu: float

    @classmethod
    def of(cls, pairs: _Pairs) -> "_Precisions":
        return cls(np.maximum(pairs.seed, 1e-4) ** -2.0, pairs.question**-2.0, _MU_SD**-2)


class _Effects(NamedTuple):
    """What the logits are made of: shapes (n, pairs), (n, pairs, seeds), (n, pairs, questions)."""

    mu: Array
    seed: Array
    question: Array

    @property
    def logit(self) -> Array:
        return self.mu[..., None, None] + self.seed[..., None] + self.question[:, :, None]


class _System(NamedTuple):
    """Newton's equations; the questions, which meet only through the rest, are eliminated."""

    matrix: Array
    """Of mu and the seeds, shape (n, pairs, 1 + seeds, 1 + seeds)."""
    of_question: Array
    """Diagonal of the questions."""
    scaled: Array
    """Of the rest by question, over that diagonal."""
    left: Array
    """Hits less what is expected, by cell."""


def _system(at: _Effects, hits: Array, trials: Array, precisions: _Precisions) -> _System:
    from scipy.special import expit

    chance = expit(at.logit)
    weight = trials[:, None] * chance * (1 - chance)
    of_seed = weight.sum(-1)
    of_question = weight.sum(-2) + precisions.question[:, None]
    across = np.concatenate([weight.sum(-2)[:, :, None], weight], 2)
    scaled = across / of_question[:, :, None]
    matrix = -scaled @ np.swapaxes(across, -1, -2)
    matrix[..., 0, 0] += of_seed.sum(-1) + precisions.mu
    matrix[..., 0, 1:] += of_seed
    matrix[..., 1:, 0] += of_seed
    diagonal = np.arange(1, at.seed.shape[-1] + 1)
    matrix[..., diagonal, diagonal] += of_seed + precisions.seed[:, None]
    return _System(matrix, of_question, scaled, hits[:, None] - trials[:, None] * chance)


def _improved(at: _Effects, system: _System, precisions: _Precisions) -> _Effects:
    """Take one step of Newton's method, of at most _STEP in any effect."""
    by_seed = system.left.sum(-1) - at.seed * precisions.seed[:, None]
    by_question = system.left.sum(-2) - at.question * precisions.question[:, None]
    at_mu = system.left.sum((-1, -2)) - at.mu * precisions.mu
    gradient = np.concatenate([at_mu[..., None], by_seed], -1)
    gradient -= (system.scaled @ by_question[..., None])[..., 0]
    change = np.linalg.solve(system.matrix, gradient[..., None])[..., 0]
    shared = (np.swapaxes(system.scaled, -1, -2) @ change[..., None])[..., 0]
    change_q = by_question / system.of_question - shared
    largest = np.maximum(np.abs(change).max(-1), np.abs(change_q).max(-1))
    damping = np.minimum(1, _STEP / np.maximum(largest, 1e-9))
    return _Effects(
        at.mu + damping * change[..., 0],
        at.seed + damping[..., None] * change[..., 1:],
        at.question + damping[..., None] * change_q,
    )


def _concentration(share: Array, one: Array, pairs: _Pairs) -> Array:
    """Return the logarithm of the concentration of the mean's beta distribution, (n, pairs, grid)."""
    from scipy.special import expit

    square = (share**2).sum((-1, -2))
    seeds = (share.sum(-1) ** 2).sum(-1) - square
    questions = (share.sum(-2) ** 2).sum(-1) - square
    weighed = (
        (square, pairs.total),
        (seeds, pairs.same_seed),
        (questions, pairs.same_question),
        (one.sum((-1, -2)), pairs.within),
    )
    variance = sum(part[:, None, None] * moment for part, moment in weighed)
    binomial = expit(pairs.grid) * expit(-pairs.grid)
    size: Array = np.log(np.maximum(binomial / np.maximum(variance, 1e-300) - 1, 1e-3))
    return size


class _Mixture(NamedTuple):
    """Beta distributions of the mean, by their weights."""

    weights: Array
    concentration: Array

    def below(self, value: Array, logit: Array) -> Array:
        """Return the chance of a mean up to ``value`` where the rate has this logit."""
        from scipy.special import betainc, expit

        points = self.concentration.shape[-1]
        place = np.clip((logit + _LIMIT) / (2 * _LIMIT) * (points - 1), 0, points - 1.000001)
        left = place.astype(int)
        part = (place - left)[:, None]
        line = np.arange(len(left))
        log = self.concentration[line, :, left] * (1 - part)
        log = log + self.concentration[line, :, left + 1] * part
        size, rate = np.exp(log), expit(logit)[:, None]
        chance: Array = (
            self.weights * betainc(rate * size, (1 - rate) * size, value[:, None])
        ).sum(-1)
        return chance


def _bisect(still: Callable[[Array], NDArray[np.bool_]], count: int) -> Array:
    """Return the logits up to which a condition holds that ends somewhere."""
    low, high = np.full(count, -_LIMIT), np.full(count, _LIMIT)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        holds = still(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    ended: Array = (low + high) / 2
    return ended
