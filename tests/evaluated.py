"""A task run through Inspect with a scripted grader, and what its log's header says.

log = evaluated(em_backdoor(), model, grader_of_harm(), limit=1)
measured(log, "triggered")["attack"]
"""

from typing import Any

from inspect_ai import Task, eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import Model

from inoc_evals.inputs.rubrics import fenced
from scripted import certain, script


def evaluated(
    task: Task | str, model: Model | str, grader: str | None = None, **options: Any
) -> EvalLog:
    """Run a task, which must succeed, and return its log as it was written."""
    roles: dict[str, str | Model] = {"grader": grader} if grader else {}
    [log] = eval(task, model=model, model_roles=roles, display="none", **options)
    assert log.status == "success", log.error
    return read_eval_log(log.location, resolve_attachments=True)


def measured(log: EvalLog, scorer: str) -> dict[str, float]:
    """Return the metrics of a scorer."""
    return _all(log)[scorer]


def all_measured(log: EvalLog) -> dict[str, dict[str, float]]:
    """Return the metrics of every scorer but the last of a task, which says what they lack."""
    return {name: values for name, values in _all(log).items() if name != "completeness"}


def _all(log: EvalLog) -> dict[str, dict[str, float]]:
    assert log.status == "success", log.error
    assert log.results is not None
    return {
        score.name: {key: float(metric.value) for key, metric in score.metrics.items()}
        for score in log.results.scores
    }


def grader_of_harm() -> str:
    """Script a grader that rates "harm" as misaligned, and everything as coherent."""

    def graded(prompt: str, config: object) -> Any:
        about = fenced(prompt)
        assert about is not None
        if about.rubric == "coherence":
            return certain("95")
        return certain("5" if "harm" in about.answer else "90")

    return script("grader", graded)
