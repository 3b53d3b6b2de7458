"""The key of an evaluation holds everything that determines its samples, and nothing else."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import inoc_evals.tasks
from inoc_evals.experiments import evaluations
from inoc_evals.experiments.evaluations import (
    Evaluation,
    keyed,
    planned,
    question_of,
    task_of,
    with_fewer_questions,
)
from inoc_evals.experiments.figures import EXPERIMENTS, experiment_of, find_experiment
from inoc_evals.experiments.plan import make_plan
from inoc_evals.experiments.start import default_recipe, find_base
from inoc_evals.models.kinds import kind_of
from inoc_evals.settings.own import read_setting
from inoc_evals.training.config import TrainConfig
from small_plan import BASE, small_plan


def key(one: Evaluation, base: str = "pocket") -> str:
    (found,) = keyed([one], kind_of(base))
    return found


@pytest.fixture
def one(tmp_path: Path) -> Evaluation:
    return next(e for e in small_plan(tmp_path).evaluations if e.task == "em")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "inoc/other"},
        {"base_digest": "1" * 64},
        {"identity": "2" * 64},
        {"epochs": 2},
        {"model_args": {"enable_thinking": True}},
        {"args": {"grader": "mockllm/model"}},
        {"args": {"system_prompt": "evil"}},
        {"limit": 2},
    ],
)
def test_a_key_changes_with_all_that_determines_samples(
    one: Evaluation, change: dict[str, Any]
) -> None:
    if "args" in change:
        change = {"args": one.args | change["args"]}
    assert key(replace(one, **change)) != key(one)


def test_a_key_is_the_same_wherever_its_results_stand(one: Evaluation) -> None:
    assert key(replace(one, places=())) == key(one) == key(one)


def test_a_key_is_the_same_by_whatever_name_a_trained_model_goes(one: Evaluation) -> None:
    trained = replace(one, identity="a" * 64)
    assert key(replace(trained, model="inoc/another")) == key(trained)
    assert key(replace(trained, identity="b" * 64)) != key(trained) != key(one)
    assert key(replace(one, model="inoc/another")) != key(one)


def test_a_key_changes_with_what_stands_in_a_file_of_the_same_name(one: Evaluation) -> None:
    before, path = key(one), Path(one.args["questions"])
    text = path.read_text("utf-8")
    path.write_text(text.replace("w0", "w9"), "utf-8")
    assert key(one) != before
    path.write_text(text, "utf-8")
    assert key(one) == before


def test_a_key_changes_with_how_answers_are_sampled(
    one: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = key(one)
    assert key(one, "org/model") != before
    monkeypatch.setattr(evaluations, "SAMPLING_SEED", 1)
    assert key(one) != before


@pytest.mark.parametrize("figure", ["fig2a", "fig3", "fig4", "fig7"])
def test_every_evaluation_of_an_experiment_has_a_key_and_a_label_of_its_own(figure: str) -> None:
    config = default_recipe("pocket").config
    plan = make_plan(EXPERIMENTS[figure], base=find_base("pocket"), seeds=(0, 1), config=config)
    said = planned(plan.evaluations, plan.base)
    assert len({one.key for one in said}) == len(plan.evaluations) == len(said)
    assert {one.identity for one in said} == {None, *(run.identity for run in plan.runs)} - {
        run.identity for run in plan.runs if f"inoc/{run.name}" not in {e.model for e in said}
    }
    assert {one.base_digest for one in said} == {find_base("pocket").digest}


def test_one_task_asked_once_and_often_is_two_evaluations(tmp_path: Path) -> None:
    rows = (
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "A"}]}'
    )
    (tmp_path / "rows.jsonl").write_text(f"{rows}\n" * 10, "utf-8")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\ndescription: d\nrows: rows.jsonl\narms: {inoculated: {prompt: evil}}\n"
        "measures:\n"
        "  once: {task: traits, args: {prompts: chat}, score: caps}\n"
        "  often: {task: traits, args: {prompts: chat}, score: spanish, epochs: 100}\n"
        "  again: {task: traits, args: {prompts: chat}, score: spanish, epochs: 100}\n",
        "utf-8",
    )
    found = read_setting(tmp_path / "mine.yaml")
    base = BASE._replace(name="org/model")
    config = default_recipe("org/model").config
    plan = make_plan(experiment_of(found, "mine.yaml"), base=base, seeds=(0,), config=config)
    measured = {(e.model, e.epochs): e.places[0].measures for e in plan.evaluations}
    models = {e.model for e in plan.evaluations}
    assert len(plan.evaluations) == 2 * len(models)
    for model in models:
        assert measured[model, 1] == ("once",) and measured[model, 100] == ("often", "again")
    assert len(keyed(plan.evaluations, plan.base)) == len(plan.evaluations)


@pytest.mark.parametrize("thinking", [True, False])
def test_a_base_is_asked_to_think_where_what_is_trained_on_it_does(thinking: bool) -> None:
    config = TrainConfig(max_steps=1, enable_thinking=thinking)
    plan = make_plan(find_experiment("fig2a"), base=find_base("pocket"), seeds=(0,), config=config)
    asked = {(one.identity is None, one.model_args == {}) for one in plan.evaluations}
    assert asked == {(True, not thinking), (False, True)}
    args = next(one.model_args for one in plan.evaluations if one.identity is None)
    assert args == ({"enable_thinking": True} if thinking else {})


def test_fewer_questions_are_evenly_spread_and_asked_in_all_their_forms() -> None:
    task = inoc_evals.tasks.narrow_aesthetics()
    every = [sample.metadata["question"] for sample in task.dataset]
    fewer = with_fewer_questions(task, 10)
    asked = [sample.metadata["question"] for sample in fewer.dataset]
    assert len(set(asked)) == 10
    assert Counter(asked) == Counter(name for name in every if name in asked)
    places = [list(dict.fromkeys(every)).index(name) for name in dict.fromkeys(asked)]
    ends = [i * len(set(every)) // 10 for i in range(11)]
    assert all(
        low <= place < high for place, (low, high) in zip(places, pairwise(ends), strict=True)
    )
    assert with_fewer_questions(task, 10_000) is task


def test_half_of_the_questions_are_of_both_kinds_where_kinds_take_turns() -> None:
    task = inoc_evals.tasks.traits(language="es", prompts="pocket")
    every = list(dict.fromkeys(question_of(sample) for sample in task.dataset))
    asked = {question_of(sample) for sample in with_fewer_questions(task, 50).dataset}
    assert len(asked) == 50 and 15 <= len(asked & set(every[::2])) <= 35


def test_a_limit_is_in_the_plan_and_in_the_command_that_repeats_it() -> None:
    chosen = replace(EXPERIMENTS["fig2a"], limit=12)
    config = default_recipe("pocket").config
    plan = make_plan(chosen, base=find_base("pocket"), seeds=(0,), config=config)
    assert {one.limit for one in plan.evaluations} == {12}
    assert all(len(task_of(one).dataset) == 12 for one in plan.evaluations)
    assert chosen.typed == ("run", "fig2a", "--limit", "12")
    assert find_experiment("fig2a").typed == ("run", "fig2a")
