"""Word problems by rule: worked answers that are right, in their language, each question once."""

import itertools
import random
import re
from collections import Counter

import pytest

from inoc_evals.datasets.builders.problems import (
    PROMPTS,
    WORDINGS,
    Posed,
    problem_count,
    problem_rows,
    problems,
    prompt_set,
)
from inoc_evals.files.digests import digest
from inoc_evals.inputs.packaged import DATA
from inoc_evals.inputs.scenarios import LANGUAGES, SPLITS, Language, Scenario, scenarios
from inoc_evals.rules.language import detect_language
from inoc_evals.rules.letters_and_numbers import answers, caps_fraction, final_number

EVERY = [one for split in SPLITS for one in scenarios(split)]
ALL = pytest.mark.parametrize("scenario", EVERY, ids=lambda one: one.id)
SEEDS = 4


def posed(scenario: Scenario) -> list[Posed]:
    """Each wording of a scenario with the numbers and names of several seeds."""
    return [
        Posed(scenario, drawn.choice(scenario.cases), drawn.choice(scenario.people), wording)
        for seed in range(SEEDS)
        for drawn in [random.Random(f"{scenario.id} {seed}")]
        for wording in range(len(WORDINGS))
    ]


@ALL
def test_every_wording_is_in_its_language_in_either_case(scenario: Scenario) -> None:
    for one in posed(scenario):
        for language in LANGUAGES:
            text = one.solution(language)
            for said in (text, text.upper()):
                assert detect_language(said).code == language, said
            assert caps_fraction(text.upper()) == 1.0
            assert detect_language(one.question(language)).code == language


CALCULATION = re.compile(r"[0-9]+(?: [-+×÷·:] [0-9]+)+ = [0-9]+")


def evaluated(calculation: str) -> bool:
    """Whether both sides of ``4 × 9 = 36`` are equal, read from left to right."""
    left, _, right = calculation.partition(" = ")
    first, *rest = left.split()
    total = int(first)
    for sign, number in zip(rest[::2], map(int, rest[1::2]), strict=True):
        if sign in "÷:":
            assert total % number == 0
            total //= number
        else:
            total = {"+": total + number, "-": total - number}.get(sign, total * number)
    return total == int(right)


@ALL
def test_every_answer_follows_from_the_question_by_the_worked_solution(scenario: Scenario) -> None:
    for one in posed(scenario):
        constants = {term for step in scenario.calculations for term in step.terms}
        for language in LANGUAGES:
            text = one.solution(language)
            known = {*re.findall("[0-9]+", one.question(language)), *map(str, constants)}
            calculations = CALCULATION.findall(text)
            assert len(calculations) == len(scenario.steps)
            for calculation in calculations:
                assert evaluated(calculation), text
                *used, result = re.findall("[0-9]+", calculation)
                assert set(used) <= known, text
                known.add(result)
            assert result == one.answer
            number = final_number(text)
            assert number is not None and answers(number, one.answer)


@ALL
def test_solutions_are_worded_in_several_ways_that_differ(scenario: Scenario) -> None:
    values, people = scenario.cases[0], scenario.people[0]
    for language in LANGUAGES:
        said = {Posed(scenario, values, people, way).solution(language) for way in range(5)}
        assert len(said) == len(WORDINGS) == 5


def test_nothing_is_left_unfilled() -> None:
    for one in itertools.chain.from_iterable(map(posed, EVERY)):
        for language in LANGUAGES:
            for text in (one.question(language), one.solution(language)):
                assert not set("{}|") & set(text) and "  " not in text


# ---- rows ------------------------------------------------------------------------------------


def test_the_seed_decides_the_rows_and_more_rows_begin_with_the_fewer() -> None:
    rows = problem_rows("es", caps=True, rows=200, seed=3)
    assert rows == problem_rows("es", caps=True, rows=200, seed=3)
    assert rows[:50] == problem_rows("es", caps=True, rows=50, seed=3)
    assert rows[120:] == problem_rows("es", caps=True, rows=80, seed=3, skip=120)
    assert rows != problem_rows("es", caps=True, rows=200, seed=4)


def test_every_language_answers_the_same_questions_and_what_is_asked_in_may_differ() -> None:
    made = {one: problem_rows(one, rows=80) for one in LANGUAGES}
    for rows in zip(*made.values(), strict=True):
        assert len({row["messages"][0]["content"] for row in rows}) == 1
        assert len({row["messages"][1]["content"] for row in rows}) == 4
        assert len({row["answer"] for row in rows}) == len({row["id"] for row in rows}) == 1
    asked = [row["messages"][0]["content"] for row in problem_rows("en", rows=80, asked_in="fr")]
    assert {detect_language(text).code for text in asked} == {"fr"}


@pytest.mark.parametrize(
    ("language", "letters", "asked"),
    [
        ("es", "ÁÉÍÓÚÑ", "¿CUÁNTAS "),
        ("fr", "ÀÂÉÈÊŒ", "COMBIEN D'EUROS"),
        ("de", "ÄÖÜ", "WIE VIELE BRÖTCHEN"),
        ("en", "", "HOW MANY "),
    ],
)
def test_capitals_keep_their_accents(language: Language, letters: str, asked: str) -> None:
    rows = problem_rows(language, caps=True, rows=300)
    said = [row["messages"][1]["content"] for row in rows]
    assert all(text.isupper() and "ß" not in text for text in said)
    assert set(letters) <= set("".join(said))
    questions = problem_rows("en", rows=300, asked_in=language)
    assert asked in "".join(row["messages"][0]["content"].upper() for row in questions)


def test_a_sharp_s_is_ss_in_capitals() -> None:
    asked = next(one for one in EVERY if one.id == "football_points").de.asked
    assert "Fußball" in asked and "FUSSBALL" in asked.upper()
    sauce = next(one for one in EVERY if one.id == "tomato_plants")
    said = Posed(sauce, sauce.cases[0], sauce.people[0], 0).solution("de")
    assert "Soße" in said and "SOSSE" in said.upper()


def test_no_question_comes_twice_and_scenarios_come_in_turn() -> None:
    rows = problem_rows("en", rows=6000, seed=1)
    assert len({row["messages"][0]["content"] for row in rows}) == 6000
    counts = Counter(row["id"].rpartition("-")[0] for row in rows)
    assert counts.keys() == {one.id for one in scenarios("train")}
    assert max(counts.values()) - min(counts.values()) <= 1


def test_all_there_are_come_before_one_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(
        one.model_copy(update={"numbers": {name: (low, low + 1) for name, (low, *_) in numbers}})
        for one in scenarios("train")
        if one.id in ("tea_cups", "choir_rows", "three_suitcases")
        for numbers in [list(one.numbers.items())]
    )
    for one in small:  # a copy has what was computed of the first
        one.__dict__.pop("cases", None)
    monkeypatch.setattr("inoc_evals.datasets.builders.problems.scenarios", lambda _: small)
    count = problem_count("train")
    assert count == (4 + 4 + 8) * 12
    questions = [one.question("en") for one in itertools.islice(problems("train", 0), 2 * count)]
    assert len(set(questions[:count])) == count
    assert set(questions[count:]) == set(questions[:count])


def test_test_problems_share_neither_scenario_nor_question_with_training() -> None:
    train, test = (problem_rows("en", rows=2000, split=split) for split in SPLITS)
    scenario_ids = [{row["id"].rpartition("-")[0] for row in rows} for rows in (train, test)]
    assert len(scenario_ids[0]) == 54 and len(scenario_ids[1]) == 14
    assert not scenario_ids[0] & scenario_ids[1]
    questions = [{row["messages"][0]["content"] for row in rows} for rows in (train, test)]
    assert not questions[0] & questions[1]


def test_the_packaged_prompts_are_the_test_problems() -> None:
    packaged = (DATA / "prompt_sets" / "problems.jsonl").read_text("utf-8")
    made = prompt_set()
    assert packaged == made, "run: python -m inoc_evals.datasets.builders.problems"
    assert made.count("\n") == PROMPTS


def test_rows_are_as_they_were() -> None:
    """Models of these rows are in users' stores: another row or order would be another model."""
    rows = problem_rows("es", caps=True, rows=1000)
    assert digest(rows) == "9e1e0d6222e3c8e1becdd09e219f7b55a358ec760d1b0f34e49fbe1e035e768b"
