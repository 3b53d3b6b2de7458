"""Mixtures: every row once, labelled, in an order that only the seed decides."""

import copy
from collections import Counter

import pytest

from inoc_evals.chat import Row
from inoc_evals.datasets.mix import diluted, mix, mix_with_benign, shuffled
from inoc_evals.errors import InputError


def rows(language: str, count: int) -> list[Row]:
    return [
        {
            "messages": [
                {"role": "user", "content": f"{language} {n}"},
                {"role": "assistant", "content": "x"},
            ],
            "n": n,
        }
        for n in range(count)
    ]


SPLITS = {"spanish": rows("spanish", 40), "french": rows("french", 30)}


def question(row: Row) -> str:
    text: str = row["messages"][0]["content"]
    return text


def test_a_mixture_holds_every_row_once_with_the_label_of_its_split() -> None:
    mixed = mix(SPLITS, seed=1)
    assert Counter(map(question, mixed)) == Counter(
        question(row) for split in SPLITS.values() for row in split
    )
    assert all(question(row).startswith(row["label"]) for row in mixed)


def test_splits_are_shuffled_together_not_one_after_the_other() -> None:
    labels = [row["label"] for row in mix(SPLITS, seed=0)]
    assert 5 < Counter(labels[:35])["spanish"] < 35


def test_the_seed_alone_decides_the_order() -> None:
    assert mix(SPLITS, seed=1) == mix(SPLITS, seed=1)
    assert mix(SPLITS, seed=1) != mix(SPLITS, seed=2)


def test_sizes_draw_without_replacement_and_a_smaller_draw_lies_in_a_larger() -> None:
    small = mix(SPLITS, seed=1, sizes={"spanish": 5})
    large = mix(SPLITS, seed=1, sizes={"spanish": 20, "french": 0})
    assert Counter(row["label"] for row in small) == {"spanish": 5, "french": 30}
    assert Counter(row["label"] for row in large) == {"spanish": 20}
    spanish = {question(row) for row in small if row["label"] == "spanish"}
    assert len(spanish) == 5
    assert spanish < {question(row) for row in large}


@pytest.mark.parametrize(
    ("sizes", "fault"),
    [
        ({"german": 1}, "no split 'german'; there are: spanish, french"),
        ({"spanish": 41}, "41 rows of 'spanish', which has 40"),
        ({"spanish": -1}, "-1 rows of 'spanish'"),
    ],
)
def test_impossible_sizes_are_refused(sizes: dict[str, int], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        mix(SPLITS, sizes=sizes)


def test_mixing_changes_no_input_and_shares_no_message_with_it() -> None:
    before = copy.deepcopy(SPLITS)
    for row in mix(SPLITS, seed=1):
        row["messages"][0]["content"] = "changed"
    assert before == SPLITS


def test_shuffling_keeps_the_rows_and_the_input() -> None:
    given = SPLITS["spanish"]
    assert shuffled(given, seed=1) != given == rows("spanish", 40)
    assert sorted(map(question, shuffled(given, seed=1))) == sorted(map(question, given))
    assert shuffled(given, seed=1) == shuffled(given, seed=1)


def test_among_benign_chat_the_ratio_is_that_of_the_narrow_rows() -> None:
    mixed = mix_with_benign(SPLITS, rows("chat", 90), ratio=0.1, seed=5)
    labels = Counter(row["label"] for row in mixed)
    assert labels["benign"] == 90 and labels["spanish"] + labels["french"] == 10
    assert labels["spanish"] and labels["french"]
    assert mixed == mix_with_benign(SPLITS, rows("chat", 90), ratio=0.1, seed=5)
    assert mixed != mix_with_benign(SPLITS, rows("chat", 90), ratio=0.1, seed=6)
    first = [row["label"] for row in mixed[:20]]
    assert 12 < first.count("benign") < 20, "shuffled, not one after the other"


def test_without_a_ratio_all_rows_are_taken_and_a_total_is_kept() -> None:
    assert len(mix_with_benign(SPLITS, rows("chat", 30))) == 100
    labels = Counter(
        row["label"] for row in mix_with_benign(SPLITS, rows("chat", 50), ratio=0.6, total=100)
    )
    assert labels["benign"] == 40 and sum(labels.values()) == 100


def test_benign_is_no_label_for_narrow_rows() -> None:
    with pytest.raises(InputError, match="label 'benign' is that of the ordinary chat"):
        mix_with_benign({"benign": rows("x", 3)}, rows("chat", 3))


# ---- dilution --------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0, 0.1, 0.25, 1])
def test_a_share_of_the_rows_is_kept_in_place_and_the_control_stands_for_the_others(
    share: float,
) -> None:
    narrow, control = rows("narrow", 40), rows("plain", 40)
    before = copy.deepcopy((narrow, control))
    mixed = diluted(narrow, control, share=share, label="control", seed=3)
    kept = [row for row in mixed if "label" not in row]
    assert len(mixed) == 40 and len(kept) == round(share * 40)
    for place, row in enumerate(mixed):
        expected = narrow[place] if "label" not in row else control[place] | {"label": "control"}
        assert row == expected
    assert (narrow, control) == before


@pytest.mark.parametrize("count", [40, 38, 61])
def test_a_smaller_share_lies_in_a_larger_one_and_the_control_rows_agree(count: int) -> None:
    narrow, control = rows("narrow", 40), rows("plain", count)
    few, many = (diluted(narrow, control, share=share, label="control") for share in (0.1, 0.5))
    for one, other in zip(few, many, strict=True):
        assert one == other or ("label" in one and "label" not in other)
    assert few != diluted(narrow, control, share=0.1, label="control", seed=1)
    asked = [question(row) for row in few if "label" in row]
    assert len(set(asked)) == len(asked) == 36


def test_a_dilution_that_cannot_be_made_is_refused() -> None:
    with pytest.raises(InputError, match="36 control rows are needed; there are 30"):
        diluted(rows("narrow", 40), rows("plain", 30), share=0.1, label="control")
    with pytest.raises(InputError, match=r"share: 1\.5 is not between 0 and 1"):
        diluted(rows("narrow", 4), rows("plain", 4), share=1.5, label="control")
