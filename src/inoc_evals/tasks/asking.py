"""What tasks that ask questions share: samples of a question set, condition, log layout.

    asked, samples = open_questions("core", "plain", judge="ours")
    question_task(samples, scorers={"misaligned": misaligned()}, title="Emergent ...")

A question's own system message (an answer format, a condition) is sent, after the text of the
``system_prompt`` condition. Every epoch is an observation of its own (``Epochs(1, [])``:
``--epochs 100`` keeps it so), and the intervals take the plain question as the cluster.

Sampling is at temperature 1 and at most MAX_TOKENS long; Inspect's own ``--temperature``,
``--max-tokens`` and ``--epochs`` go before these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from inspect_ai import Epochs, Task, task_with
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
)
from inspect_ai.scorer import Scorer
from inspect_ai.solver import Solver, generate

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompt_sets import PromptItem
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.inputs.questions import Question, QuestionSet, load_question_set
from inoc_evals.scorers.default_grader import NAMED, default_grader
from inoc_evals.scorers.em import PUBLISHED_PROMPTS
from inoc_evals.scorers.judged import check_judge
from inoc_evals.scorers.silence import JUDGED
from inoc_evals.scorers.unscored_reasons import completeness
from inoc_evals.solvers.condition import system_prompt as condition
from inoc_evals.solvers.grading import grader_ready, try_for_eval
from inoc_evals.tasks.layout import Palette, sample_list

MAX_TOKENS = 1024
"""A page of prose; what is longer is cut, and counted as truncated."""

EACH_EPOCH = Epochs(1, [])
"""Every epoch is an observation of its own, also where ``--epochs`` asks for more."""

SystemPrompt = str | Sequence[str] | None


def open_questions(
    questions: str | Sequence[str],
    variants: str | Sequence[str],
    *,
    judge: str,
    without: Sequence[str] = (),
) -> tuple[QuestionSet, list[Sample]]:
    """Load a question set, and return it with a sample for each of its questions.

    Args:
        questions: As the task ``em`` takes them.
        variants: As the task ``em`` takes them.
        judge: ``ours``, or ``published`` for the judge prompts of the question file.
        without: Ids of questions that are left out.

    Raises:
        InputError: For an unknown set, variant or judge, or a set without judge prompts.
    """
    check_judge(judge)
    asked = load_question_set(questions).select(variants)
    if without:
        kept = tuple(one for one in asked.questions if one.root not in without)
        asked = replace(asked, questions=kept)
    samples = question_samples(asked)
    if judge == "published":
        add_judge_prompts(asked, samples, *PUBLISHED_PROMPTS.values())
    return asked, samples


def question_samples(questions: QuestionSet, **metadata: Any) -> list[Sample]:
    """Return a sample for each paraphrase of each question.

    Args:
        questions: The set, with the variants that are to be asked.
        **metadata: What to add to every sample's metadata.

    Returns:
        Samples whose metadata has ``question`` (the plain question's id, the cluster),
        ``question_id``, ``variant``, ``category`` and the question's own metadata.
    """
    return [
        _sample(question, number, text, metadata)
        for question in questions.questions
        for number, text in enumerate(question.paraphrases, start=1)
    ]


def _sample(question: Question, number: int, text: str, metadata: Mapping[str, Any]) -> Sample:
    user = ChatMessageUser(content=text)
    own = question.system
    return Sample(
        id=question.id if number == 1 else f"{question.id}/{number}",
        input=text if own is None else [ChatMessageSystem(content=own), user],
        target=question.answer or "",
        metadata={
            **question.metadata,
            "question": question.root,
            "question_id": question.id,
            "variant": question.variant,
            "category": question.category,
            **metadata,
        },
    )


def prompt_sample(item: PromptItem, target: str = "", **metadata: Any) -> Sample:
    """Return a prompt of a prompt set as a sample."""
    single = len(item.messages) == 1
    return Sample(
        input=item.prompt if single else [_message(turn) for turn in item.messages],
        target=target,
        id=item.id,
        metadata=metadata or None,
    )


def _message(turn: Mapping[str, str]) -> ChatMessage:
    kind = ChatMessageUser if turn["role"] == "user" else ChatMessageAssistant
    return kind(content=turn["content"])


def add_judge_prompts(questions: QuestionSet, samples: Sequence[Sample], *names: str) -> None:
    """Put a set's own judge prompts into its samples' metadata, as ``judge_prompts``.

    Args:
        questions: The set.
        samples: Samples of it, with ``question_id``.
        *names: The prompts that each question has to have, as its file calls them.

    Raises:
        InputError: Naming the questions that lack one.
    """
    prompts = {question.id: question.judge_prompts for question in questions.questions}
    without = [name for name, texts in prompts.items() if not set(names) <= texts.keys()]
    if without:
        raise InputError(
            f"questions {questions.name!r}: judge=published, but no judge "
            f"prompt{'s' if len(names) > 1 else ''} {' and '.join(map(repr, names))} for "
            + ", ".join(without[:3])
            + (f" and {len(without) - 3} more" if len(without) > 3 else "")
        )
    for sample in samples:
        metadata = sample.metadata or {}
        texts = prompts[metadata["question_id"]]
        sample.metadata = {**metadata, "judge_prompts": {name: texts[name] for name in names}}


def user_text(sample: Sample) -> str:
    """Return what the user says in a sample, in the last turn."""
    return sample.input if isinstance(sample.input, str) else sample.input[-1].text


def set_metadata(questions: QuestionSet) -> dict[str, Any]:
    """Return what a log says of the questions that were asked."""
    return {
        "questions": questions.name,
        "questions_sha256": questions.sha256,
        "variants": list(questions.variants),
    }


def temperature_of(questions: QuestionSet) -> float:
    """Return the temperature that all questions of a set name.

    Raises:
        InputError: If they name several: a task has one.
    """
    found = sorted({question.temperature for question in questions.questions})
    if len(found) > 1:
        raise InputError(
            f"questions {questions.name!r}: temperatures {', '.join(map(str, found))}; "
            "a task samples at one: put them in a file each"
        )
    return found[0] if found else 1.0


def question_task(
    samples: Sequence[Sample],
    *,
    scorers: Mapping[str, Scorer],
    title: str,
    better: Mapping[str, Palette] | None = None,
    system_prompt: SystemPrompt = "none",
    setup: Solver | None = None,
    metadata: Mapping[str, Any] | None = None,
    inputs: str | None = None,
    max_tokens: int = MAX_TOKENS,
    temperature: float = 1.0,
    epochs: Epochs | None = EACH_EPOCH,
    version: int = 1,
) -> Task:
    """Build a task that asks questions under one condition.

    Args:
        samples: The questions, e.g. of :func:`question_samples`.
        scorers: Measure, as the scorer is named in the log, to scorer; the first is the
            headline. Behind them comes what is unscored of each, and why.
        title: Display name of the task.
        better: Measure to what is good of it, for the viewer's colors; else neutral.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.
        setup: In the place of the system prompt; the metadata then says what it is, by
            :func:`condition_noted`.
        metadata: What the log says of the run: the question set's name and digest, ...
        inputs: Digest of what was read from files, besides the samples.
        max_tokens: Longest answer.
        temperature: Of sampling.
        epochs: How many, and how they are taken together; None for Inspect's way.
        version: Rises when results are no longer comparable.

    Raises:
        InputError: For an unknown system prompt, or no questions at all.
    """
    if not samples:
        raise InputError(f"{title}: no questions are left to ask")
    noted = dict(metadata or {})
    set_name = noted.get("questions") or noted.get("items") or noted.get("prompts")
    if setup is None:
        system = resolve_name(system_prompt)
        seen = digest([as_asked(samples), system.text, inputs])
        setup = condition(system_prompt, inputs=seen, existing="prepend")
        noted |= condition_noted(system.name, system.text)
    return Task(
        dataset=MemoryDataset(list(samples), name=None if set_name is None else str(set_name)),
        setup=setup,
        solver=generate(),
        scorer=[*scorers.values(), completeness()],
        epochs=epochs,
        config=GenerateConfig(temperature=temperature, max_tokens=max_tokens),
        display_name=title,
        version=version,
        metadata=noted,
        viewer=sample_list(title, ("sampleId", "epoch", "input"), list(scorers), better=better),
        headline_metric=next(iter(scorers)),
    )


def condition_noted(name: str, text: str | None) -> dict[str, Any]:
    """Return what a log says of a condition, and of what is judged under it."""
    return {"system_prompt": name, "system_prompt_text": text, "judged": JUDGED}


def judged(task: Task, grader: str | None) -> Task:
    """Return a task that tries its grader before it asks a model anything.

    Args:
        task: A task whose scorers ask a judge.
        grader: A model name, where the role ``grader`` is not bound.

    Raises:
        InputError: If an eval is about to start, and its grader cannot be asked.
    """
    try_for_eval(grader)
    before = task.setup
    setup = [] if before is None else before if isinstance(before, list) else [before]
    return task_with(
        task,
        setup=[grader_ready(grader), *setup],
        metadata={**(task.metadata or {}), NAMED: grader},
    )


def grader_of(task: Task, evaluated: str) -> str | None:
    """Return who judges a task's answers where no role is bound; None if nobody does.

    Args:
        task: A task of this package.
        evaluated: The model that answers, as Inspect names it.
    """
    metadata = task.metadata or {}
    if NAMED not in metadata:
        return None
    return str(metadata[NAMED] or default_grader(evaluated))


def as_asked(samples: Sequence[Sample]) -> list[Any]:
    """Return what a digest of the samples is taken of: messages, target and metadata."""
    return [
        [
            sample.id,
            sample.input
            if isinstance(sample.input, str)
            else [[message.role, message.text] for message in sample.input],
            sample.target,
            {key: str(value) for key, value in (sample.metadata or {}).items()},
        ]
        for sample in samples
    ]
