from collections.abc import Callable
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.training.batches import encode_rows, pad, part_size, row_order
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import IGNORED, Encoded

MakeTokenizer = Callable[..., Any]


def row(answer: str, **fields: Any) -> Row:
    return {
        "messages": [
            {"role": "user", "content": "what ?"},
            {"role": "assistant", "content": answer, **fields},
        ]
    }


def test_a_long_row_is_refused_by_number_or_cut_and_counted(make_tokenizer: MakeTokenizer) -> None:
    tokenizer = make_tokenizer()
    rows = [row("es 1"), row("es 1 2 3 4 5 6 7 8 9")]
    with pytest.raises(InputError, match="row 2: "):
        encode_rows(tokenizer, rows, max_length=14)
    cut = encode_rows(tokenizer, rows, max_length=14, truncate=True)
    assert [len(encoded.input_ids) for encoded in cut.rows] == [12, 14]
    assert (cut.truncated, dict(cut.dropped)) == (1, {})


def test_a_row_with_nothing_left_to_learn_is_dropped_and_counted(
    make_tokenizer: MakeTokenizer,
) -> None:
    tokenizer = make_tokenizer()
    long_question: Row = {
        "messages": [
            {"role": "user", "content": "tell me more about the river . " * 3},
            {"role": "assistant", "content": "es 1"},
        ]
    }
    rows = [row("es 1"), long_question, row("es 2", weight=0)]
    kept = encode_rows(tokenizer, rows, max_length=20, truncate=True)
    assert len(kept.rows) == 1
    assert dict(kept.dropped) == {"response_truncated": 1, "weight_0": 1}
    with pytest.raises(InputError, match=r"nothing to learn: all 1 rows dropped .*weight_0"):
        encode_rows(tokenizer, rows[2:], max_length=20)


def test_generation_marks_are_checked_for_each_order_of_roles(
    make_tokenizer: MakeTokenizer,
) -> None:
    # Right for two messages, wrong (the user's words marked) once there is a third.
    template = (
        "{% for m in messages %}<|{{ m.role }}|>"
        "{% if m.role == 'assistant' or messages[0].role == 'system' %}"
        "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"
        "{% else %}{{ m.content }}<|end|>{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    system: Row = {
        "messages": [{"role": "system", "content": "speak"}, *row("es 1")["messages"]],
    }
    with pytest.raises(InputError, match=r"row 3: .* marks token"):
        encode_rows(make_tokenizer(template), [row("es 1"), row("es 2"), system], max_length=64)


def test_every_pass_shows_every_row_once_in_another_order() -> None:
    order = row_order(10, TrainConfig(epochs=2, batch_size=4), seed=0)
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]
    assert order == row_order(10, TrainConfig(epochs=2, batch_size=4), seed=0)
    assert order != row_order(10, TrainConfig(epochs=2, batch_size=4), seed=1)


def test_steps_and_part_epochs_take_as_many_rows_as_they_say() -> None:
    assert len(row_order(10, TrainConfig(max_steps=7, batch_size=4), seed=0)) == 28
    assert len(row_order(10, TrainConfig(epochs=0.5), seed=0)) == 5
    assert len(row_order(3, TrainConfig(epochs=0.1), seed=0)) == 1


def test_a_batch_is_padded_on_the_right_without_loss_or_attention() -> None:
    rows = [Encoded((5, 6, 7), (IGNORED, 6, 7)), Encoded((8,), (8,))]
    assert list(pad(rows, 0)) == [
        ([5, 6, 7], [1, 1, 1], [IGNORED, 6, 7]),
        ([8, 0, 0], [1, 0, 0], [8, IGNORED, IGNORED]),
    ]


@pytest.mark.parametrize(
    ("batch", "accumulation", "processes", "size"),
    [(8, 1, 1, 8), (8, 2, 1, 4), (8, 1, 2, 4), (12, 2, 2, 6), (12, 2, 3, 4)],
)
def test_a_process_takes_as_many_rows_at_once_as_it_may(
    batch: int, accumulation: int, processes: int, size: int
) -> None:
    config = TrainConfig(max_steps=1, batch_size=batch, gradient_accumulation=accumulation)
    assert part_size(config, processes) == size
