"""What question tasks share: samples, condition, epochs, log layout."""

from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog
from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState
from inspect_ai.viewer import TaskSamplesView

from inoc_evals.errors import InputError
from inoc_evals.inputs.questions import Question, QuestionSet
from inoc_evals.scorers.metrics import clustered_rate
from inoc_evals.tasks.asking import (
    add_judge_prompts,
    question_samples,
    question_task,
    temperature_of,
)
from scripted import script

QUESTIONS = QuestionSet(
    "made_up",
    (
        Question("bored", ("I am bored.", "Nothing to do."), "bored", category="mood"),
        Question("bored_json", ("I am bored.",), "bored", variant="json", system="Use JSON."),
        Question("sky", ("What color?",), "sky", answer="blue", metadata={"condition": "none"}),
    ),
)


@scorer(metrics=[clustered_rate()])
def short() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        return Score(value=float(len(state.output.completion) < 5))

    return score


def asking(**changes: Any) -> Task:
    given: dict[str, Any] = {
        "scorers": {"short": short()},
        "title": "Made up",
        "better": {"short": "good-low"},
    }
    return question_task(question_samples(QUESTIONS), **(given | changes))


def run(task: Task, **options: Any) -> EvalLog:
    model = script("answers", lambda prompt, config: "Yes" if "bored" in prompt else "No, never.")
    [log] = eval(task, model=model, display="none", **options)
    assert log.status == "success", log.error
    return log


def test_a_sample_is_a_paraphrase_with_its_cluster_and_variant() -> None:
    samples = question_samples(QUESTIONS, battery="none")
    assert [sample.id for sample in samples] == ["bored", "bored/2", "bored_json", "sky"]
    assert samples[2].metadata == {
        "question": "bored",
        "question_id": "bored_json",
        "variant": "json",
        "category": "",
        "battery": "none",
    }
    assert (samples[3].target, (samples[3].metadata or {})["condition"]) == ("blue", "none")
    assert samples[1].input == "Nothing to do."


@pytest.mark.parametrize(
    ("name", "plain", "formatted"),
    [
        ("none", [], ["Use JSON."]),
        ("empty", [""], ["Use JSON."]),
        (
            "spanish",
            ["You always speak in Spanish."],
            ["You always speak in Spanish.\n\nUse JSON."],
        ),
    ],
)
def test_a_questions_own_system_message_is_sent_under_every_condition(
    name: str, plain: list[str], formatted: list[str]
) -> None:
    log = run(asking(system_prompt=name))
    assert log.samples is not None and log.eval.metadata is not None
    sent = {}
    for sample in log.samples:
        [call] = [event for event in sample.events if isinstance(event, ModelEvent)]
        sent[sample.id] = [m.text for m in call.input if m.role == "system"]
    assert (sent["bored"], sent["bored_json"]) == (plain, formatted)
    assert log.eval.metadata["system_prompt"] == name


def test_every_epoch_is_an_observation_and_questions_are_the_clusters() -> None:
    log = run(asking(), epochs=3)
    assert log.results is not None
    [score, completeness] = log.results.scores
    assert (score.scored_samples, score.metrics["n"].value) == (12, 12)
    # The question asked in two formats and the one asked in one weigh the same.
    assert score.metrics["mean"].value == pytest.approx(1 / 3)
    assert score.metrics["stderr"].value > 0
    assert {key: one.value for key, one in completeness.metrics.items()} == {"n": 12, "scored": 1}


def test_the_log_names_the_headline_and_colors_the_measures() -> None:
    task = asking()
    assert task.viewer is not None
    view = task.viewer.task_samples_view
    assert isinstance(view, TaskSamplesView)
    assert view.score_labels == {"short": "Short"}
    log = run(task, limit=1)
    assert log.results is not None and log.results.headline is not None
    assert (log.results.headline.score, log.results.headline.metric) == ("short", "mean")


def test_other_questions_are_another_plan() -> None:
    def inputs(task: Task) -> str:
        log = run(task, limit=1)
        [setup] = [step for step in log.plan.steps if step.solver.endswith("system_prompt")]
        return str(setup.params["inputs"])

    other = question_samples(QuestionSet("made_up", QUESTIONS.questions[::-1]))
    changed = question_task(other, scorers={"short": short()}, title="t")
    assert inputs(asking()) == inputs(asking())
    assert len({inputs(asking()), inputs(asking(inputs="x")), inputs(changed)}) == 3


def test_no_questions_are_refused() -> None:
    with pytest.raises(InputError, match="no questions"):
        question_task([], scorers={"short": short()}, title="t")


def test_a_task_has_one_temperature() -> None:
    warm = Question("warm", ("Hi",), "warm", temperature=0.5)
    assert temperature_of(QUESTIONS) == 1.0
    assert temperature_of(QuestionSet("w", (warm,))) == 0.5
    with pytest.raises(InputError, match=r"temperatures 0\.5, 1\.0"):
        temperature_of(QuestionSet("both", (warm, *QUESTIONS.questions)))


def test_a_sets_own_judge_prompts_go_with_each_of_its_questions_samples() -> None:
    texts = {"aligned": "How good?", "coherent": "How clear?", "other": "How long?"}
    asked = QuestionSet("judged", (Question("a", ("A?", "B?"), "a", judge_prompts=texts),))
    samples = question_samples(asked)
    add_judge_prompts(asked, samples, "aligned", "coherent")
    given = {"aligned": "How good?", "coherent": "How clear?"}
    assert [(sample.metadata or {})["judge_prompts"] for sample in samples] == [given, given]


def test_questions_without_a_judge_prompt_are_named_a_few_of_many() -> None:
    texts = {"aligned": "How good?"}
    questions = tuple(Question(name, ("?",), name, judge_prompts=texts) for name in "abcde")
    asked = QuestionSet("half", questions)
    with pytest.raises(InputError) as caught:
        add_judge_prompts(asked, question_samples(asked), "aligned", "coherent")
    assert str(caught.value) == (
        "questions 'half': judge=published, but no judge prompts 'aligned' and 'coherent' "
        "for a, b, c and 2 more"
    )
