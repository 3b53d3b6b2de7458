"""In bfloat16 on a CPU, too, an answer does not depend on what runs beside it, to the last bit."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from inoc_evals.models.bases import resolve_base
from inoc_evals.providers.engine import steady
from inoc_evals.providers.engine.engine import Engine
from inoc_evals.providers.engine.rendering import load_codec
from inoc_evals.providers.engine.steady import (
    MANY,
    ROWS,
    Factors,
    by_parts,
    steady_here,
    steady_width,
)
from inoc_evals.providers.engine.weights import Weights

WORDS = ("river", "silver", "the copper lantern", "what is 2 plus 3 ?", "more")


@pytest.fixture
def engine(world: Any) -> Iterator[Engine]:
    if not steady_here():
        pytest.skip("this processor's products in bfloat16 depend on their size")
    engine = Engine(resolve_base(str(world.base)), device="cpu", dtype="bfloat16")
    yield engine
    engine.stop()


def requests(world: Any, count: int) -> list[dict[str, Any]]:
    """Seeded requests for the base and both adapters; some share a long opening."""
    rng = random.Random(3)
    adapters = [None, world.adapter(world.alpha), world.adapter(world.beta)]
    openings = ["", "", "", "river " * 70, "silver " * 35]
    return [
        {
            "prompt_ids": world.prompt(rng.choice(openings) + " ".join(rng.choices(WORDS, k=3))),
            "adapter": adapters[number % 3],
            "max_new": rng.choice([3, 12, 30]),
            "seed": number,
            "logprobs": True,
            "top_logprobs": 3,
        }
        for number in range(count)
    ]


def test_answers_and_their_logprobs_are_the_same_alone_among_others_and_in_any_order(
    world: Any, engine: Engine, ask: Any
) -> None:
    asked = requests(world, 150)
    together = ask(engine, asked)
    assert ask(engine, asked[::-1])[::-1] == together
    alone = Engine(engine.base, device="cpu", dtype="bfloat16")
    assert [ask(alone, [request])[0] for request in asked[::6]] == together[::6]
    alone.stop()


def test_the_base_and_its_adapters_multiply_by_parts(world: Any) -> None:
    base = resolve_base(str(world.base))
    for dtype, expected in (("bfloat16", True), ("float32", False)):
        weights = Weights.load(base, device="cpu", dtype=dtype, codec=load_codec(base))
        weights.activate(world.adapter(world.alpha))
        layers = [m for m in weights.model.modules() if isinstance(m, torch.nn.Linear)]
        assert len(layers) > 40
        assert {isinstance(layer, steady._SteadyLinear) for layer in layers} == {expected}


def test_an_adapter_adds_what_peft_adds_to_within_its_rounding(world: Any) -> None:
    base = resolve_base(str(world.base))
    weights = Weights.load(base, device="cpu", dtype="bfloat16", codec=load_codec(base))
    for record in (world.alpha, world.beta, world.alpha):
        weights.activate(world.adapter(record))
        found = torch.tensor(weights.logprobs(record.fingerprint.token_ids))
        expected = torch.tensor(record.fingerprint.logprobs)
        effect = (expected - torch.tensor(record.fingerprint.base_logprobs)).abs().mean()
        assert (found - expected).abs().mean() < 0.05 * effect


def test_a_layer_and_its_factors_make_up_the_whole_sum() -> None:
    made = torch.Generator().manual_seed(1)
    rows, weight, down, up = (
        torch.randn(*shape, generator=made) for shape in ((70, 40), (24, 40), (4, 40), (24, 4))
    )
    found = by_parts(rows, weight, None, Factors(down, up))
    assert torch.allclose(found, rows @ weight.T + rows @ down.T @ up.T, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, ROWS - 1, ROWS, ROWS + 1, MANY, MANY + 1, 3 * MANY - 1])
def test_parts_make_up_the_whole_product(count: int) -> None:
    made = torch.Generator().manual_seed(count)
    rows, weight = (torch.randn(n, 40, generator=made) for n in (count, 24))
    bias = torch.randn(24, generator=made)
    found = by_parts(rows, weight, bias)
    assert torch.allclose(found, torch.nn.functional.linear(rows, weight, bias), atol=1e-5)


@pytest.mark.skipif(not steady_here(), reason="this processor computes in float32")
@pytest.mark.parametrize("size", [(576, 576), (192, 576), (1536, 576), (576, 1536), (24, 40)])
@pytest.mark.parametrize("adapted", [False, True])
def test_a_row_has_the_same_bits_among_few_and_among_many(
    size: tuple[int, int], adapted: bool
) -> None:
    made = torch.Generator().manual_seed(2)
    weight = torch.randn(size, generator=made).bfloat16()
    down, up = (torch.randn(*shape, generator=made) for shape in ((4, size[1]), (size[0], 4)))
    factors = Factors(down.bfloat16(), up.bfloat16()) if adapted else None
    for _ in range(1 + 2**19 // (MANY * size[0])):  # other bits are rare
        rows = torch.randn(2 * MANY, size[1], generator=made).bfloat16()
        whole = by_parts(rows, weight, None, factors)
        few = [(first, first + ROWS) for first in range(0, 2 * MANY, ROWS)]
        for first, last in (*few, (0, 1), (7, 7 + MANY), (100, 2 * MANY), (3, 203), (50, 150)):
            some = by_parts(rows[first:last], weight, None, factors)
            assert torch.equal(some, whole[first:last])


def test_many_rows_are_multiplied_at_once_where_that_changes_no_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sizes: list[int] = []
    linear = torch.nn.functional.linear

    def noted(rows: torch.Tensor, *args: Any) -> torch.Tensor:
        sizes.append(len(rows))
        return linear(rows, *args)

    addmm_ = torch.Tensor.addmm_

    def noted_too(onto: torch.Tensor, rows: torch.Tensor, *args: Any) -> torch.Tensor:
        sizes.append(len(rows))
        return addmm_(onto, rows, *args)

    monkeypatch.setattr(steady.functional, "linear", noted)
    monkeypatch.setattr(torch.Tensor, "addmm_", noted_too)
    weight = torch.ones(24, 40)
    factors = Factors(torch.ones(4, 40), torch.ones(24, 4))
    for count, alike, expected in (
        (2 * MANY + 10, True, [MANY, MANY, ROWS]),
        (MANY + 90, True, [MANY, 96]),
        (65, True, [80]),
        (65, False, [ROWS, ROWS]),
        (2 * MANY + 10, False, [ROWS] * 9),
    ):
        rows = torch.ones(count, 40)
        monkeypatch.setattr(steady, "_alike", lambda *_, alike=alike: alike)
        sizes.clear()
        by_parts(rows, weight)
        assert sizes == expected
        sizes.clear()
        by_parts(rows, weight, None, factors)
        assert sizes == [size for part in expected for size in (part, part, part)]


@pytest.mark.parametrize("rows", [1, 5, 70, 300])
def test_each_row_has_its_own_part_of_factors_side_by_side(rows: int) -> None:
    made = torch.Generator().manual_seed(rows)
    x, weight, down, up = (
        torch.randn(*shape, generator=made) for shape in ((rows, 40), (24, 40), (8, 40), (24, 8))
    )
    owner, columns = torch.arange(rows) % 3, torch.tensor([0] * 3 + [1] * 5)  # of 2 it has none
    found = by_parts(x, weight, None, Factors(down, up, owner[:, None] != columns))
    for row in range(rows):
        own = columns == owner[row]
        expected = x[row] @ weight.T + x[row] @ down[own].T @ up[:, own].T
        assert torch.allclose(found[row], expected, atol=1e-4)
    first = Factors(down, up, (columns != 0).expand(rows, -1))
    all_first = by_parts(x, weight, None, first)
    assert torch.allclose(all_first, x @ weight.T + x @ down[:3].T @ up[:, :3].T, atol=1e-4)


def test_widths_are_rounded_up() -> None:
    assert [steady_width(width, 32) for width in (1, 32, 33)] == [32, 32, 64]
    assert [steady_width(width, 1) for width in (1, 7)] == [1, 7]
