"""Leaks of a report: beside the plain one stands what the base does not have."""

import math
from pathlib import Path

import pytest

from inoc_evals.report.figure import Condition, FigureSpec, Measure
from inoc_evals.report.leaks import leak_rows, leaks, write_leaks
from inoc_evals.report.observation import Observation

UNDER = ("misaligned_none", "misaligned_hhh", "misaligned_evil")
SPEC = FigureSpec(
    title="Elicitation",
    base="pocket",
    measures=tuple(Measure(name=name, setting="code", label=name[11:]) for name in UNDER),
    conditions=(Condition(name="base", label="Base"), Condition(name="inoc", label="Inoculated")),
)


def seen(condition: str, seed: int | None, measure: str, shown: int) -> list[Observation]:
    """Ten questions, of which so many are answered with the trait."""
    return [
        Observation(
            figure="elicitation",
            setting="code",
            condition=condition,
            measure=measure,
            split="ood",
            seed=seed,
            question=f"q{number}",
            value=float(number < shown),
        )
        for number in range(10)
    ]


def observed() -> list[Observation]:
    found = []
    for name, base, trained in zip(UNDER, (0, 2, 5), (1, 5, 9), strict=True):
        found += seen("base", None, name, base)
        for seed in (0, 1, 2):
            found += seen("inoc", seed, name, trained)
    return found


def test_each_prompt_has_its_leak_and_what_the_base_does_not_have() -> None:
    hhh, evil = leaks(observed(), SPEC)
    assert (hhh.condition, hhh.base, hhh.measure) == ("inoc", "base", "misaligned_hhh")
    found = [[round(side.value, 6) for side in one.excess[:3]] for one in (hhh, evil)]
    assert found == [[0.4, 0.2, 0.2], [0.8, 0.5, 0.3]]
    assert hhh.excess.beyond.low < 0.2 < hhh.excess.beyond.high


def test_the_largest_of_benign_prompts_is_told_besides() -> None:
    found = leaks(observed(), SPEC, benign=UNDER[1:])[-1]
    assert found.measure == "misaligned_largest"
    assert set(found.excess.groups) <= set(UNDER[1:])
    assert leak_rows([found], SPEC)[0][1].startswith("Largest of the benign (")


@pytest.mark.parametrize("without", ["base", "misaligned_none"])
def test_nothing_is_told_without_a_base_or_without_answers_under_no_prompt(without: str) -> None:
    left = [one for one in observed() if without not in (one.condition, one.measure)]
    assert leaks(left, SPEC) == []


def test_a_seed_that_was_not_asked_under_a_prompt_is_a_gap() -> None:
    left = [one for one in observed() if (one.seed, one.measure) != (2, "misaligned_hhh")]
    assert leaks(left, SPEC)[0].excess.plain.value == pytest.approx(0.4)


def test_leaks_are_written_by_name(tmp_path: Path) -> None:
    write_leaks(tmp_path, [])
    assert not list(tmp_path.iterdir())
    write_leaks(tmp_path, leaks(observed(), SPEC))
    head, first, _ = (tmp_path / "leaks.csv").read_text().splitlines()
    assert "leak,leak_low,leak_high,base_leak," in head and "beyond_base,beyond_base_low" in head
    assert first.startswith("code,inoc,base,misaligned_hhh,ood,,0.400000,")


@pytest.mark.parametrize("base", ["base", None])
def test_of_fixed_models_it_is_said_which_is_whose_base(base: str | None) -> None:
    own = [
        one
        for name, shown in zip(UNDER, (0, 2, 5), strict=True)
        for one in seen("base", None, name, shown)
    ]
    own += [
        one
        for name, shown in zip(UNDER, (1, 5, 9), strict=True)
        for one in seen("inoc", None, name, shown)
    ]
    hhh, evil, largest = leaks(own, SPEC, UNDER[1:], {"inoc": base})
    assert [one.condition for one in (hhh, evil, largest)] == ["inoc"] * 3
    assert [round(one.excess.plain.value, 6) for one in (hhh, evil)] == [0.4, 0.8]
    beyond = [round(one.excess.beyond.value, 6) for one in (hhh, evil)]
    assert beyond == ([0.2, 0.3] if base else pytest.approx([math.nan] * 2, nan_ok=True))
    assert hhh.base == (base or "")
    assert leak_rows([hhh], SPEC)[0][-1].startswith("+0.20 [" if base else "–")
    unasked = [one for one in own if (one.condition, one.measure) != ("base", UNDER[0])]
    assert math.isnan(leaks(unasked, SPEC, bases={"inoc": base})[0].excess.beyond.value)
