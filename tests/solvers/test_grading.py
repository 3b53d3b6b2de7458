"""A grader that cannot be used shows before a model is asked anything."""

from datetime import date
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog
from inspect_ai.solver import generate

import inoc_evals.tasks
from inoc_evals.models import hosted
from inoc_evals.solvers.grading import grader_ready
from inoc_evals.tasks._em import em
from scripted import calls, certain, rescript, script


def run(grader: Any, target: str, **options: Any) -> EvalLog:
    task = em(questions="core")
    [log] = eval(task, model=target, model_roles={"grader": grader}, display="none", **options)
    return log


@pytest.mark.parametrize(
    "error",
    [
        ValueError("Error code: 404 - The model `gone` does not exist"),
        ConnectionError("no route to host"),
        RuntimeError("<html>\n<body>Bad gateway</body></html>"),
    ],
)
@pytest.mark.parametrize("fail_on_error", [True, False])
def test_a_grader_that_is_gone_costs_one_request_and_no_answer(
    error: Exception, fail_on_error: bool
) -> None:
    grader, target = script("gone", error, tried=True), script("target", "Well, it depends.")
    log = run(grader, target, fail_on_error=fail_on_error)
    said = (log.error or (log.samples or [])[0].error).message  # type: ignore[union-attr]
    assert f"grader {grader} does not answer" in said
    assert "Name another: --model-role grader=" in said
    assert calls(target) == []
    assert len(calls(grader)) == 1


def test_a_grader_that_answers_is_tried_once_an_evaluation() -> None:
    grader, target = (
        script("judge", certain("90"), tried=True),
        script("target", "Well, it depends."),
    )
    for number in (1, 2):
        assert run(grader, target, limit=3).status == "success"
        trials = [call for call in calls(grader) if "number 50" in call.prompt]
        assert len(trials) == number
    rescript(grader, ConnectionError("away"))
    count = len(calls(target))
    assert run(grader, target, limit=3).status == "error"
    assert len(calls(target)) == count


def test_how_a_grader_has_to_be_asked_is_learned_before(monkeypatch: pytest.MonkeyPatch) -> None:
    def provider(prompt: str, config: Any) -> Any:
        return ValueError("no logprobs here") if config.logprobs else "90"

    grader, target = script("plain", provider, tried=True), script("target", "Well, it depends.")
    assert run(grader, target, limit=3).status == "success"
    assert [call.config.logprobs for call in calls(grader)][:2] == [True, None]
    assert not any(call.config.logprobs for call in calls(grader)[1:])


def test_a_grader_that_has_ended_is_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "proxy-test")
    monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 14))
    target = script("target", "Well, it depends.")
    log = run("openai/gpt-4o-2024-08-06", target, limit=2)
    assert log.error is not None
    assert "was shut down on 2027-01-14; name another: openai/gpt-5.4" in log.error.message
    assert calls(target) == []


def test_a_grader_of_the_store_is_not_tried() -> None:
    task = Task(dataset=[Sample(input="Hi")], setup=grader_ready("inoc/gone"), solver=generate())
    [log] = eval(task, model=script("target", "Hello."), display="none")
    assert log.status in ("success", "error")
    if log.error is not None:
        assert "does not answer" not in log.error.message


JUDGED = (
    "em",
    "em_elicitation",
    "em_backdoor",
    "deception",
    "narrow_code",
    "narrow_reward_hacking",
    "narrow_aesthetics",
)


@pytest.mark.parametrize("name", JUDGED)
def test_every_judged_task_tries_its_grader(name: str) -> None:
    grader, target = script("gone", ConnectionError("away"), tried=True), script("target", "Well.")
    task = getattr(inoc_evals.tasks, name)()
    [log] = eval(task, model=target, model_roles={"grader": grader}, limit=1, display="none")
    assert log.status == "error"
    assert calls(target) == []
