"""Observations become cells and contrasts: nothing is dropped silently, nothing is invented."""

import math
import random
from typing import Any

import pytest
from made_up import ARMS, CONDITIONS, TWO, observations, two_settings

from inoc_evals.errors import InputError
from inoc_evals.report.cells import Cell, cells, contrasts, corrected
from inoc_evals.report.observation import Observation


def seen(**changes: Any) -> Observation:
    plain: dict[str, Any] = {
        "figure": "f",
        "setting": "s",
        "condition": "none",
        "measure": "m",
        "split": "ood",
        "seed": 0,
        "question": "q0",
        "value": 1.0,
    }
    return Observation(**(plain | changes))


def test_a_rate_weighs_seeds_alike_whatever_was_unscored() -> None:
    found = [seen(seed=0, question=f"q{i}", value=1.0) for i in range(4)]
    found += [seen(seed=1, question="q0", value=0.0)]
    found += [seen(seed=1, question=f"q{i}", value=None, reason="empty") for i in (1, 2, 3)]
    (cell,) = cells(found)
    assert cell.rate == 0.5
    assert (cell.n, cell.unscored, cell.seeds) == (5, {"empty": 3}, [0, 1])
    assert cell.per_seed == {"0": 1.0, "1": 0.0}


def test_samples_of_one_question_are_averaged_first() -> None:
    many = [seen(question="q0", value=value) for value in (1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0)]
    (cell,) = cells([*many, seen(question="q1", value=0.0)])
    assert cell.rate == 0.75 / 2
    assert (cell.n, cell.questions) == (9, 2)


def test_one_seed_has_no_interval() -> None:
    (cell,) = cells([seen(question=f"q{i}", value=float(i % 2)) for i in range(20)])
    assert cell.rate == 0.5
    assert (cell.low, cell.high, cell.interval) == (None, None, None)


def test_a_fixed_model_has_wilsons_interval_over_questions() -> None:
    (cell,) = cells([seen(seed=None, question=f"q{i}", value=float(i < 2)) for i in range(98)])
    assert cell.interval == "questions"
    assert cell.seeds == []
    assert (cell.low, cell.high) == pytest.approx((0.0056, 0.0714), abs=0.01)


def test_one_question_does_not_crash_and_has_no_interval() -> None:
    found = [seen(seed=seed) for seed in (0, 1, 2)]
    (cell,) = cells(found)
    assert (cell.rate, cell.low, cell.n) == (1.0, None, 3)


def test_a_cell_of_which_nothing_was_scored_is_still_a_cell() -> None:
    found = [
        seen(seed=seed, question=q, value=None, reason="refusal") for seed in (0, 1) for q in "ab"
    ]
    (cell,) = cells(found)
    assert (cell.rate, cell.low, cell.n, cell.questions) == (None, None, 0, 0)
    assert cell.unscored == {"refusal": 4}
    assert cell.per_seed == {"0": None, "1": None}


def test_three_seeds_that_agree_have_an_interval_with_width() -> None:
    found = [seen(seed=s, question=f"q{i}", value=0.0) for s in range(3) for i in range(100)]
    (cell,) = cells(found)
    assert cell.rate == cell.low == 0
    assert cell.high is not None
    assert 0.01 < cell.high < 0.1


def test_order_of_the_observations_does_not_change_a_bit() -> None:
    found = observations(questions=12)
    shuffled = random.Random(0).sample(found, len(found))
    order = list(CONDITIONS)
    assert cells(found, conditions=order) == cells(shuffled, conditions=order)
    pairs = [("spanish_inoc", "none"), ("none", "base")]
    assert contrasts(found, pairs) == contrasts(shuffled, pairs)


def test_cells_come_in_the_order_asked_for() -> None:
    found = [seen(condition=c, measure=m) for c in "cab" for m in "yx"]
    listed = [(c.measure, c.condition) for c in cells(found, conditions="ba", measures="y")]
    assert listed == [(m, c) for m in "yx" for c in "bac"]


def test_one_measure_of_two_settings_is_two_cells() -> None:
    found = [seen(setting="a", question=str(q), value=1.0) for q in range(4)]
    found += [seen(setting="b", question=str(q), value=0.0) for q in range(6)]
    first, second = cells(found)
    assert (first.setting, first.rate, first.n) == ("a", 1.0, 4)
    assert (second.setting, second.rate, second.n) == ("b", 0.0, 6)


def test_every_cell_of_two_settings_is_that_of_its_setting_alone() -> None:
    found = two_settings()
    together = cells(found)
    assert len(together) == len(TWO) * len(ARMS)
    alone = [
        cell
        for setting in ("aesthetic_preferences", "insecure_code")
        for cell in cells([one for one in found if one.setting == setting])
    ]
    assert together == alone


def test_settings_come_in_the_order_asked_for() -> None:
    found = [seen(setting=s, measure=m) for s in "cab" for m in "yx"]
    listed = [(c.setting, c.measure) for c in cells(found, settings="ba", measures="y")]
    assert listed == [(s, m) for s in "bac" for m in "yx"]


def test_a_fixed_model_of_one_setting_may_be_trained_in_another() -> None:
    first, second = cells([seen(setting="a", seed=None), seen(setting="b", seed=0)])
    assert (first.seeds, second.seeds) == ([], [0])


def test_a_condition_with_and_without_seeds_is_refused() -> None:
    with pytest.raises(InputError, match=r"f/s/none: answers with a seed .* condition of its own"):
        cells([seen(seed=0), seen(seed=None)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"value": None}, "unscored without a reason"),
        ({"reason": "empty"}, "both a value and the reason 'empty'"),
        ({"value": 1.5}, "value 1.5 is not between 0 and 1"),
        ({"value": math.nan}, "value nan is not between"),
    ],
)
def test_an_observation_that_says_nothing_clear_is_refused(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"f/s/none/m seed 0 'q0': {message}"):
        seen(**changes)


# ---- contrasts -----------------------------------------------------------------------------


def test_a_contrast_pairs_by_seed_and_question() -> None:
    # Between questions everything differs, within each pair nothing does but one answer.
    values = {(s, q): float((s + q) % 2) for s in range(3) for q in range(40)}
    found = [seen(seed=s, question=str(q), value=v) for (s, q), v in values.items()]
    found += [
        seen(condition="x", seed=s, question=str(q), value=0.0 if (s, q) == (1, 0) else v)
        for (s, q), v in values.items()
    ]
    (contrast,) = contrasts(found, [("x", "none")])
    assert contrast.difference == pytest.approx(-1 / 120, abs=1e-6)
    assert contrast.low is not None
    assert contrast.high is not None
    assert contrast.high - contrast.low < 0.16  # unpaired, it would be 0.3
    assert (contrast.pairs, contrast.unpaired, contrast.seeds) == (120, 0, [0, 1, 2])
    assert contrast.per_seed == {"0": 0.0, "1": -0.025, "2": 0.0}


def test_an_answer_scored_in_one_condition_only_is_counted_as_unpaired() -> None:
    found = [seen(seed=s, question=q) for s in (0, 1) for q in "abc"]
    found += [seen(condition="x", seed=s, question=q, value=0.0) for s in (0, 1) for q in "ab"]
    found += [seen(condition="x", seed=0, question="c", value=None, reason="empty")]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.difference, contrast.pairs, contrast.unpaired) == (-1.0, 4, 2)


def test_answers_of_seeds_that_one_condition_lacks_are_unpaired() -> None:
    found = [seen(seed=s, question=str(q)) for s in range(5) for q in range(10)]
    found += [seen(condition="x", seed=s, question=str(q)) for s in range(3) for q in range(10)]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.pairs, contrast.unpaired, contrast.seeds) == (30, 20, [0, 1, 2])


def test_many_answers_to_a_question_narrow_its_cell_and_not_the_questions() -> None:
    def cell(answers: int, hits: int) -> Cell:
        (one,) = cells(
            [
                seen(seed=s, question=str(q), value=float(number < hits))
                for s in range(3)
                for q in range(8)
                for number in range(answers)
            ]
        )
        return one

    none = cell(100, 0)
    assert (none.rate, none.low, none.n) == (0, 0, 2400)
    assert none.high is not None and none.high < 0.01
    few = cell(100, 1)
    assert few.low is not None and few.high is not None and 0.001 < few.low < few.high < 0.1


def test_claims_are_tested_each_and_all_together() -> None:
    rates = {"none": 9, "x": 2, "y": 8}
    found = [
        seen(condition=name, seed=s, question=str(q), value=float(number < (hits + q % 2)))
        for name, hits in rates.items()
        for s in range(3)
        for q in range(12)
        for number in range(10)
    ]
    compared = contrasts(found, [("x", "none"), ("y", "none"), ("y", "x")])
    told = corrected(found, compared, compared[:2])
    strong, weak, other = told
    assert [one.difference for one in told] == [one.difference for one in compared]
    assert strong.p is not None and weak.p is not None and other.p is None
    assert strong.p < weak.p <= 1
    assert strong.p_corrected == pytest.approx(min(1, 2 * strong.p), abs=2e-6)  # Holm of two
    assert weak.p_corrected == pytest.approx(max(weak.p, 2 * strong.p), abs=2e-6)
    assert strong.low is not None and strong.low_corrected is not None
    assert strong.high is not None and strong.high_corrected is not None
    assert strong.low_corrected < strong.low and strong.high < strong.high_corrected < 0
    assert corrected(found, compared, []) == compared


def test_a_question_that_neither_condition_has_scored_is_not_unpaired() -> None:
    found = [
        seen(condition=c, seed=s, question=q) for c in ("x", "none") for s in (0, 1) for q in "ab"
    ]
    found += [
        seen(
            condition=c,
            seed=s,
            question="c",
            value=None if s else 1.0,
            reason="empty" if s else None,
        )
        for c in ("x", "none")
        for s in (0, 1)
    ]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.pairs, contrast.unpaired) == (5, 0)


def test_no_figure_is_a_negative_zero() -> None:
    """A sum of answers that cancel, or what rounding leaves of it, is 0 and not -0."""
    values = [-1e-9, 1e-9, -1e-9, -1e-9]
    found = [
        seen(condition=c, seed=s, question=str(q), value=0.5 + (x if c == "x" else 0.0))
        for c in ("x", "none")
        for s in (0, 1)
        for q, x in enumerate(values)
    ]
    (contrast,) = contrasts(found, [("x", "none")])
    assert contrast.difference == 0
    figures = (contrast.difference, *contrast.per_seed.values())
    assert not any(math.copysign(1, figure) < 0 for figure in figures if figure is not None)


def test_only_the_seeds_of_both_conditions_are_compared() -> None:
    found = [seen(seed=s, question=q) for s in (0, 1, 2) for q in "ab"]
    found += [seen(condition="x", seed=s, question=q, value=0.0) for s in (2, 1, 9) for q in "ab"]
    (contrast,) = contrasts(found, [("x", "none")])
    assert contrast.seeds == [1, 2]
    assert contrast.pairs == 4


def test_no_common_seed_gives_no_difference() -> None:
    found = [seen(seed=0), seen(condition="x", seed=1)]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.difference, contrast.low, contrast.pairs) == (None, None, 0)


@pytest.mark.parametrize("base_first", [False, True])
def test_a_fixed_model_is_compared_with_every_seed_by_question(base_first: bool) -> None:
    found = [seen(seed=s, question=q, value=1.0) for s in (0, 1, 2) for q in "abcd"]
    found += [seen(condition="base", seed=None, question=q, value=0.0) for q in "abcd"]
    pair = ("base", "none") if base_first else ("none", "base")
    (contrast,) = contrasts(found, [pair])
    assert contrast.difference == (-1 if base_first else 1)
    assert (contrast.pairs, contrast.seeds, contrast.interval) == (12, [0, 1, 2], "seeds")


def test_two_fixed_models_are_compared_over_questions() -> None:
    found = [seen(seed=None, question=str(q), value=float(q % 2)) for q in range(30)]
    found += [seen(condition="x", seed=None, question=str(q), value=0.0) for q in range(30)]
    (contrast,) = contrasts(found, [("x", "none")])
    assert contrast.difference == -0.5
    assert contrast.interval == "questions"
    assert contrast.low is not None
    assert contrast.low < -0.5


def test_a_contrast_with_one_seed_has_no_interval() -> None:
    found = [seen(question=str(q)) for q in range(9)]
    found += [seen(condition="x", question=str(q), value=0.0) for q in range(9)]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.difference, contrast.low, contrast.interval) == (-1.0, None, None)


def test_a_pair_of_which_one_side_is_missing_is_left_out() -> None:
    assert contrasts([seen()], [("x", "none"), ("none", "x")]) == []


def test_a_contrast_is_within_a_setting() -> None:
    found = [seen(setting="a", condition="x"), seen(setting="b", condition="none")]
    assert contrasts(found, [("x", "none")]) == []
    found += [seen(setting="b", condition="x", value=0.0)]
    (contrast,) = contrasts(found, [("x", "none")])
    assert (contrast.setting, contrast.difference, contrast.pairs) == ("b", -1.0, 1)


def test_contrasts_of_two_settings_are_those_of_each_alone() -> None:
    found, pairs = two_settings(), [("none", "base"), ("general_inoc", "none")]
    together = contrasts(found, pairs, settings=["insecure_code"])
    assert len(together) == len(TWO) * len(pairs)
    for setting in {one.setting for one in together}:
        alone = contrasts([one for one in found if one.setting == setting], pairs)
        assert [one for one in together if one.setting == setting] == alone
    # By pair, then by setting in the order asked for.
    order = [(one.condition, one.setting) for one in together]
    assert order == sorted(order, key=lambda key: (key[0] != "none", key[1] != "insecure_code"))


def test_what_was_not_trained_on_comes_first() -> None:
    found = [seen(split=split) for split in ("id", "ood")]
    assert [cell.split for cell in cells(found)] == ["ood", "id"]
