"""What a log's header says of 0/1 scores: the rate, its standard error, its interval.

    @scorer(metrics=[rate()])      # keys mean, stderr, lower, upper; heading "rate"

As Inspect's ``mean``, ``stderr`` and ``ci_wilson``, but what cannot be known is NaN rather
than 0 (the standard error of one sample, the interval of none), and numpy is not needed,
whose import is a tenth of a second of every evaluation. One metric and not three, since the
viewer shows a packaged metric under its full name, but a metric's keys as they are.

``rate`` counts samples as independent. Answers to one question are not: ``clustered_rate``
and ``clustered_mean`` take the questions as what was drawn, and their interval is NaN where
only one was scored. All see every epoch, whichever reducer is asked for; the epochs of one
sample are several answers, never several samples. None of them raises, whatever a ``--limit``
left to be scored. The report's intervals know questions and seeds.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Value, metric

from inoc_evals.statistics.fixed_model import student
from inoc_evals.statistics.wilson import effective_size, wilson


@metric(scores="unreduced")
def rate() -> Metric:
    """Mean, standard error and 95 % Wilson score interval of the scored samples.

    A sample's epochs are averaged first, so that every sample weighs the same. The interval
    is of as many answers as there are samples, however many epochs each has: what they
    are worth depends on how alike they are.

    Keys: ``mean``, ``stderr`` (NaN for fewer than two samples), ``lower`` and ``upper``;
    all NaN where no sample is scored.
    """

    def compute(scores: list[SampleScore]) -> Value:
        values = [math.fsum(some) / len(some) for some in _groups(scores)]
        count = len(values)
        mean = math.fsum(values) / count if count else math.nan
        lower, upper = wilson(mean, count)
        return {"mean": mean, "stderr": _stderr(values, mean), "lower": lower, "upper": upper}

    return compute


def _stderr(values: list[float], mean: float) -> float:
    if len(values) < 2:
        return math.nan
    variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return math.sqrt(variance / len(values))


@metric(scores="unreduced")
def clustered_rate(cluster: str = "question") -> Metric:
    """Mean of 0/1 scores with a 95 % interval over clusters.

    The interval is Wilson's with the Korn-Graubard effective sample size (the number of
    samples that independent ones would need for this variance) and Student's t with
    clusters - 1 degrees of freedom: Franco et al. 2019, doi:10.1093/jssam/smy019. Where
    all scores are equal, or no variance can be seen, the number of samples is used.

    Keys: ``mean``, ``stderr`` (clustered), ``lower``, ``upper``, ``n``. NaN where nothing
    is scored; ``stderr`` and bounds also where fewer than two clusters are.

    Args:
        cluster: Key of the sample metadata that tells clusters apart; the epochs of a sample
            without it are a cluster of their own.
    """

    def compute(scores: list[SampleScore]) -> Value:
        groups = _groups(scores, cluster)
        mean, stderr, count = _clustered(groups)
        lower, upper = _clustered_wilson(mean, stderr, count, len(groups))
        return {"mean": mean, "stderr": stderr, "lower": lower, "upper": upper, "n": count}

    return compute


@metric(scores="unreduced")
def clustered_mean(cluster: str = "question") -> Metric:
    """Mean of ratings with a 95 % t interval over clusters.

    Keys and NaN as in :func:`clustered_rate`.

    Args:
        cluster: As in :func:`clustered_rate`.
    """

    def compute(scores: list[SampleScore]) -> Value:
        groups = _groups(scores, cluster)
        mean, stderr, count = _clustered(groups)
        half = stderr if math.isnan(stderr) else stderr * student(len(groups) - 1)
        return {
            "mean": mean,
            "stderr": stderr,
            "lower": mean - half,
            "upper": mean + half,
            "n": count,
        }

    return compute


@metric(scores="unreduced")
def questions_with_any(cluster: str = "question") -> Metric:
    """Share of the questions to which any answer of k scores 1.

    It rises with k: compare models at the same number of answers. Of questions that are
    asked in several ways or formats, all answers count. The interval is Wilson's over the
    questions that have a scored answer.

    Keys: ``questions_with_any``, ``questions_with_any_lower``, ``questions_with_any_upper``
    (NaN where nothing is scored), ``questions``, how many there are, and
    ``answers_per_question``, k, the mean number of scored answers of one.

    Args:
        cluster: As in :func:`clustered_rate`.
    """

    def compute(scores: list[SampleScore]) -> Value:
        groups = _groups(scores, cluster)
        count = len(groups)
        share = sum(any(group) for group in groups) / count if count else math.nan
        lower, upper = wilson(share, count)
        return {
            "questions_with_any": share,
            "questions_with_any_lower": lower,
            "questions_with_any_upper": upper,
            "questions": count,
            "answers_per_question": len(scores) / count if count else math.nan,
        }

    return compute


@metric(scores="unreduced")
def rate_by(key: str) -> Metric:
    """Mean score for each value of a sample metadata key.

    Keys: the values, as text, in order of appearance.

    Args:
        key: Key of the sample metadata; samples without it are left out.
    """

    def compute(scores: list[SampleScore]) -> Value:
        found: dict[str, list[float]] = defaultdict(list)
        for score in scores:
            value = (score.sample_metadata or {}).get(key)
            if value is not None:
                found[str(value)].append(score.score.as_float())
        return {value: math.fsum(some) / len(some) for value, some in found.items()}

    return compute


@metric(scores="unreduced")
def shares(values: Sequence[str] = ()) -> Metric:
    """Share of the samples for each value of a score that is text.

    Keys: the values; those given are there even where no sample has them.

    Args:
        values: Values to report in any case, in this order before others.
    """

    def compute(scores: list[SampleScore]) -> Value:
        counts = dict.fromkeys(values, 0)
        for score in scores:
            value = str(score.score.value)
            counts[value] = counts.get(value, 0) + 1
        return {
            value: count / len(scores) if scores else math.nan for value, count in counts.items()
        }

    return compute


def _groups(scores: Sequence[SampleScore], cluster: str | None = None) -> list[list[float]]:
    """Return the values of each cluster; of each sample, where it names none."""
    groups: dict[tuple[str, object], list[float]] = defaultdict(list)
    for index, score in enumerate(scores):
        named = (score.sample_metadata or {}).get(cluster) if cluster else None
        sample = index if score.sample_id is None else score.sample_id
        key = ("sample", sample) if named is None else ("cluster", str(named))
        groups[key].append(score.score.as_float())
    return list(groups.values())


def _clustered(groups: Sequence[Sequence[float]]) -> tuple[float, float, int]:
    """Return mean, clustered standard error (NaN for fewer than two groups) and count."""
    count = sum(len(group) for group in groups)
    if not count:
        return math.nan, math.nan, 0
    mean = math.fsum(math.fsum(group) for group in groups) / count
    if len(groups) < 2:
        return mean, math.nan, count
    squares = math.fsum(math.fsum(value - mean for value in group) ** 2 for group in groups)
    return mean, math.sqrt(squares * len(groups) / (len(groups) - 1)) / count, count


def _clustered_wilson(mean: float, stderr: float, count: int, groups: int) -> tuple[float, float]:
    if groups < 2:
        return math.nan, math.nan
    return wilson(mean, effective_size(mean, stderr**2, count), student(groups - 1))
