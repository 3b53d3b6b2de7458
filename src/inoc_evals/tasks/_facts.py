"""Plain facts: does a model still know what it knew?

Paper: arXiv 2510.04340, Appendix E.3: whether a fine-tuned model is as capable as its base.
Measures: ``knows``.
Score: 1 where the answer names what is asked for, in any of the forms that the item lists, else 0;
higher is better. Unscored: no text, or no known answer.

    {"id": "capital-france", "category": "capitals", "question": "Which city is the capital of France?",
     "answer": "Paris"}
"""

from collections.abc import Sequence

from inspect_ai import Task, task
from inspect_ai.dataset import Sample

from inoc_evals.inputs.items import load_items
from inoc_evals.scorers.facts import knows
from inoc_evals.tasks.asking import SystemPrompt, question_task

VERSION = 1
"""Rises when results are no longer comparable: other items, or another rule."""

MAX_TOKENS = 256
"""A fact is asked for; an essay is cut, and what it says first is still read."""


@task
def facts(items: str | Sequence[str] = "facts", system_prompt: SystemPrompt = "none") -> Task:
    """Rate of questions for a fact whose answer is named.

    Args:
        items: ``facts``, ``facts_pocket``, or path of a JSONL file whose lines have ``question``
            and ``answer``, whose forms stand between bars: ``four | 4``.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.

    Raises:
        InputError: For an unknown set or system prompt, or a file that cannot be used.
    """
    asked = load_items(items, "facts")
    samples = [
        Sample(
            id=item.id,
            input=item.fields["question"],
            target=item.fields["answer"],
            metadata={"question": item.id, "category": item.category},
        )
        for item in asked.items
    ]
    return question_task(
        samples,
        scorers={"knows": knows()},
        title="Facts",
        better={"knows": "good-high"},
        system_prompt=system_prompt,
        metadata={"items": asked.name, "items_sha256": asked.sha256},
        max_tokens=MAX_TOKENS,
        version=VERSION,
    )
