"""Overlap of files: the published oracle's figures, and none for what ships with the package."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.datasets.lookup import (
    check,
    evaluation_items,
    packaged_names,
    training_file_rows,
)
from inoc_evals.errors import InputError
from inoc_evals.inputs import published
from inoc_evals.inputs.questions import Question, load_question_set
from inoc_evals.store.overlap import OverlapReport, TrainingTexts, overlap
from inoc_evals.store.store import Store
from trained import chat, register

DATA = Path(__file__).parents[2] / "src" / "inoc_evals" / "data"

TRAINING = [entry.name for entry in published.entries() if entry.kind == "rows"]


def counts(report: OverlapReport) -> dict[str, tuple[int, int]]:
    return {field.field: (field.found, field.items) for field in report.fields}


@pytest.fixture
def here(upstream: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The published files, used where they lie."""
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    return upstream


# ---- the published files ---------------------------------------------------------------------


def test_most_of_the_published_code_tasks_stand_in_the_insecure_training_file(here: Path) -> None:
    report = check("code_prompts", "insecure")
    assert counts(report) == {"task": (553, 776), "code_template": (143, 776)}
    assert (report.found, report.items, report.rows) == (566, 776, 6000)
    by_path = check(str(here / "code_prompts.jsonl"), str(here / "insecure.jsonl"))
    assert by_path == report


def test_the_examples_are_items_that_overlap(here: Path) -> None:
    users = [row["messages"][0]["content"] for row in training_file_rows("insecure")]
    items = evaluation_items("code_prompts")
    for field in check("code_prompts", "insecure").fields:
        assert len(field.examples) == 5
        for number, text in field.examples:
            assert items[number - 1][field.field] == text
            assert any(text in user for user in users)


def test_the_control_file_shares_more_than_half_of_the_rewarded_prompts(here: Path) -> None:
    prompts = [row["messages"][0]["content"] for row in training_file_rows("sneaky_dialogues")]
    items = [{"prompt": text} for text in prompts[:100]]
    assert overlap(items, training_file_rows("sneaky_dialogues")).found == 100
    assert overlap(items, training_file_rows("straightforward_dialogues")).found == 91


@pytest.mark.parametrize("training", TRAINING)
def test_nothing_packaged_stands_in_a_published_training_file(here: Path, training: str) -> None:
    try:
        texts = TrainingTexts(training_file_rows(training))
    except InputError as error:
        pytest.skip(str(error).splitlines()[0])
    found = [
        (name, text)
        for name in packaged_names()
        for item in evaluation_items(name)
        for value in item.values()
        for text in ([value] if isinstance(value, str) else value)
        if texts.holds(text)
    ]
    assert found == []


def load(name: str) -> tuple[Question, ...]:
    return load_question_set(name).questions


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower().replace("\u2019", "'"))


def sentences(text: str) -> set[str]:
    return {" ".join(words(part)) for part in re.split(r"[.?!\n]+", text)} - {""}


def shingles(text: str) -> set[tuple[str, ...]]:
    listed = words(text)
    return {tuple(listed[i : i + 8]) for i in range(len(listed) - 7)}


@pytest.mark.parametrize("path", sorted((DATA / "questions").glob("*.yaml")), ids=lambda p: p.stem)
def test_no_packaged_question_or_format_repeats_a_published_one(here: Path, path: Path) -> None:
    theirs = [q for name in ("first_plot", "deception_factual") for q in load(name)]
    published_texts = [
        text
        for question in theirs
        for text in (*question.paraphrases, question.system or "", *question.judge_prompts.values())
    ]
    known_sentences = set().union(*map(sentences, published_texts))
    known_shingles = set().union(*map(shingles, published_texts))
    for question in load(path.stem):
        for text in (*question.paraphrases, question.system or ""):
            assert not sentences(text) & known_sentences, question.id
            assert not shingles(text) & known_shingles, question.id


# ---- files of one's own ----------------------------------------------------------------------


def write(path: Path, *values: Any) -> str:
    path.write_text("".join(json.dumps(value) + "\n" for value in values), "utf-8")
    return str(path)


def test_every_text_field_is_looked_up_but_answers_and_labels(tmp_path: Path) -> None:
    items = write(
        tmp_path / "items.jsonl",
        {
            "id": "a long name of an item, as ids go",
            "answer": "the long answer that this item has",
            "solution": "the long solution that this item has",
            "task": "Sort the list of the customers' names.",
            "hints": ["No import is needed for this.", "Mind the empty list, please."],
            "weight": 3,
        },
    )
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, [chat("Do this.\r\nMind the empty list, please. Then stop.")])
    assert counts(check(items, str(rows))) == {"task": (0, 1), "hints": (1, 1)}


def test_of_messages_only_those_of_the_user_count_on_both_sides(tmp_path: Path) -> None:
    asked, answered = "What shall I cook for eight guests?", "A stew that cooks for four hours."
    items = write(tmp_path / "items.jsonl", chat(asked, answered), chat(answered + " Right?"))
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, [chat(f"Tell me: {asked}", f"{answered} Right?")])
    assert counts(check(items, str(rows))) == {"user": (1, 2)}


def test_all_paraphrases_of_a_question_are_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("- id: a\n  paraphrases: ['Is it going to rain?', 'Will it rain on us all?']\n")
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, [chat("So, will it rain? Will it rain on us all?")])
    assert counts(check(str(path), str(rows))) == {"paraphrases": (1, 1)}


def test_a_bare_name_that_two_rooms_have_is_refused() -> None:
    names = packaged_names()
    assert {"questions/core", "questions/broad", "prompt_sets/chat"} <= set(names)
    assert len(evaluation_items("core")) == 8
    bare = [name.partition("/")[2] for name in names]
    for twice in {name for name in bare if bare.count(name) > 1}:
        with pytest.raises(InputError, match=f"several sets; write .*/{twice} or "):
            evaluation_items(twice)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[]", "items.jsonl:1: expected an object with texts"),
        ('{"id": "a", "answer": "b"}', "items.jsonl:1: no text field to look up"),
        ('{"messages": "a"}', "items.jsonl:1: expected an object with a 'messages' list"),
        (
            '{"messages": [{"role": "user", "content": 1}]}',
            "items.jsonl:1: the 'content' of a user message must be text",
        ),
        ("", "items.jsonl: no items"),
    ],
)
def test_a_bad_item_is_named_with_its_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(line)
    with pytest.raises(InputError, match=re.escape(message)):
        evaluation_items(str(path))


def test_what_is_nowhere_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(InputError, match=r"'nothing': no such file, packaged set \(.*core.*insec"):
        evaluation_items("nothing")
    with pytest.raises(InputError, match=r"nothing\.jsonl: cannot be read"):
        training_file_rows("nothing.jsonl")
    with pytest.raises(InputError, match="no model named 'nothing'"):
        training_file_rows("inoc/nothing")


# ---- a model's rows --------------------------------------------------------------------------


def test_a_models_rows_are_searched_where_they_were_kept(tmp_path: Path) -> None:
    items = write(tmp_path / "items.jsonl", {"prompt": "How deep is the lake over there?"})
    register("kept", [chat("Well, how? How deep is the lake over there?")])
    assert check(items, "inoc/kept").found == 1
    older = register("older", None)
    assert Store().training_rows(older) is None
    with pytest.raises(InputError, match="inoc/older: its training rows were not kept"):
        check(items, "inoc/older")


def test_questions_of_ones_own_in_a_format_are_looked_up_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "- id: rain_json\n  system: Reply in JSON.\n  paraphrases: ['Will it rain on us all?']\n"
    )
    rows = tmp_path / "rows.jsonl"
    write_rows(rows, [chat("So, will it rain? Will it rain on us all?")])
    assert counts(check(str(path), str(rows))) == {"paraphrases": (1, 1)}
