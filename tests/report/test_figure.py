"""The figure: same cells same bytes, and no case of missing data stops it."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_up import ARMS, CONDITIONS, SETTING, TWO, observations, two_settings

from inoc_evals.report.cells import Cell, cells
from inoc_evals.report.figure import (
    PALETTE,
    Condition,
    FigureSpec,
    Measure,
    _figure,
    caption,
    draw,
    draw_svg,
    panel_specs,
)
from inoc_evals.report.picture import INK, adaptive

SPEC = FigureSpec(
    title="Figure 2a",
    base="pocket",
    measures=tuple(Measure(name=n, setting=SETTING, label=n.title()) for n in ("spanish", "caps")),
    conditions=tuple(Condition(name=name, label=name) for name in CONDITIONS),
    note="A miniature.",
)

TWO_SPEC = FigureSpec(
    title="Figure 3",
    base="pocket",
    measures=tuple(
        Measure(name=name, setting=setting, label=f"{setting}: {name}") for setting, name in TWO
    ),
    conditions=tuple(Condition(name=name, label=name) for name in ARMS),
)


@pytest.fixture(scope="module")
def found() -> list[Cell]:
    return cells(observations(questions=20))


def test_the_file_is_a_png_of_a_readable_size(found: list[Cell], tmp_path: Path) -> None:
    draw(found, tmp_path / "new" / "fig.png", SPEC)
    data = (tmp_path / "new" / "fig.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
    assert width > 1000
    assert height > 800
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["fig.png"]


def test_the_same_cells_give_the_same_bytes(found: list[Cell], tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw(found, tmp_path / name, SPEC)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert draw_svg(found, SPEC) == draw_svg(found, SPEC)


def test_every_condition_has_its_color_in_every_panel(found: list[Cell]) -> None:
    svg = draw_svg(found, SPEC)
    for color in PALETTE[: len(SPEC.conditions)]:
        # At least a bar and its top edge in each of two measures and two splits.
        assert svg.count(color) >= 8


def test_each_measure_that_was_taken_has_a_drawing_of_its_own(found: list[Cell]) -> None:
    more = (*SPEC.measures, Measure(name="never", setting=SETTING, label="Never"))
    alone = panel_specs(found, SPEC.model_copy(update={"measures": more}))
    assert [[one.name for one in spec.measures] for spec in alone] == [["spanish"], ["caps"]]
    assert [panels(found, spec) for spec in alone] == [[["Spanish"], [""]], [["Caps"], [""]]]
    assert panel_specs([], SPEC) == []


def test_an_arm_that_a_setting_does_not_have_has_no_place_in_its_drawing(found: list[Cell]) -> None:
    first = SPEC.conditions[0].model_copy(update={"settings": ("elsewhere",)})
    spec = SPEC.model_copy(update={"conditions": (first, *SPEC.conditions[1:])})
    kept = list(SPEC.conditions[1:])
    for one in panel_specs(found, spec):
        assert [condition.name for condition in one.conditions] == [had.name for had in kept]
        assert [one.color(condition) for condition in one.conditions] == list(map(SPEC.color, kept))
    drawn = draw_svg(found, panel_specs(found, spec)[0], captioned=False)
    assert f"<!-- {first.label} -->" not in drawn and f"<!-- {kept[0].label} -->" in drawn


def test_a_drawings_inks_can_be_a_pages_and_its_bars_keep_their_colors(found: list[Cell]) -> None:
    svg = draw_svg(found, SPEC)
    adapted = adaptive(svg)
    assert re.sub(r"var\(--figure-\w+, (#\w+)\)", r"\1", adapted) == svg
    assert f"fill: var(--figure-ink, {INK})" in adapted
    assert "stroke: var(--figure-ink" in adapted and "fill: var(--figure-paper" in adapted
    for color in PALETTE[: len(SPEC.conditions)]:
        assert adapted.count(color) == svg.count(color)
    ElementTree.fromstring(adapted)


def test_the_svg_stands_alone_and_escapes_labels(found: list[Cell]) -> None:
    nasty = SPEC.model_copy(
        update={"title": "<script>alert('$x$')</script> & --> $", "base": "a/$b_1$"}
    )
    svg = draw_svg(found, nasty)
    assert "<script" not in svg
    # The namespaces are links matplotlib declares on the root; parsing proves it well-formed.
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "<?xml" not in svg


def test_one_seed_nothing_scored_and_arms_not_run_are_drawn_too(tmp_path: Path) -> None:
    observed = [seen for seen in observations(seeds=(4,), questions=3) if seen.condition == "none"]
    found = cells(observed)
    unscored = found[0].model_copy(
        update={"condition": "placebo", "rate": None, "per_seed": {"4": None}, "n": 0}
    )
    for shown in ([*found, unscored], []):
        draw(shown, tmp_path / "fig.png", SPEC)
    assert "One training seed, so no interval" in caption(found, SPEC)


def test_the_caption_says_base_seeds_counts_and_the_note(found: list[Cell]) -> None:
    text = caption(found, SPEC)
    assert "pocket" in text
    assert "Seeds 0, 1, 2" in text
    assert "60 scored answers" in text
    assert text.endswith("A miniature.")


def test_a_failed_drawing_leaves_the_old_file(
    found: list[Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "fig.png"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="nonsense"):
        draw(found, tmp_path / "fig.nonsense", SPEC)
    monkeypatch.setattr("os.replace", _fail)
    with pytest.raises(OSError, match="full"):
        draw(found, path, SPEC)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("fig.png", b"old")]


def _fail(*_: object) -> None:
    raise OSError("disk full")


# ---- panels --------------------------------------------------------------------------------


def panels(found: list[Cell], spec: FigureSpec = TWO_SPEC) -> list[list[str | None]]:
    """The figure's rows: of each panel what its title says, "" without one, None if empty."""
    figure = _figure(found, spec, captioned=True)
    columns = figure.axes[0].get_gridspec().ncols
    titles = [" ".join(axes.get_title().split()) if axes.axison else None for axes in figure.axes]
    return [titles[start : start + columns] for start in range(0, len(titles), columns)]


def test_each_split_has_a_panel_for_each_measure_that_was_taken_on_it() -> None:
    assert panels(cells(two_settings())) == [
        ["insecure_code: misaligned", "aesthetic_preferences: misaligned", None],
        [
            "insecure_code: insecure_judged",
            "insecure_code: insecure_static",
            "aesthetic_preferences: unpopular",
        ],
    ]


def test_a_panel_below_one_of_its_measure_has_no_title_of_its_own(found: list[Cell]) -> None:
    assert panels(found, SPEC) == [["Spanish", "Caps"], ["", ""]]


def test_a_measure_of_the_in_distribution_prompts_alone_comes_last(found: list[Cell]) -> None:
    spec = SPEC.model_copy(
        update={"measures": (*SPEC.measures, Measure(name="correct", setting=SETTING, label="C"))}
    )
    taken = [cell for cell in found if (cell.measure, cell.split) != ("correct", "ood")]
    assert panels(taken, spec) == [["Spanish", "Caps", None], ["", "", "C"]]


def test_many_measures_stand_five_abreast() -> None:
    one = [cell for cell in cells(two_settings()) if cell.measure == "unpopular"]
    names = [f"m{number}" for number in range(9)]
    found = [cell.model_copy(update={"measure": name}) for name in names for cell in one]
    setting = one[0].setting
    measures = tuple(Measure(name=name, setting=setting, label=name) for name in names)
    assert panels(found, TWO_SPEC.model_copy(update={"measures": measures})) == [
        names[:5],
        [*names[5:], None],
    ]


def test_a_split_that_was_not_run_has_no_row() -> None:
    taken = [cell for cell in cells(two_settings()) if cell.split == "id"]
    assert len(panels(taken)) == 1
    assert len(panels(taken)[0]) == 3


def test_bars_show_the_rates_of_their_own_setting() -> None:
    found = cells(two_settings())
    figure = _figure(found, TWO_SPEC, captioned=False)
    for place, (setting, measure) in (
        (0, ("insecure_code", "misaligned")),
        (1, ("aesthetic_preferences", "misaligned")),
    ):
        rates = {c.condition: c.rate for c in found if (c.setting, c.measure) == (setting, measure)}
        heights = [bar.get_height() for bar in figure.axes[place].patches]  # type: ignore[attr-defined]
        assert heights == [rates[arm] for arm in ARMS]


def test_the_lowest_panel_of_each_column_names_the_conditions() -> None:
    # Two measures out of distribution, one in: the second has nothing below it.
    taken = [c for c in cells(two_settings()) if c.measure in ("misaligned", "unpopular")]
    spec = TWO_SPEC.model_copy(update={"measures": tuple(TWO_SPEC.measure(c) for c in taken[::4])})
    figure = _figure(taken, spec, captioned=False)
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    shown = [bool(axes.xaxis.get_tick_params()["labelbottom"]) for axes in figure.axes[:3]]
    assert shown == [False, True, True]


def test_a_cell_of_a_setting_that_the_figure_does_not_show_is_left_out() -> None:
    found = cells(two_settings())
    spec = TWO_SPEC.model_copy(
        update={"measures": tuple(m for m in TWO_SPEC.measures if m.setting == "insecure_code")}
    )
    assert [len([p for p in row if p is not None]) for row in panels(found, spec)] == [1, 2]
