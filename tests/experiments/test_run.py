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

from inoc_evals.bases import ResolvedBase
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.experiments import run as running
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.plan import make_plan
from inoc_evals.records import Store
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)

SCRIPT = """
import sys
from pathlib import Path
from inoc_evals.experiments import run as room
from inoc_evals.experiments.figures import experiment_of, find_experiment
from inoc_evals.pocket import base
from inoc_evals.records import Store
from inoc_evals.settings import ALICE_BOB
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
experiment = find_experiment("fig2a")
if sys.argv[4] == "two stages":
    experiment = experiment_of(ALICE_BOB.with_arms("first_bob", "none", "bob_inoc"), "alice_bob")
room.run_experiment(
    experiment, base="pocket", seeds=sys.argv[3], out=Path(sys.argv[2]),
    store=Store(Path(sys.argv[1])), progress=False, say=lambda line: print(line, flush=True),
)
"""


def start(home: Path, out: Path, seeds: str = "2", what: str = "fig2a") -> "subprocess.Popen[str]":
    environment = {**os.environ, "INOC_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home), str(out), seeds, what],
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


# ---- two stages ------------------------------------------------------------------------------


@pytest.mark.slow
def test_killed_between_two_stages_it_ends_as_if_undisturbed(tmp_path: Path) -> None:
    ended = {}
    for killed in (False, True):
        home, out = tmp_path / f"home-{killed}", tmp_path / f"out-{killed}"
        process = start(home, out, "1", "two stages")
        first: list[Path] = []
        if killed:
            deadline = time.monotonic() + 200
            while not first and time.monotonic() < deadline:
                time.sleep(0.02)
                first = list((home / "models").glob("alice_bob-first-*.json"))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            trained = {path.name: path.stat().st_mtime_ns for path in first}
            said = finish(start(home, out, "1", "two stages"))
            assert "models: 3 needed, 2 to train" in said or "1 to train" in said
            assert {path.name: path.stat().st_mtime_ns for path in first} == trained
        else:
            finish(process)
        ended[killed] = results(out)
    assert ended[True] == ended[False]
    store = Store(tmp_path / "home-True")
    records = {name.split("-")[1]: store.get(name) for name in store.names()}
    assert records.keys() == {"first", "none", "bob_inoc"}
    assert records["first"].parent is None and not records["first"].merged
    for arm in ("none", "bob_inoc"):
        assert records[arm].parent == records["first"].identity and records[arm].merged
    assert load_manifest(tmp_path / "out-True" / "data" / "alice_bob" / "first.jsonl")


def test_models_are_trained_after_those_they_start_from_and_with_what_was_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: dict[str, dict[str, Any]] = {}

    def train(rows: Any, **given: Any) -> None:
        assert given["parent"] is None or given["parent"] in calls
        calls[given["name"]] = given

    monkeypatch.setattr(running, "train", train)
    monkeypatch.setattr(running, "find_base", lambda base, *_, **__: BASE)
    monkeypatch.setattr(running, "evaluate", lambda *args, **given: None)
    monkeypatch.setattr(running, "write_report", lambda out: None)
    running.run_experiment(
        find_experiment("fig7"),
        base="pocket",
        seeds="2",
        out=tmp_path / "out",
        store=Store(tmp_path / "home"),
        say=lambda line: None,
    )
    planned = make_plan(
        find_experiment("fig7"), base=BASE, seeds=(0, 1), config=TrainConfig.for_base("pocket")
    )
    assert list(calls) == [run.name for run in planned.runs]
    for run in planned.runs:
        given = calls[run.name]
        assert (given["parent"], given["seed"]) == (run.parent, run.seed)
        assert given["merge"] == (run.parent is not None)
