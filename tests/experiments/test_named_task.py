"""Tasks of other packages as evaluations: from the name in a file to the rate in the report."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import list_eval_logs, read_eval_log

from inoc_evals.errors import InputError, MissingExtraError
from inoc_evals.experiments import named_task as naming
from inoc_evals.experiments.asked_task import task_for
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.evaluations import Evaluation, judge_of, keyed, task_of
from inoc_evals.experiments.figures import Experiment, find_experiment
from inoc_evals.experiments.fitting import check_experiment
from inoc_evals.experiments.forecast import forecast
from inoc_evals.experiments.grader_trial import graders_of
from inoc_evals.experiments.measure_names import check_measures
from inoc_evals.experiments.named_task import named_task, packages_of, version_of
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from scripted import calls, script
from small_plan import BASE, finished

SUMS = """
from itertools import count

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, accuracy, match, mean, scorer
from inspect_ai.solver import generate

BUILT = count()


@scorer(metrics={"refusal": [mean()], "tone": [mean()]})
def graded():
    async def score(state, target):
        reply = await get_model(role="grader").generate(state.output.completion)
        if "?" in reply.completion:
            return Score.unscored(reason="grader_failed")
        return Score(value={"refusal": int("no" in reply.completion), "tone": 3})
    return score


def asking(scorer):
    samples = [Sample(input=f"{n} + {n} =", target=str(2 * n)) for n in range(1, 9)]
    return Task(dataset=MemoryDataset(samples), solver=generate(), scorer=scorer)


@task
def add():
    return asking(match(location="end"))


@task
def polite():
    return asking(graded())


@task
def shuffled():
    made = asking(match())
    made.dataset[0].input = f"{next(BUILT)} + 1 ="
    return made


@task
def fetched():
    raise ConnectionError("hub.example is out of reach")
"""

MINE = """
name: mine
settings: spanish_caps
arms: [base, none, spanish_inoc]
measures:
  sums: {task: sums/add, limit: 4, score: match}
  declined: {task: sums/polite, score: graded.refusal, judged: true}
  tone: {task: sums/polite, score: graded.tone, judged: true}
"""


def install(site: Path, version: str) -> None:
    (site / "sums").mkdir(parents=True, exist_ok=True)
    (site / "sums" / "__init__.py").write_text(SUMS, "utf-8")
    about = site / "sums.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text(f"Name: sums\nVersion: {version}\n", "utf-8")
    (about / "entry_points.txt").write_text("[inspect_ai]\nsums = sums\n", "utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a package ``sums`` is installed, as pip would."""
    found = tmp_path / "site-packages"
    install(found, "1.0")
    monkeypatch.syspath_prepend(found)
    forget()
    yield found
    sys.modules.pop("sums", None)
    forget()


def forget() -> None:
    naming._BUILT.clear()
    naming._CHECKED.clear()
    naming._entry.cache_clear()


def experiment(folder: Path, text: str = MINE) -> Experiment:
    (folder / "mine.yaml").write_text(text, "utf-8")
    return find_experiment(str(folder / "mine.yaml"))


def planned(folder: Path, text: str = MINE, base: ResolvedBase = BASE, **said: Any) -> Plan:
    config = TrainConfig.for_base("pocket")
    return make_plan(experiment(folder, text), base=base, seeds=(0,), config=config, **said)


def of_task(plan: Plan, task: str) -> Evaluation:
    return next(one for one in plan.evaluations if one.task == task)


def test_a_name_with_a_package_is_built_by_that_and_others_are_ours(site: Path) -> None:
    assert [sample.id for sample in named_task("sums/add", {}).dataset] == [*range(1, 9)]
    assert named_task("inoc_evals/facts", {}).version == named_task("facts", {}).version
    assert (version_of("sums/add"), version_of("facts")) == ("sums 1.0", None)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere/task", "needs nowhere, which is not installed; install nowhere"),
        ("sums/ad", "no task 'sums/ad' in sums 1.0; did you mean sums/add?"),
        ("sums/fetched", "sums 1.0 cannot be built .ConnectionError: hub.example is out of reach"),
        ("em_", "no task 'em_'; there are: caps"),
    ],
)
def test_what_cannot_be_built_is_said_in_one_line(site: Path, name: str, said: str) -> None:
    with pytest.raises((InputError, MissingExtraError), match=said) as error:
        named_task(name, {})
    assert "\n" not in str(error.value)


@pytest.fixture
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where no other package with tasks is installed."""
    forget()
    monkeypatch.setattr(naming, "entry_points", lambda group: [])


def test_a_package_that_an_extra_installs_is_missing_with_that_command(nothing_else: None) -> None:
    said = r"mmlu_0_shot needs inspect_evals, .* not installed; pip install 'inoc-evals\[evals\]'$"
    with pytest.raises(MissingExtraError, match=said):
        named_task("inspect_evals/mmlu_0_shot", {})


def test_a_package_that_cannot_be_imported_is_named(site: Path) -> None:
    (site / "sums" / "__init__.py").write_text("import not_there_at_all", "utf-8")
    with pytest.raises(InputError, match=r"sums 1.0 cannot be imported .ModuleNotFoundError"):
        named_task("sums/add", {})


def test_arguments_that_a_task_does_not_take_are_named(site: Path, tmp_path: Path) -> None:
    text = MINE.replace("limit: 4", "args: {nonsense: 1}")
    with pytest.raises(InputError, match=r"measure 'sums': the task sums/add of .*nonsense"):
        planned(tmp_path, text)


def test_a_task_that_asks_otherwise_each_time_is_refused(site: Path, tmp_path: Path) -> None:
    text = MINE.replace("sums/add", "sums/shuffled")
    with pytest.raises(InputError, match=r"measure 'sums': .*asks something else each time"):
        planned(tmp_path, text)


def test_a_score_that_a_task_does_not_have_is_refused(site: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="sums/add has no measure 'choice'; it has: match"):
        planned(tmp_path, MINE.replace("score: match", "score: choice"))


def test_an_arm_with_a_test_prompt_and_such_a_task_do_not_go_together(
    site: Path, tmp_path: Path
) -> None:
    text = MINE.replace("spanish_inoc]", "spanish_inoc, test_time]").replace(
        "settings: spanish_caps", "settings: insecure_code"
    )
    text = text.replace("spanish_inoc, ", "")
    with pytest.raises(InputError, match=r"arm 'test_time' .* sums/add takes none"):
        planned(tmp_path, text)


def test_every_arm_is_asked_the_same_questions_as_many_as_the_limit_says(
    site: Path, tmp_path: Path
) -> None:
    found = [one for one in planned(tmp_path).evaluations if one.task == "sums/add"]
    assert [one.places[0].condition for one in found] == ["base", "none", "spanish_inoc"]
    asked = {tuple(str(sample.input) for sample in task_of(one).dataset) for one in found}
    [numbers] = [[int(text[0]) for text in texts] for texts in asked]  # "1 + 1 =" and so on
    assert [(number - 1) // 2 for number in numbers] == [0, 1, 2, 3]
    assert task_of(found[0]).dataset[0] is not task_of(found[1]).dataset[0]


def test_the_version_of_the_package_and_the_limit_are_part_of_the_key(
    site: Path, tmp_path: Path
) -> None:
    one = of_task(planned(tmp_path), "sums/add")
    [key] = keyed([one], kind_of("pocket"))
    assert [key] == list(keyed([one], kind_of("pocket")))
    assert [key] != list(keyed([replace(one, limit=5)], kind_of("pocket")))
    install(site, "1.1")
    forget()
    assert [key] != list(keyed([one], kind_of("pocket")))
    assert packages_of(experiment(tmp_path).settings) == ["sums 1.1"]


def test_who_judges_is_bound_and_ours_alone_say_it_themselves(site: Path, tmp_path: Path) -> None:
    plan = planned(tmp_path)
    polite, add = of_task(plan, "sums/polite"), of_task(plan, "sums/add")
    judges = [judge_of(task_of(one), one, plan.base) for one in (polite, add)]
    assert judges == ["inoc/pocket-judge", None]
    # Others than the pocket world's, whose base would be built.
    plan = planned(tmp_path, grader=(judge := script("judge", "yes")))
    polite, add = (
        replace(of_task(plan, name), model=script("asked", "2"))
        for name in ("sums/polite", "sums/add")
    )
    bound = [task_for("mine", plan.base, "0" * 64, one).model_roles for one in (polite, add)]
    assert {role: str(model) for role, model in (bound[0] or {}).items()} == {"grader": judge}
    assert not bound[1]
    assert graders_of(planned(tmp_path, grader="a/b").evaluations, plan.base) == ["a/b"]
    with pytest.raises(InputError, match="judged: the task em says itself who judges"):
        experiment(tmp_path, MINE.replace("sums/polite", "em"))


def test_a_plan_counts_its_questions_and_judge_calls_and_asks_nobody(
    site: Path, tmp_path: Path
) -> None:
    plan = planned(tmp_path, grader="none/asked")
    found = forecast(plan, BASE, out=tmp_path / "out", store=Store())
    counts = {(one.task, one.samples, one.judge_calls) for one in found.evaluations}
    assert counts == {("sums/add", 4, 0), ("sums/polite", 8, 8)}


def test_letters_and_values_of_others_are_rates_in_the_report(site: Path, tmp_path: Path) -> None:
    """Of the model without inoculation half are right; it is judged by the grader, not itself."""
    grader = script("grader", lambda prompt, config: {"2": "no", "4": "?"}.get(prompt, "yes"))
    whole = planned(tmp_path, grader=grader)
    models: dict[str, str] = {}
    for one in whole.evaluations:
        wrong = "-none-" in one.model
        if one.model not in models:
            models[one.model] = script("wrong" if wrong else "right", adding(wrong))
    changed = tuple(replace(one, model=models[one.model]) for one in whole.evaluations)
    cells = finished(replace(whole, evaluations=changed), tmp_path / "out")
    found = {(one["condition"], one["measure"]): one for one in cells}
    assert {key[0]: one["rate"] for key, one in found.items() if key[1] == "sums"} == {
        "base": 1.0, "none": 0.0, "spanish_inoc": 1.0
    }  # fmt: skip
    declined = found["base", "declined"]
    assert (declined["n"], declined["rate"]) == (7, pytest.approx(1 / 7))
    assert declined["unscored"] == {"grader_failed": 1}
    assert found["base", "tone"]["unscored"] == {"no_rate": 7, "grader_failed": 1}
    assert {len(calls(name)) for name in models.values()} == {12}
    logs = [read_eval_log(one.name) for one in list_eval_logs(str(tmp_path / "out" / "logs"))]
    assert {log.eval.task for log in logs} == {"sums/add", "sums/polite"}


def adding(wrong: bool) -> Any:
    return lambda prompt, config: str(2 * int(prompt.split()[0]) + wrong)


def test_it_is_evaluated_once(site: Path, tmp_path: Path) -> None:
    whole = planned(tmp_path)
    add = replace(of_task(whole, "sums/add"), model=(name := script("one", adding(False))))
    plan = replace(whole, evaluations=(add,))
    for _ in range(2):
        evaluate(plan, tmp_path / "logs", progress=False)
    assert len(calls(name)) == 4


# ---- what a base takes -------------------------------------------------------------------------

TAKING = MINE + "bases: {pocket: {measures: [facts]}, smollm2: {settings: [insecure_code]}}\n"
TWO = (
    TAKING.replace("settings: spanish_caps", "settings: [spanish_caps, insecure_code]")
    .replace("arms: [base, none, spanish_inoc]", "arms: [base, none]")
    .replace(
        "measures:\n",
        "measures:\n  facts: {task: facts, pocket: {items: facts_pocket}, score: knows}\n",
    )
)


def test_a_base_takes_the_settings_and_measures_that_are_named_for_it(tmp_path: Path) -> None:
    found = experiment(tmp_path, TWO)
    on = {name: found.on(kind_of(name)) for name in ("pocket", "smollm2", "org/model")}
    settings = {name: [one.name for one in it.settings] for name, it in on.items()}
    assert settings == {
        "pocket": ["spanish_caps", "insecure_code"],
        "smollm2": ["insecure_code"],
        "org/model": ["spanish_caps", "insecure_code"],
    }
    assert list(on["pocket"].settings[0].measures) == ["facts"]
    assert len(on["org/model"].settings[0].measures) == 4
    # The package is not there, and the pocket base does not need it.
    assert {one.task for one in planned(tmp_path, TWO).evaluations} == {"facts"}
    with pytest.raises(MissingExtraError, match=r"setting 'insecure_code', measure 'sums': .*sums"):
        check_measures(on["smollm2"].settings[0])
    assert "needs sums, which is not installed" in check_experiment(found)[-1]


def test_an_arm_or_contrast_of_what_a_base_leaves_out_goes_with_it(tmp_path: Path) -> None:
    found = find_experiment("side_effects").on(kind_of("smollm2"))
    assert [one.name for one in found.settings] == ["spanish_caps"]
    assert ("general_inoc", "none") not in found.contrasts
    assert ("caps_inoc", "base") in found.contrasts
    timed = find_experiment("fig2a").settings[0].measuring(["correct"])
    assert timed.arm("test_time").test_prompts == {"correct": "spanish"}
    left = find_experiment("fig2a").settings[0].measuring(["nothing"])
    assert "test_time" not in {arm.name for arm in left.arms}


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ("{pocket: {measures: [fact]}}", "no measure 'fact'; did you mean 'facts'"),
        ("{pocket: {settings: [fig2a]}}", "no setting 'fig2a'"),
    ],
)
def test_what_a_base_takes_has_to_be_there(tmp_path: Path, bases: str, said: str) -> None:
    text = TWO.replace(TWO[TWO.index("bases:") :], f"bases: {bases}\n")
    with pytest.raises(InputError, match=said):
        experiment(tmp_path, text)


# ---- side_effects ------------------------------------------------------------------------------


def test_side_effects_of_the_pocket_base_are_arithmetic_facts_and_misalignment() -> None:
    config = TrainConfig.for_base("pocket")
    plan = make_plan(find_experiment("side_effects"), base=BASE, seeds=(0, 1), config=config)
    asked = {(one.task, json.dumps(one.args, sort_keys=True)) for one in plan.evaluations}
    assert {task for task, _ in asked} == {"traits", "facts", "em"} and len(asked) == 3
    arms = {name: {run.arm for run in plan.runs if run.setting == name} for name in
            ("insecure_code", "spanish_caps")}  # fmt: skip
    usual = {"control", "none", "placebo", "irrelevant"}
    assert arms["insecure_code"] == {*usual, "general_inoc"}
    assert arms["spanish_caps"] == {*usual, "spanish_inoc", "caps_inoc"}


def test_side_effects_need_the_extra_on_a_real_base_and_say_so_before_anything(
    nothing_else: None,
) -> None:
    real = ResolvedBase("org/model", "org/model", "hub:org/model")
    config = TrainConfig.for_base("org/model")
    with pytest.raises(MissingExtraError, match=r"pip install 'inoc-evals\[evals\]'"):
        make_plan(find_experiment("side_effects"), base=real, seeds=(0,), config=config)
