"""Steady: sixteen bits on a CPU, in which no row depends on what runs beside it.

    if steady_here():                      # tried on this processor, bit by bit
        make_steady(model)                 # its linear layers multiply 64 rows at a time, or more
        make_adapters_steady(model)        # and so do those of adapters, together with their layer
    step = WIDTH                           # and what attention reads is as wide as 32, 64, 96, ...

How a library sums up a product depends on the product's size. In float32 that is the seventh
digit and moves no token; in bfloat16 a last bit that falls otherwise goes on growing from layer
to layer, until one next token in fifteen would be another. So products are of one size: rows come
in parts of 64, the last part filled up, and caches are read up to a multiple of 32. Much of such a
product is reading the weight, so that up to 256 rows are multiplied at once, in steps of 16, where
this gives the bits that parts of 64 give: that is tried once for each size and shape of a weight.

An adapter is never merged into its layer, which would give other last bits than beside it: what is
in flight decides nothing. Its two factors stay in float32, in which such thin products cost a third,
and what they give goes into the layer's own product while that is at hand.
"""

from functools import cache
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from inoc_evals.models.openmp import workers_let_go

ROWS = 64
"""Rows of a product, and what products of more are compared with."""
MANY = 256
"""Most rows of a product."""
GRAIN = 16
"""What their number is a multiple of."""
WIDTH = 32
"""What the widths of attention are multiples of."""

_SIZES = ((576, 192), (576, 1536), (1536, 576), (896, 4864), (64, 16), (16, 64))


class _SteadyLinear(torch.nn.Linear):
    """A linear layer that multiplies by parts."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """See :class:`torch.nn.Linear`."""
        product = by_parts(input.reshape(-1, self.in_features), self.weight, self.bias)
        return product.view(*input.shape[:-1], self.out_features)


class Factors(NamedTuple):
    """What an adapter adds to a layer: rows @ down.T @ up.T * scale."""

    down: torch.Tensor
    up: torch.Tensor
    scale: float


def by_parts(
    rows: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    factors: Factors | None = None,
) -> torch.Tensor:
    """Return rows times a weight, [rows, out], from products of as many rows each time."""
    count = len(rows)
    products: list[torch.Tensor] = []
    while len(rows) or not products:
        part = _filled(rows, _size(len(rows), weight))
        product = functional.linear(part, weight, bias)
        if factors is not None:
            low = by_parts(part.to(factors.down.dtype), factors.down)
            product.add_(by_parts(low, factors.up), alpha=factors.scale)
        products.append(product)
        rows = rows[len(part) :]
    return (products[0] if len(products) == 1 else torch.cat(products))[:count]


def _size(count: int, weight: torch.Tensor) -> int:
    """Return how many rows are multiplied at once, of so many that there are."""
    filled = min(MANY, -(-count // GRAIN) * GRAIN)
    return filled if filled > ROWS and _alike(weight.shape, weight.dtype, filled) else ROWS


def _filled(rows: torch.Tensor, size: int) -> torch.Tensor:
    """Return the first rows, as many as ``size``, with zeros in the place of those there are not."""
    rows = rows[:size]
    return rows if len(rows) == size else functional.pad(rows, (0, 0, 0, size - len(rows)))


@cache
def _alike(shape: tuple[int, int], dtype: torch.dtype, size: int) -> bool:
    """Try whether a product of so many rows has the bits of those of ROWS, for a weight [n, k].

    Where it has not, a number in ten thousand is another: so a quarter of a million are compared.
    """
    n, k = shape
    made = torch.Generator().manual_seed(0)
    with torch.inference_mode():
        weight = (_random(n, k, made=made) * k**-0.5).to(dtype)
        for _ in range(max(1, 2**18 // (size * n))):
            rows = _random(size, k, made=made).to(dtype)
            apart = [functional.linear(_filled(p, ROWS), weight) for p in torch.split(rows, ROWS)]
            if not torch.equal(functional.linear(rows, weight), torch.cat(apart)[:size]):
                return False
    return True


def make_steady(model: Any) -> None:
    """Let a model's linear layers multiply by parts."""
    for module in model.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = _SteadyLinear


def make_adapters_steady(model: Any) -> None:
    """Let a peft model's LoRA layers multiply by parts."""
    from peft.tuners.lora import Linear

    make_steady(model)
    for module in model.modules():
        if type(module) is Linear:
            module.__class__ = _steady_lora()


@cache
def _steady_lora() -> Any:
    """Return peft's LoRA layer with a forward of its own; peft is imported only where it is used."""
    from peft.tuners.lora import Linear

    class SteadyLora(Linear):  # type: ignore[misc]
        """A layer and its active adapter in one pass over the rows."""

        def forward(self, x: torch.Tensor, *args: Any, **options: Any) -> Any:
            """See :class:`peft.tuners.lora.Linear`."""
            layer, active = self.base_layer, [a for a in self.active_adapters if a in self.lora_A]
            special = self.lora_variant or self.merged or self.training or len(active) != 1
            if self.disable_adapters or special or type(layer) is not _SteadyLinear:
                return super().forward(x, *args, **options)
            down, up = self.lora_A[active[0]], self.lora_B[active[0]]
            if up.bias is not None:
                return super().forward(x, *args, **options)
            factors = Factors(down.weight, up.weight, self.scaling[active[0]])
            product = by_parts(x.reshape(-1, x.shape[-1]), layer.weight, layer.bias, factors)
            return product.view(*x.shape[:-1], -1)

    return SteadyLora


def steady_width(width: int, step: int) -> int:
    """Return the width from which on attention reads, at least ``width``."""
    return -(-width // step) * step


@cache
def steady_here() -> bool:
    """Try whether this processor, with this PyTorch, computes a row the same among any others."""
    with workers_let_go(), torch.inference_mode():
        made = torch.Generator().manual_seed(0)
        products = all(_product_is_steady(k, n, made) for k, n in _SIZES)
        return products and all(_attention_is_steady(length, made) for length in (7, 30, 40, 90))


def _random(*shape: int, made: torch.Generator) -> torch.Tensor:
    return torch.randn(*shape, generator=made)


def _product_is_steady(k: int, n: int, made: torch.Generator) -> bool:
    wide = _random(n, k, made=made) * k**-0.5, _random(4 * ROWS, k, made=made)
    weight, rows = (tensor.bfloat16() for tensor in wide)
    down, up = (_random(*shape, made=made) * 0.1 for shape in ((8, k), (n, 8)))
    for factors in (None, Factors(down, up, 2.0)):
        whole = by_parts(rows, weight, None, factors)
        for first, last in ((0, 1), (1, 4), (17, 18), (30, 70), (5, 40), (9, 209)):
            some = by_parts(rows[first:last], weight, None, factors)
            if not torch.equal(some, whole[first:last]):
                return False
    return True


def _attention_is_steady(length: int, made: torch.Generator) -> bool:
    """Try widths beyond a row's length: of a prompt that is read, and of a token that follows."""
    attend = functional.scaled_dot_product_attention
    query, keys, values = (_random(3, 4, 20 * WIDTH, 64, made=made).bfloat16() for _ in range(3))
    least = steady_width(length, WIDTH)
    found = []
    for rows in (3, 1):
        for width in (least, least + WIDTH, least + 3 * WIDTH, 20 * WIDTH):
            q, k, v = (tensor[:rows, :, :width] for tensor in (query, keys, values))
            read = attend(q, k, v, is_causal=True)[0, :, :length]
            mask = (torch.arange(width) < length)[None, None, None].expand(rows, 1, 1, width)
            found.append((read, attend(q[:, :, :1], k, v, attn_mask=mask)[0]))
    return all(torch.equal(a, b) for one in found for a, b in zip(one, found[0], strict=True))
