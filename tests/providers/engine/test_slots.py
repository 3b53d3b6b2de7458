"""Slots and static lanes against the model's own forward pass."""

import random
from typing import Any

import pytest
import torch

from inoc_evals.providers.engine import slots
from inoc_evals.providers.engine.lanes import Lanes, StaticLanes, forward
from inoc_evals.providers.engine.prefills import Prefills
from inoc_evals.providers.engine.slots import SlotLanes, slots_agree


@pytest.fixture(scope="module")
def plain(shared_world: Any) -> Any:
    return shared_world.reference()


@pytest.fixture(scope="module")
def windowed(shared_world: Any) -> Any:
    return shared_world.loaded(shared_world.windowed)


def expected(model: Any, rows: list[list[int]]) -> torch.Tensor:
    return torch.cat([forward(model, torch.tensor([row])) for row in rows])


def random_row(rng: random.Random) -> list[int]:
    return [rng.randrange(60) for _ in range(rng.randint(0, 30))]


def remove(lanes: Lanes, rows: list[list[int]], number: int) -> None:
    last = len(rows) - 1
    lanes.compact([(last, number)] if number != last else [], last)
    rows[number] = rows[last]
    rows.pop()


@torch.inference_mode()
def test_rows_that_come_and_go_keep_their_own_logits(plain: Any) -> None:
    rng = random.Random(0)
    lanes = SlotLanes(plain)
    rows: list[list[int]] = []
    for _ in range(60):
        if len(rows) < 2 or rng.random() < 0.3:
            new = [random_row(rng) for _ in range(rng.randint(1, 5))]
            lanes.join(new)
            rows += new
        elif rng.random() < 0.3:
            remove(lanes, rows, rng.randrange(len(rows)))
        if rng.random() < 0.2:
            lanes.trim()
        tokens = [rng.randrange(60) for _ in rows]
        rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
        assert torch.allclose(lanes.decode(tokens), expected(plain, rows), atol=1e-4)
        assert lanes.rows == len(rows)


@torch.inference_mode()
@pytest.mark.parametrize("most", [0, 40_000, 2**30])
def test_rows_that_share_prompts_and_openings_keep_their_own_logits(plain: Any, most: int) -> None:
    """Of a memory that holds nothing, a few forward passes, or all of them; of several owners."""
    rng = random.Random(2)
    system = [[rng.randrange(60) for _ in range(70)] for _ in range(2)]
    asked = [rng.choice(system)[: rng.choice([3, 66, 70])] + random_row(rng) for _ in range(12)]
    lanes = SlotLanes(plain, Prefills(most))
    rows: list[list[int]] = []
    for _ in range(25):
        while len(rows) > 8:
            remove(lanes, rows, rng.randrange(len(rows)))
        new = [list(rng.choice(asked)) for _ in range(rng.randint(1, 6))]
        lanes.join(new, [rng.choice(["", "alpha"]) for _ in new])
        rows += new
        tokens = [rng.randrange(60) for _ in rows]
        rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
        assert torch.allclose(lanes.decode(tokens), expected(plain, rows), atol=1e-4)


def tokens_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens each forward pass of a prompt is given from now on."""
    read: list[int] = []

    def counted(model: Any, ids: torch.Tensor, mask: Any = None, *rest: Any, **past: Any) -> Any:
        if mask is None:
            read.append(ids.numel())
        return forward(model, ids, mask, *rest, **past)

    monkeypatch.setattr(slots, "forward", counted)
    return read


@torch.inference_mode()
def test_equal_prompts_are_read_once_also_over_time(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = tokens_read(monkeypatch)
    lanes = SlotLanes(plain, Prefills(2**20))
    lanes.join([[1, 2, 3], [4, 5, 6], [1, 2, 3]] * 10)
    lanes.decode([7] * 30)
    lanes.join([[4, 5, 6], [1, 2, 3]])
    assert read == [6]
    lanes.join([[1, 2, 3, 4]])
    assert read == [6, 4]


@torch.inference_mode()
def test_a_long_opening_is_read_once(plain: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read = tokens_read(monkeypatch)
    lanes = SlotLanes(plain, Prefills(2**24))
    opening = [number % 50 for number in range(90)]
    lanes.join([[*opening, 51, 1], [*opening, 52, 2], [*opening, 53, 3]])
    assert read == [90, 6]
    lanes.join([[*opening, 54]])
    assert read == [90, 6, 1]
    lanes.join([opening[:20], [*opening, 54, 9, 9]])
    assert sorted(read[3:]) == [3, 20]


@torch.inference_mode()
def test_static_rows_follow_a_sliding_window(windowed: Any) -> None:
    rng = random.Random(1)
    rows = [random_row(rng) for _ in range(6)]
    lanes = StaticLanes(windowed)
    lanes.join(rows)
    for _ in range(20):
        if len(rows) > 2 and rng.random() < 0.2:
            remove(lanes, rows, rng.randrange(len(rows)))
        tokens = [rng.randrange(60) for _ in rows]
        rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
        assert torch.allclose(lanes.decode(tokens), expected(windowed, rows), atol=1e-4)


@torch.inference_mode()
def test_prompts_of_one_token_start_with_an_empty_row(plain: Any) -> None:
    lanes = SlotLanes(plain)
    lanes.join([[], []])
    assert torch.allclose(lanes.decode([5, 9]), expected(plain, [[5], [9]]), atol=1e-4)


def test_slots_are_used_for_plain_attention_only(plain: Any, windowed: Any) -> None:
    assert slots_agree(plain)
    assert not slots_agree(windowed)


def test_a_model_that_slots_would_change_is_found_out(
    plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shifted(*args: Any, position_ids: Any = None, **kwargs: Any) -> Any:
        positions = None if position_ids is None else position_ids * 2
        return original(*args, position_ids=positions, **kwargs)

    original = plain.forward
    monkeypatch.setattr(plain, "forward", shifted)
    assert not slots_agree(plain)


@torch.inference_mode()
def test_numbers_left_by_a_broken_row_do_not_reach_the_next_one(plain: Any) -> None:
    lanes = SlotLanes(plain)
    lanes.join([[1, 2, 3, 4, 5, 6], [7, 8]])
    for layer in lanes._layers:
        layer.keys[1] = torch.nan
        layer.values[1] = torch.nan
    lanes.compact([], 1)
    lanes.scrub()
    lanes.join([[9]])
    found = lanes.decode([10, 11])
    assert torch.allclose(found, expected(plain, [[1, 2, 3, 4, 5, 6, 10], [9, 11]]), atol=1e-4)


@torch.inference_mode()
def test_no_more_memory_is_taken_than_there_is(plain: Any) -> None:
    lanes = SlotLanes(plain)
    lanes.most = 201 * 20
    lanes.join([[1] * 10] * 200)
    lanes.join([[1] * 10])
    for _ in range(9):
        assert 201 * 11 <= lanes.held <= lanes.most
        lanes.decode([1] * 201)
    free = SlotLanes(plain)
    free.join([[1] * 10] * 200)
    free.join([[1] * 10])
    assert free.held >= 300 * 11  # so that not every row costs a copy
    bounded = SlotLanes(plain)
    bounded.most_rows = 220
    bounded.join([[1] * 10] * 200)
    bounded.join([[1] * 10])
    assert bounded.held * 300 == free.held * 220


def test_what_lanes_hold_is_what_their_tensors_take(plain: Any) -> None:
    for lanes in (SlotLanes(plain), StaticLanes(plain)):
        assert lanes.held == 0
        with torch.inference_mode():
            lanes.join([[1, 2], [3]])
            lanes.decode([4, 5])
        assert lanes.held >= 2 * 3
        lanes.compact([], 0)
        lanes.trim()
        assert lanes.held == 0


def test_a_forward_pass_takes_no_more_prompts_than_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_CPU_PREFILL_TOKENS", 10)
    asked = [("", (1,) * size) for size in (4, 4, 4, 4, 9, 20, 2)]
    found = slots._passes(asked, 0, torch.device("cpu"))
    sizes = [[len(prompt) for _, prompt in portion] for portion in found]
    assert sizes == [[4, 4], [4, 4], [9], [20], [2]]
    begun = slots._passes(asked, 2, torch.device("cpu"))
    assert [len(portion) for portion in begun] == [4, 1, 1, 1]
    assert slots._passes([], 0, torch.device("cpu")) == []


def test_those_who_have_little_to_read_share_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_CPU_PREFILL_TOKENS", 10)
    sizes = {"much": (4, 3, 3), "some": (1, 3), "little": (2,), "": (1,)}
    asked = [(owner, (1,) * size) for owner, own in sizes.items() for size in own]
    found = slots._passes(asked, 0, torch.device("cpu"))
    assert [[(owner, len(prompt)) for owner, prompt in portion] for portion in found] == [
        [("much", 4), ("much", 3)],
        [("some", 1), ("", 1), ("little", 2)],
        [("much", 3), ("some", 3)],
    ]
