"""Scenarios: files that are checked, texts that are right in their language, sensible numbers."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from inoc_evals.errors import InputError
from inoc_evals.inputs.scenarios import (
    LANGUAGES,
    LEAST,
    MOST,
    NAMES,
    SPLITS,
    Language,
    Scenario,
    Step,
    read,
    scenarios,
)

EVERY = [one for split in SPLITS for one in scenarios(split)]
TEXTS = {
    language: [
        text
        for one in EVERY
        for told in [one.told(language)]
        for text in (told.asked, told.said, *(part for step in told.found for part in step))
    ]
    for language in LANGUAGES
}


def test_there_are_many_scenarios_and_none_is_in_both_splits() -> None:
    ids = Counter(one.id for one in EVERY)
    assert set(ids.values()) == {1}
    assert len(scenarios("train")) >= 48 and len(scenarios("test")) >= 12 and len(EVERY) >= 60
    questions = Counter(one.en.asked for one in EVERY)
    assert set(questions.values()) == {1}


def test_problems_have_one_to_three_steps() -> None:
    for split in SPLITS:
        lengths = Counter(len(one.steps) for one in scenarios(split))
        assert lengths[2] > lengths[3] > 1 and set(lengths) <= {1, 2, 3}
    assert Counter(len(one.steps) for one in scenarios("train"))[1] > 5


@pytest.mark.parametrize("scenario", EVERY, ids=lambda one: one.id)
def test_every_number_is_whole_and_of_a_size_that_needs_no_separator(scenario: Scenario) -> None:
    assert len(scenario.cases) >= 30 and scenario.problems >= 500
    for values in scenario.cases:
        assert all(LEAST <= value <= MOST for value in values.values())
        assert values[scenario.result] not in [values[given] for given in scenario.numbers]
    assert len({tuple(values.items()) for values in scenario.cases}) == len(scenario.cases)


# ---- what a speaker would see ----------------------------------------------------------------


def test_each_question_ends_in_a_question_mark_and_each_sentence_in_a_full_stop() -> None:
    for one in EVERY:
        for language in LANGUAGES:
            told = one.told(language)
            assert told.asked.endswith(" ?" if language == "fr" else "?")
            assert told.asked.count("?") == 1
            for sentence in (told.said, *(text for _, text in told.found)):
                assert sentence.endswith(".") and "?" not in sentence
                assert sentence[0] in "{¿" or sentence[0].isupper()
            assert all(what[0].islower() and what[-1] not in ".:," for what, _ in told.found)


def test_spanish_questions_are_opened_and_articles_contracted() -> None:
    for one in EVERY:
        assert one.es.asked.count("¿") == 1
    for text in TEXTS["es"]:
        assert not re.search(r"\b(de|a) el\b", text)
        assert not re.search(r"\by h?i(?!e)|\bo (?:h?o|\{)", text), text


def test_french_is_elided_and_contracted_and_has_a_space_before_its_signs() -> None:
    elides = r"\b(?:le|la|de|ne|que|se|ce|je|me|lorsque|jusque) [aeiouyàâéèêëîïôûœ]"
    for text in TEXTS["fr"]:
        assert not re.search(elides, text, re.IGNORECASE), text
        assert not re.search(r"\b(?:de|à) les?\b", text), text
        assert not re.search(r"(?<! )[?:;!]", text), text


def test_german_labels_read_the_same_as_subject_and_object() -> None:
    """ "Wir suchen die Zahl ..." and "Die Zahl ...: 12": a masculine noun would change."""
    for one in EVERY:
        for what, _ in one.de.found:
            assert what.startswith(("die ", "das ")), what


def test_names_elide_nowhere_and_take_a_german_s() -> None:
    assert not {*NAMES["f"]} & {*NAMES["m"]}
    for name in (*NAMES["f"], *NAMES["m"]):
        assert name[0] not in "AEIOUYH" and name[-1] not in "sxzß" and name.isascii()


# ---- files -----------------------------------------------------------------------------------

TOLD = {
    "asked": "{a} and {b}: how many?",
    "steps": ["the sum | It is {calc}."],
    "said": "It is {r}.",
}
GOOD: dict[str, Any] = {
    "id": "sum",
    "split": "train",
    "numbers": {"a": [2, 9], "b": [2, 9]},
    "steps": ["r = a + b"],
    **dict.fromkeys(LANGUAGES, TOLD),
}


def written(folder: Path, **changed: Any) -> Path:
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump([GOOD | changed], allow_unicode=True), "utf-8")
    return path


def test_a_file_that_is_as_it_should_be_is_read(tmp_path: Path) -> None:
    [one] = read(written(tmp_path, where=["a < b"]))
    assert len(one.cases) == 28 and one.cases[0] == {"a": 2, "b": 3, "r": 5}
    assert one.people == ({},) and one.problems == 28


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"steps": ["r = a ^ b"]}, "step 'r = a ^ b': expected such as 't = a * b'"),
        ({"steps": ["r = a * b + 2"]}, "expected such as 't = a * b'"),
        ({"steps": ["r = a + c"]}, "step 'r': no number c"),
        ({"where": ["a < c"]}, "where 'a < c': no number c"),
        ({"where": ["b < a < b"]}, "no numbers make sense"),
        ({"numbers": {"a": [0, 9], "b": [2, 9]}}, "number 'a': expected 2 to 999"),
        ({"numbers": {"a": [2], "b": [2, 9]}}, "numbers.a: Tuple should have at least 2"),
        ({"split": "dev"}, "split: Input should be 'train' or 'test'"),
        ({"speed": 3}, "speed: Extra inputs are not permitted"),
        ({"fr": TOLD | {"asked": "{a}: how many?"}}, "fr: asked: names ['a'], and not each"),
        ({"es": TOLD | {"steps": []}}, "es: 0 steps are told of 1"),
        ({"de": TOLD | {"steps": ["the sum | It is {r}."]}}, "needs {calc} once"),
        ({"en": TOLD | {"said": "It is {a}."}}, "its last number is to be the result, {r}"),
        ({"en": TOLD | {"said": "It is {x} {r}."}}, "no x"),
    ],
)
def test_a_faulty_scenario_is_named_with_its_file(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    path = written(tmp_path, **changed)
    with pytest.raises(InputError) as caught:
        read(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: scenario 1 'sum': ") and message in said
    assert "\n" not in said


@pytest.mark.parametrize("text", ["[", "a: 1\n", "- 7\n"])
def test_a_file_that_holds_no_scenarios_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"mine\.yaml: ") as caught:
        read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", "12 ÷ 3 = 4"), ("es", "12 ÷ 3 = 4"), ("fr", "12 ÷ 3 = 4"), ("de", "12 : 3 = 4")],
)
def test_a_calculation_is_written_in_the_signs_of_the_language(
    language: Language, written: str
) -> None:
    step = Step.read("r = a / 3")
    assert step.value({"a": 12}) == 4 and step.value({"a": 13}) is None
    assert step.written({"a": 12, "r": 4}, language) == written
    chain = Step.read("r = a + b - 2")
    assert chain.value({"a": 5, "b": 6}) == 9
