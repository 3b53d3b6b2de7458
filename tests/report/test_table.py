"""The console's table says every rate, every gap, and fits a terminal."""

from made_up import ARMS, MEASURES, SETTING, TWO, observations, two_settings
from rich.console import Console

from inoc_evals.report.cells import cells, contrasts
from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.observation import Observation
from inoc_evals.report.table import table, written

SPEC = FigureSpec(
    title="Figure 2a",
    base="pocket",
    measures=tuple(Measure(name=n, setting=SETTING, label=n.title()) for n in MEASURES),
    conditions=tuple(Condition(name=n, label=f"Arm [{n}]") for n in ("none", "base", "lost")),
)


def printed(observed: list[Observation], spec: FigureSpec | None = None, width: int = 80) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table(cells(observed, measures=MEASURES), spec=spec))
    return capture.get()


def test_every_rate_is_printed_with_its_interval_in_80_columns() -> None:
    observed = observations()
    text = printed(observed)
    assert "…" not in text
    for cell in cells(observed):
        assert f"{cell.rate:.2f} [{cell.low:.2f}, {cell.high:.2f}]" in text


def test_many_measures_are_all_printed_three_abreast_in_80_columns() -> None:
    one = cells([seen for seen in observations() if seen.measure == "spanish"])
    names = [f"measure{number}" for number in range(8)]
    found = [cell.model_copy(update={"measure": name}) for name in names for cell in one]
    console = Console(width=80, color_system=None)
    with console.capture() as capture:
        console.print(table(found))
    text = capture.get()
    assert "…" not in text
    assert all(text.count(f" {name} ") == len({cell.split for cell in one}) for name in names)
    for cell in one:
        assert text.count(written(cell)) >= len(names)
    assert text.count("out of distribution") == 1


def test_one_seed_is_said_to_be_one_seed() -> None:
    observed = [seen for seen in observations(seeds=(4,)) if seen.condition == "none"]
    text = printed(observed)
    assert "(one seed)" in text
    assert "[0." not in text


def test_unscored_answers_are_flagged_and_explained() -> None:
    observed = [seen for seen in observations() if seen.condition == "none"]
    lost = sum(seen.value is None for seen in observed)
    ood = sum(seen.value is None and seen.split == "ood" for seen in observed)
    text = printed(observed)
    assert f" *{ood}" in text
    assert f"* unscored, spanish: {lost} (empty {lost})" in text


def test_labels_and_order_are_the_figures() -> None:
    text = printed(observations(), SPEC)
    assert text.index("Arm [none]") < text.index("Arm [base]") < text.index("Arm [lost]")
    assert "spanish_inoc" not in text
    assert "not run" in text


def test_an_arm_that_the_setting_does_not_have_is_not_said_to_be_missing() -> None:
    lost = SPEC.conditions[-1].model_copy(update={"settings": ("elsewhere",)})
    spec = SPEC.model_copy(update={"conditions": (*SPEC.conditions[:-1], lost)})
    line = next(one for one in printed(observations(), spec).splitlines() if "Arm [lost]" in one)
    assert "–" in line and "not run" not in line


def test_a_cell_of_which_nothing_was_scored_says_so() -> None:
    observed = [
        Observation(
            figure="f",
            setting="s",
            condition="c",
            measure="m",
            split="ood",
            seed=0,
            question="q",
            value=None,
            reason="empty",
        )
    ]
    assert "none scored *1" in printed(observed)


def test_a_contrast_is_written_with_signs() -> None:
    (contrast,) = contrasts(
        [seen for seen in observations() if seen.measure == "caps" and seen.split == "ood"],
        [("none", "base")],
    )
    assert written(contrast, signed=True).startswith("+0.8")


def test_no_cells_print_without_a_crash() -> None:
    assert "95% interval" in printed([])


def test_one_measure_of_two_settings_has_two_columns_and_its_own_rates() -> None:
    found = cells(two_settings(), conditions=ARMS)
    spec = FigureSpec(
        title="Figure 3",
        base="pocket",
        measures=tuple(Measure(name=n, setting=s, label=f"{s[:4]} {n}") for s, n in TWO),
        conditions=tuple(Condition(name=name, label=name) for name in ARMS),
    )
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(table(found, spec=spec))
    text = capture.get()
    ood = text[: text.index("in distribution", text.index("out of distribution") + 10)]
    assert "inse misaligned" in ood and "aest misaligned" in ood and "unpopular" not in ood
    rates = {c.setting: written(c) for c in found if (c.condition, c.split) == ("none", "ood")}
    (row,) = [line for line in ood.splitlines() if line.startswith("none")]
    assert row.index(rates["insecure_code"]) < row.index(rates["aesthetic_preferences"])


def test_unscored_answers_of_two_settings_are_counted_apart() -> None:
    observed = [
        Observation(
            figure="f",
            setting=setting,
            condition="c",
            measure="m",
            split="ood",
            seed=0,
            question=str(question),
            value=None,
            reason="empty",
        )
        for setting, lost in (("a", 2), ("b", 3))
        for question in range(lost)
    ]
    spec = FigureSpec(
        title="F",
        base="pocket",
        measures=tuple(Measure(name="m", setting=s, label=f"In {s}") for s in "ab"),
        conditions=(Condition(name="c", label="C"),),
    )
    text = printed(observed, spec)
    assert "In a: 2 (empty 2)" in text
    assert "In b: 3 (empty 3)" in text
