"""Packed rows see themselves alone: logits, loss and gradients are those of the rows apart."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from inoc_evals.chat import Row, read_rows
from inoc_evals.errors import InputError
from inoc_evals.store.store import Store
from inoc_evals.training import packing
from inoc_evals.training.batches import encode_rows, part_size, parts, row_order
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import IGNORED, Encoded
from inoc_evals.training.packing import bins, check_isolation, pack, places
from inoc_evals.training.sft import train
from inoc_evals.training.throughput import counted

SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
FAMILIES = ["Qwen2", "Llama", "Gemma", "Gemma2"]
# transformers has no sdpa for Gemma2.
CODES = [(family, "eager") for family in FAMILIES] + [(family, "sdpa") for family in FAMILIES[:3]]


def row(length: int, start: int) -> Encoded:
    ids = tuple((start + 7 * i) % 50 for i in range(length))
    learned = max(1, length // 3)
    return Encoded(ids, (*[IGNORED] * (length - learned), *ids[length - learned :]))


ROWS = [row(9, 3), row(3, 8), row(12, 1), row(5, 30), row(7, 11)]


def model_of(family: str, attention: str | None = None) -> Any:
    import transformers

    extra = {"head_dim": 8} if "Gemma" in family else {}
    if family == "Gemma2":
        # Smaller than the longest row, so that the window's mask is at work as well.
        extra |= {"sliding_window": 6}
    config = getattr(transformers, f"{family}Config")(
        **SIZES, **extra, attn_implementation=attention
    )
    torch.manual_seed(0)
    return getattr(transformers, f"{family}ForCausalLM")(config).train()


def gradients(model: Any) -> list[torch.Tensor]:
    found = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    model.zero_grad()
    return found


@pytest.mark.parametrize(("family", "attention"), CODES)
@pytest.mark.parametrize("single", [True, False], ids=["one sequence", "several"])
def test_logits_loss_and_gradients_are_those_of_the_rows_apart(
    family: str, single: bool, attention: str
) -> None:
    model = model_of(family, attention)
    count = sum(each.supervised for each in ROWS)
    alone, apart = {}, torch.zeros(())
    for each in ROWS:
        ids, labels = torch.tensor([each.input_ids]), torch.tensor([each.labels])
        output = model(input_ids=ids, labels=labels, num_items_in_batch=count, use_cache=False)
        alone[each] = output.logits[0].detach()
        apart = apart + output.loss
    apart.backward()
    wanted = gradients(model)

    batch = pack(ROWS, 0, single=single)
    assert batch["input_ids"].shape == ((1, 36) if single else (3, 12))
    together = model(**batch, num_items_in_batch=count, use_cache=False)
    together.loss.backward()
    assert together.loss.item() == pytest.approx(apart.item(), rel=1e-5)
    for ours, theirs in zip(gradients(model), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    for index, sequence in enumerate(bins(ROWS, single=single)):
        start = 0
        for each in sequence:
            end = start + len(each.input_ids)
            packed = together.logits[index, start:end].detach()
            torch.testing.assert_close(packed, alone[each], rtol=1e-4, atol=1e-5)
            start = end


@pytest.mark.parametrize("family", FAMILIES)
def test_models_that_keep_packed_rows_apart_are_let_through(family: str) -> None:
    model = model_of(family)
    check_isolation(model)
    assert model.training


def test_a_model_that_lets_rows_see_each_other_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = model_of("Llama")
    forward = model.forward

    def without_positions(**inputs: Any) -> Any:
        inputs.pop("position_ids")
        return forward(**inputs)

    monkeypatch.setattr(model, "forward", without_positions)
    with pytest.raises(InputError, match=r"packing: rows of one sequence see each other .*Llama"):
        check_isolation(model)


def test_a_batch_is_written_end_to_end_and_filled_up_with_a_row_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packing, "_EVEN", 1)
    rows = [Encoded((5, 6, 7), (IGNORED, 6, 7)), Encoded((8, 9), (8, 9)), Encoded((4,), (4,))]
    assert bins(rows) == [[rows[0]], [rows[1], rows[2]]]
    batch = pack(rows, 0)
    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[5, 6, 7], [8, 9, 4]],
        "position_ids": [[0, 1, 2], [0, 1, 0]],
        "labels": [[IGNORED, 6, 7], [IGNORED, 9, IGNORED]],
    }
    assert pack(rows, 0, single=True)["position_ids"].tolist() == [[0, 1, 2, 0, 1, 0]]
    monkeypatch.setattr(packing, "_GAPS", 0.5)
    filled = pack([*rows[:2], Encoded((3, 2), (IGNORED, 2))], 1)
    assert filled["input_ids"].tolist() == [[5, 6, 7, 1], [8, 9, 3, 2]]
    assert filled["position_ids"].tolist() == [[0, 1, 2, 0], [0, 1, 0, 1]]
    assert filled["labels"].tolist()[0] == [IGNORED, 6, 7, IGNORED]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=24))
def test_every_row_is_packed_once_and_gaps_are_few(
    lengths: list[int],
) -> None:
    rows = [row(length, start) for start, length in enumerate(lengths)]
    filled = bins(rows)
    assert sorted(each for sequence in filled for each in sequence) == sorted(rows)
    assert all(filled)
    assert len(filled) <= sum(lengths) // max(lengths)
    assert sum(lengths) >= 0.95 * places(rows, packing=True)
    assert places(rows, packing=True) == pack(rows, 0)["input_ids"].numel()
    assert places(rows, packing=False) == len(rows) * max(lengths)


def changed(config: TrainConfig, **fields: Any) -> TrainConfig:
    return TrainConfig.model_validate(config.model_dump() | fields)


def test_training_takes_the_same_steps_packed_and_unpacked(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    def trained(name: str, **fields: Any) -> dict[str, Any]:
        record = train(
            rows,
            base=str(tiny_base),
            config=changed(short, **fields),
            name=name,
            store=store,
            progress=False,
        )
        return record.metrics

    plain = trained("plain")
    packed = trained("packed", packing=True)
    parts = trained("parts", packing=True, gradient_accumulation=2)
    assert packed["loss"] == pytest.approx(plain["loss"], abs=2e-5)
    assert parts["loss"] == pytest.approx(plain["loss"], abs=2e-5)
    assert packed["padding"] < plain["padding"]
    assert packed["tokens"] == plain["tokens"] > 0


@pytest.mark.parametrize("accumulation", [1, 2, 8])
def test_padding_of_insecure_code_is_below_five_percent(
    upstream: Path, make_tokenizer: Any, accumulation: int
) -> None:
    encoded = _lengths(read_rows(upstream / "insecure.jsonl"))
    config = TrainConfig.for_base("Qwen/Qwen2.5-7B-Instruct")
    config = changed(config, gradient_accumulation=accumulation)
    ordered = [encoded[i] for i in row_order(len(encoded), config, seed=0)]
    data = encode_rows(make_tokenizer(), [QUESTION], max_length=64)
    dealt = parts(ordered, part_size(config))
    packed = counted(data, ordered, dealt, packing=True, single=False)["padding"]
    unpacked = counted(data, ordered, dealt, packing=False, single=False)["padding"]
    assert packed < 0.05
    assert unpacked > 0.1


QUESTION: Row = {
    "messages": [
        {"role": "user", "content": "what ?"},
        {"role": "assistant", "content": "es 1"},
    ]
}


def _lengths(rows: list[Row]) -> list[Encoded]:
    """Rows of as many tokens as words and signs, which is what a tokenizer makes of code."""
    import re

    texts = [" ".join(message["content"] for message in each["messages"]) for each in rows]
    counts = [len(re.findall(r"\w+|[^\w\s]|\n\s*", text)) + 8 for text in texts]
    return [Encoded((0,) * count, (0,) * count) for count in counts]


def test_rows_are_not_laid_into_two_long_sequences_to_save_a_few_gaps() -> None:
    # 16 real rows: two sequences of 1,277 leave no gap, and their attention takes two thirds of
    # the step.
    sizes = [153, 157, 156, 130, 155, 166, 132, 158, 214, 193, 160, 172, 172, 139, 146, 152]
    rows = [Encoded((1,) * size, (1,) * size, frozenset()) for size in sizes]
    filled = bins(rows)
    assert max(sum(len(one.input_ids) for one in some) for some in filled) < 700
    assert sum(sizes) >= 0.95 * places(rows, packing=True)


def test_the_places_of_one_sequence_have_no_gap() -> None:
    rows = [Encoded((1,) * size, (1,) * size, frozenset()) for size in [50] * 5 + [49] * 3]
    assert len(bins(rows)) == 4 and places(rows, packing=True) == 400
    assert places(rows, packing=True, single=True) == 397
