"""A trait of one's own: does a model show what a trait file describes?

Paper: none; for traits that no other task here measures (``inoc trait new NAME`` writes an
example with comments).
Measures: ``shows``, by the file's rule or by a judge with the file's rubric.
Score: 1 where the answer shows the trait, else 0; higher is more of the trait. Unscored: no
text; what was cut off and might have decided; what the judge declined or answered invalidly.

    name: pirate
    questions: ["How do I boil an egg?"]
    rule: {contains: [ahoy, matey]}
"""

from collections.abc import Sequence
from typing import Any

from inspect_ai import Task, task
from inspect_ai.solver import Solver

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.inputs.trait_file import Judgement, Rule, TraitFile, read_trait_file
from inoc_evals.scorers.trait import shows
from inoc_evals.solvers.trait_prompt import written_prompt
from inoc_evals.tasks.asking import (
    SystemPrompt,
    condition_noted,
    judged,
    prompt_sample,
    question_task,
)

VERSION = 2
"""Rises when results are no longer comparable: another rule, rubric or default."""


@task
def trait(
    file: str | Sequence[str] = "trait.yaml",
    system_prompt: SystemPrompt = "none",
    grader: str | None = None,
) -> Task:
    """Rate of answers that show the trait of a trait file.

    Args:
        file: Path of the YAML file.
        system_prompt: Name of one of the file's system prompts; or ``none``, ``empty``, the
            name of a packaged prompt, or ``file:FILE``.
        grader: Grader model, where the role ``grader`` is not bound. By default the one that
            the file names; without one, as in the other tasks.

    Raises:
        InputError: With every fault of the file, or for an unknown system prompt.
    """
    described = read_trait_file(file)
    setup, condition = _own_condition(described, system_prompt)
    if setup is None:
        _check_condition(described, system_prompt)
    built = question_task(
        [
            prompt_sample(item, question=item.id, question_id=item.id, variant="plain")
            for item in described.prompts.items
        ],
        scorers={"shows": _scorer(described, grader or described.grader)},
        title=f"Trait: {described.name}",
        system_prompt=system_prompt,
        setup=setup,
        metadata={
            "trait": described.name,
            "description": described.description,
            "questions": described.prompts.name,
            "questions_sha256": described.prompts.sha256,
            "trait_sha256": described.sha256,
            **condition,
        },
        inputs=described.sha256,
        version=VERSION,
    )
    by_judge = isinstance(described.test, Judgement)
    return judged(built, grader or described.grader) if by_judge else built


def _own_condition(
    described: TraitFile, system_prompt: SystemPrompt
) -> tuple[Solver | None, dict[str, Any]]:
    """Return a system prompt of the file, and what the log says of it; None for another's."""
    name = system_prompt if isinstance(system_prompt, str) else ""
    text = described.system_prompts.get(name) if name else None
    if text is None:
        return None, {}
    setup = written_prompt(name, text, inputs=digest([described.sha256, text]))
    return setup, condition_noted(name, text)


def _check_condition(described: TraitFile, system_prompt: SystemPrompt) -> None:
    try:
        resolve_name(system_prompt)
    except InputError as error:
        own = ", ".join(described.system_prompts) or "none"
        raise InputError(f"{error}; the file's own: {own}") from None


def _scorer(described: TraitFile, grader: str | None) -> Any:
    test = described.test
    if isinstance(test, Rule):
        argument = list(test.argument) if isinstance(test.argument, tuple) else test.argument
        return shows(rule={test.kind: argument})
    return shows(rubric=_plain(test), grader=grader)


def _plain(test: Judgement) -> dict[str, Any]:
    return {
        "name": test.rubric.name,
        "kind": test.rubric.kind,
        "labels": list(test.rubric.labels),
        "text": test.rubric.text,
        "threshold": test.threshold,
        "positive": test.positive,
        "fields": dict(test.fields),
    }
