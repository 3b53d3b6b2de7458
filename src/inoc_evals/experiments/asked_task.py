"""An evaluation as Inspect's task: with its model, its grader, its key and its cells.

task = task_for("fig2a", plan.base, key, evaluation)
make([task], held, progress=True)                # log_set.py
"""

from typing import TYPE_CHECKING, Any

from inoc_evals.experiments.evaluations import Evaluation, cell, judge_of, sampling, task_of
from inoc_evals.models.kinds.kind import Kind

if TYPE_CHECKING:
    from inspect_ai import Task
    from inspect_ai.model import Model


def task_for(figure: str, base: Kind, key: str, evaluation: Evaluation) -> "Task":
    """Return the task of an evaluation.

    Args:
        figure: The experiment it is of.
        base: The plan's base.
        key: The evaluation's key.
        evaluation: What is asked, of which model, and where it stands in the figure.
    """
    from inspect_ai import Epochs, task_with
    from inspect_ai.model import GenerateConfig

    task = task_of(evaluation)
    cells = [cell(figure, place) for place in evaluation.places]
    tags = {tag for place in evaluation.places for tag in (place.condition, place.split)}
    graded: dict[str, Any] = {}
    judge = judge_of(task, evaluation, base)
    # Without a role, another package's task would have the model judge itself.
    if judge and (evaluation.grader or evaluation.judged):
        graded = {"model_roles": {"grader": judge}}
    return task_with(
        task,
        model=_model(evaluation),
        **graded,
        config=task.config.merge(GenerateConfig(**sampling(base, task))),
        # Each answer counts for itself.
        epochs=Epochs(evaluation.epochs, []),
        # Inspect tells tasks apart by their version, and not by epochs or what a model is.
        version=f"{task.version}-{key[:12]}",
        metadata={**(task.metadata or {}), "evaluation": key, "cells": cells},
        tags=sorted(tags),
    )


def _model(evaluation: Evaluation) -> "str | Model":
    from inspect_ai.model import get_model

    if not evaluation.model_args:
        return evaluation.model
    return get_model(evaluation.model, **evaluation.model_args)
