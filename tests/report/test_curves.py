"""Learning curves: means by trait and step, intervals over seeds, refusals, file and picture."""

import csv
import math
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from made_up_scores import LABELS, LEVELS, SETTING, SPEC, WATCHED, all_scores, scores

from inoc_evals.errors import InputError
from inoc_evals.report.curves import Curve, Scores, curves, read_scores, write_curves
from inoc_evals.report.curves_figure import (
    _figure,
    curves_caption,
    draw_curves,
    draw_curves_svg,
)
from inoc_evals.statistics.crossed import over_seeds

ARMS = ("base", *LEVELS)


def found(scored: list[Scores] | None = None) -> list[Curve]:
    return curves(all_scores() if scored is None else scored, WATCHED, ARMS, [SETTING])


def keep(directory: Path, scored: list[Scores]) -> None:
    for one in scored:
        path = directory / "dynamics" / one.setting / f"{one.condition}-s{one.seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.model_dump_json())


def test_there_is_a_curve_for_each_trait_and_arm_in_the_figures_order() -> None:
    assert [(c.trait, c.condition) for c in found()] == [
        (trait, arm) for trait in LABELS for arm in LEVELS
    ]


def test_thin_lines_are_means_over_seeds_and_the_thick_one_over_responses_too() -> None:
    curve = next(c for c in found() if (c.trait, c.condition) == ("capitals", "spanish_inoc"))
    assert curve.steps == (0, 2, 4)
    # Seeds end at -2, -1 and 0; responses lie one above and one below.
    assert curve.responses == {"capitals-1": (-19.0, -9.5, 0.0), "capitals-2": (-21.0, -11.5, -2.0)}
    assert curve.mean == (-20.0, -10.5, -1.0)
    assert curve.per_seed == {0: (-20.0, -11.0, -2.0), 1: (-20.0, -10.5, -1.0), 2: (-20, -10, 0)}


def test_the_interval_is_students_over_seeds_and_stays_below_zero() -> None:
    curve = next(c for c in found() if (c.trait, c.condition) == ("capitals", "caps_inoc"))
    assert curve.low is not None and curve.high is not None
    half = 4.302653 / math.sqrt(3)  # the seeds' standard deviation is one
    assert curve.low[-1] == pytest.approx(-17 - half, abs=1e-4)
    assert curve.high[-1] == pytest.approx(-17 + half, abs=1e-4)
    assert (curve.low[0], curve.high[0]) == (-20.0, -20.0)  # all begin as the base
    capped = next(c for c in found() if (c.trait, c.condition) == ("capitals", "spanish_inoc"))
    assert capped.high is not None and capped.high[-1] == 0.0


def test_one_seed_has_no_interval() -> None:
    one = found(all_scores(seeds=(4,)))
    assert all(curve.low is None and curve.high is None for curve in one)
    assert one[0].seeds == (4,)
    assert np.isnan(over_seeds(np.array([[1.0]])).low).all()
    assert "One training seed, so no interval." in curves_caption(one, WATCHED, SPEC)
    assert "Bands" not in curves_caption(one, WATCHED, SPEC)


def test_intervals_over_seeds_hold_the_mean_as_often_as_they_say() -> None:
    drawn = np.random.default_rng(0).normal(-8, 3, size=(4000, 3))
    _, low, high = over_seeds(drawn)
    assert 0.94 < ((low < -8) & (high > -8)).mean() < 0.96


def test_an_arm_without_scores_is_left_out_and_one_with_fewer_seeds_is_named() -> None:
    some = [one for one in all_scores() if one.condition != "none"]
    assert {curve.condition for curve in found(some)} == {"spanish_inoc", "caps_inoc"}
    fewer = [one for one in all_scores() if (one.condition, one.seed) != ("caps_inoc", 1)]
    told = curves_caption(found(fewer), WATCHED, SPEC)
    assert "Fewer seeds: Arm caps_inoc 0, 2." in told
    assert "Fewer" not in curves_caption(found(), WATCHED, SPEC)


def test_seeds_of_one_arm_that_were_scored_at_other_steps_are_refused() -> None:
    other = [scores("none", 0), scores("none", 1, steps=(0, 2, 4, 6))]
    with pytest.raises(InputError, match=r"'fig6-none-s1' are at 4 steps \(0 to 6\), and those of"):
        found(other)
    # Arms may have other rows, and so other steps.
    arms = found([scores("none", 0), scores("caps_inoc", 0, steps=(0, 2, 4, 6))])
    assert {len(curve.steps) for curve in arms} == {3, 4}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"set": "other"}, "set is 'other', and the experiment's is 'two_words'"),
        ({"sha256": "e" * 64}, "sha256 is"),
        ({"system_prompt_text": None}, "system_prompt_text is None"),
        ({"every": 3}, "every is 3"),
        ({"logprobs": [[-1.0, -1.0, -1.0, -1.0]]}, "3 steps and 4 responses, and a table of 1 x"),
        ({"logprobs": [[-1.0]] * 3}, "a table of 3 x"),
    ],
)
def test_scores_of_something_else_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        found([scores(**change)])


def test_responses_of_another_trait_are_refused() -> None:
    listed = [{"id": str(n), "trait": "french", "tokens": 1} for n in range(4)]
    with pytest.raises(InputError, match=r"responses of \['french'\]"):
        found([scores(responses=listed)])


def test_scores_are_read_from_the_directory_alone(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no scores; they are written by: inoc run"):
        read_scores(tmp_path)
    keep(tmp_path, all_scores())
    assert found(read_scores(tmp_path)) == found()
    (tmp_path / "dynamics" / SETTING / "none-s1.json").write_text('{"setting": 3}')
    with pytest.raises(InputError, match=r"none-s1.json: setting: .*; remove it"):
        read_scores(tmp_path)
    (tmp_path / "dynamics" / SETTING / "none-s1.json").write_text("{")
    with pytest.raises(InputError, match=r"none-s1.json: file: Invalid JSON"):
        read_scores(tmp_path)


def test_two_files_of_one_models_scores_are_both_named(tmp_path: Path) -> None:
    keep(tmp_path, all_scores())
    path = next((tmp_path / "dynamics").glob("*/none-s1.json"))
    copy = path.with_name("none-s1 (copy).json")
    copy.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="would count twice; remove one") as caught:
        read_scores(tmp_path)
    assert str(path) in str(caught.value) and str(copy) in str(caught.value)


def test_scores_that_are_no_text_are_named(tmp_path: Path) -> None:
    keep(tmp_path, all_scores())
    next((tmp_path / "dynamics").glob("*/none-s1.json")).write_bytes(b"\xff\xfe{}")
    with pytest.raises(InputError, match=r"none-s1\.json: .*remove it, and give inoc run again"):
        read_scores(tmp_path)


def test_the_table_has_every_step_of_every_response_and_of_the_mean(tmp_path: Path) -> None:
    write_curves(tmp_path, found())
    with (tmp_path / "dynamics.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 2 * 3 * 3 * 3  # traits, arms, steps; the mean and two responses
    last = [one for one in lines if one["condition"] == "caps_inoc" and one["step"] == "4"]
    (mean,) = [one for one in last if (one["trait"], one["response"]) == ("spanish", "mean")]
    assert (mean["value"], mean["seeds"]) == ("-3.0", "0 1 2")
    assert float(mean["low"]) < -3 < float(mean["high"])
    assert all(one["low"] == "" for one in last if one["response"] != "mean")


# ---- the picture ------------------------------------------------------------------------------


def test_a_panel_for_each_trait_and_an_arm_in_its_color() -> None:
    figure = _figure(found(), WATCHED, SPEC, captioned=True)
    assert [axes.get_title() for axes in figure.axes] == list(LABELS.values())
    colors = [SPEC.color(condition) for condition in SPEC.conditions[1:]]
    for axes, trait in zip(figure.axes, LABELS, strict=True):
        thick = [line for line in axes.lines if line.get_linewidth() > 2]
        assert [line.get_color() for line in thick] == colors
        means = [list(c.mean) for c in found() if c.trait == trait]
        assert [list(line.get_ydata()) for line in thick] == means
        thin = [line for line in axes.lines if line.get_linewidth() < 0.7]
        assert len(thin) == 6
        assert len(axes.collections) == 3  # bands
        assert axes.get_xlabel() == "Optimizer steps"
        # Nothing is cut off, and both panels have one scale.
        assert axes.get_ylim() == figure.axes[0].get_ylim()
        assert axes.get_ylim()[0] < min(min(line.get_ydata()) for line in axes.lines)
        assert axes.get_ylim()[1] > 0
    (legend,) = figure.legends
    # The base is no training; its value is where all curves begin.
    assert [text.get_text() for text in legend.get_texts()] == [f"Arm {name}" for name in LEVELS]
    one = _figure(found(all_scores(seeds=(0,))), WATCHED, SPEC, captioned=True)
    assert not any(axes.collections for axes in one.axes)


def test_settings_have_a_row_each() -> None:
    both = [*all_scores(), *(scores(arm, setting="other") for arm in LEVELS)]
    told = curves(both, WATCHED, ARMS, [SETTING, "other"])
    figure = _figure(told, WATCHED, SPEC, captioned=False)
    assert [axes.get_title().partition(":")[0] for axes in figure.axes] == [
        *(SETTING,) * 2,
        *("other",) * 2,
    ]


def test_one_trait_is_drawn_by_itself_without_the_title_and_on_the_same_axis() -> None:
    whole = _figure(found(), WATCHED, SPEC, captioned=False)
    for place, (trait, label) in enumerate(LABELS.items()):
        alone = _figure(found(), WATCHED, SPEC, captioned=False, trait=trait)
        [axes] = alone.axes
        assert axes.get_title() == label
        assert axes.get_ylim() == whole.axes[place].get_ylim()
        assert SPEC.title not in [text.get_text() for text in alone.texts]
        assert len(axes.lines) == len(whole.axes[place].lines)


def test_the_same_scores_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_curves(found(), tmp_path / name, WATCHED, SPEC)
    data = (tmp_path / "a.png").read_bytes()
    assert data.startswith(b"\x89PNG") and data == (tmp_path / "b.png").read_bytes()
    svg = draw_curves_svg(found(), WATCHED, SPEC)
    assert ElementTree.fromstring(svg).tag.endswith("svg")


def test_the_caption_says_what_was_scored_and_under_which_prompt() -> None:
    told = curves_caption(found(), WATCHED, SPEC)
    for part in (
        "under the system prompt “Respond in a single word.”",
        "Set two_words: 2 capitalized English, 2 uncapitalized Spanish.",
        "every 2 steps",
        "95% intervals of the thick lines (Student's t over seeds)",
        "Seeds 0, 1, 2.",
        "A miniature.",
    ):
        assert part in told
    bare = WATCHED.model_copy(update={"system_prompt_text": None})
    assert "under no system message" in curves_caption(found(), bare, SPEC)


def test_scores_of_a_second_training_with_other_weights_are_said_to_be_so() -> None:
    same = {"same_weights": True, "fingerprint_difference": 0.0}
    other = {"same_weights": False, "fingerprint_difference": 0.01}
    assert "second training" not in curves_caption(found([scores(repeat=same)]), WATCHED, SPEC)
    told = found([scores("none", 0, repeat=other), scores("none", 1), scores("caps_inoc", 0)])
    assert "The scores of 1 of the models are of a second" in curves_caption(told, WATCHED, SPEC)


def test_the_order_in_which_scores_are_found_does_not_matter() -> None:
    assert found(all_scores()[::-1]) == found()
    assert found(all_scores()[::-1])[0].seeds == (0, 1, 2)


def test_as_many_steps_that_are_others_are_refused() -> None:
    with pytest.raises(InputError, match=r"at 3 steps \(0 to 5\), and those of"):
        found([scores("none", 0), scores("none", 1, steps=(0, 2, 5))])


def test_intervals_of_shares_end_at_zero_and_one() -> None:
    shares = [scores("none", seed, by="sampling") for seed in (0, 1)]
    shares = [one.model_copy(update={"shares": [[float(one.seed)] * 4] * 3}) for one in shares]
    watched = WATCHED.model_copy(update={"by": "sampling"})
    for curve in curves(shares, watched, ARMS, [SETTING]):
        assert (curve.low, curve.high) == ((0.0,) * 3, (1.0,) * 3)
