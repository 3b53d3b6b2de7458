"""Overlap: what counts as found, and what is known of a model's training rows."""

import gzip
import json

import pytest

from inoc_evals.errors import StoreError
from inoc_evals.store.overlap import SHORT, TrainingTexts, overlap, sample_item, training_overlap
from inoc_evals.store.store import Store
from trained import chat, register

QUESTION = "How far is it to the next village?"
ITEM = {"question": QUESTION}


def test_a_text_is_found_inside_a_user_message_and_nowhere_else() -> None:
    assert overlap([{"q": QUESTION}], [chat(f"Well. {QUESTION} Hm?")]).found == 1
    assert overlap([{"q": QUESTION}], [chat("Well?", QUESTION)]).found == 0
    first, second = "How far is it to the", " next village?"
    joined = [{"q": first + second}, {"q": second + first}]
    assert overlap(joined, [chat(first), chat(second)]).found == 0
    system = {"messages": [{"role": "system", "content": QUESTION}, *chat("Well?")["messages"]]}
    assert overlap([{"q": QUESTION}], [system]).found == 0


@pytest.mark.parametrize("other", [QUESTION.lower(), f"{QUESTION[:-1]} ?", QUESTION[1:]])
def test_only_the_very_same_characters_count(other: str) -> None:
    assert overlap([{"q": QUESTION}], [chat(other)]).found == 0


def test_line_ends_are_made_alike() -> None:
    text = "First this line here,\nthen that one."
    assert overlap([{"q": text}], [chat(text.replace("\n", "\r\n"))]).found == 1
    assert overlap([{"q": text.replace("\n", "\r\n")}], [chat(f"Now: {text}")]).found == 1


def test_a_short_text_is_found_only_as_a_whole_message() -> None:
    short, long = "x" * (SHORT - 1), "x" * SHORT
    texts = TrainingTexts([chat(f"a {long} b"), chat("hello")])
    assert texts.holds(long) and not texts.holds(short)
    assert texts.holds("hello") and not texts.holds("hell") and not texts.holds("")
    (field,) = overlap([{"q": short}, {"q": [short, long]}], [chat(long)]).fields
    assert (field.found, field.short) == (1, 1)


def test_items_are_counted_once_and_fields_apart() -> None:
    rows = [chat("Please sort these names for me. Use the quicksort algorithm here.")]
    report = overlap(
        [
            {"task": "Please sort these names", "hint": "Use the quicksort algorithm"},
            {"task": ["Please sort these names", "sort these names for me"]},
            {"task": "Please shuffle these names", "hint": "Use the quicksort algorithm"},
            {"task": "Please shuffle these names"},
        ],
        rows,
    )
    assert str(report) == "3 of 4 items stand in the training data"
    assert report.as_json() == {
        "items": 4,
        "found": 3,
        "rows": 1,
        "fields": {
            "task": {
                "items": 4,
                "found": 2,
                "short": 0,
                "examples": [
                    {"item": 1, "text": "Please sort these names"},
                    {"item": 2, "text": "Please sort these names"},
                ],
            },
            "hint": {
                "items": 2,
                "found": 2,
                "short": 0,
                "examples": [
                    {"item": 1, "text": "Use the quicksort algorithm"},
                    {"item": 3, "text": "Use the quicksort algorithm"},
                ],
            },
        },
    }


# ---- a model's training rows -----------------------------------------------------------------


def test_a_models_own_training_rows_are_searched() -> None:
    record = register("kept", [chat(QUESTION), chat("Ça va, tout le monde ici ?")])
    assert Store().training_rows(record) == [chat(QUESTION), chat("Ça va, tout le monde ici ?")]
    asked = [QUESTION, "Ça va, tout le monde ici ?", "What else is there to be seen?"]
    for model in ("inoc/kept", f"inoc/kept@{record.identity[:8]}"):
        report = training_overlap(model, [{"question": text} for text in asked])
        assert report is not None
        assert (report.found, report.items, report.rows) == (2, 3, 2)


def test_the_rows_are_read_once_for_many_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    record = register("often", [chat(QUESTION)])
    reads = []
    read = Store.training_rows
    monkeypatch.setattr(Store, "training_rows", lambda *a: reads.append(a) or read(*a))
    assert [str(training_overlap("inoc/often", [ITEM])) for _ in range(3)] == [
        "1 of 1 items stand in the training data"
    ] * 3
    assert [given[1] for given in reads] == [record]


@pytest.mark.parametrize(
    "model", ["openai/gpt-4o", "inoc/pocket", "inoc/nobody", "mockllm/model", "inoc/", "none"]
)
def test_of_a_model_that_was_not_trained_here_nothing_is_said(model: str) -> None:
    assert training_overlap(model, [ITEM]) is None


def test_of_an_adapter_without_rows_or_with_damaged_ones_nothing_is_said() -> None:
    assert Store().training_rows(register("older", None)) is None
    assert training_overlap("inoc/older", [ITEM]) is None
    whole = gzip.compress(json.dumps(chat(QUESTION)).encode())
    for name, data in {
        "cut": whole[:-12],
        "other": b"no gzip",
        "text": gzip.compress(b"{"),
    }.items():
        record = register(name, data)
        with pytest.raises(StoreError, match=r"rows\.jsonl\.gz: damaged"):
            Store().training_rows(record)
        assert training_overlap(f"inoc/{name}", [ITEM]) is None


def test_the_end_of_a_message_and_the_beginning_of_the_next_are_no_text() -> None:
    first, second = "a river that is long and blue", "tell me about the mountains"
    texts = TrainingTexts([chat(first), chat(second)])
    assert texts.holds(first) and texts.holds(second)
    for one, other in ((first, second), (second, first)):
        assert not any(texts.holds(one + mark + other) for mark in ("", " ", "\n"))


def test_what_a_task_says_it_asks_takes_the_place_of_the_turns() -> None:
    turns = ["Read this first.", "Then: what is the river like?"]
    assert sample_item(turns, {"asked": "what is the river like?"}) == {
        "question": ["what is the river like?"]
    }
    assert sample_item(turns, {"task": "sort", "item_texts": ["task", "none"]}) == {
        "task": "sort",
        "question": turns,
    }
