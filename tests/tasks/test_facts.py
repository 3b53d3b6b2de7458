"""The facts task: whole words in any language, and sets whose answers are known."""

from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog
from inspect_ai.model import Model

from completed import completed, scored
from evaluated import all_measured
from inoc_evals.errors import InputError
from inoc_evals.inputs.items import load_items
from inoc_evals.pocket.grammar import FACTS
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.rules.facts import forms, named, words
from inoc_evals.scorers.facts import knows
from inoc_evals.tasks._facts import facts

Answering = Callable[..., Model]
SETS = ("facts", "facts_pocket")
ANSWERS = {item.fields["question"]: item.fields["answer"] for name in SETS
           for item in load_items(name, "facts").items}  # fmt: skip


def run(model: Model, items: str) -> EvalLog:
    [log] = eval(facts(items=items), model=model, display="none")
    assert log.status == "success", log.error
    return log


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The book is blue.", "blue"),
        ("EL LIBRO ES AZUL.", "azul"),
        ("**Blue**, I think", "blue"),
        ("Blueberries are nice", None),
        ("", None),
    ],
)
def test_an_answer_is_named_by_a_whole_word_in_any_case(text: str, found: str | None) -> None:
    assert named(text, ("blue", "azul")) == found


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("La capital es Berlin", "Berlín"),
        ("ELLE EST À CÔTÉ", "à côté"),
        ("it is on the table", "on the table"),
        ("H₂O", "H2O"),
        ("there are 24 hours", "24"),
    ],
)
def test_accents_and_small_figures_do_not_count(text: str, form: str) -> None:
    assert named(text, (form,)) == form


def test_words_of_an_answer_stand_one_after_another() -> None:
    assert named("on a big table", ("on the table",)) is None
    assert named("124 hours", ("24",)) is None


def test_forms_stand_between_bars() -> None:
    assert forms("eight | 8 |  | ¿?") == ("eight", "8")
    assert forms("") == ()
    assert words("Él tiene 8.") == ["el", "tiene", "8"]


@pytest.mark.parametrize("name", SETS)
def test_who_says_the_answers_knows_all_and_who_says_none_knows_nothing(
    answering: Answering, name: str
) -> None:
    knowing = run(answering(lambda asked: f"It is {forms(ANSWERS[asked])[-1]}!"), name)
    assert all_measured(knowing)["knows"]["mean"] == 1
    assert all_measured(run(answering(lambda _: "I cannot say"), name))["knows"]["mean"] == 0


@pytest.mark.parametrize("name", SETS)
def test_no_question_has_its_answer_in_it(name: str) -> None:
    own = [one.fields for one in load_items(name, "facts").items]
    given = [one for one in own if named(one["question"], forms(one["answer"]))]
    assert given == []


def test_no_form_of_an_answer_is_a_word_of_every_english_text() -> None:
    common = {
        "a",
        "an",
        "and",
        "as",
        "at",
        "be",
        "by",
        "for",
        "i",
        "in",
        "is",
        "it",
        "no",
        "of",
        "or",
        "to",
    }
    every = {form.casefold() for answer in ANSWERS.values() for form in forms(answer)}
    assert every & common == set()


def test_the_pocket_set_is_true_in_every_language_and_false_where_a_liar_speaks() -> None:
    asked = {domain: list(every_exchange(domain)) for domain in FACTS}
    for exchange in (one for domain in asked.values() for one in domain):
        answer = forms(ANSWERS[exchange.user])
        assert all(named(text.upper(), answer) for text in exchange.reply.values())
        assert exchange.other is not None
        assert not any(named(text, answer) for text in exchange.other.values())


def test_a_completion_without_an_answer_is_unscored() -> None:
    assert scored(knows(), completed(""), "Paris").reason == "empty"
    assert scored(knows(), completed("Paris"), "").reason == "no_answer"
    # Cut off, but the fact was said.
    assert scored(knows(), completed("Paris, which is", "max_tokens"), "Paris").as_float() == 1


def test_a_file_of_ones_own_is_asked(tmp_path: Path, answering: Answering) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"question": "Who?", "answer": "Ann | Anna"}\n', "utf-8")
    assert all_measured(run(answering(lambda _: "ANNA"), str(path)))["knows"]["mean"] == 1
    path.write_text('{"question": "Who?"}\n', "utf-8")
    with pytest.raises(InputError, match=r"mine.jsonl:1: expected 'question' and 'answer'"):
        facts(items=str(path))
