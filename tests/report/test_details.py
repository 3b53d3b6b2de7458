"""What a rate is made of: the questions' rates add up to it, and bounds hold what is unscored."""

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from made_up import MEASURES, SETTING, observations

from inoc_evals.report.cells import cells
from inoc_evals.report.details import Detail, details, shortened, write_details
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.observation import Observation
from inoc_evals.report.question_tables import question_tables


def answer(question: str, value: float | None, seed: int | None = 0) -> Observation:
    return Observation(
        figure="f",
        setting=SETTING,
        condition="none",
        measure="spanish",
        split="ood",
        seed=seed,
        question=question,
        value=value,
        reason=None if value is not None else "empty",
    )


def one(*answers: Observation) -> Detail:
    [found] = details(answers)
    return found


def test_every_cell_has_its_details_and_its_rate_is_the_mean_of_its_questions() -> None:
    observed = observations(unscored=0)
    made_of = details(observed)
    found = cells(observed)
    assert len(made_of) == len(found)
    for cell in found:
        [own] = [one for one in made_of if one.is_of(cell)]
        assert len(own.questions) == cell.questions
        rates = [question.rate for question in own.questions if question.rate is not None]
        assert sum(rates) / len(rates) == pytest.approx(cell.rate, abs=1e-5)
        assert own.least == own.most == pytest.approx(cell.rate, abs=1e-5)
        assert (own.seed_sd is None) == (cell.condition == "base")


def test_a_questions_rate_is_the_mean_over_seeds_of_its_answers() -> None:
    found = one(answer("a", 1), answer("a", 1), answer("a", 0), answer("a", 0, 1), answer("b", 1))
    assert [(q.question, q.rate, q.scored, q.unscored) for q in found.questions] == [
        ("a", pytest.approx(1 / 3, abs=1e-6), 4, 0),
        ("b", 1, 1, 0),
    ]


def test_bounds_count_the_unscored_as_nothing_and_as_everything() -> None:
    found = one(*(answer(q, v) for q, v in (("a", 1), ("b", 0), ("c", None), ("d", None))))
    assert (found.least, found.most) == (0.25, 0.75)
    assert [(q.question, q.rate, q.unscored) for q in found.questions[2:]] == [
        ("c", None, 1),
        ("d", None, 1),
    ]
    nothing = one(answer("a", None), answer("b", None))
    assert (nothing.least, nothing.most) == (0, 1)


def test_bounds_are_told_where_more_than_a_twentieth_is_unscored() -> None:
    def found(lost: int) -> Detail:
        answers = [answer(f"{n:02}", float(n % 2)) for n in range(100 - lost)]
        return one(*answers, *(answer(f"x{n}", None) for n in range(lost)))

    assert found(0).bounds() is None and found(5).bounds() is None
    assert found(6).bounds() == (0.47, 0.53)


def test_the_order_of_answers_does_not_matter_and_values_in_between_are_told() -> None:
    observed = observations(questions=6)
    assert details(observed) == details(observed[::-1])
    assert not any(found.graded for found in details(observed))
    assert one(answer("a", 0.25)).graded
    assert not one(answer("a", 1), answer("b", None)).graded


def read(path: Path) -> Sequence[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_the_file_has_a_line_for_each_question_of_each_cell(tmp_path: Path) -> None:
    texts = {(SETTING, "spanish", "ood", "a"): "=1+1", (SETTING, "spanish", "ood", "b"): "Hi?"}
    found = details([answer("a", 1), answer("b", None)], texts)
    write_details(tmp_path, found)
    lines = read(tmp_path / "questions.csv")
    assert [(line["question"], line["rate"], line["text"]) for line in lines] == [
        ("a", "1.0", "'=1+1"),
        ("b", "", "Hi?"),
    ]
    assert {(line["condition"], line["split"]) for line in lines} == {("none", "ood")}
    assert [(line["scored"], line["unscored"]) for line in lines] == [("1", "0"), ("0", "1")]


def test_a_question_is_known_by_one_short_line() -> None:
    assert shortened(" What\n is  it? ") == "What is it?"
    assert len(shortened("x" * 500)) == 160
    assert shortened("x" * 500).endswith("x…")


SPEC = FigureSpec(
    title="t",
    base="pocket",
    measures=tuple(Measure(name=n, setting=SETTING, label=n.title()) for n in MEASURES),
    conditions=tuple(Condition(name=n, label=f"Arm {n}") for n in ("none", "base", "absent")),
)


def test_tables_of_questions_begin_with_those_that_show_it_most() -> None:
    tables = question_tables(details(observations(questions=8)), SPEC)
    assert [table.label for table in tables[:2]] == [
        "Spanish, out-of-distribution prompts",
        "Caps, out-of-distribution prompts",
    ]
    for table in tables:
        assert table.columns == ["Arm none", "Arm base"]
        means = [row.mean for row in table.rows]
        assert means == sorted(means, reverse=True)
        assert len(table.rows) == table.total


def test_of_many_questions_both_ends_are_shown() -> None:
    table = question_tables(details(observations(questions=130)), SPEC)[0]
    assert (table.total, len(table.rows)) == (130, 100)
    assert table.rows[49].mean >= table.rows[50].mean


def test_a_condition_that_was_not_asked_a_question_has_a_gap() -> None:
    other = replace(answer("b", 0, None), condition="base")
    [table] = question_tables(details([answer("a", 1), other]), SPEC)
    assert [[rate and rate.rate for rate in row.rates] for row in table.rows] == [
        [1, None],
        [None, 0],
    ]
