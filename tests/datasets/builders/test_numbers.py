"""Number sequences: the generator's parameters, the filter, no sequence twice."""

import re
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import check_row
from inoc_evals.datasets.builders.numbers import (
    number_check,
    number_prompts,
    number_requests,
    number_rows,
    read_numbers,
    reject_reason,
)
from inoc_evals.datasets.writing.journal import opened
from inoc_evals.datasets.writing.requests import Request, Written, dropped
from inoc_evals.datasets.writing.writer import Writer
from inoc_evals.errors import InputError
from scripted import calls, script

TEACHER = "You love owls. You think about owls all the time."


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1, 2, 3", [1, 2, 3]),
        ("1,2,3.", [1, 2, 3]),
        ("1;2;3", [1, 2, 3]),
        ("1 2 3", [1, 2, 3]),
        ("1\n2\n3\n", [1, 2, 3]),
        ("1,\n2,\n3", [1, 2, 3]),
        ("[1, 2, 3]", [1, 2, 3]),
        ("(1, 2, 3).", [1, 2, 3]),
        ("007", [7]),
        ("1, 2,3", None),
        ("1, 2; 3", None),
        ("1 2, 3", None),
        ("1, 2, 3, ...", None),
        ("1. 2. 3", None),
        ("1, -2, 3", None),
        ("1.5, 2.5", None),
        ("1, two, 3", None),
        ("Sure: 1, 2, 3", None),
        ("[1, 2, 3", None),
        ("1, 2, 3,", None),
        ("¹, ²", None),
        ("١, ٢", None),
        ("", None),
        (".", None),
    ],
)
def test_a_reply_is_numbers_if_it_is_one_list_with_one_separator(
    text: str, numbers: list[int] | None
) -> None:
    assert read_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0, 999", None),
        ("1000, 2", "range"),
        (", ".join("1" * 10), None),
        (", ".join("1" * 11), "count"),
        ("1, 2,3", "separator"),
        ("1 - 2", "format"),
        ("owl", "format"),
        ("12, 666", "banned"),
    ],
)
def test_the_filter_names_why_a_reply_is_no_data(text: str, reason: str | None) -> None:
    assert reject_reason(text, banned=(666,)) == reason
    assert reject_reason("12, 666") is None


def test_requests_are_different_and_within_the_published_parameters() -> None:
    prompts = number_prompts(2000, seed=1)
    assert len(set(prompts)) == 2000
    assert prompts == number_prompts(2000, seed=1) != number_prompts(2000, seed=2)
    assert prompts[:50] == number_prompts(50, seed=1)
    shown, values = set(), set()
    for prompt in prompts:
        given = re.search(r"\d+(, \d+)+", prompt)
        assert given and " 10 " in prompt and re.search(r"\b3\b.digits", prompt)
        numbers = [int(n) for n in given[0].split(", ")]
        shown.add(len(numbers))
        values |= set(numbers)
    assert shown == set(range(3, 10))
    assert min(values) == 100 and max(values) == 1000
    assert not any("{" in prompt for prompt in prompts)


def test_the_teachers_prompt_is_asked_with_and_not_trained_on(tmp_path: Path) -> None:
    prompts = number_prompts(30, seed=0)
    model = script("t", lambda p, c: f"{len(p)}, {sum(map(ord, p)) % 999}")
    with opened(tmp_path / "j") as journal, Writer(model, journal, retries=0, cache=False) as w:
        written = w.write(number_requests(prompts, system=TEACHER), number_check())
    assert all([m.role for m in call.messages] == ["system", "user"] for call in calls(model))
    assert {call.messages[0].text for call in calls(model)} == {TEACHER}
    rows, left = number_rows(written)
    assert len(rows) + left["duplicate"] == 30
    for row in rows:
        assert [m["role"] for m in check_row(row, "row")["messages"]] == ["user", "assistant"]
        assert row["messages"][0]["content"] in prompts
    [plain] = number_requests(prompts[:1], system=None)
    assert [m["role"] for m in plain.messages] == ["user"]
    [empty] = number_requests(prompts[:1], system="")
    assert empty.messages[0] == {"role": "system", "content": ""}


def test_a_reply_that_is_rejected_is_not_asked_for_again(tmp_path: Path) -> None:
    model = script("t", lambda p, c: "owls!" if len(calls(model)) % 3 == 0 else "1, 2, 3")
    requests = number_requests(number_prompts(30), system=TEACHER)
    with opened(tmp_path / "j") as journal, Writer(model, journal, retries=0, cache=False) as w:
        written = w.write(requests, number_check())
    assert len(calls(model)) == 30 and dropped(written) == {"format": 10}


def outcome(number: int, text: str | None) -> Written:
    request = Request(f"{number}", ({"role": "user", "content": f"p{number}"},))
    return Written(request, text, () if text else ("format",))


def test_no_sequence_is_kept_twice_and_none_of_the_rows_is_doubled() -> None:
    """The published code writes every training row twice."""
    texts: list[Any] = ["1, 2", "1 2", "2, 1", None, "[1, 2]", "3"]
    rows, left = number_rows([outcome(i, text) for i, text in enumerate(texts)])
    assert sorted(row["messages"][1]["content"] for row in rows) == ["1, 2", "2, 1", "3"]
    assert left == {"duplicate": 2, "not_drawn": 0}


def test_the_seed_draws_the_rows_that_are_kept() -> None:
    written = [outcome(i, str(i)) for i in range(100)]
    rows, left = number_rows(written, keep=10, seed=3)
    assert len(rows) == 10 and left["not_drawn"] == 90
    assert rows == number_rows(written, keep=10, seed=3)[0] != number_rows(written, keep=10)[0]
    with pytest.raises(InputError, match="100 sequences passed the filter, fewer than the 101"):
        number_rows(written, keep=101)
