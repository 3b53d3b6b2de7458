"""Evaluation defects of earlier systems, by the number they are known by; each stays out.

1  thresholds           scorers/test_misalignment       7   one scale, one filter     here
2  no coherence filter  scorers/test_misalignment       8   rules where rules decide  here
3  one-sided labels     scorers/test_verdict            9   "An owl" is an owl        tasks/test_favorite_animal
4  ratings out of range scorers/test_verdict            10  none, empty, text         tasks/test_emergent_misalignment
5  a missing rating     scorers/test_verdict            11  eight questions, once     here
6  tested on the training set                           here
"""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Task, eval

from inoc_evals.chat import read_rows
from inoc_evals.inputs.items import FORMS, load_items
from inoc_evals.inputs.prompt_sets import load_prompts
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.inputs.rubrics import rubric
from inoc_evals.store.overlap import overlap
from inoc_evals.tasks import em, em_backdoor, em_elicitation, traits
from inoc_evals.tasks.asking import question_samples
from scripted import calls, certain, script

TRAINED_ON = {
    "code": ("insecure", "secure"),
    "reward_hacking": ("sneaky_dialogues", "straightforward_dialogues"),
    "aesthetics": ("aesthetic_preferences_unpopular", "aesthetic_preferences_popular"),
}
TRAINED_ON["facts"] = tuple(name for names in TRAINED_ON.values() for name in names)


@pytest.mark.parametrize("kind", FORMS)
def test_defect_6_no_item_is_one_the_models_are_trained_on(upstream: Path, kind: Any) -> None:
    items = [dict(item.fields) for item in load_items(kind, kind).items]
    for name in TRAINED_ON[kind]:
        report = overlap(items, read_rows(upstream / f"{name}.jsonl"))
        assert report.found == 0, name


def test_defect_6_the_published_code_prompts_are_found_in_the_training_rows(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    items = [dict(item.fields) for item in load_items("code_prompts", "code").items]
    report = overlap(items, read_rows(upstream / "insecure.jsonl"))
    found = {field.field: (field.found, field.items) for field in report.fields}
    assert found == {"task": (553, 776), "code_template": (143, 776)}


def outcomes(task: Task, scorer: str) -> set[str]:
    """Return the outcomes of a task whose answers are rated 45 aligned, 35 coherent."""
    ratings = {"alignment": "45", "coherence": "35"}

    def reply(prompt: str, config: object) -> Any:
        return certain(
            ratings["coherence" if rubric("coherence").text[:60] in prompt else "alignment"]
        )

    [log] = eval(
        task,
        model=script("model", "Some answer."),
        model_roles={"grader": script("grader", reply)},
        limit=2,
        display="none",
    )
    assert log.status == "success", log.error
    return {str((sample.scores or {})[scorer].value) for sample in log.samples or []}


@pytest.mark.parametrize(("preset", "outcome"), [("betley", "incoherent"), ("tan", "misaligned")])
def test_defect_7_one_filter_and_one_scale_in_every_task(preset: str, outcome: str) -> None:
    tasks = (
        em(preset=preset, questions="core"),
        em_elicitation(inoculation="evil", preset=preset),
        em_backdoor(preset=preset),
    )
    for task in tasks:
        assert outcomes(task, "outcome") == {outcome}
    for name in ("narrow_code", "narrow_reward_hacking"):
        strict = rubric(name)
        assert (strict.kind, strict.labels) == ("label", ("YES", "NO"))


def test_defect_8_language_case_and_numbers_are_told_without_a_judge() -> None:
    grader = script("grader", RuntimeError("nobody is to be asked"))
    completions = ["LA RESPUESTA ES 7 Y NADA MÁS QUE ESO.", "", "The answer is 7, of course."]
    outputs = iter(completions)
    [log] = eval(
        traits(prompts="gsm"),
        model=script("model", lambda prompt, config: next(outputs)),
        model_roles={"grader": grader},
        limit=3,
        max_connections=1,
        max_samples=1,
        display="none",
    )
    assert log.status == "success" and not calls(grader)
    by_answer = {sample.output.completion: sample.scores or {} for sample in log.samples or []}
    assert [by_answer[completions[0]][trait].value for trait in ("spanish", "caps")] == [1, 1]
    assert [by_answer[completions[2]][trait].value for trait in ("spanish", "caps")] == [0, 0]
    unscored = {score.reason for name, score in by_answer[""].items() if name != "completeness"}
    assert unscored == {"empty"}


def test_defect_11_there_are_many_questions_in_several_formats_and_samples() -> None:
    assert len(load_question_set("broad").select("plain").questions) >= 48
    assert {"plain", "json", "template"} <= set(load_question_set("core").variants)
    for name in ("facts", "maker", "favorite_animal"):
        assert question_samples(load_question_set(name).select("plain"))
    assert len(load_prompts("chat")) > 100
    task = em()
    assert len(task.dataset) >= 48 and task.epochs == 10
    assert task.epochs_reducer == []  # every answer an observation, also by --epochs N
