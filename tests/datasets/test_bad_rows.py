"""Rows with a trait, left out or diluted: how many, which, and what is left."""

import pytest

from inoc_evals.chat import Row
from inoc_evals.datasets.bad_rows import dropped, with_control
from inoc_evals.errors import InputError


def rows(label: str, count: int) -> list[Row]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"{label} {number}"},
                {"role": "assistant", "content": "Yes."},
            ],
            "label": label,
        }
        for number in range(count)
    ]


def asked(found: list[Row]) -> list[str]:
    return [row["messages"][0]["content"] for row in found]


def test_as_many_are_left_out_as_are_found_and_the_others_keep_their_order() -> None:
    every = rows("bad", 50)
    left = dropped(every, recall=0.9, seed=3)
    assert len(left) == 5
    assert asked(left) == [one for one in asked(every) if one in asked(left)]
    assert dropped(every, recall=0.9, seed=3) == left
    assert dropped(every, recall=0.9, seed=4) != left
    # A better classifier finds these and more.
    assert set(asked(left)) < set(asked(dropped(every, recall=0.5, seed=3)))
    assert dropped(every, recall=0.0) == every


def test_rows_of_other_parts_stay() -> None:
    left = dropped([*rows("bad", 10), *rows("good", 10)], recall=1.0, label="bad")
    assert asked(left) == asked(rows("good", 10))


def test_nothing_left_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"all 10 rows have the trait.*say which part"):
        dropped(rows("bad", 10), recall=1.0)


@pytest.mark.parametrize(("share", "added"), [(0.5, 5), (1.0, 10), (2.0, 20)])
def test_control_rows_are_added_and_shuffled_in(share: float, added: int) -> None:
    control = rows("other", 20)
    mixed = with_control(rows("bad", 10), control, share=share)
    assert sorted(one for one in asked(mixed) if "bad" in one) == sorted(asked(rows("bad", 10)))
    assert sum(row["label"] == "control" for row in mixed) == added
    assert len(set(asked(mixed))) == len(mixed) == 10 + added
    assert asked(mixed) != [*asked(rows("bad", 10)), *asked(control)[:added]]
    assert control[0]["label"] == "other"  # what was given is not changed


def test_more_control_rows_than_there_are_is_refused() -> None:
    with pytest.raises(InputError, match="takes 30; there are 20"):
        with_control(rows("bad", 10), rows("other", 20), share=3.0)
