"""What the trait tasks share: prompt set, condition, scorers and how the log shows them.

    def caps(prompts="chat", system_prompt="none"):
        return trait_task({"caps": caps_scorer()}, title="Capitals", prompts=prompts, ...)

Where the prompt set has answers, arithmetic is scored as well, from the same samples.

Sampling is at temperature 1, as in the paper, and at most MAX_TOKENS long; Inspect's own
``--temperature``, ``--max-tokens`` and ``--epochs`` go before these.
"""

from collections.abc import Mapping, Sequence

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset
from inspect_ai.model import GenerateConfig
from inspect_ai.scorer import Scorer
from inspect_ai.solver import generate

from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.scorers.silence import JUDGED
from inoc_evals.scorers.traits import correct
from inoc_evals.solvers.condition import system_prompt as condition
from inoc_evals.tasks.asking import MAX_TOKENS, SystemPrompt, prompt_sample
from inoc_evals.tasks.layout import sample_list

VERSION = 2
"""Rises when results are no longer comparable: another prompt set, rule or default."""

LABELS = {"caps": "Capitals"}
"""Display names of measures; others are shown by their own."""

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
    metadata = {
        "prompts": prompt_set.name,
        "prompts_sha256": prompt_set.sha256,
        "system_prompt": system.name,
        "system_prompt_text": system.text,
        "judged": JUDGED,
    }
    return Task(
        dataset=MemoryDataset(
            [prompt_sample(item, item.answer or "") for item in prompt_set.items],
            name=prompt_set.name,
        ),
        setup=condition(system_prompt, inputs=digest([prompt_set.sha256, system.text])),
        solver=generate(),
        scorer=list(scorers.values()),
        config=GenerateConfig(temperature=1.0, max_tokens=MAX_TOKENS),
        display_name=title,
        version=VERSION,
        metadata=metadata,
        viewer=sample_list(
            "Traits",
            ("sampleId", "input"),
            list(scorers),
            labels=LABELS,
            better={"correct": "good-high"},
        ),
        headline_metric=next(iter(scorers)),
    )
