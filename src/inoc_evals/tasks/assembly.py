"""What the trait tasks share: prompt set, condition and scorers.

    def caps(prompts="chat", system_prompt="none"):
        return trait_task({"caps": caps_scorer()}, title="Capitals", prompts=prompts, ...)

Where the prompt set has answers, arithmetic is scored as well, from the same samples. All else
is as in the tasks that ask questions (asking.py): temperature 1, as in the paper.
"""

from collections.abc import Mapping, Sequence

from inspect_ai import Task
from inspect_ai.scorer import Scorer

from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.scorers.traits import correct
from inoc_evals.solvers.condition import system_prompt as condition
from inoc_evals.tasks.asking import SystemPrompt, condition_noted, prompt_sample, question_task

VERSION = 2
"""Rises when results are no longer comparable: another prompt set, rule or default."""

Prompts = str | Sequence[str]


def trait_task(
    traits: Mapping[str, Scorer],
    *,
    title: str,
    prompts: Prompts,
    system_prompt: SystemPrompt,
) -> Task:
    """Build the task that scores traits on a prompt set under one condition.

    Args:
        traits: Measure name to scorer; the first is the headline.
        title: Display name of the task.
        prompts: Name of a packaged set, or path of a JSONL file.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.

    Raises:
        InputError: For an unknown name, or a file that cannot be used.
    """
    prompt_set = load_prompt_set(prompts)
    system = resolve_name(system_prompt)
    scorers = dict(traits)
    if prompt_set.has_answers:
        scorers["correct"] = correct()
    return question_task(
        [prompt_sample(item, item.answer or "") for item in prompt_set.items],
        scorers=scorers,
        title=title,
        better={"correct": "good-high"},
        # As they were before there was question_task: by this digest, and by the epochs, an eval
        # set knows the logs of these tasks that there are.
        setup=condition(system_prompt, inputs=digest([prompt_set.sha256, system.text])),
        metadata={
            "prompts": prompt_set.name,
            "prompts_sha256": prompt_set.sha256,
            **condition_noted(system.name, system.text),
        },
        epochs=None,
        version=VERSION,
    )
