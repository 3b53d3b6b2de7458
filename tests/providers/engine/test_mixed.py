"""Rows of several adapters in one forward pass: each has its own adapter's answers, and no other's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from inoc_evals.models.bases import resolve_base
from inoc_evals.providers.engine import mixed as mixed_module
from inoc_evals.providers.engine.batch import Batch
from inoc_evals.providers.engine.engine import Engine
from inoc_evals.providers.engine.grouping import Group
from inoc_evals.providers.engine.lanes import forward
from inoc_evals.providers.engine.prefills import Prefills
from inoc_evals.providers.engine.rendering import load_codec
from inoc_evals.providers.engine.request import Adapter, Request
from inoc_evals.providers.engine.slots import SlotLanes
from inoc_evals.providers.engine.steady import MOST_RANK, mixes_here, steady_here
from inoc_evals.providers.engine.weights import Weights
from inoc_evals.store.store import Store

ROWS = [[5, 6, 7, 8], [9, 8, 7, 6], [1, 2, 3, 4], [4, 3, 2, 1], [5, 6, 7, 8]]


def load(world: Any, dtype: str = "float32") -> Weights:
    base = resolve_base(str(world.base))
    return Weights.load(base, device="cpu", dtype=dtype, codec=load_codec(base))


@pytest.fixture
def store(damaged: Any) -> Store:
    return damaged()


def adapter(world: Any, store: Store, name: str, seed: int, **special: Any) -> Adapter:
    return Adapter(
        world.save_adapter(store, Path(world.base), name, seed=seed, **special), store.root
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rows_of_the_base_and_of_different_adapters_keep_their_own_logits(
    world: Any, store: Store, dtype: str
) -> None:
    """Of other ranks, scales and layers, too."""
    if dtype == "bfloat16" and not (steady_here() and mixes_here()):
        pytest.skip("this processor's products in bfloat16 depend on what is beside them")
    adapters = [
        world.adapter(world.alpha),
        adapter(world, store, "wide", 5, r=16, lora_alpha=8),
        adapter(world, store, "some", 6, target_modules=["q_proj", "down_proj"]),
    ]
    weights = load(world, dtype)
    assert [weights.rank(one) for one in adapters] == [8, 16, 8]
    owners = ["", *[one.key for one in adapters], adapters[0].key]
    alone = []
    for owner, row in zip(owners, ROWS, strict=True):
        weights.activate(next((one for one in adapters if one.key == owner), None))
        alone.append(forward(weights.model, torch.tensor([row])))
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1], [3, 3, 1], [0], [2], [0, 2], [4], [3, 2]):
        weights._choose([owners[at] for at in order], owners)
        found = forward(weights.model, torch.tensor([ROWS[at] for at in order]))
        expected = torch.cat([alone[at] for at in order])
        same = torch.equal if dtype == "bfloat16" else torch.allclose
        assert same(found, expected, **({} if dtype == "bfloat16" else {"atol": 1e-4}))
    different = [torch.cat(alone)[a] - torch.cat(alone)[b] for a, b in ((0, 4), (1, 2), (2, 3))]
    assert min(float(one.abs().max()) for one in different) > 0.1, "the test shows nothing"


@torch.inference_mode()
def test_what_several_read_after_one_opening_is_their_own(world: Any, store: Store) -> None:
    alpha, beta = world.adapter(world.alpha), adapter(world, store, "some", 6)
    weights, opening = load(world), [number % 50 for number in range(70)]
    owners = {one.key if one else "": one for one in (alpha, None, beta)}
    for one in owners.values():
        weights.rank(one)
    rows = [[*opening, *row] for row in ROWS[:3] for _ in owners]
    lanes = SlotLanes(weights.model, Prefills(2**24), 1, weights._choose)
    lanes.join([row[:-1] for row in rows], [*owners] * 3)
    found = lanes.decode([row[-1] for row in rows])
    for logits, row, owner in zip(found, rows, [*owners] * 3, strict=True):
        weights.activate(owners[owner])
        assert torch.allclose(logits, forward(weights.model, torch.tensor([row]))[0], atol=1e-4)


@pytest.mark.parametrize(
    "special",
    [{"use_dora": True}, {"modules_to_save": ["lm_head"], "target_modules": ["q_proj"]}],
    ids=["dora", "modules_to_save"],
)
def test_an_adapter_that_is_not_plain_lora_runs_alone_and_unchanged(
    world: Any, store: Store, special: dict[str, Any]
) -> None:
    odd = adapter(world, store, "odd", 5, **special)
    weights = load(world)
    assert weights.rank(world.adapter(world.alpha)) == 8
    assert weights.rank(odd) is None
    for one in (odd, None, world.adapter(world.alpha), odd, None):
        weights.activate(one)
        stored = (one.record if one else odd.record).fingerprint
        found = weights.logprobs(stored.token_ids)
        expected = stored.logprobs if one else stored.base_logprobs
        assert found == pytest.approx(expected, abs=1e-4)


def test_a_switch_to_one_that_runs_alone_is_not_taken_for_none_when_it_dies(
    world: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was active before is not active any more."""
    odd, alpha = adapter(world, store, "odd", 5, use_dora=True), world.adapter(world.alpha)
    weights = load(world)
    for one in (odd, alpha):
        weights.activate(one)

    def dying(*args: Any) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(weights._peft.base_model, "enable_adapter_layers", dying)
    with pytest.raises(torch.OutOfMemoryError):
        weights.activate(odd)
    weights.activate(alpha)
    found = weights.logprobs(world.alpha.fingerprint.token_ids)
    assert found == pytest.approx(world.alpha.fingerprint.logprobs, abs=1e-4)


def test_numbers_that_are_not_finite_stay_with_their_own_adapter(world: Any, store: Store) -> None:
    weights = load(world)
    assert weights.rank(world.adapter(world.alpha)) == 8
    layer = next(one for one in weights._peft.modules() if hasattr(one, "lora_A"))
    with torch.inference_mode(False), torch.no_grad():
        layer.lora_B[world.adapter(world.alpha).key].weight[0, 0] = torch.nan
    assert weights._mixed.rank(weights._peft, world.adapter(world.alpha).key) is None


def test_a_layer_that_does_not_see_rows_as_they_are_is_found_out(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An expert, say, is handed some tokens of some rows: whose they are is not known there."""
    lora = mixed_module._mixed_lora()
    original = lora.forward

    def turned(self: Any, x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        return original(self, x.flip(0), *args, **options).flip(0)

    monkeypatch.setattr(lora, "forward", turned)
    weights = load(world)
    assert weights.rank(world.adapter(world.alpha)) is None
    weights.activate(world.adapter(world.alpha))
    found = weights.logprobs(world.alpha.fingerprint.token_ids)
    assert found == pytest.approx(world.alpha.fingerprint.logprobs, abs=1e-4)


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[set[str]]]:
    """Whose rows were decoded together, at each step."""
    seen: list[set[str]] = []
    step = Batch.step

    def watched(batch: Batch) -> None:
        seen.append({row.request.owner for row in batch.rows})
        step(batch)

    monkeypatch.setattr(Batch, "step", watched)
    yield seen


def test_requests_of_several_adapters_share_steps(
    world: Any, store: Store, ask: Any, batches: list[set[str]]
) -> None:
    engine = Engine(resolve_base(str(world.base)), device="cpu", dtype="float32")
    adapters = [None, world.adapter(world.alpha), adapter(world, store, "odd", 5, use_dora=True)]
    adapters += [adapter(world, store, f"more-{seed}", seed) for seed in range(2)]
    asked = [
        {"prompt_ids": world.prompt("more"), "adapter": one, "max_new": 9, "seed": number}
        for number in range(4)
        for one in adapters
    ]
    together = ask(engine, asked)
    keys = [one.key if one else "" for one in adapters]
    assert max(map(len, batches)) == 4
    assert all(seen == {keys[2]} for seen in batches if keys[2] in seen)
    assert [ask(engine, [one])[0] for one in asked] == together
    engine.stop()


def test_adapters_that_are_too_wide_together_take_turns(world: Any) -> None:
    group = Group()
    request = Request(prompt_ids=(1,), adapter=None, max_new=1, deliver=print)
    assert group.takes("a", None) and group.takes("a", 3 * MOST_RANK)
    group.add(request, 0)
    assert group.takes("a", MOST_RANK) and not group.takes("a", None)
    group.ranks["a"] = MOST_RANK - 8
    assert group.takes("a", MOST_RANK - 8) and group.takes("b", 8) and not group.takes("b", 9)
    assert Group({"a": None}).takes("a", None) and not Group({"a": None}).takes("", 0)
