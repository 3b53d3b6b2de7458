"""The result in words: the right comparison, the right words, and no more than the numbers show."""

import re
from typing import Any

import pytest
from made_up import SETTING, observations

from inoc_evals.report.cells import Cell, Contrast, cells, contrasts
from inoc_evals.report.details import Detail, details
from inoc_evals.report.figure import Condition, FigureSpec, Measure, Nil, Prompt
from inoc_evals.report.in_words import InWords, in_words, primary

TRAINED = (Prompt(where="training, system message of all rows", text="Speak Spanish."),)
SPEC = FigureSpec(
    title="t",
    base="org/base",
    measures=(
        Measure(name="caps", setting=SETTING, label="Caps"),
        Measure(name="spanish", setting=SETTING, label="Spanish", said="of answers are in Spanish"),
    ),
    conditions=(
        Condition(name="base", label="Base"),
        Condition(name="none", label="No inoculation", said="without inoculation"),
        Condition(
            name="spanish_inoc", label="Inoculated", said="with the Spanish prompt", prompts=TRAINED
        ),
    ),
    nil=(Nil(condition="spanish_inoc", setting=SETTING, measure="spanish"),),
)
UNDECLARED = SPEC.model_copy(update={"nil": ()})


def cell(condition: str, rate: float | None, **changes: Any) -> Cell:
    around = (None, None) if rate is None else (rate - 0.02, rate + 0.019)
    plain: dict[str, Any] = {
        "figure": "f",
        "setting": SETTING,
        "condition": condition,
        "measure": "spanish",
        "split": "ood",
        "rate": rate,
        "low": around[0],
        "high": around[1],
        "n": 300,
        "seeds": [0, 1, 2],
        "questions": 100,
        "interval": "seeds",
        "per_seed": {"0": rate, "1": rate, "2": rate},
    }
    return Cell(**(plain | changes))


def contrast(
    difference: float | None, low: float | None, high: float | None, **changes: Any
) -> Contrast:
    plain: dict[str, Any] = {
        "figure": "f",
        "setting": SETTING,
        "condition": "spanish_inoc",
        "reference": "none",
        "measure": "spanish",
        "split": "ood",
        "difference": difference,
        "low": low,
        "high": high,
        "pairs": 300,
        "unpaired": 0,
        "seeds": [0, 1, 2],
        "interval": None if low is None else "seeds",
        "per_seed": {"0": difference, "1": difference, "2": difference},
    }
    return Contrast(**(plain | changes))


def said(
    one: Contrast, *others: Contrast, spec: FigureSpec = SPEC, made_of: Any = (), **changes: Any
) -> InWords:
    found = [cell("none", 0.64, **changes), cell("spanish_inoc", 0.03, **changes)]
    return in_words(found, [one, *others], spec, made_of)


DROP = contrast(-0.61, -0.68, -0.54)


def test_the_result_is_two_rates_and_their_difference_with_intervals() -> None:
    assert said(DROP).result == (
        "On out-of-distribution prompts and without inoculation, 64% of answers are in Spanish "
        "[62, 66]; with the Spanish prompt, 3% [1, 5]: a drop of 61 points [54, 68]."
    )


def test_labels_serve_where_no_words_are_declared() -> None:
    changes = {
        "conditions": [one.model_copy(update={"said": ""}) for one in SPEC.conditions],
        "measures": [one.model_copy(update={"said": ""}) for one in SPEC.measures],
    }
    assert said(DROP, spec=SPEC.model_copy(update=changes)).result == (
        "On out-of-distribution prompts and under “No inoculation”, 64% of answers count as "
        "“Spanish” [62, 66]; under “Inoculated”, 3% [1, 5]: a drop of 61 points [54, 68]."
    )


def test_a_difference_that_the_two_rates_do_not_give_says_of_what_it_is() -> None:
    over = " over the 40 answers that both have a score for."
    assert said(contrast(-0.7, -0.8, -0.6, pairs=40)).result.endswith(f"[60, 80]{over}")
    assert "over the" not in said(DROP).result


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (contrast(0.25, 0.1, 0.4), "a rise of 25 points [10, 40]"),
        (contrast(-0.01, -0.015, -0.011), "a drop of 1 point [1, 2]"),
        (contrast(-0.004, -0.006, -0.002), "a drop of 0.4 points [0.2, 0.6]"),
        (contrast(0.998, 0.99, 0.9999), "a rise of 99.8 points [99, 99.99]"),
        (
            contrast(-0.04, -0.12, 0.05),
            "−4 points [−12, +5], an interval that holds zero, so no difference is shown",
        ),
        (contrast(0, -0.1, 0.1), "0 points [−10, +10], an interval that holds zero"),
        (contrast(0.1, 0, 0.2), "+10 points [0, +20], an interval that holds zero"),
        (contrast(-0.1, -0.2, 0), "−10 points [−20, 0], an interval that holds zero"),
        (
            contrast(-0.61, None, None, per_seed={"4": -0.61}, seeds=[4]),
            "a drop of 61 points, without an interval (one seed)",
        ),
        (contrast(-0.61, None, None), "a drop of 61 points, without an interval (one question)"),
        (
            contrast(0, None, None, per_seed={"4": 0.0}, seeds=[4]),
            "no difference, without an interval (one seed)",
        ),
        (contrast(None, None, None, pairs=0), "no question has a scored answer under both"),
    ],
)
def test_a_difference_is_called_what_it_is(one: Contrast, words: str) -> None:
    assert f": {words}" in said(one).result


def test_no_difference_that_is_not_shown_is_called_a_drop_or_a_rise() -> None:
    for one in (contrast(-0.04, -0.12, 0.05), contrast(0.1, 0, 0.2)):
        assert not re.search("drop|rise", said(one).result)


def test_graded_answers_have_means_and_no_percent() -> None:
    graded = Detail(
        figure="f",
        setting=SETTING,
        condition="none",
        measure="spanish",
        split="ood",
        questions=(),
        seed_sd=None,
        question_sd=None,
        least=0.6,
        most=0.7,
        graded=True,
    )
    told = said(DROP, made_of=[graded]).result
    assert told == (
        "On out-of-distribution prompts and without inoculation, “Spanish” is 0.64 on average "
        "[0.62, 0.66]; with the Spanish prompt, 0.03 [0.01, 0.05]: a drop of 0.61 [0.54, 0.68]."
    )
    open_ = said(contrast(-0.04, -0.12, 0.05), made_of=[graded]).result
    assert "−0.04 [−0.12, +0.05], an interval that holds zero" in open_


def test_a_rate_without_answers_is_not_a_number() -> None:
    found = [cell("none", None, n=0, questions=0), cell("spanish_inoc", 0.03)]
    told = in_words(found, [contrast(None, None, None, pairs=0)], SPEC).result
    assert "without inoculation, no answer could be scored; with the Spanish prompt, 3%" in told


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seeds": [0, 1]}, "2 seeds at the least"),
        ({"seeds": [0]}, "1 seed at the least"),
        ({"questions": 8}, "8 questions at the least"),
        ({"questions": 1, "n": 1}, "1 question and 1 answer at the least"),
        ({"seeds": [0, 1], "questions": 8, "n": 16}, "2 seeds, 8 questions and 16 answers at the"),
    ],
)
def test_few_seeds_questions_or_answers_are_told(changes: dict[str, Any], words: str) -> None:
    assert f"This rests on little: {words}" in said(DROP, **changes).result
    assert "This rests on little" not in said(DROP).result


def test_what_is_meant_to_be_nil_comes_first_and_on_the_first_split() -> None:
    other = contrast(0.3, 0.2, 0.4, measure="caps")
    later = contrast(-0.5, -0.6, -0.4, split="id")
    base = contrast(0.6, 0.5, 0.7, condition="none", reference="base")
    assert primary([base, later, other, DROP], SPEC) == [DROP]
    assert primary([later], SPEC) == [later]
    # Undeclared, as of a description of before: all measures of the first inoculated condition.
    assert primary([base, later, other, DROP], UNDECLARED) == [other, DROP]
    assert primary([base], UNDECLARED) == [base]
    assert primary([], SPEC) == []
    # What is declared and was not compared.
    assert primary([base, other], SPEC) == [other]


def test_several_are_told_and_the_prompts_once() -> None:
    nil = tuple(
        Nil(condition="spanish_inoc", setting=SETTING, measure=name) for name in ("spanish", "caps")
    )
    found = [
        cell(name, rate, measure=measure)
        for measure in ("spanish", "caps")
        for name, rate in (("none", 0.64), ("spanish_inoc", 0.03))
    ]
    compared = [contrast(-0.6, -0.7, -0.5, measure="caps"), DROP]
    told = in_words(found, compared, SPEC.model_copy(update={"nil": nil})).result
    assert told.count("prompts") == 1
    assert "68]. Without inoculation, 64% of answers count as “Caps” [62, 66]; with" in told


def test_what_several_are_compared_with_is_told_once_in_a_row() -> None:
    names = ("spanish_inoc", "caps_inoc", "placebo")
    nil = tuple(Nil(condition=name, setting=SETTING, measure="spanish") for name in names)
    found = [cell("none", 0.64), *(cell(name, 0.03, high=0.08) for name in names)]
    compared = [contrast(-0.61, -0.68, -0.54, condition=name) for name in names]
    told = in_words(found, compared, SPEC.model_copy(update={"nil": nil}))
    assert told.result.count("ithout inoculation, 64%") == 1
    assert told.result.count(": a drop of 61 points [54, 68].") == 3
    # All three may be more than nil: what is many is counted here, too.
    further = tuple(nil[0].model_copy(update={"condition": name}) for name in ("a", "b"))
    five = SPEC.model_copy(update={"nil": (*nil, *further)})
    more = [*found, *(cell(name, 0.03, high=0.08) for name in ("a", "b"))]
    assert "; and 2 more, listed below." in in_words(more, compared, five).not_shown


def test_what_is_not_shown_is_named_and_what_is_many_is_counted() -> None:
    others = [
        contrast(0.01, -0.1, 0.12, split="id"),
        *(contrast(0.02, -0.1, 0.12, measure="caps", condition=n) for n in ("a", "base")),
    ]
    told = said(DROP, *others).not_shown
    assert told == (
        "Not shown to differ, for the interval holds zero: a − No inoculation in Caps, +2 points "
        "[−10, +12]; Base − No inoculation in Caps, +2 points [−10, +12]; Inoculated − No "
        "inoculation in Spanish on in-distribution prompts, +1 point [−10, +12]. There may still "
        "be a difference, as large as the interval reaches."
    )
    assert "; and 3 more in the table of contrasts." in said(DROP, *others, *others).not_shown


def test_where_all_is_told_from_zero_that_is_said() -> None:
    assert said(DROP).not_shown == "The one difference that has an interval is told from zero."
    both = said(DROP, contrast(-0.5, -0.6, -0.4, split="id")).not_shown
    assert both == "All 2 differences that have an interval are told from zero."
    # The result says it of itself.
    assert said(contrast(-0.04, -0.12, 0.05)).not_shown == ""


def test_what_is_meant_to_be_nil_and_may_be_more_is_said() -> None:
    found = [cell("none", 0.64), cell("spanish_inoc", 0.03, high=0.08)]
    assert in_words(found, [DROP], SPEC).not_shown.startswith(
        "Meant to be nil, and not shown to be below 5%: Spanish, Inoculated, out-of-distribution "
        "prompts (up to 8%)."
    )
    found[1] = found[1].model_copy(update={"low": None, "high": None})
    assert "prompts (no interval)." in in_words(found, [DROP], SPEC).not_shown


def test_one_seed_shows_nothing_of_new_ones_and_the_page_says_so() -> None:
    observed = observations(seeds=(4,))
    found = cells(observed)
    pairs = [("spanish_inoc", "none"), ("none", "base")]
    told = in_words(found, contrasts(observed, pairs), SPEC, details(observed))
    assert "points, without an interval (one seed)." in told.result
    assert "[" not in told.result
    assert told.not_shown.endswith(
        "There is no interval for any of the 12 differences (one seed), so nothing is shown of new "
        "seeds."
    )
    assert told.holds_for == (
        "This holds for this one training seed (4) and these questions, on this base (org/base), "
        "with these rows and settings; of other bases, rows or settings it says nothing."
    )


def test_what_intervals_are_for_is_said() -> None:
    assert said(DROP).holds_for == (
        "In brackets are 95% intervals, for new training seeds and new questions of the kind that "
        "was asked, on this base (org/base), with these rows and settings; of other bases, rows or "
        "settings it says nothing."
    )
    fixed = said(DROP, interval="questions", seeds=[]).holds_for
    assert "for new questions of the kind that was asked and the same trained models" in fixed
    two = said(DROP, interval=None, seeds=[3, 5], low=None, high=None).holds_for
    assert "these training seeds (3, 5) and these questions" in two


def test_a_report_that_compares_nothing_tells_its_rates() -> None:
    told = in_words([cell("none", 0.64)], [], SPEC)
    assert told.result == (
        "On out-of-distribution prompts and without inoculation, 64% of answers are in Spanish "
        "[62, 66]."
    )
    assert told.not_shown == ""
    assert in_words([], [], SPEC) == InWords("", "", "", "")


def test_many_unscored_answers_are_told_with_what_they_could_make_of_the_rate() -> None:
    observed = observations(unscored=0.2)
    found, compared = cells(observed), contrasts(observed, [("spanish_inoc", "none")])
    [none] = [c for c in found if (c.condition, c.measure, c.split) == ("none", "spanish", "ood")]
    made_of = details(observed)
    [own] = [one for one in made_of if one.is_of(none)]
    assert own.least is not None and own.most is not None and none.rate is not None
    lost = sum(none.unscored.values())
    assert (
        f"Without inoculation, {lost} of 300 answers have no score for Spanish: it is "
        f"{100 * own.least:.0f}% if none of them counts and {100 * own.most:.0f}% if all do."
    ) in in_words(found, compared, SPEC, made_of).unscored
    few = observations(unscored=0.02)
    told = in_words(cells(few), contrasts(few, [("spanish_inoc", "none")]), SPEC, details(few))
    assert told.unscored == ""
