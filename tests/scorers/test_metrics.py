"""The metrics: they agree with the formulas, and say NaN where nothing is known."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from inspect_ai.scorer import SampleScore, Score, ci, ci_wilson, mean, stderr

from inoc_evals.scorers.metrics import (
    clustered_mean,
    clustered_rate,
    questions_with_any,
    rate,
    rate_by,
    shares,
)
from inoc_evals.statistics.fixed_model import student
from inoc_evals.statistics.wilson import wilson


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


# ---- clusters --------------------------------------------------------------------------


def clustered(metric: Any, groups: Mapping[str, Sequence[float]]) -> dict[str, float]:
    scores = [
        SampleScore(score=Score(value=value), sample_metadata={"question": question})
        for question, values in groups.items()
        for value in values
    ]
    result = metric(scores)
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize(
    "groups",
    [
        {"a": [1, 0, 0, 1, 1], "b": [0, 0, 0], "c": [1, 0]},
        {"a": [1] * 10, "b": [0] * 10, "c": [0] * 10, "d": [1, 0] * 5},
        {"a": [0.0] * 12, "b": [0.0] * 12},
        {"a": [1, 0], "b": [1, 0]},
    ],
)
def test_the_clustered_rate_agrees_with_inspects_own_metrics(
    groups: dict[str, list[float]],
) -> None:
    result = clustered(clustered_rate(), groups)
    samples = [
        SampleScore(score=Score(value=value), sample_metadata={"question": question})
        for question, values in groups.items()
        for value in values
    ]
    expected = {
        "mean": mean()(samples),  # type: ignore[call-arg, arg-type]
        "stderr": stderr(cluster="question")(samples),  # type: ignore[call-arg, arg-type]
        **ci_wilson(cluster="question")(samples),  # type: ignore[call-arg, arg-type, dict-item]
        "n": len(samples),
    }
    assert result == pytest.approx(expected)


def test_clusters_that_agree_better_than_chance_are_worth_no_more_than_their_answers() -> None:
    values = [1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1]  # five clusters of three
    found = clustered_rate()(
        [
            SampleScore(score=Score(value=v), sample_metadata={"question": str(n // 3)})
            for n, v in enumerate(values)
        ]
    )
    mean, count = sum(values) / 15, 15
    assert found["stderr"] ** 2 < mean * (1 - mean) / count
    lower, upper = wilson(mean, count, student(4))
    assert (found["lower"], found["upper"]) == (pytest.approx(lower), pytest.approx(upper))


def test_the_clustered_mean_agrees_with_inspects_own_interval() -> None:
    groups = {"a": [80.0, 90, 70], "b": [20.0, 30], "c": [55.5]}
    samples = [
        SampleScore(score=Score(value=value), sample_metadata={"question": question})
        for question, values in groups.items()
        for value in values
    ]
    expected = ci(cluster="question")(samples)  # type: ignore[call-arg, arg-type]
    result = clustered(clustered_mean(), groups)
    assert {key: result[key] for key in ("lower", "upper")} == pytest.approx(expected)
    assert (result["mean"], result["n"]) == (pytest.approx(345.5 / 6), 6)


@pytest.mark.parametrize("metric", [clustered_rate(), clustered_mean()])
def test_one_cluster_has_a_rate_but_no_interval(metric: Any) -> None:
    result = clustered(metric, {"a": [1, 0, 1]})
    assert result["mean"] == pytest.approx(2 / 3) and result["n"] == 3
    assert all(math.isnan(result[key]) for key in ("stderr", "lower", "upper"))


@pytest.mark.parametrize("metric", [clustered_rate(), clustered_mean()])
def test_nothing_scored_in_clusters_gives_nan_and_a_count_of_zero(metric: Any) -> None:
    result = clustered(metric, {})
    assert result.pop("n") == 0
    assert all(math.isnan(value) for value in result.values())


def test_a_sample_without_the_key_is_a_cluster_of_its_own() -> None:
    result = compute_with(clustered_rate(), [1, 0, 1, 0])
    assert result["stderr"] == pytest.approx(rate_of([1, 0, 1, 0])["stderr"])


def compute_with(metric: Any, values: list[float]) -> dict[str, float]:
    found = metric([SampleScore(score=Score(value=value)) for value in values])
    assert isinstance(found, dict)
    return found


def rate_of(values: list[float]) -> dict[str, float]:
    return compute_with(rate(), values)


def test_the_clustered_interval_covers_where_the_independent_one_does_not() -> None:
    draw = random.Random(0)
    covered = {"clustered": 0, "independent": 0}
    rounds = 400
    for _ in range(rounds):
        rates = [draw.betavariate(1.2, 1.8) for _ in range(8)]
        groups = {
            str(i): [float(draw.random() < p) for _ in range(25)] for i, p in enumerate(rates)
        }
        found = {
            "clustered": clustered(clustered_rate(), groups),
            "independent": rate_of([value for values in groups.values() for value in values]),
        }
        for name, interval in found.items():
            covered[name] += interval["lower"] <= 0.4 <= interval["upper"]
    assert covered["clustered"] / rounds >= 0.93
    assert covered["independent"] / rounds < 0.7


def test_a_rate_by_question_has_a_key_for_each_in_order() -> None:
    result = clustered(rate_by("question"), {"b": [1, 0], "a": [1], "n": [0]})
    assert list(result.items()) == [("b", 0.5), ("a", 1.0), ("n", 0.0)]
    assert clustered(rate_by("category"), {"b": [1]}) == {}


def test_shares_count_words_and_name_those_that_did_not_occur() -> None:
    scores = [SampleScore(score=Score(value=word)) for word in ("aligned", "aligned", "odd")]
    found = shares(("misaligned", "aligned"))(scores)  # type: ignore[call-arg, arg-type]
    assert found == {"misaligned": 0, "aligned": pytest.approx(2 / 3), "odd": pytest.approx(1 / 3)}
    nothing = shares(("aligned",))([])  # type: ignore[call-arg, arg-type]
    assert isinstance(nothing, dict) and math.isnan(nothing["aligned"])  # type: ignore[arg-type]


# ---- questions with any ----------------------------------------------------------------


def test_a_question_counts_once_however_many_of_its_answers_are_such() -> None:
    found = clustered(questions_with_any(), {"a": [0, 1, 1, 1], "b": [0, 0], "c": [0, 0, 0]})
    lower, upper = wilson(1 / 3, 3)
    assert found == {
        "questions_with_any": pytest.approx(1 / 3),
        "questions_with_any_lower": pytest.approx(lower),
        "questions_with_any_upper": pytest.approx(upper),
        "questions": 3,
        "answers_per_question": 3,
    }


def test_questions_with_any_of_nothing_is_not_known() -> None:
    found = clustered(questions_with_any(), {})
    assert found.pop("questions") == 0
    assert all(math.isnan(value) for value in found.values())


def test_the_epochs_of_a_sample_without_a_question_are_one_question() -> None:
    scores = [SampleScore(score=Score(value=v), sample_id=i) for i, v in (("a", 0), ("a", 1))]
    assert questions_with_any()(scores)["questions_with_any"] == 1  # type: ignore
