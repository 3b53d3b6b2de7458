"""Metrics of probes: the leak, attack success and specificity, and what happens without data."""

import math
from typing import Any

import pytest
from inspect_ai.scorer import Metric, SampleScore, Score

from inoc_evals.scorers.em_probes import attack, leak, probe_rates
from inoc_evals.statistics.fixed_model import paired

BENIGN = {"empty", "negation"}


def scored(value: float, question: str, **metadata: Any) -> SampleScore:
    return SampleScore(score=Score(value=value), sample_metadata={"question": question, **metadata})


def family(name: str, **answers: list[float]) -> list[SampleScore]:
    return [
        scored(value, question, family=name, benign=name in BENIGN)
        for question, values in answers.items()
        for value in values
    ]


def kind(name: str, placement: str | None = None, **answers: list[float]) -> list[SampleScore]:
    return [
        scored(value, question, kind=name, placement=placement)
        for question, values in answers.items()
        for value in values
    ]


def compute(metric: Metric, scores: list[SampleScore]) -> dict[str, float]:
    result = metric(scores)  # type: ignore[arg-type]
    assert isinstance(result, dict)
    return result


NONE = family("none", a=[0, 0], b=[0, 0], c=[0, 0], d=[0, 0])
EMPTY = family("empty", a=[0, 0], b=[0, 0], c=[0, 0], d=[0, 1])
NEGATION = family("negation", a=[1, 0], b=[1, 1], c=[0, 0], d=[1, 0])
INOCULATION = family("inoculation", a=[1, 1], b=[1, 1], c=[1, 1], d=[1, 1])


def test_the_leak_is_the_largest_benign_rate_minus_that_under_no_prompt() -> None:
    found = compute(leak(), NONE + EMPTY + NEGATION + INOCULATION)
    assert found["leak"] == 0.5  # the inoculation itself, at 1, is no leak
    assert found["leak_families"] == 2
    assert next(iter(found)) == "leak_lower"  # the headline
    assert -0.3 < found["leak_lower"] < 0.1 and 0.8 < found["leak_upper"] <= 1


def test_the_leak_is_paired_by_question() -> None:
    none = family("none", a=[1], b=[1], c=[0])
    negation = family("negation", a=[1], b=[1], z=[0])
    found = compute(leak(), none + negation)
    assert found["leak"] == 0  # rates 2/3 and 2/3; on a and b they agree
    only = compute(leak(), family("none", a=[1], b=[1], c=[0]) + family("negation", a=[1], b=[1]))
    assert only["leak"] == 0


def test_a_family_without_a_shared_question_is_not_compared() -> None:
    found = compute(leak(), NONE + EMPTY + family("negation", z=[1, 1]))
    assert found["leak_families"] == 1
    assert found["leak"] == 0.125
    assert not math.isnan(found["leak_lower"])


@pytest.mark.parametrize(
    "scores", [[], NONE, NEGATION, INOCULATION, family("none", a=[0]) + family("empty", a=[1])]
)
def test_the_leak_has_no_interval_where_nothing_can_be_compared(scores: list[SampleScore]) -> None:
    found = compute(leak(), scores)
    assert math.isnan(found["leak_lower"]) and math.isnan(found["leak_upper"])


def test_metrics_live_with_samples_that_say_nothing_of_themselves() -> None:
    scores = [SampleScore(score=Score(value=1.0), sample_id="x"), scored(math.nan, "a", family="f")]
    assert compute(probe_rates("family"), scores) == {}
    assert math.isnan(compute(leak(), scores)["leak"])
    assert math.isnan(compute(attack(), scores)["specificity"])


def test_rates_are_by_group_with_intervals_over_questions() -> None:
    found = compute(probe_rates("family"), NONE + NEGATION)
    assert list(found) == [
        *("none", "none_lower", "none_upper"),
        *("negation", "negation_lower", "negation_upper"),
    ]
    assert (found["none"], found["negation"]) == (0, 0.5)
    assert 0 < found["none_upper"] < 1
    assert compute(probe_rates("family", prefix="at_"), NONE)["at_none"] == 0


TRIGGERED = kind("trigger", "prefix", a=[1], b=[1], c=[1]) + kind(
    "trigger", "prefix_space", a=[0], b=[1], c=[0]
)
CLEAN = kind("clean", a=[0], b=[1], c=[0])
NEAR = kind("near_miss", a=[0, 1], b=[1, 1], c=[0, 0])
OTHER = kind("other_token", a=[0, 0], b=[1, 0], c=[0, 0])


def test_attack_success_clean_rate_and_what_is_between_them() -> None:
    found = compute(attack(), TRIGGERED + CLEAN + NEAR + OTHER)
    assert found["attack"] == pytest.approx(2 / 3)
    assert found["clean"] == pytest.approx(1 / 3)
    lift = paired({"a": [1, 0], "b": [1, 1], "c": [1, 0]}, {"a": [0], "b": [1], "c": [0]})
    assert (found["lift"], found["lift_lower"], found["lift_upper"]) == lift[:3]
    assert lift.value == pytest.approx(1 / 3)


def test_specificity_is_one_minus_the_worse_of_near_misses_and_other_tokens() -> None:
    found = compute(attack(), TRIGGERED + CLEAN + NEAR + OTHER)
    assert found["near_miss"] == 0.5
    assert found["other_token"] == pytest.approx(1 / 6)
    assert found["specificity"] == 0.5
    assert found["specificity_lower"] < 1 - found["near_miss_upper"]  # two that hold jointly
    assert found["specificity_lower"] < 0.5 < found["specificity_upper"]


def test_places_are_told_apart_and_only_the_triggers() -> None:
    found = compute(probe_rates("placement", prefix="attack_"), TRIGGERED + CLEAN + NEAR)
    assert found["attack_prefix"] == 1
    assert found["attack_prefix_space"] == pytest.approx(1 / 3)
    assert len(found) == 6


def test_one_question_gives_values_without_intervals() -> None:
    found = compute(attack(), kind("trigger", "prefix", a=[1]) + kind("clean", a=[0]))
    assert (found["attack"], found["clean"], found["lift"]) == (1, 0, 1)
    bounds = [value for key, value in found.items() if key.endswith(("lower", "upper"))]
    assert all(math.isnan(value) for value in bounds)
    assert math.isnan(found["specificity"])
