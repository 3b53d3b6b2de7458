"""A system-prompt condition whose text a file gave under a name: that of a trait file.

    Task(dataset, setup=written_prompt("talk", "You talk like a pirate."), ...)

Beside ``condition.system_prompt``, which knows the packaged names. The log's plan has the
text, so that an eval set does not take a changed text for the old one.
"""

from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.errors import InputError


@solver
def written_prompt(
    name: str = "custom", text: str = "You are a helpful assistant.", inputs: str | None = None
) -> Solver:
    """Put a conversation under a system message.

    Args:
        name: What the condition is called in the sample's metadata.
        text: The message, to the letter.
        inputs: Digest of what the task read from files, for eval sets.

    Raises:
        InputError: When solving, for a conversation that has a system message already.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        if any(message.role == "system" for message in state.messages):
            raise InputError(f"sample {state.sample_id!r} has a system message of its own")
        state.messages.insert(0, ChatMessageSystem(content=text))
        state.metadata["system_prompt"] = name
        return state

    return solve
