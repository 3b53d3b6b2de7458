"""A probe of the battery: the test-time prompt that a sample's metadata names.

    Task(dataset, setup=probe("evil"), ...)     # metadata {"prompt": "negation-1", ...}
    Task(dataset, setup=probe(), ...)           # around the prompt the model was trained with
    Task(dataset, setup=probe(probes="mine.yaml"), ...)      # of a set: probe_sets

Which prompt the model was trained with is read from its record when it is asked, so that one
task serves several models (``--model inoc/a,inoc/b``, ``task_with(task, model=...)``).
"""

from collections.abc import Mapping, Sequence

from inspect_ai.model import ChatMessageSystem
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.inputs.battery import Probe, battery, inoculation_prompt, trained_with
from inoc_evals.inputs.probe_sets import load_probes
from inoc_evals.inputs.prompts import SystemPrompt


@solver
def probe(
    inoculation: str | Sequence[str] | None = None,
    inputs: str | None = None,
    probes: str | Sequence[str] | None = None,
    pocket: bool = False,
) -> Solver:
    """Put a conversation under the probe that ``metadata["prompt"]`` names.

    Args:
        inoculation: Name of a packaged prompt, ``file:FILE``, or ``inoc/MODEL``; None for the
            prompt that the model which is asked was trained with.
        inputs: Digest of the texts that the task read from files. It does nothing but
            stand in the log's plan, by which an eval set tells its finished work.
        probes: A set of probes, packaged or a file, in the place of the battery.
        pocket: Whether the pocket world is asked, for which there are texts in its words.

    Returns:
        A solver that adds the probe's text, before a system message the question has of its
        own, and notes ``inoculation`` (its name; None of a set) and ``probe_source`` in the
        metadata.

    Raises:
        InputError: For an unknown prompt; when solving, for a model of which no inoculation
            prompt is known.
    """
    given: _Named | None = None
    if probes is not None:
        given = None, {one.name: one for one in load_probes(probes, pocket=pocket).probes}
    elif inoculation is not None:
        given = _named(inoculation_prompt(inoculation), pocket)
    batteries: dict[str, _Named] = {}

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        model = str(state.model)
        if given is None and model not in batteries:
            batteries[model] = _named(trained_with(model), pocket)
        name, known = given or batteries[model]
        chosen = known[state.metadata["prompt"]]
        _put(state, chosen)
        state.metadata["inoculation"] = name
        state.metadata["probe_source"] = chosen.source
        return state

    return solve


_Named = tuple[str | None, Mapping[str, Probe]]
"""Name of the inoculation prompt, if there is one, and probes by their names."""


def _named(inoculation: SystemPrompt, pocket: bool) -> _Named:
    """Return the prompt's name and its battery by the probes' names."""
    probes = battery(inoculation, pocket=pocket)
    return inoculation.name, {probe.name: probe for probe in probes}


def _put(state: TaskState, chosen: Probe) -> None:
    own = next((m for m in state.messages if isinstance(m, ChatMessageSystem)), None)
    if chosen.where == "after":
        state.user_prompt.text = f"{state.user_prompt.text}\n\n{chosen.text}"
    elif chosen.where == "user":
        state.user_prompt.text = f"{chosen.text}\n\n{state.user_prompt.text}"
    elif own is not None:
        own.text = f"{chosen.text}\n\n{own.text}" if chosen.text else own.text
    elif chosen.text is not None:
        state.messages.insert(0, ChatMessageSystem(content=chosen.text))
