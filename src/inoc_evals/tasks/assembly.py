"""What the trait tasks share: prompt set, condition, scorers and how the log shows them.

    def caps(prompts="chat", system_prompt="none"):
        return trait_task({"caps": caps_scorer()}, title="Capitals", prompts=prompts, ...)

Where the prompt set has answers, arithmetic is scored as well, from the same samples.

Sampling is at temperature 1, as in the paper, and at most MAX_TOKENS long; Inspect's own
``--temperature``, ``--max-tokens`` and ``--epochs`` go before these.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from inspect_ai import Task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser, GenerateConfig
from inspect_ai.scorer import Scorer
from inspect_ai.solver import generate
from inspect_ai.viewer import (
    SampleScoreView,
    ScoreColorScale,
    TaskSamplesColumn,
    TaskSamplesView,
    ViewerConfig,
)

from inoc_evals.chat import digest
from inoc_evals.prompt_sets import PromptItem, PromptSet, load_prompt_set
from inoc_evals.prompts import resolve_name
from inoc_evals.scorers.traits import correct
from inoc_evals.solvers.condition import system_prompt as condition

VERSION = 1
"""Rises when results are no longer comparable: another prompt set, rule or default."""

MAX_TOKENS = 1024
"""A worked answer or a page of prose; what is longer is cut, and ``correct`` says so."""

LABELS = {"caps": "Capitals", "correct": "Correct"}
"""Display names of measures; a language is shown by its own name."""

Prompts = str | Sequence[str]
SystemPrompt = str | Sequence[str] | None


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
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``@FILE``.

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
    }
    return Task(
        dataset=_dataset(prompt_set),
        setup=condition(system_prompt, inputs=digest([prompt_set.sha256, system.text])),
        solver=generate(),
        scorer=list(scorers.values()),
        config=GenerateConfig(temperature=1.0, max_tokens=MAX_TOKENS),
        display_name=title,
        version=VERSION,
        metadata=metadata,
        viewer=_viewer(list(scorers)),
        headline_metric=next(iter(scorers)),
    )


def _dataset(prompt_set: PromptSet) -> MemoryDataset:
    return MemoryDataset([_sample(item) for item in prompt_set.items], name=prompt_set.name)


def _sample(item: PromptItem) -> Sample:
    single = len(item.messages) == 1
    return Sample(
        input=item.prompt if single else [_chat_message(turn) for turn in item.messages],
        target=item.answer or "",
        id=item.id,
    )


def _chat_message(turn: Mapping[str, str]) -> ChatMessage:
    kind = ChatMessageUser if turn["role"] == "user" else ChatMessageAssistant
    return kind(content=turn["content"])


def _viewer(measures: Sequence[str]) -> ViewerConfig:
    """Lay the sample list out: what was asked, a column a measure, then the rest."""
    before = [TaskSamplesColumn(id=column) for column in ("sampleId", "input")]
    scores = [TaskSamplesColumn.score(measure) for measure in measures]
    after = [TaskSamplesColumn(id=column) for column in ("answer", "tokens", "duration")]
    return ViewerConfig(
        task_samples_view=TaskSamplesView(
            name="Traits",
            columns=before + scores + after,
            score_labels={m: LABELS.get(m, m.title()) for m in measures},
            score_color_scales={measure: _color_scale(measure) for measure in measures},
        ),
        sample_score_view=SampleScoreView(default="grid"),
    )


def _color_scale(measure: str) -> ScoreColorScale:
    """Color right answers green; a trait is neither good nor bad in itself."""
    palette: Literal["good-high", "neutral"] = "good-high" if measure == "correct" else "neutral"
    return ScoreColorScale(palette=palette, min=0, max=1)
