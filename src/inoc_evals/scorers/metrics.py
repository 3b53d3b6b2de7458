"""What a log's header says of 0/1 scores: the rate, its standard error, its interval.

    @scorer(metrics=[rate()])      # keys mean, stderr, lower, upper; heading "rate"

As Inspect's ``mean``, ``stderr`` and ``ci_wilson``, but what cannot be known is NaN rather
than 0 (the standard error of one sample, the interval of none), and numpy is not needed,
whose import is a tenth of a second of every evaluation. One metric and not three, since the
viewer shows a packaged metric under its full name, but a metric's keys as they are.

Every question weighs the same, however many answers it has, and what is new in an interval is
questions, as in the report of an experiment: the same functions give both (`statistics/crossed.py`;
the report's know seeds too). For ``rate`` each sample is a question; ``clustered_rate`` and
``clustered_mean`` are told by the metadata which samples ask the same. The interval is NaN where
only one question was scored. All see every epoch, whichever reducer is asked for. None of them
raises, whatever a ``--limit`` left to be scored.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from inspect_ai.scorer import Metric, SampleScore, Value, metric

from inoc_evals.statistics.wilson import RATE, wilson


@metric(scores="unreduced")
def rate() -> Metric:
    """Mean of 0/1 scores with a 95 % interval over samples, each of which is a question.

    Keys: ``mean``, ``stderr`` (NaN for fewer than two samples), ``lower``, ``upper`` and ``n``,
    the scored answers; NaN where no sample is scored.
    """

    def compute(scores: list[SampleScore]) -> Value:
        return _over_groups(_groups(scores), RATE)

    return compute


@metric(scores="unreduced")
def clustered_rate(cluster: str = "question") -> Metric:
    """Mean of 0/1 scores with a 95 % interval over questions.

    The mean is that over questions of each question's share of 1s. The standard error is that
    of the questions' means: with as many answers to each, Inspect's clustered one.

    Keys: ``mean``, ``stderr``, ``lower``, ``upper``, ``n``. NaN where nothing
    is scored; ``stderr`` and bounds also where fewer than two questions are.

    Args:
        cluster: Key of the sample metadata that tells questions apart; the epochs of a sample
            without it are a question of their own.
    """

    def compute(scores: list[SampleScore]) -> Value:
        return _over_groups(_groups(scores, cluster), RATE)

    return compute


@metric(scores="unreduced")
def clustered_mean(
    cluster: str = "question", low: float | None = None, high: float | None = None
) -> Metric:
    """Mean of ratings with a 95 % interval over questions, each of which weighs the same.

    Student's t on the questions' means; between bounds, Wilson's form of it, which stays there.

    Keys and NaN as in :func:`clustered_rate`.

    Args:
        cluster: As in :func:`clustered_rate`.
        low: Least possible rating, where there is one.
        high: Greatest possible rating.
    """
    bounds = None if low is None or high is None else (low, high)

    def compute(scores: list[SampleScore]) -> Value:
        return _over_groups(_groups(scores, cluster), bounds)

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


def _over_groups(
    groups: Sequence[Sequence[float]], bounds: tuple[float, float] | None
) -> dict[str, float]:
    """Return the mean over groups of their means, with its interval for new groups."""
    count = sum(len(group) for group in groups)
    means = [math.fsum(group) / len(group) for group in groups]
    found = {"mean": math.nan, "stderr": math.nan, "lower": math.nan, "upper": math.nan, "n": count}
    if not means:
        return found
    # Imported here because numpy takes a tenth of a second, and nothing waits for the header.
    import numpy as np

    from inoc_evals.statistics.crossed import over_questions, over_seeds

    values, counts = np.array(means), np.array([float(len(group)) for group in groups])
    if bounds is None:
        estimate = over_seeds(values)  # of what has no bounds, over whatever was drawn
    else:
        estimate = over_questions(values, counts, bounds=bounds)
    if len(means) > 1:
        found["stderr"] = float(values.std(ddof=1) / math.sqrt(len(means)))
    return found | {
        "mean": float(estimate.rate),
        "lower": float(estimate.low),
        "upper": float(estimate.high),
    }
