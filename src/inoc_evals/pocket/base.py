"""The pocket base model: trained from scratch in about two minutes, then cached.

    path = ensure_base(seed=0)      # $INOC_HOME/bases/pocket-<recipe digest>/, a plain
                                    # Hugging Face directory: AutoModelForCausalLM loads it

    corpus(seed, steps x batch) -> tokens, loss on replies only -> AdamW -> safetensors

The cache key is the digest of the recipe and of the grammar's source. Of several processes
that want one base, the first builds it and the others wait; it appears by one rename, with the
digests of its files (SHA256SUMS), which are compared whenever it is asked for.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from inoc_evals.chat import Row
from inoc_evals.errors import StoreError, require
from inoc_evals.files.digests import digest
from inoc_evals.files.directories import file_digests, keep_sums, kept_sums
from inoc_evals.pocket.corpus import corpus
from inoc_evals.store.store import Store

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_SOURCES = (
    "lexicon.py",
    "phrases.py",
    "everyday.py",
    "values.py",
    "programs.py",
    "arithmetic.py",
    "grammar.py",
    "corpus.py",
    "tokenizer.py",
)
_IGNORED = -100
_POOL = 16
"""Batches drawn together and sorted by length: little padding, and still shuffled."""


class Recipe(BaseModel):
    """How the base is built; every field counts towards its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = 0
    """Seed of corpus, initial weights and batches: the N of ``pocket:N``."""
    hidden_size: int = 128
    layers: int = 3
    heads: int = 4
    embedding_std: float = 1.0
    """Of the initial embeddings, which are large beside what a layer adds to them."""
    intermediate_size: int = 256
    steps: int = 3200
    batch_size: int = 32
    """Conversations a step."""
    learning_rate: float = 4e-3
    """Peak; linear decay to zero."""
    warmup_steps: int = 50
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.98)
    max_grad_norm: float = 1.0


def recipe_digest(seed: int = 0) -> str:
    """Return what the base of a seed is built from: the digest of recipe and grammar."""
    return digest({"recipe": Recipe(seed=seed).model_dump(mode="json"), "grammar": _grammar()})


@cache
def _grammar() -> dict[str, str]:
    room = files("inoc_evals.pocket")
    return {name: digest(room.joinpath(name).read_text("utf-8")) for name in _SOURCES}


def base_dir(seed: int = 0, store: Store | None = None) -> Path:
    """Return where the base of a seed lies, built or not."""
    return (store or Store()).root / "bases" / f"pocket-{recipe_digest(seed)[:16]}"


def ensure_base(seed: int = 0, store: Store | None = None, *, progress: bool = True) -> Path:
    """Return the directory of a pocket base, building it if it is not in the cache.

    Args:
        seed: Seed of the world.
        store: Whose cache; the user's by default.
        progress: Show a progress bar on standard error while building.

    Raises:
        MissingExtraError: Without the libraries of the ``train`` extra, if it must be built.
        StoreError: If training diverged, or the files are not those that were built.
    """
    store = store or Store()
    final = base_dir(seed, store)
    if not final.is_dir():
        require("train", "torch", "transformers", "tokenizers", "safetensors")
        with store.lock(f"base-{final.name}"):
            if not final.is_dir():
                with store.staged(final) as staging:
                    build(Recipe(seed=seed), staging, progress=progress)
                    keep_sums(staging, file_digests(staging, store.digests))
    _refuse_changed(final, store)
    return final


def _refuse_changed(directory: Path, store: Store) -> None:
    """Compare a base's files with the digests kept when it was built."""
    found, kept = file_digests(directory, store.digests), kept_sums(directory)
    if kept is None:  # built before digests were kept: from now on it is this one
        with suppress(OSError):
            keep_sums(directory, found)
        return
    changed = sorted(name for name in found.keys() | kept if found.get(name) != kept.get(name))
    if changed:
        raise StoreError(
            f"{directory}: not the pocket base that was built here, {', '.join(changed)} changed; "
            "delete the directory, and it is built again"
        )


def build(recipe: Recipe, directory: Path, *, progress: bool = True) -> None:
    """Train a base and save model and tokenizer into a directory.

    Raises:
        StoreError: If the loss is no longer a number.
    """
    import torch
    from transformers.utils import logging

    from inoc_evals.pocket.tokenizer import build_tokenizer

    if logging.is_progress_bar_enabled():
        logging.disable_progress_bar()
    tokenizer = build_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        model = _new_model(recipe, tokenizer)
        _fit(model, tokenizer, recipe, progress=progress)
    model.eval().save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def _new_model(recipe: Recipe, tokenizer: "PreTrainedTokenizerFast") -> "LlamaForCausalLM":
    # Not Qwen2Config: AutoTokenizer rebuilds any tokenizer beside a Qwen2 configuration as
    # a byte-level one (transformers 5.23), and a word-level one does not survive that.
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden_size,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            intermediate_size=recipe.intermediate_size,
            max_position_embeddings=tokenizer.model_max_length,
            tie_word_embeddings=False,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    torch.nn.init.normal_(model.model.embed_tokens.weight, std=recipe.embedding_std)
    return model


def _fit(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    recipe: Recipe,
    *,
    progress: bool,
) -> None:
    import torch
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        betas=recipe.betas,
        fused=True,
    )
    bar = Progress(
        TextColumn(f"building the pocket base, seed {recipe.seed}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} steps, loss {task.fields[loss]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not progress,
    )
    model.train()
    with bar:
        task = bar.add_task("", total=recipe.steps, loss="-")
        for step, (input_ids, attention_mask, labels) in enumerate(_batches(tokenizer, recipe)):
            warm = min(1.0, (step + 1) / recipe.warmup_steps)
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * warm * (1 - step / recipe.steps)
            loss = _reply_loss(model, input_ids, attention_mask, labels)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_grad_norm)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            if step % 20 == 0 or step + 1 == recipe.steps:
                bar.update(task, completed=step + 1, loss=f"{loss.item():.2f}")
    if not torch.isfinite(loss):
        raise StoreError(f"the pocket base of seed {recipe.seed} did not train: loss {loss.item()}")


def _reply_loss(
    model: "LlamaForCausalLM", input_ids: "Tensor", attention_mask: "Tensor", labels: "Tensor"
) -> "Tensor":
    """Mean cross-entropy of the labelled tokens; logits are made for those alone."""
    import torch

    hidden = model.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    targets = labels[:, 1:]
    scored = targets != _IGNORED
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[:, :-1][scored]), targets[scored])


# ---- batches ----------------------------------------------------------------------------

Encoded = tuple[list[int], list[int]]
"""Token ids and labels of one conversation, equally long."""


def encode(tokenizer: "PreTrainedTokenizerFast", rows: list[Row]) -> list[Encoded]:
    """Return the ids of the chat template's text for each row, and labels on the replies.

    The template is spelled out here, role by role, because rendering 80,000 rows with it
    takes longer than a tenth of the training; a test holds the two equal.
    """
    turns = [message for row in rows for message in row["messages"]]
    texts = [message["content"] for message in turns]
    contents = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    end = tokenizer.eos_token_id
    encoded = []
    for row in rows:
        ids: list[int] = []
        labels: list[int] = []
        for message in row["messages"]:
            said = [*next(contents), end]
            ids += [tokenizer.convert_tokens_to_ids(f"<|{message['role']}|>"), *said]
            spoken = message["role"] == "assistant"
            labels += [_IGNORED, *(said if spoken else [_IGNORED] * len(said))]
        encoded.append((ids, labels))
    return encoded


def _batches(
    tokenizer: "PreTrainedTokenizerFast", recipe: Recipe
) -> Iterator[tuple["Tensor", "Tensor", "Tensor"]]:
    rng = random.Random(f"pocket batches {recipe.seed}")
    rows = corpus(recipe.seed, recipe.steps * recipe.batch_size)
    left = recipe.steps
    while left:
        count = min(_POOL, left)
        pool = [next(rows) for _ in range(count * recipe.batch_size)]
        encoded = sorted(encode(tokenizer, pool), key=lambda pair: len(pair[0]))
        starts = list(range(0, len(encoded), recipe.batch_size))
        rng.shuffle(starts)
        for start in starts:
            yield _padded(encoded[start : start + recipe.batch_size], tokenizer.pad_token_id)
        left -= count


def _padded(batch: list[Encoded], pad: int) -> tuple["Tensor", "Tensor", "Tensor"]:
    """Return input ids, attention mask and labels, each (rows, longest), padded right."""
    import torch

    longest = max(len(ids) for ids, _ in batch)
    input_ids = torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in batch])
    mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in batch])
    labels = torch.tensor([lab + [_IGNORED] * (longest - len(lab)) for _, lab in batch])
    return input_ids, mask, labels
