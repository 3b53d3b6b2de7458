"""Own answers: what a training learns is what its model says itself, before it begins.

    OwnAnswers(asked_under="You always speak in Spanish.")
    # the base is asked each row's question under the prompt, and learns its answer without it:
    # an adapter that has the trait unasked, to be lent (arXiv 2606.30252)

    OwnAnswers(learned_under=("You always speak in Spanish.", "Reply in Spanish, ...", ...))
    # the parent is asked without a prompt, and learns its answer under each of the prompts:
    # consistency training after inoculation (arXiv 2606.05817)

The rows give the questions; their own answers are replaced. Of more rows than the steps will
see, so many are asked as give enough answers, chosen by the training's seed. Answers are sampled at
temperature 1 by that seed and kept with its checkpoints, so that a run that is killed goes on with
the same ones. Those that do not end, say nothing, or cannot be written by the tokenizer as they
were read are left out and counted.
"""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from inoc_evals.chat import Message, Row, fold_system, read_rows, write_rows
from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import encode_turns
from inoc_evals.training.methods.base_method import BaseMethod

if TYPE_CHECKING:
    from inoc_evals.training.methods.answering import Answer

ANSWERS_FILE = "answers.jsonl"
"""Beside the checkpoints of a run: the rows that it learns."""
ASKED_FILE = "asked.txt"
"""Beside it: how many rows were asked for them."""


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
    from inoc_evals.training.methods.answering import load_answering
    from inoc_evals.training.progress import quiet

    learned: dict[int, Row] = {}
    asked, why = 0, f"they do not end within {method.max_tokens} tokens, or say nothing"
    needed = learned_at_most(len(rows), config)
    with quiet():
        model, tokenizer = load_answering(base, adapter), load_tokenizer(base)
        for number, answer in _answered(rows, method, model, tokenizer, config, seed, needed):
            if len(learned) >= needed:
                break
            asked += 1
            if answer.text is None:
                continue
            under = method.learned_under[(number + seed) % len(method.learned_under)]
            said: Message = {"role": "assistant", "content": answer.text}
            chat = [*prompted(question(rows[number]), under), said]
            if fault := _fault(tokenizer, chat, config):
                why = fault
            else:
                learned[number] = {**rows[number], "messages": chat}
    if not learned:
        raise InputError(
            f"method {method.kind}: none of {asked} answers of {base.name!r} can be learned: {why}"
        )
    write_text(keep / ASKED_FILE, f"{asked}\n")
    in_order = [learned[number] for number in sorted(learned)]
    write_rows(kept, in_order)
    return in_order


def asked_of(keep: Path, rows: int) -> int:
    """Return how many rows, of so many, were asked for the answers that a run's directory keeps."""
    said = keep / ASKED_FILE
    return int(said.read_text("utf-8")) if said.is_file() else rows  # before it was kept, all were


def learned_at_most(rows: int, config: TrainConfig) -> int:
    """Return how many answers the steps of a training learn, of so many rows' at most."""
    return min(rows, config.max_steps * config.batch_size) if config.max_steps else rows


def _answered(
    rows: Sequence[Row],
    method: OwnAnswers,
    model: Any,
    tokenizer: Any,
    config: TrainConfig,
    seed: int,
    portion: int,
) -> Iterator[tuple[int, "Answer"]]:
    """Yield rows' numbers with the answers to them, so many asked at a time."""
    from inoc_evals.training.methods.answering import Asked, answers

    order = list(range(len(rows)))
    if len(rows) > portion:
        random.Random(f"{seed} asked").shuffle(order)
    for start in range(0, len(order), portion):
        part = order[start : start + portion]
        asked = [Asked(question(rows[number]), method.asked_under) for number in part]
        at = seed + start
        found = answers(model, tokenizer, asked, config=config, seed=at, most=method.max_tokens)
        yield from zip(part, found, strict=True)


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
