"""The figure: same cells same bytes, and no case of missing data stops it."""

from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_up import CONDITIONS, observations

from inoc_evals.report.cells import Cell, cells
from inoc_evals.report.figure import (
    PALETTE,
    Condition,
    FigureSpec,
    Measure,
    caption,
    draw,
    draw_svg,
)

SPEC = FigureSpec(
    title="Figure 2a",
    base="pocket",
    measures=(Measure(name="spanish", label="Spanish"), Measure(name="caps", label="Caps")),
    conditions=tuple(Condition(name=name, label=name) for name in CONDITIONS),
    note="A miniature.",
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
