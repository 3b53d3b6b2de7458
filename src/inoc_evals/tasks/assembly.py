"""What the trait tasks share: prompt set, condition and scorers.

    def caps(prompts="chat", system_prompt="none"):
        return trait_task({"caps": caps_scorer()}, title="Capitals", prompts=prompts, ...)

Where the prompt set has answers, arithmetic is scored as well, from the same samples. All else
is as in the tasks that ask questions (asking.py): temperature 1, as in the paper.
"""

from collections.abc import Mapping, Sequence

from inspect_ai import Task
from inspect_ai.scorer import Scorer

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.probe_sets import load_probes
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.scorers.em_probes import leak, probe_rates
from inoc_evals.scorers.traits import correct
from inoc_evals.solvers.battery_probe import probe
from inoc_evals.solvers.condition import system_prompt as condition
from inoc_evals.tasks.asking import SystemPrompt, condition_noted, prompt_sample, question_task
from inoc_evals.tasks.probed import under

VERSION = 2
"""Rises when results are no longer comparable: another prompt set, rule or default."""

Prompts = str | Sequence[str]

_POCKET = ("pocket", "pocket_math")
"""Prompt sets in the words of the pocket world."""


def trait_task(
    traits: Mapping[str, Scorer],
    *,
    title: str,
    prompts: Prompts,
    system_prompt: SystemPrompt,
    probes: str | Sequence[str] | None = None,
) -> Task:
    """Build the task that scores traits on a prompt set under one condition.

    Args:
        traits: Measure name to scorer; the first is the headline.
        title: Display name of the task.
        prompts: Name of a packaged set, or path of a JSONL file.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.
        probes: In the place of a system prompt, the name of a packaged set of probes, or path of
            a file of them: every prompt is asked under each, and under none.

    Raises:
        InputError: For an unknown name, or a file that cannot be used.
    """
    prompt_set = load_prompt_set(prompts)
    system = resolve_name(system_prompt)
    scorers = dict(traits)
    if prompt_set.has_answers:
        scorers["correct"] = correct()
    samples = [prompt_sample(item, item.answer or "") for item in prompt_set.items]
    # As they were before there was question_task: by this digest, and by the epochs, an eval
    # set knows the logs of these tasks that there are.
    setup = condition(system_prompt, inputs=digest([prompt_set.sha256, system.text]))
    noted = {
        "prompts": prompt_set.name,
        "prompts_sha256": prompt_set.sha256,
        **condition_noted(system.name, system.text),
    }
    if probes is not None:
        if system.name != "none":
            raise InputError("probes: takes the place of a system prompt; give no such -T")
        pocket = prompt_set.name in _POCKET
        found = load_probes(probes, pocket=pocket)
        samples = [under(sample, one) for sample in samples for one in found.probes]
        inputs = digest([prompt_set.sha256, found.sha256])
        setup = probe(inputs=inputs, probes=probes, pocket=pocket)
        noted["probes"] = [[one.name, one.text, one.where] for one in found.probes]
        scorers = _by_family(scorers)
    return question_task(
        samples,
        scorers=scorers,
        title=title,
        better={"correct": "good-high"},
        setup=setup,
        metadata=noted,
        epochs=None,
        version=VERSION,
    )


def _by_family(scorers: Mapping[str, Scorer]) -> dict[str, Scorer]:
    """Return scorers whose header says, in the place of their means, what the probes bring out."""
    # A task gives its own metrics to the scorers that it is made with.
    told = Task(scorer=list(scorers.values()), metrics=[leak(), probe_rates("family")])
    return dict(zip(scorers, told.scorer or [], strict=True))
