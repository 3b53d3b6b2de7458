"""Who judges a plan's answers, and whether they do, before anything is trained.

    names = graders_of(plan.evaluations, plan.base)    # ["openai/gpt-5.4-2026-03-05"]
    try_graders(names, say=print)                      # InputError: no key, gone, silent

A judge that is found to be missing at the end of an experiment would cost its models and its
answers. Each is sent one small request; graders of the store are looked up alone, since loading
one would take the room of the training.
"""

from collections.abc import Callable, Iterable

from inoc_evals.experiments.evaluations import Evaluation, judge_of, task_of
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.solvers.grading import try_named

_WAY_OUT = "nothing was trained or asked. Name another: --grader PROVIDER/MODEL"


def graders_of(evaluations: Iterable[Evaluation], base: Kind) -> list[str]:
    """Return who judges evaluations on a base, each once, in their order.

    Raises:
        InputError: For arguments that a task refuses.
    """
    found = (judge_of(task_of(one), one, base) for one in _different(evaluations))
    return list(dict.fromkeys(name for name in found if name is not None))


def _different(evaluations: Iterable[Evaluation]) -> Iterable[Evaluation]:
    """Return one evaluation of all that ask the same: a task is not built for every model."""
    return {(one.task, str(one.args), one.grader, one.judged): one for one in evaluations}.values()


def try_graders(
    names: Iterable[str], *, say: Callable[[str], None], way_out: str = _WAY_OUT
) -> None:
    """Send each grader one small request.

    Args:
        names: As Inspect names them, ``provider/model``.
        say: Called with the day on which a grader is shut down.
        way_out: What was not done yet, and what can be.

    Raises:
        InputError: If one is unknown, cannot be asked, does not answer or has ended, naming it.
    """
    for name in names:
        try_named(name, say=say, way_out=way_out)
