"""How likely does a model find responses that show one trait and not the other?

Paper: arXiv 2510.04340, section 4.2 (Figure 6): log-probabilities of capitalized English and
of uncapitalized Spanish responses under "Respond in a single word.", more sensitive than
sampling.
Measures: ``logprob`` (sum over the response's tokens) and ``logprob_per_token``, with a mean
for each trait.
Score: in nats, at most 0; higher is likelier. Unscored: the provider has no log-probabilities
of prompts, or does not continue the assistant's message. Local models and vLLM have both.

    {"id": "capitals-01", "trait": "capitals", "prompt": "What do bees make?", "response": "HONEY"}

A training scores the same on its way: ``inoc_evals.training.dynamics``.
"""

from collections.abc import Sequence

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.viewer import TaskSamplesColumn, TaskSamplesView, ViewerConfig

from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.inputs.responses import DEFAULT_SYSTEM, load_responses
from inoc_evals.scorers.likelihood import logprob, logprob_per_token
from inoc_evals.scorers.unscored_reasons import completeness
from inoc_evals.solvers.condition import system_prompt as condition
from inoc_evals.solvers.forcing import forced_response

VERSION = 1
"""Rises when results are no longer comparable: other responses, or another way to score."""


@task
def likelihood(
    responses: str | Sequence[str] = "single_word",
    system_prompt: str | Sequence[str] | None = DEFAULT_SYSTEM,
) -> Task:
    """Log-probabilities of given responses.

    Args:
        responses: ``single_word``, ``pocket_sentence``, ``narrow``, ``pocket_narrow``, or path of a JSONL file.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.

    Raises:
        InputError: For an unknown set or system prompt, or a file that cannot be used.
    """
    found = load_responses(responses)
    system = resolve_name(system_prompt)
    samples = [
        Sample(
            input=item.prompt,
            target=item.response,
            id=item.id,
            metadata={"trait": item.trait, "response": item.response},
        )
        for item in found.items
    ]
    return Task(
        dataset=MemoryDataset(samples, name=found.name),
        setup=condition(system_prompt, inputs=digest([found.sha256, system.text])),
        solver=forced_response(),
        scorer=[logprob(), logprob_per_token(), completeness()],
        display_name="Likelihood of given responses",
        version=VERSION,
        metadata={
            "responses": found.name,
            "responses_sha256": found.sha256,
            "system_prompt": system.name,
            "system_prompt_text": system.text,
        },
        viewer=_viewer(),
        headline_metric="logprob",
    )


def _viewer() -> ViewerConfig:
    columns = [TaskSamplesColumn(id=column) for column in ("sampleId", "input", "target")]
    scores = [TaskSamplesColumn.score(name) for name in ("logprob", "logprob_per_token")]
    labels = {"logprob": "Log-probability", "logprob_per_token": "Per token"}
    return ViewerConfig(
        task_samples_view=TaskSamplesView(
            name="Responses", columns=columns + scores, score_labels=labels
        )
    )
