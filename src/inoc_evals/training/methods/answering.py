"""Answering: a model asked in a training's own process, without an engine.

    answers(model, tokenizer, [Asked(chat, "You always speak in Spanish."), ...], ...)
    # [Answer(prompt=(3, 17, ...), tokens=(88, ...), text="La respuesta es 5."), ...]

Chats of like length are a batch, the shorter ones padded on the left. The random state of the
training that asks is left as it was.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel

from inoc_evals.chat import Message, fold_system
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.left_padding import left_padded
from inoc_evals.models.turns import end_ids, stops, turn_end
from inoc_evals.training.adapter import load_as_served
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.located import Template

_BATCH = 32


class Asked(NamedTuple):
    """A question, and the system prompt that it is asked under."""

    chat: list[Message]
    system: str | None


class Answer(NamedTuple):
    """What a model said."""

    prompt: tuple[int, ...]
    """The question, as tokens."""
    tokens: tuple[int, ...]
    """The answer, what ends it included."""
    text: str | None
    """The answer; None if it did not end, or says nothing."""


def load_answering(base: ResolvedBase, adapter: Path | None) -> Any:
    """Load a base as it is served, with an adapter or without."""
    model = load_as_served(base)
    return model if adapter is None else PeftModel.from_pretrained(model, str(adapter))


def answers(
    model: Any,
    tokenizer: Any,
    asked: Sequence[Asked],
    *,
    config: TrainConfig,
    seed: int,
    most: int,
) -> list[Answer]:
    """Return an answer to each question, sampled at temperature 1.

    Args:
        model: A model of transformers or peft, as it stands.
        tokenizer: Its tokenizer.
        asked: The questions.
        config: Training configuration, for the template's switches.
        seed: Seed of the sampling.
        most: Longest answer in tokens.
    """
    template = Template(tokenizer, config.enable_thinking)
    prompts = [_tokens(template, one, config, f"question {n}") for n, one in enumerate(asked, 1)]
    by_length = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    found = stops(tokenizer, [end for end in [turn_end(tokenizer)] if end is not None])
    stop_ids = sorted(found.ids | end_ids(model.generation_config))
    training, said = model.training, dict[int, Answer]()
    model.eval()
    devices = [model.device] if model.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for start in range(0, len(by_length), _BATCH):
            batch = by_length[start : start + _BATCH]
            new = _sampled(model, [prompts[n] for n in batch], stop_ids, most)
            for number, ids in zip(batch, new, strict=True):
                text = _text(template, ids, stop_ids, found.texts)
                said[number] = Answer(tuple(prompts[number]), tuple(ids), text)
    model.train(training)
    return [said[number] for number in range(len(asked))]


def _tokens(template: Template, one: Asked, config: TrainConfig, where: str) -> list[int]:
    system = [] if one.system is None else [{"role": "system", "content": one.system}]
    chat = [*system, *one.chat]
    if config.fold_system:
        chat = fold_system(chat, where)
    return template.tokens(template.render(chat, where, generation_prompt=True))


def _sampled(
    model: Any, prompts: Sequence[Sequence[int]], stop_ids: Sequence[int], most: int
) -> list[list[int]]:
    """Return the new tokens of prompts, each up to what ends it."""
    ids, mask = left_padded(prompts, model.device)
    width = ids.shape[1]
    room = model.config.get_text_config().max_position_embeddings - width
    with torch.no_grad():
        whole = model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            max_new_tokens=max(1, min(most, room)),
            eos_token_id=list(stop_ids) or None,
            pad_token_id=stop_ids[0] if stop_ids else 0,
        )
    found = []
    for row in whole[:, width:].tolist():
        end = next((n for n, token in enumerate(row) if token in stop_ids), len(row) - 1)
        found.append(row[: end + 1])
    return found


def _text(
    template: Template, ids: Sequence[int], stop_ids: Sequence[int], ends: Sequence[str]
) -> str | None:
    if ids and ids[-1] in stop_ids:
        return template.text(ids[:-1]).strip() or None
    text = template.text(ids)
    cuts = [text.index(end) for end in ends if end in text]
    return (text[: min(cuts)].strip() or None) if cuts else None
