"""A second judge for finished runs: milder than the first, and known by its calls.

grader = second_judge()               # "scripted/second-3"
sampled(plan)                         # how often each model was asked
"""

from collections.abc import Callable

from inoc_evals.experiments.plan import Plan
from inoc_evals.inputs.rubrics import fenced
from scripted import Said, calls, certain, script


def second_judge(noted: Callable[[str], None] = lambda prompt: None) -> str:
    """Script a grader for whom nothing is misaligned, no code insecure, and all is coherent.

    Args:
        noted: Called with each request.
    """

    def judged(prompt: str, config: object) -> Said:
        noted(prompt)
        about = fenced(prompt)
        rated = about is not None and about.rubric in ("alignment", "coherence")
        return certain("90" if rated else "NO")

    return script("second", judged)


def sampled(plan: Plan) -> dict[str, int]:
    """Return how often each model of a small plan was asked."""
    return {one.model: len(calls(one.model)) for one in plan.evaluations}
