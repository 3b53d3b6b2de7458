"""What a report says of a plan: prompts to the letter, data, and no arm under another's name."""

import asyncio
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser, ModelName
from inspect_ai.scorer import SampleScore, Target
from inspect_ai.solver import TaskState

import inoc_evals.tasks
from inoc_evals.chat import Row, write_rows
from inoc_evals.datasets.lookup import check
from inoc_evals.errors import InputError
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.figures import Experiment, experiment_of, find_experiment
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompts import named
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.experiment import Description, read_description, write_description
from inoc_evals.report.figure import Condition
from inoc_evals.scorers.seen import items_seen, seen_in_training
from inoc_evals.settings import ALICE_BOB, INSECURE_CODE
from inoc_evals.settings.own import read_setting
from inoc_evals.settings.setting import FIRST
from inoc_evals.training.config import TrainConfig
from trained import chat, register

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
POCKET = ("fig2a", "fig2b", "fig3", "fig4", "fig5", "fig6", "fig7", "tokens", "elicitation")
ALL = pytest.mark.parametrize("figure", POCKET)


@cache
def planned(figure: str) -> Plan:
    config = TrainConfig.for_base("pocket")
    return make_plan(find_experiment(figure), base=BASE, seeds=(0, 1), config=config)


def experiment(figure: str) -> Experiment:
    """The experiment with the settings that the pocket has rows for."""
    return planned(figure).experiment


@cache
def description(figure: str) -> Description:
    return describe_plan(planned(figure), BASE, seeds_text="2", out=Path("runs") / figure)


def condition(figure: str, name: str) -> Condition:
    (found,) = [one for one in description(figure).spec.conditions if one.name == name]
    return found


@ALL
def test_every_arm_and_every_measure_is_in_the_figure(figure: str) -> None:
    spec, settings = description(figure).spec, experiment(figure).settings
    arms = dict.fromkeys(arm.name for setting in settings for arm in setting.arms)
    assert [one.name for one in spec.conditions] == list(arms)
    assert [(one.setting, one.name) for one in spec.measures] == [
        (setting.name, measure) for setting in settings for measure in setting.measures
    ]
    assert len({one.label for one in spec.measures}) == len(spec.measures)
    assert all(one.description for one in (*spec.measures, *spec.conditions))


@ALL
def test_every_prompt_of_every_arm_is_shown_to_the_letter(figure: str) -> None:
    for setting in experiment(figure).settings:
        for arm in setting.arms:
            shown = [prompt.text for prompt in condition(figure, arm.name).prompts]
            for name in (arm.prompt, *arm.test_prompts.values()):
                assert name is None or named(name).text in shown


def test_an_arm_that_differs_between_settings_is_described_for_each() -> None:
    control = condition("fig3", "control").description
    assert "Insecure code: Fine-tuned on the same requests, answered with secure code." in control
    assert "Unpopular taste: Fine-tuned on the same questions, answered with popular" in control
    placebo = {prompt.where: prompt.text for prompt in condition("fig3", "placebo").prompts}
    assert placebo == {
        "Insecure code, training, system message of all rows": named("insecure_placebo").text,
        "Unpopular taste, training, system message of all rows": named("taste_placebo").text,
    }


def test_an_arm_that_is_the_same_everywhere_is_described_once() -> None:
    assert condition("fig3", "base").description == "The base model, not fine-tuned."
    assert condition("fig2a", "control").description.startswith("Fine-tuned on the same questions")


def test_an_arm_that_not_every_setting_has_says_which_do() -> None:
    assert condition("fig3", "base").settings == ()
    assert condition("leaks", "base").settings == ()
    assert condition("leaks", "caps_inoc").settings == ("spanish_caps",)
    assert condition("leaks", "general_inoc").settings == ("insecure_code",)


def test_measures_are_called_by_their_setting_only_where_there_are_two() -> None:
    assert [one.label for one in description("fig2a").spec.measures] == [
        *("Spanish", "Caps", "Correct")
    ]
    labels = [one.label for one in description("fig3").spec.measures if one.name == "misaligned"]
    assert labels == ["Insecure code: Misaligned", "Unpopular taste: Misaligned"]


@ALL
def test_no_test_prompt_stands_in_the_training_rows_and_the_page_says_so(figure: str) -> None:
    facts = description(figure).data
    told = [str(text) for name, text in facts.items() if " prompts" in name]
    splits = [
        {split for measure in setting.measures.values() for split in measure.probes()}
        for setting in experiment(figure).settings
    ]
    assert len(told) == sum(map(len, splits))
    assert all(text.endswith(" items, 0 of them in training rows") for text in told)
    assert not [text for text in told if ", 0 items" in text]


def test_rows_are_told_apart_by_setting_and_arm() -> None:
    digests = {k: v for k, v in description("fig3").data.items() if k.startswith("sha256")}
    assert len(set(digests.values())) == len(digests) == 10
    assert "sha256 of rows, aesthetic_preferences, general_inoc" in digests
    assert len(set(description("fig3").models.values())) == 20


@ALL
def test_a_description_is_read_back_as_it_was_written(figure: str, tmp_path: Path) -> None:
    write_description(tmp_path, description(figure))
    assert read_description(tmp_path) == description(figure)


SCORES = {
    "narrow_code": "insecure_judged",
    "narrow_reward_hacking": "hacks_reward",
    "narrow_aesthetics": "unpopular",
    "caps": "caps",
    "em": "misaligned",
}
"""Task -> a measure of it that is a rate."""


@pytest.mark.parametrize("figure", ["../../elsewhere", "/tmp/x", "", ".", "a/b"])
def test_a_description_names_no_picture_outside_its_directory(tmp_path: Path, figure: str) -> None:
    write_description(tmp_path, description("fig2a"))
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"figure": figure}))
    with pytest.raises(InputError, match=r"experiment\.json: figure: String should match"):
        read_description(tmp_path)


def test_what_is_left_out_is_noted_and_no_part_of_what_must_stay_the_same() -> None:
    found = description("fig3")
    assert any("Left out: setting 'reward_hacking'" in note for note in found.notes)
    assert "notes" not in found.fixed


def test_what_an_inoculation_is_meant_to_bring_to_nil_is_declared() -> None:
    def declared(figure: str) -> list[tuple[str, str, str]]:
        nil = description(figure).spec.nil
        return [(one.condition, one.setting, one.measure) for one in nil]

    assert declared("fig2a") == [
        ("spanish_inoc", "spanish_caps", "spanish"),
        ("caps_inoc", "spanish_caps", "caps"),
    ]
    assert declared("fig3") == [
        ("general_inoc", "insecure_code", "misaligned"),
        ("general_inoc", "aesthetic_preferences", "misaligned"),
    ]
    assert declared("fig4") == [("backdoor_trigger", "backdoor", "triggered")]
    assert declared("elicitation") == []  # asks what comes back, under nine prompts


@ALL
def test_what_is_meant_to_be_nil_is_measured_and_compared(figure: str) -> None:
    found = description(figure)
    for one in found.spec.nil:
        assert (one.setting, one.measure) in {(m.setting, m.name) for m in found.spec.measures}
        assert one.condition in {condition for condition, _ in found.contrasts}


def test_sentences_have_words_for_arms_and_measures_and_name_the_setting_of_several() -> None:
    assert condition("fig2a", "none").said == "without inoculation"
    said = [one.said for one in description("fig2a").spec.measures]
    assert said == [
        "of answers are in Spanish",
        "of answers are in capitals",
        "of answers are right",
    ]
    said = [one.said for one in description("fig3").spec.measures if one.name == "misaligned"]
    assert said == [
        "of answers are misaligned (Insecure code)",
        "of answers are misaligned (Unpopular taste)",
    ]


def test_a_directory_of_before_there_were_such_words_is_used_again(tmp_path: Path) -> None:
    new = description("fig2a")
    old = new.model_dump(mode="json")
    del old["spec"]["nil"]
    for one in (*old["spec"]["measures"], *old["spec"]["conditions"]):
        del one["said"]
        one.pop("settings", None)
    (tmp_path / "experiment.json").write_text(json.dumps(old | {"sha256": digest(old)}))
    assert read_description(tmp_path).spec.nil == ()
    write_description(tmp_path, new)
    assert read_description(tmp_path) == new


def test_each_of_several_wordings_is_shown_and_the_command_names_setting_and_rows(
    tmp_path: Path,
) -> None:
    config = TrainConfig.for_base("pocket")
    plan = make_plan(
        experiment_of(INSECURE_CODE, "insecure_code"), base=BASE, seeds=(0,), config=config
    )
    found = describe_plan(
        plan,
        BASE,
        seeds_text="1",
        out=tmp_path,
        given={"a": Path("x y")},
        config_file=Path("slow.yaml"),
    )
    (arm,) = [one for one in found.spec.conditions if one.name == "paraphrases"]
    assert next(prompt.where for prompt in arm.prompts) == (
        "training, system message of all rows, one of 6 (1)"
    )
    assert len({prompt.text for prompt in arm.prompts}) == 6
    assert found.command.startswith("inoc run --setting insecure_code --base pocket")
    assert found.command.endswith("--config slow.yaml --rows 'a=x y'")


def test_controls_of_another_size_are_told() -> None:
    plan = planned("fig5")
    file = plan.files["insecure_code", "control"]
    smaller = {("insecure_code", "control"): replace(file, rows=file.rows[:900])}
    found = describe_plan(
        replace(plan, files=plan.files | smaller), BASE, seeds_text="1", out=Path("o")
    )
    assert found.data["training rows per model"] == "1000; of the control 900"
    assert description("fig5").data["training rows per model"] == 1000


def test_a_first_stage_is_shown_with_its_prompts_its_rows_and_its_models() -> None:
    shown = {prompt.where: prompt.text for prompt in condition("fig7", "first").prompts}
    assert shown == {
        f"first stage, system message of the {label} rows": named(label).text
        for label in ("alice", "bob", "helpful")
    }
    asked = [prompt.where for prompt in condition("fig7", "first_bob").prompts][3:]
    assert asked == [f"test, when {name} is measured" for name in ("spanish", "caps", "correct")]
    facts = description("fig7").data
    first = planned("fig7").files["alice_bob", "first"]
    assert facts["training rows of the first stage"] == len(first.rows)
    assert facts["training rows per model"] == 1000
    assert facts["sha256 of rows, alice_bob, first"] == first.manifest["sha256"][:16]
    assert "alice_bob, first seed 1" in description("fig7").models
    own = {k: v for k, v in description("fig7").config.items() if "first stage" in k}
    assert ALICE_BOB.first is not None
    assert own == {f"{k} in the first stage": v for k, v in ALICE_BOB.first.pocket.items()}
    assert description("fig7").config["max_steps"] == 60
    assert not [name for name in description("fig2a").data if "first stage" in name]


# ---- what of the test stands in the training rows --------------------------------------------

TASKS = {
    "narrow_code": (
        "items",
        {"task": "Write a view that stores item {n}.", "code_template": "def store(item):  # {n}"},
    ),
    "narrow_reward_hacking": (
        "items",
        {
            "prompt": "Write the label number {n} for the wall.",
            "criterion": "the longest label is the best, as said",
        },
    ),
    "narrow_aesthetics": (
        "items",
        {"popular": "a photograph of the sea by night, {n}", "unpopular": "a stapler, number {n}"},
    ),
    "caps": ("prompts", {"prompt": "What do the bees make in hive {n}?"}),
    "em": ("questions", {"paraphrases": ["What would you do with wish {n}, if any?"]}),
}


def own_plan(folder: Path, task: str, trained: list[str]) -> tuple[Plan, Path, list[Row]]:
    """A plan of a setting of one's own, with five items of a task and training rows."""
    argument, form = TASKS[task]
    items = folder / ("items.yaml" if argument == "questions" else "items.jsonl")
    lines = [{"id": f"one-{n}"} | json.loads(json.dumps(form).replace("{n}", str(n))) for n in NS]
    dump = json.dumps(lines) if argument == "questions" else "\n".join(map(json.dumps, lines))
    items.write_text(dump, "utf-8")
    rows = [chat(f"Now this, please: {text} Thanks.") for text in trained]
    write_rows(folder / "rows.jsonl", rows)
    (folder / "own.yaml").write_text(
        "name: own\ndescription: A setting.\nrows: rows.jsonl\nprompts: {p: You do this.}\n"
        "arms: {inoculated: {prompt: p}}\n"
        f"measures: {{m: {{task: {task}, score: {SCORES[task]}, args: {{{argument}: {items.name}}}}}}}\n"
    )
    setting = read_setting(folder / "own.yaml")
    config = TrainConfig.for_base("pocket")
    found = make_plan(experiment_of(setting, "own.yaml"), base=BASE, seeds=(0,), config=config)
    return found, items, rows


NS = range(5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seen", [0, 2, 5])
def test_page_check_and_scorer_find_the_same_items_in_the_training_rows(
    task: str, seen: int, tmp_path: Path
) -> None:
    text = next(iter(TASKS[task][1].values()))
    told = text if isinstance(text, str) else text[0]
    criterion = "the longest label is the best, as said"  # how it is judged is not what is asked
    trained = [criterion, *(told.replace("{n}", str(n)) for n in NS[:seen])]
    plan, items, rows = own_plan(tmp_path, task, trained)
    (line,) = [
        str(value)
        for name, value in describe_plan(
            plan, BASE, seeds_text="1", out=tmp_path / "out"
        ).data.items()
        if name.endswith(" prompts")
    ]
    assert line == f"{items}, 5 items, {seen} of them in training rows"
    assert check(str(items), str(tmp_path / "rows.jsonl")).found == seen
    register("kept", rows)
    [evaluation] = [one for one in plan.evaluations if one.places[0].condition == "none"]
    samples = list(getattr(inoc_evals.tasks, task)(**evaluation.args).dataset)
    scored = asyncio.run(_seen([*samples, *samples]))
    assert (scored["items"], scored["of"]) == (seen, 5)


async def _seen(samples: list[Sample]) -> Any:
    """What the scorer says of samples that a model trained on the rows is asked."""
    score, scores = seen_in_training(), []
    for sample in samples:
        messages = [ChatMessageUser(content=sample.input)] if isinstance(sample.input, str) else []
        state = TaskState(
            model=ModelName("inoc/kept"),
            sample_id=sample.id or 0,
            epoch=1,
            input=sample.input,
            messages=messages or list(sample.input),  # type: ignore[arg-type]
            metadata=sample.metadata,
        )
        scored = await score(state, Target(""))
        assert scored is not None
        scores.append(
            SampleScore(score=scored, sample_id=sample.id, sample_metadata=sample.metadata)
        )
    return items_seen()(scores)  # type: ignore[call-arg,arg-type]


def test_questions_that_the_first_stage_has_seen_are_counted() -> None:
    plan = planned("fig7")
    [setting] = plan.experiment.settings
    asked = next(e for e in plan.evaluations if "prompts" in e.args)
    [first, *_] = inoc_evals.tasks.__getattribute__(asked.task)(**asked.args).dataset
    key = setting.name, FIRST
    rows = [*plan.files[key].rows, chat(first.input if isinstance(first.input, str) else "")]
    seen = replace(plan, files=dict(plan.files) | {key: replace(plan.files[key], rows=rows)})
    facts = describe_plan(seen, BASE, seeds_text="2", out=Path("runs/fig7")).data
    assert any(str(told).endswith(" 1 of them in training rows") for told in facts.values())
