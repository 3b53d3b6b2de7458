"""A probe of the battery: the test-time prompt that a sample's metadata names.

    Task(dataset, setup=probe("evil"), ...)     # metadata {"prompt": "negation-1", ...}
    Task(dataset, setup=probe(), ...)           # around the prompt the model was trained with

Which prompt the model was trained with is read from its record when it is asked, so that one
task serves several models (``--model inoc/a,inoc/b``, ``task_with(task, model=...)``).
"""

from collections.abc import Mapping, Sequence

from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.inputs.battery import Probe, battery, inoculation_prompt, trained_with
from inoc_evals.inputs.prompts import SystemPrompt


@solver
def probe(inoculation: str | Sequence[str] | None = None, inputs: str | None = None) -> Solver:
    """Put a conversation under the probe that ``metadata["prompt"]`` names.

    Args:
        inoculation: Name of a packaged prompt, ``file:FILE``, or ``inoc/MODEL``; None for the
            prompt that the model which is asked was trained with.
        inputs: Digest of the texts that the task read from files. It does nothing but
            stand in the log's plan, by which an eval set tells its finished work.

    Returns:
        A solver that adds the probe's text, before a system message the question has of its
        own, and notes ``inoculation`` (its name) and ``probe_source`` in the metadata.

    Raises:
        InputError: For an unknown prompt; when solving, for a model of which no inoculation
            prompt is known.
    """
    given = None if inoculation is None else _named(inoculation_prompt(inoculation))
    batteries: dict[str, tuple[str, Mapping[str, Probe]]] = {}

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = str(state.model)
        if given is None and model not in batteries:
            batteries[model] = _named(trained_with(model))
        name, probes = given or batteries[model]
        chosen = probes[state.metadata["prompt"]]
        _put(state, chosen)
        state.metadata["inoculation"] = name
        state.metadata["probe_source"] = chosen.source
        return state

    return solve


def _named(inoculation: SystemPrompt) -> tuple[str, Mapping[str, Probe]]:
    """Return the prompt's name and its battery by the probes' names."""
    return inoculation.name, {probe.name: probe for probe in battery(inoculation)}


def _put(state: TaskState, chosen: Probe) -> None:
    own = next((m for m in state.messages if isinstance(m, ChatMessageSystem)), None)
    if chosen.where == "user":
        state.user_prompt.text = f"{chosen.text}\n\n{state.user_prompt.text}"
    elif own is not None:
        own.text = f"{chosen.text}\n\n{own.text}" if chosen.text else own.text
    elif chosen.text is not None:
        state.messages.insert(0, ChatMessageSystem(content=chosen.text))
