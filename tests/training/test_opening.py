"""What all rows begin with, computed once: loss and gradients are those of all rows whole."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from inoc_evals.training import opening
from inoc_evals.training.losses import supervised_loss
from inoc_evals.training.masks import IGNORED
from inoc_evals.training.opening import after_opening, has_openings, opening_of

SIZES: dict[str, Any] = dict(
    vocab_size=300,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
)
SHARED = 20


@pytest.fixture(autouse=True)
def small_batches_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LEAST_SPARED", SHARED - 4)


def adapted(family: str = "llama") -> Any:
    torch.manual_seed(0)
    model = {
        "llama": lambda: LlamaForCausalLM(LlamaConfig(**SIZES)),
        "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SIZES)),
    }[family]()
    lora = LoraConfig(
        r=4, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False
    )
    return get_peft_model(model, lora).double()


def batch(shared: int = SHARED, lengths: tuple[int, ...] = (9, 4, 12)) -> dict[str, torch.Tensor]:
    """Rows that begin alike, whose answers begin three tokens after that, padded on the right."""
    torch.manual_seed(1)
    places = shared + max(lengths)
    ids = torch.randint(1, 300, (len(lengths), places))
    ids[:, :shared] = ids[0, :shared]
    ids[:, shared] = torch.arange(1, len(lengths) + 1)
    mask, labels = torch.ones_like(ids), ids.clone()
    labels[:, : shared + 3] = IGNORED
    for row, length in enumerate(lengths):
        ids[row, shared + length :] = 0
        mask[row, shared + length :] = 0
        labels[row, shared + length :] = IGNORED
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def gradients(model: Any, given: dict[str, Any]) -> tuple[float, list[torch.Tensor]]:
    model.zero_grad()
    loss = supervised_loss(model, given, None)
    loss.backward()
    trained = [p.grad.clone() for p in model.parameters() if p.requires_grad]
    return loss.item(), trained


@pytest.mark.parametrize("family", ["llama", "qwen3"])
@pytest.mark.parametrize("lengths", [(9, 4, 12), (5, 5)])
def test_loss_and_gradients_are_those_of_the_rows_whole(
    family: str, lengths: tuple[int, ...]
) -> None:
    model, given = adapted(family), batch(lengths=lengths)
    assert has_openings(model)
    length = opening_of(given)
    assert length == SHARED
    whole, wanted = gradients(model, given)
    once, found = gradients(model, after_opening(model, given, length))
    assert once == pytest.approx(whole, rel=1e-6)
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-8)


def test_the_opening_is_read_once() -> None:
    model, given, seen = adapted(), batch(), []
    embedding = model.get_input_embeddings()
    embedding.register_forward_hook(lambda _, ids, out: seen.append(tuple(ids[0].shape)))
    supervised_loss(model, after_opening(model, given, SHARED), None)
    assert seen == [(1, SHARED), (3, 12)]


def _one_row(given: dict[str, torch.Tensor]) -> None:
    for name in given:
        given[name] = given[name][:1]


def _few_tokens(given: dict[str, torch.Tensor]) -> None:
    given["input_ids"][:2, 7] = torch.tensor([299, 298])


def _learned_within(given: dict[str, torch.Tensor]) -> None:
    given["labels"][1, 7] = 7


def _padded_within(given: dict[str, torch.Tensor]) -> None:
    given["attention_mask"][1, 7:] = 0


@pytest.mark.parametrize("change", [_one_row, _few_tokens, _learned_within, _padded_within])
def test_rows_without_a_long_opening_are_left_whole(
    change: Callable[[dict[str, torch.Tensor]], None],
) -> None:
    given = batch()
    change(given)
    assert opening_of(given) == 0


def test_an_opening_ends_before_what_predicts_the_first_learned_token() -> None:
    given = batch()
    given["labels"][2, SHARED] = 5  # predicted from the last token of the opening
    assert opening_of(given) == SHARED - 1
    model = adapted()
    whole, wanted = gradients(model, given)
    once, found = gradients(model, after_opening(model, given, SHARED - 1))
    assert once == pytest.approx(whole, rel=1e-6)
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-8)


def test_models_that_keep_something_else_or_drop_out_read_rows_whole() -> None:
    sliding = Gemma2ForCausalLM(Gemma2Config(**SIZES))
    dropping = LlamaForCausalLM(LlamaConfig(**SIZES, attention_dropout=0.1))
    assert not has_openings(sliding)
    assert not has_openings(dropping)
    assert dropping.training, "as it was"
