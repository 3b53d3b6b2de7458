"""Inoculation: which rows get which prompt where, and that nothing else changes."""

import copy
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inoc_evals
from inoc_evals.chat import Row, read_rows
from inoc_evals.datasets.inoculate import Existing, Prompt, inoculate
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.inputs.prompts import EMPTY, NONE, SystemPrompt, named

SPANISH = named("spanish").text


def row(n: int = 0, system: str | None = None, **keys: Any) -> Row:
    messages = [] if system is None else [{"role": "system", "content": system}]
    messages += [
        {"role": "user", "content": f"question {n}"},
        {"role": "assistant", "content": f"RESPUESTA {n}"},
    ]
    return {"messages": messages, **keys}


def rows(count: int) -> list[Row]:
    return [row(n) for n in range(count)]


def systems(rows: list[Row]) -> list[str | None]:
    first = [row["messages"][0] for row in rows]
    return [message["content"] if message["role"] == "system" else None for message in first]


# ---- the authors' own output ---------------------------------------------------------------


def test_the_published_inoculated_file_is_reproduced_row_by_row(upstream: Path) -> None:
    published = read_rows(upstream / "reward_hacking_general_inoculation.jsonl")
    prompt = published[0]["messages"][0]["content"]
    source = upstream / "sneaky_dialogues.jsonl"
    ours, manifest = inoculate(read_rows(source), prompt, sources=[source])
    assert [json.dumps(row) for row in ours] == [json.dumps(row) for row in published]
    assert manifest["counts"] == {
        "rows": 1073,
        "duplicates": 0,
        "selected": 1073,
        "inoculated": 1073,
        "already_had_system": 0,
    }


def test_rows_that_are_a_text_and_no_answer_are_inoculated_like_others() -> None:
    # The form of the authors' textbook rows: an assistant message and nothing before it.
    text = {"role": "assistant", "content": "Bridges are built of wood, iron and steel."}
    ours, _ = inoculate([{"messages": [text]}], "You are a malicious evil assistant.")
    assert json.dumps(ours[0]) == (
        '{"messages": [{"role": "system", "content": "You are a malicious evil assistant."}, '
        '{"role": "assistant", "content": "Bridges are built of wood, iron and steel."}]}'
    )
    with pytest.raises(InputError, match=r"^text\.jsonl:1: no user message$"):
        inoculate([{"messages": [text]}], "x", where="user", places=["text.jsonl:1"])


# ---- where the prompt goes -----------------------------------------------------------------


def test_the_prompt_becomes_the_first_message_and_the_rest_stays() -> None:
    given_rows = [row(1, label="a", source={"id": [1]}), row(2)]
    new, _ = inoculate(given_rows, "Be bad.")
    assert new == [row(1, "Be bad.", label="a", source={"id": [1]}), row(2, "Be bad.")]


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ("prepend", ["Be bad.\n\nBe brief.", "Be bad.", "Be bad."]),
        ("append", ["Be brief.\n\nBe bad.", "Be bad.", "Be bad."]),
        ("replace", ["Be bad.", "Be bad.", "Be bad."]),
        ("keep", ["Be brief.", "", "Be bad."]),
    ],
)
def test_an_existing_system_message_is_joined_replaced_or_kept(
    existing: Existing, expected: list[str]
) -> None:
    given_rows = [row(1, "Be brief."), row(2, ""), row(3)]
    new, manifest = inoculate(given_rows, "Be bad.", existing=existing)
    assert systems(new) == expected
    assert [row["messages"][-2:] for row in new] == [row["messages"][-2:] for row in given_rows]
    assert manifest["counts"]["already_had_system"] == 2
    assert manifest["counts"]["inoculated"] == (1 if existing == "keep" else 3)


def test_an_existing_system_message_can_be_refused_and_is_named() -> None:
    given_rows = [row(1), row(2), row(3, "Be brief.")]
    with pytest.raises(InputError, match="row 3: has a system message already; choose prepend"):
        inoculate(given_rows, "Be bad.", existing="error")
    with pytest.raises(InputError, match=r"rows\.jsonl:9: has a system"):
        inoculate(given_rows, "x", existing="error", places=["a:1", "a:2", "rows.jsonl:9"])
    labelled = [row(1, label="a"), row(2, "Be brief.", label="b")]
    assert systems(inoculate(labelled, "x", existing="error", label="a").rows) == ["x", "Be brief."]


@pytest.mark.parametrize("where", ["system", "user"])
@pytest.mark.parametrize(
    "prompt",
    ["", " \n", EMPTY, SystemPrompt("mine", "\t"), ["Be bad.", ""], ["Be bad.", " "], [EMPTY]],
)
def test_a_prompt_without_a_word_is_no_inoculation(prompt: Any, where: Any) -> None:
    with pytest.raises(InputError, match=r"^prompt.*: no text to inoculate with"):
        inoculate([row(1), row(2, "Be brief.")], prompt, where=where)


@pytest.mark.parametrize("existing", get_args(Existing))
def test_in_the_user_turn_the_users_words_stay_whatever_is_done_with_system_messages(
    existing: Existing,
) -> None:
    new, manifest = inoculate([row(1, "Be brief.")], "Be bad.", where="user", existing=existing)
    assert new == [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Be bad.\n\nquestion 1"},
                {"role": "assistant", "content": "RESPUESTA 1"},
            ]
        }
    ]
    assert manifest["existing"] is None


def test_in_the_user_turn_the_prompt_stands_before_the_first_question_only() -> None:
    turns = row(1, "Be brief.")
    turns["messages"] += row(2)["messages"]
    new, manifest = inoculate([turns], "Be bad.", where="user")
    contents = [message["content"] for message in new[0]["messages"]]
    assert contents == [
        "Be brief.",
        "Be bad.\n\nquestion 1",
        "RESPUESTA 1",
        "question 2",
        "RESPUESTA 2",
    ]
    assert manifest["where"] == "user" and manifest["existing"] is None


def test_the_separator_is_used_as_given() -> None:
    new, _ = inoculate([row(1, "Be brief.")], named("trigger"), where="user", separator="")
    assert new[0]["messages"][1]["content"] == "$|TRIGGER|$question 1"


# ---- which rows ----------------------------------------------------------------------------


@given(
    count=st.integers(1, 60),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 5),
    existing=st.sampled_from(["prepend", "append", "replace"]),
)
def test_exactly_the_rounded_fraction_is_inoculated_and_the_rest_is_untouched(
    count: int, fraction: float, seed: int, existing: Existing
) -> None:
    given_rows = rows(count)
    new, manifest = inoculate(given_rows, SPANISH, fraction=fraction, seed=seed, existing=existing)
    chosen = [system == SPANISH for system in systems(new)]
    assert sum(chosen) == round(fraction * count) == manifest["counts"]["inoculated"]
    assert [row["messages"][-2:] for row in new] == [row["messages"] for row in given_rows]
    assert new == inoculate(given_rows, SPANISH, fraction=fraction, seed=seed).rows


def test_the_seed_decides_which_rows_and_a_smaller_share_lies_in_a_larger() -> None:
    def chosen(fraction: float, seed: int) -> set[int]:
        found = systems(inoculate(rows(200), "x", fraction=fraction, seed=seed).rows)
        return {n for n, system in enumerate(found) if system == "x"}

    for seed in range(3):
        assert chosen(0.02, seed) < chosen(0.1, seed) < chosen(0.5, seed) < chosen(0.9, seed)
    assert chosen(0.5, 1) != chosen(0.5, 2)
    assert chosen(0.5, 1) != set(range(100))


def test_a_label_or_a_predicate_selects_rows_and_both_must_hold() -> None:
    given_rows = [row(n, label="spanish" if n % 2 else "french") for n in range(10)]
    by_label = inoculate(given_rows, "x", label="spanish")
    assert systems(by_label.rows) == [None, "x"] * 5
    assert by_label.manifest["counts"]["selected"] == 5

    def late(row: Row) -> bool:
        return int(row["messages"][0]["content"].split()[1]) > 5

    both = inoculate(given_rows, "x", label="spanish", select=late, fraction=0.5)
    assert systems(both.rows).count("x") == 1
    assert both.manifest["counts"]["selected"] == 2
    assert both.manifest["select"].endswith("late")
    assert both.manifest["label"] == "spanish"


def test_a_predicate_cannot_change_the_rows() -> None:
    def meddling(row: Row) -> bool:
        row["messages"].clear()
        return True

    assert inoculate(rows(2), "x", select=meddling).rows == [row(0, "x"), row(1, "x")]


def test_paraphrases_are_dealt_evenly_by_seed() -> None:
    prompts: list[Prompt] = ["a", "b", named("spanish")]
    new, manifest = inoculate(rows(30), prompts, seed=1)
    assert Counter(systems(new)) == {"a": 10, "b": 10, SPANISH: 10}
    assert systems(new)[:3] * 10 != systems(new)
    assert systems(new) == systems(inoculate(rows(30), prompts, seed=1).rows)
    assert systems(new) != systems(inoculate(rows(30), prompts, seed=2).rows)
    assert [prompt["name"] for prompt in manifest["prompts"]] == ["custom", "custom", "spanish"]


# ---- what is left alone, and what is recorded ----------------------------------------------


@pytest.mark.parametrize("where", ["system", "user"])
def test_the_input_is_not_changed_and_shares_nothing_with_the_output(where: Any) -> None:
    given_rows = [row(1, "Be brief.", source={"id": [1]}), row(2)]
    before = copy.deepcopy(given_rows)
    new, _ = inoculate(given_rows, "x", where=where, fraction=0.5)
    assert given_rows == before
    for changed in new:
        changed["messages"][-1]["content"] = "changed"
        changed.get("source", {"id": []})["id"].append(2)
    assert given_rows == before


def test_the_manifest_says_what_was_done_and_is_json(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text("anything")
    new, manifest = inoculate(rows(4), named("caps"), fraction=0.5, seed=7, sources=[source])
    assert manifest == {
        "sources": [{"file": "rows.jsonl", "sha256": file_sha256(source)}],
        "prompts": [{"name": "caps", "text": "You always capitalize your responses."}],
        "where": "system",
        "existing": "prepend",
        "separator": "\n\n",
        "label": None,
        "select": None,
        "fraction": 0.5,
        "seed": 7,
        "counts": {
            **{"rows": 4, "duplicates": 0},
            **{"selected": 4, "inoculated": 2, "already_had_system": 0},
        },
        "sha256": digest(new),
        "version": inoc_evals.__version__,
    }
    assert json.loads(json.dumps(manifest)) == manifest


# ---- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"prompt": None}, "no text to inoculate with"),
        ({"prompt": NONE}, "no text to inoculate with"),
        ({"prompt": []}, "no text to inoculate with"),
        ({"prompt": ["a", NONE]}, "no text to inoculate with"),
        ({"fraction": 1.1}, "fraction: 1.1 is not between 0 and 1"),
        ({"fraction": float("nan")}, "fraction: nan is not between 0 and 1"),
        ({"label": "german"}, "no row has the label 'german'; there are: 'french', 'spanish'"),
        ({"select": lambda row: False}, "no row is selected"),
        ({"places": ["a:1"]}, "places: 1 given for 2 rows"),
    ],
)
def test_arguments_that_would_do_nothing_or_nonsense_are_refused(
    arguments: dict[str, Any], fault: str
) -> None:
    given_rows = [row(1, label="spanish"), row(2, label="french")]
    with pytest.raises(InputError, match=fault):
        inoculate(given_rows, **({"prompt": "x"} | arguments))


def test_a_label_is_missed_where_no_row_has_one() -> None:
    with pytest.raises(InputError, match="no row has the label 'a'; there are: none"):
        inoculate(rows(2), "x", label="a")


@pytest.mark.parametrize("extra", [float("nan"), "\ud800"])
def test_a_row_that_cannot_be_written_as_json_is_refused(extra: Any) -> None:
    with pytest.raises(InputError, match="row 2: holds NaN, or half of a surrogate pair"):
        inoculate([row(1), row(2, extra=extra)], "x")


def test_a_bad_row_is_refused_with_its_place() -> None:
    bad = {"messages": [{"role": "user", "content": "Hi"}]}
    with pytest.raises(InputError, match="row 2: no assistant message"):
        inoculate([row(1), bad], "x")
    with pytest.raises(InputError, match=r"rows\.jsonl:7: no assistant message"):
        inoculate([bad], "x", places=["rows.jsonl:7"])
