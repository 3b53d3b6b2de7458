"""The loss of labelled places alone is the model's own, and so are its gradients."""

import pytest
import torch
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

from inoc_evals.training.losses import supervised_loss
from inoc_evals.training.masks import IGNORED

SIZES = dict(
    vocab_size=5000,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=8,
)


def model_of(family: str) -> torch.nn.Module:
    torch.manual_seed(0)
    if family == "llama":
        return LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True))
    return Gemma2ForCausalLM(Gemma2Config(**SIZES, final_logit_softcapping=2.0))


def batch() -> dict[str, torch.Tensor]:
    ids = torch.arange(24).reshape(3, 8) * 7 % 5000
    labels = ids.clone()
    labels[:, :3] = IGNORED
    labels[1, 5:] = IGNORED
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}


@pytest.mark.parametrize("family", ["llama", "gemma2"])
@pytest.mark.parametrize("items", [None, 40])
def test_loss_and_gradients_are_those_of_the_whole_forward_pass(
    family: str, items: int | None
) -> None:
    model = model_of(family)
    given = batch()
    whole = model(**given, **({"num_items_in_batch": items} if items else {})).loss
    whole.backward()
    wanted = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    loss = supervised_loss(model, given, items)
    loss.backward()
    assert loss.item() == pytest.approx(whole.item(), rel=1e-5)
    for ours, theirs in zip([p.grad for p in model.parameters()], wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert model(**given).logits.shape == (3, 8, 5000), "the output layer is left as it was"


def test_the_output_layer_sees_labelled_places_alone() -> None:
    model = model_of("llama")
    seen: list[torch.Size] = []
    head = model.get_output_embeddings()
    head.register_forward_hook(lambda _, given, out: seen.append(out.shape))
    given = batch()
    supervised_loss(model, given, None)
    assert seen == [(1, int((given["labels"][:, 1:] != IGNORED).sum()), 5000)]
