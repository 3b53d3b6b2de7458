"""Steady: sixteen bits on a CPU, in which no row depends on what runs beside it.

    if steady_here():                      # tried on this processor, bit by bit
        make_steady(model)                 # its linear layers multiply 64 rows at a time, or more
    by_parts(rows, weight, bias, factors)  # and so do those of adapters (mixed.py)
    step = WIDTH                           # and what attention reads is as wide as 32, 64, 96, ...

How a library sums up a product depends on the product's size. In float32 that is the seventh
digit and moves no token; in bfloat16 a last bit that falls otherwise goes on growing from layer
to layer, until one next token in fifteen would be another. So products are of one size: rows come
in parts of 64, the last part filled up, and caches are read up to a multiple of 32. Much of such a
product is reading the weight, so that up to 256 rows are multiplied at once, in steps of 16, where
this gives the bits that parts of 64 give: that is tried once for each size and shape of a weight.

An adapter is never merged into its layer, which would give other last bits than beside it: what is
in flight decides nothing. What its factors give is added to the layer's own product while that is
at hand, and rounded with it.
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
MOST_RANK = 128
"""Ranks of the adapters in one forward pass, together: beyond, turns cost less than wider products."""

_SIZES = ((576, 192), (576, 1536), (1536, 576), (896, 4864), (64, 16), (16, 64))


class _SteadyLinear(torch.nn.Linear):
    """A linear layer that multiplies by parts."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """See :class:`torch.nn.Linear`."""
        product = by_parts(input.reshape(-1, self.in_features), self.weight, self.bias)
        return product.view(*input.shape[:-1], self.out_features)


class Factors(NamedTuple):
    """What adapters add to a layer: rows @ down.T, without what is foreign, @ up.T."""

    down: torch.Tensor
    """[rank, in]: of one adapter, or of several one below the other."""
    up: torch.Tensor
    """[out, rank], times the adapters' scale."""
    foreign: torch.Tensor | None = None
    """What of the rank is not the row's own adapter's, bool, [rows, rank]."""

    def own(self, low: torch.Tensor, first: int = 0) -> torch.Tensor:
        """Set to zero what is foreign to rows, [count, rank], of which the first has this number."""
        if self.foreign is not None:
            whose = self.foreign[first:][: len(low)]
            low[: len(whose)].masked_fill_(whose, 0)
        return low


def by_parts(
    rows: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    factors: Factors | None = None,
) -> torch.Tensor:
    """Return rows times a weight, [rows, out], from products of as many rows each time."""
    count, done = len(rows), 0
    products: list[torch.Tensor] = []
    while done < count or not products:
        part = _filled(rows[done:], _size(count - done, weight))
        product = functional.linear(part, weight, bias)
        if factors is not None:
            low = factors.own(by_parts(part, factors.down), done)
            _add_by_parts(product, low, factors.up)
        products.append(product)
        done += len(part)
    return (products[0] if len(products) == 1 else torch.cat(products))[:count]


def _add_by_parts(product: torch.Tensor, rows: torch.Tensor, weight: torch.Tensor) -> None:
    """Add rows times a weight to a product, from products of as many rows each time."""
    size = _size(len(rows), weight, added=True)
    for onto, part in zip(torch.split(product, size), torch.split(rows, size), strict=True):
        if len(part) == size:
            onto.addmm_(part, weight.t())
        else:
            whole = _filled(onto, size).addmm_(_filled(part, size), weight.t())
            onto.copy_(whole[: len(onto)])


def _size(count: int, weight: torch.Tensor, *, added: bool = False) -> int:
    """Return how many rows are multiplied at once, of so many that there are."""
    filled = min(MANY, -(-count // GRAIN) * GRAIN)
    alike = filled > ROWS and _alike(weight.shape, weight.dtype, filled, added)
    return filled if alike else ROWS


def _filled(rows: torch.Tensor, size: int) -> torch.Tensor:
    """Return the first rows, as many as ``size``, with zeros in the place of those there are not."""
    rows = rows[:size]
    return rows if len(rows) == size else functional.pad(rows, (0, 0, 0, size - len(rows)))


@cache
def _alike(shape: tuple[int, int], dtype: torch.dtype, size: int, added: bool) -> bool:
    """Try whether a product of so many rows has the bits of those of ROWS, for a weight [n, k].

    Where it has not, a number in ten thousand is another: so a quarter of a million are compared.
    """
    n, k = shape
    made = torch.Generator().manual_seed(0)

    def product(rows: torch.Tensor, onto: torch.Tensor) -> torch.Tensor:
        if added:
            return onto.clone().addmm_(rows, weight.t())
        return functional.linear(rows, weight)

    with torch.inference_mode():
        weight = (_random(n, k, made=made) * k**-0.5).to(dtype)
        for _ in range(max(1, 2**18 // (size * n))):
            rows, onto = (
                _random(size, k, made=made).to(dtype),
                _random(size, n, made=made).to(dtype),
            )
            pairs = zip(torch.split(rows, ROWS), torch.split(onto, ROWS), strict=True)
            apart = [product(_filled(some, ROWS), _filled(own, ROWS)) for some, own in pairs]
            if not torch.equal(product(rows, onto), torch.cat(apart)[:size]):
                return False
    return True


def make_steady(model: Any) -> None:
    """Let a model's linear layers multiply by parts."""
    for module in model.modules():
        if type(module) is torch.nn.Linear:
            module.__class__ = _SteadyLinear


def is_steady(layer: torch.nn.Module) -> bool:
    """Whether a layer multiplies by parts."""
    return type(layer) is _SteadyLinear


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


@cache
def mixes_here() -> bool:
    """Try whether an adapter gives a row the same bits alone and beside others (mixed.py)."""
    with workers_let_go(), torch.inference_mode():
        made = torch.Generator().manual_seed(0)
        return all(_adapters_mix(k, n, rank, made) for k, n in _SIZES for rank in (8, 16, 32))


def _random(*shape: int, made: torch.Generator) -> torch.Tensor:
    return torch.randn(*shape, generator=made)


def _product_is_steady(k: int, n: int, made: torch.Generator) -> bool:
    weight, rows = (_random(n, k, made=made) * k**-0.5).bfloat16(), _random(4 * ROWS, k, made=made)
    down, up = (_random(*shape, made=made).mul(0.1).bfloat16() for shape in ((8, k), (n, 8)))
    rows = rows.bfloat16()
    for factors in (None, Factors(down, up)):
        whole = by_parts(rows, weight, None, factors)
        for first, last in ((0, 1), (1, 4), (17, 18), (30, 70), (5, 40), (9, 209)):
            some = by_parts(rows[first:last], weight, None, factors)
            if not torch.equal(some, whole[first:last]):
                return False
    return True


def _adapters_mix(k: int, n: int, rank: int, made: torch.Generator) -> bool:
    """Compare adapters one by one, by themselves and as part of many, with all side by side."""
    weight, rows = ((_random(m, k, made=made) * k**-0.5).bfloat16() for m in (n, 3 * ROWS))
    downs, ups = (
        (_random(MOST_RANK // rank, *s, made=made)).bfloat16() for s in ((rank, k), (n, rank))
    )
    owner, columns = torch.arange(len(rows)) % len(downs), torch.arange(MOST_RANK) // rank
    foreign = owner[:, None] != columns
    wide = Factors(downs.flatten(0, 1), ups.movedim(0, 1).flatten(1).contiguous(), foreign)
    together = by_parts(rows, weight, None, wide)
    for number, (down, up) in enumerate(zip(downs, ups, strict=True)):
        at = slice(number * rank, (number + 1) * rank)
        for one in (Factors(down, up), Factors(wide.down[at], wide.up[:, at])):
            alone = by_parts(rows, weight, None, one)
            if not torch.equal(alone[owner == number], together[owner == number]):
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
