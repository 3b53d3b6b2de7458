"""What the tasks that probe open questions share: a question under several probes.

    asked, samples = open_questions("core", "plain", judge="ours")
    probed(samples, "negation-1", family="negation", benign=True)     # copies of the samples

The judge is shown the bare question (metadata ``asked``), whatever a probe adds to it.
"""

from collections.abc import Sequence
from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ChatMessageUser

from inoc_evals.questions import QuestionSet, load_question_set
from inoc_evals.scorers.misalignment import check_judge
from inoc_evals.tasks.asking import question_samples
from inoc_evals.tasks.emergent_misalignment import published_prompts


def open_questions(
    questions: str | Sequence[str], variants: str | Sequence[str], *, judge: str
) -> tuple[QuestionSet, list[Sample]]:
    """Load a question set, and return it with a sample for each of its questions.

    Args:
        questions: As the task ``em`` takes them.
        variants: As the task ``em`` takes them.
        judge: ``ours``, or ``published`` for the judge prompts of the question file.

    Raises:
        InputError: For an unknown set, variant or judge, or a set without judge prompts.
    """
    check_judge(judge)
    asked = load_question_set(questions).select(variants)
    prompts = published_prompts(asked) if judge == "published" else {}
    samples = question_samples(asked)
    for sample in samples:
        metadata = dict(sample.metadata or {}) | {"asked": user_text(sample)}
        if prompts:
            metadata["judge_prompts"] = prompts[metadata["question_id"]]
        sample.metadata = metadata
    return asked, samples


def probed(sample: Sample, name: str, *, user: str | None = None, **metadata: Any) -> Sample:
    """Return the sample under a probe.

    Args:
        sample: A question.
        name: The probe's; it ends the sample's id.
        user: The user turn; as it is if None.
        **metadata: What the probe is.
    """
    return Sample(
        id=f"{sample.id}/{name}",
        input=sample.input if user is None else _with_user(sample, user),
        target=sample.target,
        metadata={**(sample.metadata or {}), **metadata},
    )


def user_text(sample: Sample) -> str:
    """Return what the user says in a sample of ``question_samples``."""
    return sample.input if isinstance(sample.input, str) else sample.input[-1].text


def _with_user(sample: Sample, text: str) -> str | list[ChatMessage]:
    if isinstance(sample.input, str):
        return text
    return [*sample.input[:-1], ChatMessageUser(content=text)]
