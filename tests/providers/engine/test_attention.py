"""Attention of one token a row against that of transformers."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from inoc_evals.providers.engine.attention import (
    attend,
    attend_by_products,
    attends_by_products,
    products_are_steady,
)
from inoc_evals.providers.engine.prefills import Prefills
from inoc_evals.providers.engine.slots import SlotLanes


def tensors(heads: int, kept: int, queries: int = 1, width: int = 9) -> list[torch.Tensor]:
    made = torch.Generator().manual_seed(heads)
    shapes = (5, heads, queries, 8), (5, kept, width, 8), (5, kept, width, 8)
    return [torch.randn(*shape, generator=made) for shape in shapes]


def seen(queries: int = 1, width: int = 9) -> torch.Tensor:
    lengths = torch.tensor([1, 9, 4, 5, 2])
    return (torch.arange(width) < lengths[:, None])[:, None, None].expand(5, 1, queries, width)


@pytest.mark.parametrize("heads, kept", [(4, 4), (6, 2), (4, 1)])
@pytest.mark.parametrize("scaling", [None, 0.3])
@pytest.mark.parametrize("queries", [1, 3])
def test_each_row_reads_what_it_sees(
    heads: int, kept: int, scaling: float | None, queries: int
) -> None:
    layer: Any = SimpleNamespace(num_key_value_groups=heads // kept, is_causal=True)
    given = tensors(heads, kept, queries)
    found, _ = attend(layer, *given, seen(queries), scaling=scaling)
    expected, _ = sdpa_attention_forward(layer, *given, seen(queries), scaling=scaling)
    assert found.shape == expected.shape == (5, queries, heads, 8)
    assert torch.allclose(found, expected, atol=1e-6)


def test_what_products_do_not_know_is_left_to_torch() -> None:
    layer: Any = SimpleNamespace(num_key_value_groups=1, is_causal=True)
    given, mask = tensors(4, 4), seen()
    bias = torch.randn(1, 4, 1, 9, generator=torch.Generator().manual_seed(1))
    found, _ = attend(layer, *given, mask, position_bias=bias)
    expected, _ = sdpa_attention_forward(layer, *given, mask, position_bias=bias)
    assert torch.equal(found, expected)
    with pytest.raises(ValueError, match="softcap"):
        attend(layer, *given, mask, softcap=50.0)


@torch.inference_mode()
def test_a_model_gives_the_same_logits_by_products(shared_world: Any) -> None:
    rows = [[3, 1, 4, 1, 5], [9, 2, 6], [5, 3, 5, 8, 9, 7, 9]]
    found = []
    for by_products in (False, True):
        model = shared_world.reference()
        if by_products:
            attend_by_products(model)
        assert attends_by_products(model) == by_products
        lanes = SlotLanes(model, Prefills(0))
        lanes.join(rows[:2])
        first = lanes.decode([7, 7])
        lanes.trim()
        lanes.join(rows[2:])
        lanes.compact([(2, 0)], 2)
        assert lanes._layers[0].keys.stride()[-1 if not by_products else -2] == 1
        found.append([first, lanes.decode([8, 8]), lanes.decode([2, 3])])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_a_model_that_attends_in_another_way_keeps_it(shared_world: Any) -> None:
    model = shared_world.reference()
    model.set_attn_implementation("eager")
    attend_by_products(model)
    assert not attends_by_products(model)
    assert model.config._attn_implementation == "eager"


def test_the_trial_of_bits_finds_sums_that_depend_on_the_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.providers.engine import attention

    true = attention.products

    def uneven(query: Any, key: Any, value: Any, mask: Any, scale: float) -> torch.Tensor:
        return true(query, key, value, mask, scale) * (1 + 0.01 * (key.shape[2] > 200))

    monkeypatch.setattr(attention, "products", uneven)
    assert not products_are_steady.__wrapped__()
