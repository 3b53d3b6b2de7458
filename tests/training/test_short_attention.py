"""Attention over short rows is torch's, in any shape that transformers asks for."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from inoc_evals.training.masks import IGNORED, Encoded
from inoc_evals.training.packing import check_isolation, pack
from inoc_evals.training.short_attention import LONGEST, short_attention


def models(kv_heads: int, dtype: torch.dtype) -> tuple[LlamaForCausalLM, LlamaForCausalLM]:
    made = []
    for attention in ("sdpa", short_attention()):
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
            num_attention_heads=4, num_key_value_heads=kv_heads, attn_implementation=attention,
            max_position_embeddings=2 * LONGEST,
        )  # fmt: skip
        made.append(LlamaForCausalLM(config).to(dtype))
    return made[0], made[1]


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize("length", [1, 9, LONGEST + 3])
def test_logits_and_gradients_are_those_of_torchs_kernel(kv_heads: int, length: int) -> None:
    plain, short = models(kv_heads, torch.float32)
    ids = torch.arange(2 * length).reshape(2, length) % 64
    mask = torch.ones_like(ids)
    mask[1, length - length // 3 :] = 0
    found = [model(input_ids=ids, attention_mask=mask).logits for model in (plain, short)]
    torch.testing.assert_close(found[0][mask > 0], found[1][mask > 0], rtol=1e-4, atol=1e-5)
    for logits in found:
        logits[mask > 0].square().sum().backward()
    for ours, theirs in zip(short.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-4)


def test_packed_rows_do_not_see_each_other() -> None:
    plain, short = models(2, torch.bfloat16)
    check_isolation(short)
    rows = [Encoded((5, 6, 7), (IGNORED, 6, 7)), Encoded((8, 9), (8, 9)), Encoded((4, 4), (4, 4))]
    batch = pack(rows, 0, single=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = [model(**batch, use_cache=False).loss.item() for model in (plain, short)]
    assert found[0] == pytest.approx(found[1], rel=2e-2)
