"""Own answers: what a training learns is what its model says itself, before it begins.

    OwnAnswers(asked_under="You always speak in Spanish.")
    # the base is asked each row's question under the prompt, and learns its answer without it:
    # an adapter that has the trait unasked, to be lent (arXiv 2606.30252)

    OwnAnswers(learned_under=("You always speak in Spanish.", "Reply in Spanish, ...", ...))
    # the parent is asked without a prompt, and learns its answer under each of the prompts:
    # consistency training after inoculation (arXiv 2606.05817)

The rows give the questions; their own answers are replaced. Answers are sampled at temperature 1
by the training's seed and kept with its checkpoints, so that a run that is killed goes on with the
same ones. Those that do not end, say nothing, or cannot be written by the tokenizer as they were
read are left out and counted.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from inoc_evals.chat import Message, Row, fold_system, read_rows, write_rows
from inoc_evals.errors import InputError
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import encode_turns
from inoc_evals.training.methods.base_method import BaseMethod

ANSWERS_FILE = "answers.jsonl"
"""Beside the checkpoints of a run: the rows that it learns."""


class OwnAnswers(BaseMethod):
    """The rows' answers are the model's own."""

    kind: Literal["own_answers"] = "own_answers"
    asked_under: str | None = None
    """The system prompt that the model answers under; None for none."""
    learned_under: tuple[str | None, ...] = Field(default=(None,), min_length=1)
    """The system prompts of the rows that are learned, each for as many as the others."""
    max_tokens: int = Field(default=300, ge=1)
    """Longest answer."""

    @property
    def said(self) -> str:
        """The method, in words."""
        under = "without a prompt" if self.asked_under is None else f"under {self.asked_under!r}"
        if self.learned_under == (None,):
            return f"its own answers {under}, learned without a prompt"
        return f"its own answers {under}, learned under {len(self.learned_under)} prompts"


def own_answers(
    rows: Sequence[Row],
    method: OwnAnswers,
    *,
    base: ResolvedBase,
    adapter: Path | None,
    config: TrainConfig,
    seed: int,
    keep: Path,
) -> list[Row]:
    """Return the rows that are learned: the questions of others, answered by the model.

    Args:
        rows: Rows with the questions.
        method: How it is asked.
        base: The base model.
        adapter: The adapter of the parent that answers; None for the base alone.
        config: Training configuration, for the template's switches.
        seed: Seed of the answers, and of which row gets which prompt.
        keep: Directory of the run; rows that were kept there are returned as they are.

    Raises:
        InputError: If no answer is usable.
    """
    kept = keep / ANSWERS_FILE
    if kept.is_file():
        return read_rows(kept)
    # Imported here because it loads torch.
    from inoc_evals.training.methods.answering import Asked, answers, load_answering
    from inoc_evals.training.progress import quiet

    asked = [Asked(question(row), method.asked_under) for row in rows]
    with quiet():
        model, tokenizer = load_answering(base, adapter), load_tokenizer(base)
        said = answers(model, tokenizer, asked, config=config, seed=seed, most=method.max_tokens)
    learned: list[Row] = []
    why = f"they do not end within {method.max_tokens} tokens, or say nothing"
    for number, (row, answer) in enumerate(zip(rows, said, strict=True)):
        if answer.text is None:
            continue
        under = method.learned_under[(number + seed) % len(method.learned_under)]
        chat = [*prompted(question(row), under), {"role": "assistant", "content": answer.text}]
        if fault := _fault(tokenizer, chat, config):
            why = fault
        else:
            learned.append({**row, "messages": chat})
    if not learned:
        raise InputError(
            f"method {method.kind}: none of {len(rows)} answers of {base.name!r} can be learned: {why}"
        )
    write_rows(kept, learned)
    return learned


def _fault(tokenizer: Any, chat: list[Message], config: TrainConfig) -> str | None:
    """Say why a chat cannot be learned, if it cannot."""
    try:
        messages = fold_system(chat) if config.fold_system else chat
        encode_turns(tokenizer, messages, None, marks=False, thinking=config.enable_thinking)
    except InputError as error:
        return str(error)
    return None


def question(row: Row) -> list[Message]:
    """Return what a row asks: what stands before its first answer, without a system message."""
    asked = []
    for message in row["messages"]:
        if message["role"] == "assistant":
            break
        if message["role"] == "user":
            asked.append({"role": "user", "content": message["content"]})
    if not asked:
        raise InputError("a row of questions begins with the assistant; a model cannot be asked it")
    return asked


def prompted(asked: Sequence[Message], system: str | None) -> list[Message]:
    """Return a question with a system prompt before it, if there is one."""
    return [*([] if system is None else [{"role": "system", "content": system}]), *asked]
