"""What the tasks that probe open questions share: a question under several probes.

    probed(sample, "negation-1", family="negation", benign=True)     # a copy of the sample
    under(sample, Probe("coder", ...))              # the same; the question is known by its id

The judge is shown the bare question (metadata ``asked``), whatever a probe adds to it.
"""

from typing import Any

from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessage, ChatMessageUser

from inoc_evals.inputs.battery import Probe
from inoc_evals.tasks.asking import user_text


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
        metadata={**(sample.metadata or {}), "asked": user_text(sample), **metadata},
    )


def under(sample: Sample, one: Probe) -> Sample:
    """Return a sample under a probe of a set, as the solver ``probe`` reads it."""
    question = (sample.metadata or {}).get("question", str(sample.id))
    return probed(
        sample,
        one.name,
        question=question,
        family=one.family,
        prompt=one.name,
        benign=one.benign,
    )


def _with_user(sample: Sample, text: str) -> str | list[ChatMessage]:
    if isinstance(sample.input, str):
        return text
    return [*sample.input[:-1], ChatMessageUser(content=text)]
