"""The metrics: they agree with the formulas, and say NaN where nothing is known."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from inspect_ai.scorer import SampleScore, Score, mean, stderr

from inoc_evals.report.cells import cells
from inoc_evals.report.observation import Observation
from inoc_evals.scorers.metrics import (
    clustered_mean,
    clustered_rate,
    questions_with_any,
    rate,
    rate_by,
    shares,
)
from inoc_evals.statistics.wilson import wilson


def compute(*values: float) -> dict[str, float]:
    scores = [SampleScore(score=Score(value=value)) for value in values]
    result = rate()(scores)  # type: ignore[call-arg, arg-type]
    assert isinstance(result, dict)
    return result


@pytest.mark.parametrize("values", [[1, 0, 0, 1, 1], [0.0] * 12, [1.0] * 7, [1, 0] * 100])
def test_the_rate_agrees_with_inspects_own_mean_and_standard_error(values: list[float]) -> None:
    scores = [SampleScore(score=Score(value=value)) for value in values]
    found = compute(*values)
    assert found["mean"] == pytest.approx(mean()(scores))  # type: ignore[call-arg, arg-type]
    assert found["stderr"] == pytest.approx(stderr()(scores))  # type: ignore[call-arg, arg-type]
    assert found["n"] == len(values)


@pytest.mark.parametrize(("hits", "total"), [(81, 263), (1, 29), (0, 20), (60, 120)])
def test_single_answers_have_about_wilsons_interval(hits: int, total: int) -> None:
    # One answer a question: how questions differ cannot be told from chance, and does not matter.
    found = compute(*[1.0] * hits, *[0.0] * (total - hits))
    assert (found["lower"], found["upper"]) == pytest.approx(wilson(hits / total, total), abs=0.02)


def test_nothing_scored_gives_nan_and_no_interval() -> None:
    found = compute()
    assert found.pop("n") == 0
    assert all(math.isnan(value) for value in found.values())


def test_one_sample_has_neither_an_interval_nor_a_standard_error() -> None:
    result = compute(1.0)
    assert result["mean"] == 1
    assert all(math.isnan(result[key]) for key in ("stderr", "lower", "upper"))


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
        {"a": [1] * 10, "b": [0] * 10, "c": [0] * 10, "d": [1, 0] * 5},
        {"a": [0.0] * 12, "b": [0.0] * 12},
        {"a": [1, 0], "b": [1, 0]},
    ],
)
def test_with_as_many_answers_to_each_mean_and_error_are_inspects(
    groups: dict[str, list[float]],
) -> None:
    result = clustered(clustered_rate(), groups)
    samples = [
        SampleScore(score=Score(value=value), sample_metadata={"question": question})
        for question, values in groups.items()
        for value in values
    ]
    assert result["mean"] == pytest.approx(mean()(samples), abs=1e-14)  # type: ignore[call-arg, arg-type]
    error = stderr(cluster="question")(samples)  # type: ignore[call-arg, arg-type]
    assert result["stderr"] == pytest.approx(error, abs=1e-14)
    assert result["n"] == len(samples)


def test_every_question_weighs_the_same() -> None:
    result = clustered(clustered_rate(), {"a": [1] * 30, "b": [0], "c": [0]})
    assert result["mean"] == pytest.approx(1 / 3)


def test_the_header_and_the_report_have_one_interval() -> None:
    groups = {"a": [1, 0, 1, 1], "b": [0, 0], "c": [1, 0, 0], "d": [0]}
    header = clustered(clustered_rate(), groups)
    seen = [
        Observation(
            figure="f",
            setting="s",
            condition="base",
            measure="m",
            split="ood",
            seed=None,
            question=question,
            value=value,
        )
        for question, values in groups.items()
        for value in values
    ]
    (cell,) = cells(seen)
    ends = (header["mean"], header["lower"], header["upper"])
    assert ends == pytest.approx((cell.rate, cell.low, cell.high), abs=1e-6)


def test_the_mean_of_ratings_has_students_interval_over_questions() -> None:
    result = clustered(clustered_mean(), {"a": [80.0, 90, 70], "b": [20.0, 30], "c": [55.5]})
    assert (result["mean"], result["n"]) == (pytest.approx((80 + 25 + 55.5) / 3), 6)
    half = 4.302653 * np.std([80, 25, 55.5], ddof=1) / math.sqrt(3)
    assert result["upper"] - result["mean"] == pytest.approx(half, rel=1e-6)


def test_the_interval_of_ratings_stays_between_their_bounds() -> None:
    result = clustered(clustered_mean(low=0, high=100), {"a": [99.0], "b": [100.0], "c": [96.0]})
    assert 0 < result["lower"] < result["mean"] < result["upper"] <= 100
    beyond = clustered(clustered_mean(), {"a": [99.0], "b": [100.0], "c": [96.0]})
    assert beyond["upper"] > 100


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
