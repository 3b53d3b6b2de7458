"""The grader, tried before a model is asked anything.

    Task(dataset, setup=[grader_ready(), system_prompt("none")], ...)

A grader that is gone, throttled to nothing or without a key would otherwise show when all
answers are there and paid for. The first sample of an evaluation sends one small request, the
others wait for it; if it fails, no answer is asked for. How the grader has to be asked
(grader_form.py) is learned by the same request.
"""

from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.scorers.judge import try_grader


@solver
def grader_ready(grader: str | None = None) -> Solver:
    """Let a sample go on once its grader has answered.

    Args:
        grader: A model name, where the role ``grader`` is not bound.

    Returns:
        A solver that leaves the sample as it is.

    Raises:
        InputError: When solving, if the grader has ended or does not answer.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        await try_grader(grader, evaluated=str(state.model))
        return state

    return solve
