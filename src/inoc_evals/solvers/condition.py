"""The system-prompt condition: no system message, an empty one, or one with a text.

    Task(dataset, setup=system_prompt("none"), ...)       # [user]
    Task(dataset, setup=system_prompt("empty"), ...)      # [system "", user]
    Task(dataset, setup=system_prompt("spanish"), ...)    # [system "You always ...", user]

The three differ: some chat templates put a persona of their own where no message is. As a
task's ``setup`` the condition stays when a user brings another ``--solver``. A question with
a system message of its own, such as an answer format, keeps it where the task says
``existing="prepend"``: the condition's text then stands before it, a blank line between.
"""

from collections.abc import Sequence
from typing import Literal

from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.errors import InputError
from inoc_evals.inputs.prompts import resolve_name


@solver
def system_prompt(
    name: str | Sequence[str] | None = "none",
    inputs: str | None = None,
    existing: Literal["error", "prepend"] = "error",
) -> Solver:
    """Put a conversation under a system-prompt condition.

    Args:
        name: ``none``, ``empty``, the name of a packaged prompt, or ``file:FILE``.
        inputs: Digest of the texts that the task read from files. It does nothing but
            stand in the log's plan, by which an eval set tells its finished work: logs made
            before a file was changed are not taken for those of the new text.
        existing: What to do with a conversation that has a system message: refuse it, or
            put the condition's text before the message's (``empty`` then adds nothing).

    Returns:
        A solver that inserts the message first and notes the condition's name in the
        sample's metadata as ``system_prompt``.

    Raises:
        InputError: For an unknown name or unreadable file; when solving, for a
            conversation that already has a system message, unless it is to be kept.
    """
    condition = resolve_name(name)
    if existing not in ("error", "prepend"):
        raise InputError(f"existing={existing!r}: expected error or prepend")

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        systems = [i for i, message in enumerate(state.messages) if message.role == "system"]
        if systems and existing == "error":
            raise InputError(
                f"sample {state.sample_id!r} has a system message of its own, so that the "
                f"condition {condition.name!r} would not be what its name says"
            )
        if systems and condition.text:
            own = state.messages[systems[0]].text
            joined = ChatMessageSystem(content=f"{condition.text}\n\n{own}")
            state.messages[systems[0]] = joined
        elif not systems and condition.text is not None:
            state.messages.insert(0, ChatMessageSystem(content=condition.text))
        state.metadata["system_prompt"] = condition.name
        return state

    return solve
