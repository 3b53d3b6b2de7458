"""The whole path on a base of seconds: train, evaluate, report; killed and continued."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.datasets.manifest import load_manifest

SCRIPT = """
import sys
from pathlib import Path
from inoc_evals.experiments import run as room
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.pocket import base
from inoc_evals.records import Store
from inoc_evals.training.config import TrainConfig

class Quick(base.Recipe):
    steps: int = 30
    batch_size: int = 8
    hidden_size: int = 32
    intermediate_size: int = 32
    layers: int = 1

base.Recipe = Quick
quick = TrainConfig.for_base("pocket").model_copy(update={"max_steps": 4, "batch_size": 4})
room.TrainConfig.for_base = classmethod(lambda cls, base: quick)
room.run_experiment(
    find_experiment("fig2a"), base="pocket", seeds=sys.argv[3], out=Path(sys.argv[2]),
    store=Store(Path(sys.argv[1])), progress=False, say=lambda line: print(line, flush=True),
)
"""


def start(home: Path, out: Path, seeds: str = "2") -> "subprocess.Popen[str]":
    environment = {**os.environ, "INOC_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home), str(out), seeds],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    said = process.communicate(timeout=300)[0]
    assert process.returncode == 0, said
    return said


def results(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((out / "results.json").read_text())
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("undisturbed")
    finish(start(root / "home", root / "out"))
    return root / "home", root / "out"


@pytest.mark.slow
def test_results_are_the_cells_the_figure_needs(undisturbed: tuple[Path, Path]) -> None:
    _, out = undisturbed
    cells = results(out)
    fields = {
        "figure",
        "setting",
        "condition",
        "measure",
        "split",
        "rate",
        "low",
        "high",
        "n",
        "unscored",
        "seeds",
    }
    assert all(fields <= cell.keys() for cell in cells)
    found = {(cell["condition"], cell["measure"], cell["split"]) for cell in cells}
    assert len(found) == len(cells) == 8 * 5
    trained = [cell for cell in cells if cell["condition"] != "base"]
    assert all(cell["seeds"] == [0, 1] for cell in trained)
    assert all(cell["n"] + sum(cell["unscored"].values()) == 200 for cell in trained)
    assert {cell["setting"] for cell in cells} == {"spanish_caps"}
    arms = ("control", "none", "spanish_inoc", "caps_inoc", "placebo", "irrelevant")
    rows = out / "data" / "spanish_caps"
    assert {path.stem for path in rows.glob("*.jsonl")} == set(arms)
    assert load_manifest(rows / "caps_inoc.jsonl")
    for name in ("report.html", "fig2a.png", "results.csv", "contrasts.csv", "experiment.json"):
        assert (out / name).stat().st_size > 0


@pytest.mark.slow
def test_a_finished_experiment_trains_and_evaluates_nothing_again(
    undisturbed: tuple[Path, Path],
) -> None:
    home, out = undisturbed
    before = {path: path.stat().st_mtime_ns for path in (out / "logs").glob("*.eval")}
    cells = results(out)
    assert "0 to train" in finish(start(home, out))
    assert {path: path.stat().st_mtime_ns for path in (out / "logs").glob("*.eval")} == before
    assert results(out) == cells


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["training", "evaluation"])
def test_killed_and_started_again_it_ends_as_if_undisturbed(
    undisturbed: tuple[Path, Path], tmp_path: Path, stage: str
) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    process = start(home, out)
    watched = home / "models" if stage == "training" else out / "logs"
    pattern = "*.json" if stage == "training" else "*.eval"
    deadline = time.monotonic() + 200
    while len(list(watched.glob(pattern))) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    trained = {path.name: path.stat().st_mtime_ns for path in (home / "models").glob("*.json")}
    assert trained
    finish(start(home, out))
    assert {
        path.name: path.stat().st_mtime_ns
        for path in (home / "models").glob("*.json")
        if path.name in trained
    } == trained
    assert results(out) == results(undisturbed[1])


@pytest.mark.slow
def test_seeds_may_be_added_but_another_experiment_is_refused(
    undisturbed: tuple[Path, Path],
) -> None:
    home, out = undisturbed
    process = start(home, out, "7,9")
    said = process.communicate(timeout=300)[0]
    assert process.returncode != 0
    assert "holds another experiment" in said and "seeds" in said
