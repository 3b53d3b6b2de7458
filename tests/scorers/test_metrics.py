"""The rate metric: agrees with the formulas, and says NaN where nothing is known."""

import math

import pytest
from inspect_ai.scorer import SampleScore, Score, ci_wilson, mean, stderr

from inoc_evals.scorers.metrics import rate


def compute(*values: float) -> dict[str, float]:
    scores = [SampleScore(score=Score(value=value)) for value in values]
    result = rate()(scores)  # type: ignore[call-arg, arg-type]
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize(
    "values", [[1, 0, 0, 1, 1], [0.0] * 12, [1.0] * 7, [0.5, 1, 0], [1, 0] * 100]
)
def test_the_rate_agrees_with_inspects_own_metrics(values: list[float]) -> None:
    scores = [SampleScore(score=Score(value=value)) for value in values]
    interval = ci_wilson()(scores)  # type: ignore[call-arg, arg-type]
    assert compute(*values) == pytest.approx(
        {
            "mean": mean()(scores),  # type: ignore[call-arg, arg-type]
            "stderr": stderr()(scores),  # type: ignore[call-arg, arg-type]
            **interval,  # type: ignore[dict-item]
        }
    )


def test_nothing_scored_gives_nan_and_no_interval() -> None:
    assert all(math.isnan(value) for value in compute().values())


def test_one_sample_has_an_interval_but_no_standard_error() -> None:
    result = compute(1.0)
    assert math.isnan(result["stderr"])
    assert 0 < result["lower"] < result["upper"] == 1
