"""What another experiment has asked of the same model is taken from its logs, and counts the same."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.made_before import MadeBefore
from inoc_evals.experiments.plan import Plan
from inoc_evals.report.experiment import write_description, write_report
from scripted import calls
from small_plan import BASE, SMALLEST, finished, results, small_plan


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return small_plan(tmp_path, SMALLEST)


def other(plan: Plan) -> Plan:
    """The same evaluations as another experiment has them, which reads one measure of each."""
    experiment = replace(plan.experiment, figure="fig9", title="Another")
    moved = [
        replace(
            one,
            places=tuple(replace(place, measures=place.measures[:1]) for place in one.places),
        )
        for one in plan.evaluations
    ]
    return replace(plan, experiment=experiment, evaluations=tuple(moved))


def run(plan: Plan, out: Path, before: MadeBefore) -> tuple[list[dict[str, Any]], list[str]]:
    said: list[str] = []
    described = describe_plan(plan, BASE, seeds_text="1", out=out)
    write_description(out, described)
    evaluate(plan, out / "logs", before=before, progress=False, say=said.append)
    write_report(out)
    return results(out), said


def asked(plan: Plan) -> int:
    return sum(len(calls(model)) for model in {one.model for one in plan.evaluations})


def test_nothing_is_asked_again_and_cells_are_those_of_the_experiment(
    plan: Plan, tmp_path: Path
) -> None:
    cells = finished(plan, tmp_path / "first")
    before, times = MadeBefore(), asked(plan)
    for name in ("first", "absent", "second"):
        before.look_in(tmp_path / name / "logs")
    found, said = run(other(plan), tmp_path / "second", before)
    count = len(plan.evaluations)
    assert asked(plan) == times > 0
    assert said[0] == f"{count} of {count} evaluations are in the logs of other experiments"
    assert {one["figure"] for one in found} == {"fig9"}
    kept = {(place.setting, place.measures[0]) for e in plan.evaluations for place in e.places}
    same = [one for one in cells if (one["setting"], one["measure"]) in kept]
    assert [one | {"figure": "fig9"} for one in same] == found
    assert run(other(plan), tmp_path / "second", before)[1] == []


def test_what_is_damaged_there_is_made_here(plan: Plan, tmp_path: Path) -> None:
    cells = finished(plan, tmp_path / "first")
    logs = sorted((tmp_path / "first" / "logs").glob("*.eval"))
    data = bytearray(logs[0].read_bytes())
    with_sample = data.index(b"samples/")
    data[with_sample + 60] ^= 0xFF
    logs[0].write_bytes(data)
    before = MadeBefore()
    before.look_in(tmp_path / "first" / "logs")
    found, said = run(plan, tmp_path / "second", before)
    count = len(plan.evaluations)
    assert said[0].startswith(f"{count - 1} of {count} evaluations")
    assert found == cells


def test_a_directory_is_looked_through_again_when_more_was_made_there(
    plan: Plan, tmp_path: Path
) -> None:
    finished(plan, tmp_path / "first")
    keys = [
        one["key"]
        for one in json.loads((tmp_path / "first" / "experiment.json").read_text())["evaluations"]
    ]
    there, here = tmp_path / "there", tmp_path / "here"
    before = MadeBefore()
    before.look_in(there)
    before.look_in(here)
    assert before.take(keys, here) == set()
    shutil.copytree(tmp_path / "first" / "logs", there)
    assert before.take(keys, here) == set()  # as it was when it was looked through
    before.look_in(there)
    assert before.take(keys[:1], here) == {keys[0]}
    assert len(list(here.iterdir())) == 1
    alone = MadeBefore()
    alone.look_in(there)
    assert alone.take(keys, there) == set()  # nothing is taken from where it is wanted
