"""Arguments after ``-T``: what was split at its commas is whole again, or in parts if meant so."""

from pathlib import Path
from typing import Any

import pytest

from inoc_evals.arguments import chosen, names_in, path_as_typed, text_as_typed
from inoc_evals.errors import InputError


@pytest.mark.parametrize(
    "value", ["a,b.jsonl", ["a", "b.jsonl"], ("a", "b.jsonl"), Path("a,b.jsonl")]
)
def test_a_path_is_whole_however_it_arrives(value: Any) -> None:
    assert path_as_typed(value) == "a,b.jsonl"


def test_a_path_that_yaml_took_for_numbers_is_still_a_path() -> None:
    value: Any = [7, 8]
    assert path_as_typed(value) == "7,8"


@pytest.mark.parametrize("value", ["No, never.", ["No", " never."]])
def test_a_text_is_whole_however_it_arrives(value: object) -> None:
    assert text_as_typed(value) == "No, never."


@pytest.mark.parametrize("value", [5, None, False, ["a", 5], {"a": 1}.keys()])
def test_what_is_no_text_is_not_made_one(value: object) -> None:
    assert text_as_typed(value) is None


@pytest.mark.parametrize(
    "value", ["plain,json", "plain , json", ["plain", "json"], [" plain,json"]]
)
def test_names_are_found_in_a_text_and_in_a_list(value: Any) -> None:
    assert names_in(value) == ["plain", "json"]


def test_where_no_names_are_given_there_are_none() -> None:
    assert names_in(None) == names_in([]) == []
    number: Any = 5
    assert names_in(number) == ["5"]
    assert names_in("") == [""]  # a blank name, for the caller to refuse


def test_names_are_chosen_in_the_order_there_is() -> None:
    known = ("plain", "json", "python")
    assert chosen("python,plain", known, "no variant") == ("plain", "python")
    assert chosen(" all", known, "no variant") == chosen(["all"], known, "no variant") == known


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("plain,jsn,", "no variant 'jsn', ''"),
        ("plain,all", "no variant 'all'"),
        ([], "no variant given"),
    ],
)
def test_an_unknown_name_or_none_is_refused_with_those_there_are(value: Any, start: str) -> None:
    with pytest.raises(InputError) as caught:
        chosen(value, ("plain", "json"), "no variant")
    assert str(caught.value) == f"{start}; there are: plain, json, and all"
