"""Answers that were given before, for a judge to read again: no model is asked.

Task(dataset, solver=given_again(key, {("spouse", 1): answer_as_json}), scorer=..., model="none/none")
"""

from collections.abc import Mapping

from inspect_ai.model import ChatMessage, ModelOutput
from inspect_ai.solver import Generate, Solver, TaskState, solver
from pydantic import BaseModel


class Answer(BaseModel):
    """The end of a sample: what was said, the last of it by the model."""

    messages: list[ChatMessage]
    output: ModelOutput


def given_again(evaluation: str, answers: Mapping[tuple[str, int], str]) -> Solver:
    """Return a solver that gives a sample the answer that it had.

    Args:
        evaluation: Key of the evaluation.
        answers: By id and epoch of the sample.
    """

    # Of its own, since Inspect writes into the log what a solver is made with.
    @solver(name="given_again")
    def by_key(evaluation: str) -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            said = Answer.model_validate_json(answers[str(state.sample_id), state.epoch])
            state.messages, state.output = said.messages, said.output
            return state

        return solve

    return by_key(evaluation)
