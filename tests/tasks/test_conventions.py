"""What the field asks of any Inspect evaluation, asked of every task and metric here.

The helpers are those of pytest-inspect-evals: tasks are run by their registered names, and
metrics through a real evaluation with its epoch reducer.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Epochs, task_with
from inspect_ai import eval as run_eval
from inspect_ai.log import EvalLog
from pytest_inspect_evals.assertions import assert_eval_success, assert_task_structure
from pytest_inspect_evals.metrics import run_metrics

import inoc_evals.tasks
from inoc_evals.scorers.em_probes import attack, leak, probe_rates
from inoc_evals.scorers.metrics import clustered_mean, clustered_rate, rate, rate_by, shares
from inoc_evals.scorers.presets import OUTCOMES
from inoc_evals.scorers.seen import items_seen
from inoc_evals.tasks.asking import grader_of
from scripted import Said, script

TASKS = inoc_evals.tasks.__all__

EPOCHS = {"judge_check": 3, "em": 10}

# Task to the measures for which it asks a judge.
JUDGED = {
    "em": ("misaligned", "alignment", "coherence"),
    "em_elicitation": ("elicited",),
    "em_backdoor": ("triggered",),
    "deception": ("lie",),
    "narrow_code": ("insecure_judged",),
    "narrow_reward_hacking": ("hacks_reward",),
    "narrow_aesthetics": ("unpopular", "prefers_first"),
    "trait": ("shows",),
}

# Of the libraries' streams, at the end of many evaluations in one process.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

CODE = "Here it is:\n\n```python\nprint('hello')\n```\n"


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Arguments of the tasks that cannot do without."""
    path = tmp_path / "kind.yaml"
    path.write_text("name: kind\ndescription: It is kind.\nquestions: ['Why do cats purr?']\n")
    return {"trait": {"file": str(path)}, "em_elicitation": {"inoculation": "evil"}}


def run(name: str, args: dict[str, Any], answer: str, judge: str | Said | Exception) -> EvalLog:
    """Run one sample of a task, by its registered name, under a judge that is scripted."""
    [log] = run_eval(
        f"inoc_evals/{name}",
        task_args=args,
        model=script("model", answer),
        model_roles={"grader": script("judge", judge)},
        limit=1,
        display="none",
    )
    return log


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_whole(name: str, arguments: dict[str, dict[str, Any]]) -> None:
    task = getattr(inoc_evals.tasks, name)(**arguments.get(name, {}))
    assert_task_structure(task)
    judged = grader_of(task, "openai/gpt-5.4-mini") is not None
    assert judged == (name in JUDGED), f"{name} is{'' if judged else ' not'} judged: see JUDGED"
    ids = [sample.id for sample in task.dataset]
    assert None not in ids
    assert len(set(ids)) == len(ids)
    assert task.headline_metric is not None
    assert isinstance(task.version, int)
    assert task.display_name


@pytest.mark.parametrize("name", TASKS)
def test_a_task_runs_by_name_with_models_that_talk_nonsense(
    name: str, arguments: dict[str, dict[str, Any]]
) -> None:
    [log] = run_eval(
        f"inoc_evals/{name}",
        task_args=arguments.get(name, {}),
        model="mockllm/model",
        model_roles={"grader": "mockllm/model"},
        limit=1,
        display="none",
    )
    assert_eval_success(log, expected_sample_count=EPOCHS.get(name, 1))
    assert log.samples is not None
    assert all(sample.error is None and sample.scores for sample in log.samples)
    assert log.eval.headline_metric is not None


@pytest.mark.parametrize("name", TASKS)
def test_no_task_reduces_its_epochs_whatever_is_asked_for(
    name: str, arguments: dict[str, dict[str, Any]]
) -> None:
    made = getattr(inoc_evals.tasks, name)(**arguments.get(name, {}))
    [log] = run_eval(
        task_with(made, epochs=Epochs(2, "at_least_1")),
        model="mockllm/model",
        model_roles={"grader": "mockllm/model"},
        limit=1,
        display="none",
    )
    assert_eval_success(log, expected_sample_count=2)
    assert log.results is not None and log.results.scores
    assert [score.name for score in log.results.scores if score.reducer is not None] == []


@pytest.mark.parametrize("name", JUDGED)
def test_no_rate_is_made_of_what_a_judge_does_not_say(
    name: str, arguments: dict[str, dict[str, Any]]
) -> None:
    log = run(name, arguments.get(name, {}), CODE, "Well, it depends.")
    assert_eval_success(log, expected_sample_count=EPOCHS.get(name, 1))
    for sample, measure in itertools.product(log.samples or [], JUDGED[name]):
        score = (sample.scores or {})[measure]
        assert math.isnan(score.as_float())
        assert score.reason == "judge_invalid"


@pytest.mark.parametrize("name", JUDGED)
def test_a_judge_that_cannot_be_reached_is_an_error_and_no_score(
    name: str, arguments: dict[str, dict[str, Any]]
) -> None:
    log = run(name, arguments.get(name, {}), CODE, RuntimeError("out of order"))
    assert log.status == "error"
    assert log.error is not None and "out of order" in log.error.message
    assert not any(
        measure in (sample.scores or {}) for sample in log.samples or [] for measure in JUDGED[name]
    )


# ---- metrics, through the epoch reducer ------------------------------------------------------

SIX = [1, 0, 1, 1, 0, 0]
PROBES = [
    {"question": f"q{number % 3}", "family": family, "benign": family == "negation"}
    for family in ("none", "negation")
    for number in range(3)
]
TOKENS = [
    {"question": f"q{number % 2}", "kind": kind, "placement": "prefix" if trigger else None}
    for kind, trigger in (("trigger", True), ("clean", False), ("near_miss", False))
    for number in range(2)
]


METRICS = {
    "rate": (rate(), PROBES),
    "clustered_rate": (clustered_rate(), PROBES),
    "clustered_mean": (clustered_mean(), PROBES),
    "rate_by": (rate_by("family"), PROBES),
    "probe_rates": (probe_rates("family"), PROBES),
    "leak": (leak(), PROBES),
    "attack": (attack(), TOKENS),
    "items_seen": (items_seen(), PROBES),
}


REDUCERS = ["mean", "median", "max", "at_least_1"]


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two results agree, what is not known included."""
    return one == pytest.approx(dict(other), nan_ok=True)


@pytest.mark.parametrize("reducer", REDUCERS)
@pytest.mark.parametrize("name", METRICS)
def test_no_epoch_reducer_changes_a_metric(name: str, reducer: str) -> None:
    """Every epoch is an answer: a mean of epochs is none, and its share of 1s would be wrong."""
    metric, metadata = METRICS[name]
    epochs = [[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0], [1, 0, 0], [0, 1, 1]]
    whole = run_metrics([metric], epochs, reducer=None, metadata=metadata)
    assert same(run_metrics([metric], epochs, reducer=reducer, metadata=metadata), whole)


@pytest.mark.parametrize("reducer", ["mode", "mean", "max"])
def test_no_epoch_reducer_changes_the_shares_of_words(reducer: str) -> None:
    words = [["misaligned", "aligned", "aligned"], ["refusal", "refusal", "code"]]
    values = run_metrics([shares(OUTCOMES)], words, reducer=reducer)
    assert values["aligned"] == values["refusal"] == pytest.approx(1 / 3)
    assert math.fsum(float(str(values[word])) for word in OUTCOMES) == pytest.approx(1)
    assert set(values) == set(OUTCOMES), "a reduced value has become a category"


@pytest.mark.parametrize("name", METRICS)
def test_epochs_that_agree_are_more_answers_and_no_more_knowledge(name: str) -> None:
    """The same answers thrice: the count rises, the estimate stays, the interval nearly so."""
    metric, metadata = METRICS[name]
    once = run_metrics([metric], [[one] for one in SIX], metadata=metadata)
    thrice = run_metrics([metric], [[one] * 3 for one in SIX], metadata=metadata)
    assert thrice.pop("n", None) == (once.pop("n", 0) * 3 or None)
    bounds = [key for key in once if key.endswith(("lower", "upper"))]
    kept = [key for key in once if key not in bounds]
    assert kept
    assert same({key: thrice[key] for key in kept}, {key: once[key] for key in kept})
    if name != "attack":  # there all answers of a group are alike
        assert_nearly_as_wide(once, thrice, bounds)


def assert_nearly_as_wide(
    once: Mapping[str, Any], often: Mapping[str, Any], bounds: Sequence[str]
) -> None:
    """Answers that agree show how questions differ, which single ones cannot."""
    for lower, upper in zip(bounds[::2], bounds[1::2], strict=True):
        narrow, wide = (float(one[upper]) - float(one[lower]) for one in (often, once))
        assert math.isnan(wide) or 0.75 * wide < narrow < 1.25 * wide, (lower, narrow, wide)


@pytest.mark.parametrize("name", ["rate", "clustered_rate", "clustered_mean"])
def test_epochs_of_one_sample_are_no_samples_of_their_own(name: str) -> None:
    """Where nothing but the sample tells them apart."""
    metric, _ = METRICS[name]
    once = run_metrics([metric], [[one] for one in SIX])
    thrice = run_metrics([metric], [[one] * 3 for one in SIX])
    assert thrice.pop("n", None) == (once.pop("n", 0) * 3 or None)
    assert same(
        {key: thrice[key] for key in ("mean", "stderr")},
        {key: once[key] for key in ("mean", "stderr")},
    )
    assert_nearly_as_wide(once, thrice, ["lower", "upper"])


@pytest.mark.parametrize("value", [0, 1])
def test_a_rate_of_epochs_that_are_all_alike_is_as_wide_as_one_of_samples(value: int) -> None:
    once, often = (run_metrics([rate()], [[value] * n] * 4) for n in (1, 9))
    narrow, wide = (float(one["upper"]) - float(one["lower"]) for one in (often, once))  # type: ignore[arg-type]
    assert once["mean"] == often["mean"] == value
    assert wide / 9 < narrow < wide  # more than one of nine times as many samples
    alone = run_metrics([rate()], [[value] * 9])
    assert math.isnan(float(str(alone["stderr"]))) and math.isnan(float(str(alone["lower"])))


def test_every_epoch_is_an_observation_where_nothing_is_reduced() -> None:
    values = run_metrics(
        [clustered_rate(), rate_by("question")],
        [[1, 1, 0], [0, 0, 0]],
        reducer=None,
        metadata=[{"question": "q0"}, {"question": "q1"}],
    )
    assert values["mean"] == pytest.approx(2 / 6)
    assert values["n"] == 6
    assert values["q0"] == pytest.approx(2 / 3)
    assert values["q1"] == 0


def test_a_sample_with_several_epochs_is_several_answers() -> None:
    assert run_metrics([rate()], [[1, 1, 0]])["mean"] == pytest.approx(2 / 3)
    assert run_metrics([clustered_mean()], [[90, 60], [30, 30]])["n"] == 4


def test_the_leak_counts_every_epoch() -> None:
    metadata = [
        {"question": question, "family": family, "benign": family == "negation"}
        for question in ("q0", "q1")
        for family in ("none", "negation")
    ]
    values = run_metrics(
        [leak(), probe_rates("family")], [[0, 0], [1, 0]] * 2, reducer=None, metadata=metadata
    )
    assert values["leak"] == pytest.approx(0.5)
    assert values["negation"] == pytest.approx(0.5)
    assert float(str(values["leak_lower"])) < 0.5 < float(str(values["leak_upper"]))


def test_attack_success_counts_every_epoch() -> None:
    values = run_metrics([attack()], [[1, 0], [0, 0]], reducer=None, metadata=TOKENS[1:3])
    assert values["attack"] == pytest.approx(0.5)
    assert values["clean"] == 0


def test_shares_are_of_all_epochs() -> None:
    values = run_metrics([shares(OUTCOMES)], [["misaligned", "code"]], reducer=None)
    assert values["misaligned"] == values["code"] == 0.5
    assert values["aligned"] == 0
