"""Evaluations of each model by themselves give what all of them together give."""

from dataclasses import replace
from pathlib import Path

import pytest

from inoc_evals.errors import StoreError
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.evaluations import planned
from inoc_evals.experiments.executors.here import Here
from inoc_evals.report.experiment import write_report
from inoc_evals.report.holdings import holdings
from scripted import calls, script
from small_plan import SMALLEST, finished, results, small_plan


class Apart(Here):
    """Divides evaluations as several processes do, in this one, whose models are scripted."""

    apart = True


def test_apart_they_give_the_same_results_and_one_that_fails_is_made_alone_then(
    tmp_path: Path,
) -> None:
    plan = small_plan(tmp_path, SMALLEST)
    whole = finished(plan, tmp_path / "whole")
    out, said = tmp_path / "out", list[str]()
    out.mkdir()
    (out / "experiment.json").write_bytes((tmp_path / "whole" / "experiment.json").read_bytes())
    broken = script("broken apart", RuntimeError("the disk is full"))
    first = plan.evaluations[0]
    failing = replace(plan, evaluations=(replace(first, model=broken), *plan.evaluations[1:]))
    with pytest.raises(StoreError, match=f"1 of {len(plan.evaluations)} evaluations failed"):
        evaluate(failing, out / "logs", executor=Apart(), progress=False, say=said.append)
    assert any(line.startswith(f"failed: 1 evaluations of {broken}") for line in said)
    lacking = holdings(out / "logs").lacking(planned(plan.evaluations, plan.base))
    assert len(lacking) == 1
    before = len(calls(plan.evaluations[-1].model))
    evaluate(plan, out / "logs", executor=Apart(), progress=False)
    assert len(calls(plan.evaluations[-1].model)) == before
    write_report(out)
    assert results(out) == whole
    assert not (out / "parts").exists()
