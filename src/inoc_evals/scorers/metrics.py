"""What a log's header says of 0/1 scores: the rate, its standard error, its interval.

    @scorer(metrics=[rate()])      # keys mean, stderr, lower, upper; heading "rate"

As Inspect's ``mean``, ``stderr`` and ``ci_wilson``, but what cannot be known is NaN rather
than 0 (the standard error of one sample, the interval of none), and numpy is not needed,
whose import is a tenth of a second of every evaluation. One metric and not three, since the
viewer shows a packaged metric under its full name, but a metric's keys as they are.

Samples count as independent here; the report's intervals know questions and seeds.
"""

import math
from statistics import NormalDist

from inspect_ai.scorer import Metric, SampleScore, Value, metric

LEVEL = 0.95
"""Confidence level of the interval."""


@metric
def rate() -> Metric:
    """Mean, standard error and 95 % Wilson score interval of the scored samples.

    Keys: ``mean``, ``stderr`` (NaN for fewer than two samples), ``lower`` and ``upper``;
    all NaN where no sample is scored.
    """

    def compute(scores: list[SampleScore]) -> Value:
        values = [score.score.as_float() for score in scores]
        count = len(values)
        mean = math.fsum(values) / count if count else math.nan
        lower, upper = _wilson(mean, count)
        return {"mean": mean, "stderr": _stderr(values, mean), "lower": lower, "upper": upper}

    return compute


def _stderr(values: list[float], mean: float) -> float:
    if len(values) < 2:
        return math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


def _wilson(mean: float, count: int) -> tuple[float, float]:
    if not count:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    scale = 1 + z**2 / count
    middle = (mean + z**2 / (2 * count)) / scale
    half = z / scale * math.sqrt(mean * (1 - mean) / count + z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)
