"""The whole path on a base of seconds: train, evaluate, report; killed and continued."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import inspect_ai
import pytest

import families
from inoc_evals.chat import read_rows
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.experiments import run as running
from inoc_evals.experiments.figures import experiment_of, find_experiment
from inoc_evals.experiments.plan import make_plan
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.experiment import write_report
from inoc_evals.settings import SPANISH_CAPS
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)

QUESTIONS = 20
"""Of each evaluation, so that the whole path is run in a minute and often."""

SCRIPT = f"""
import sys
sys.path.append({str(Path(__file__).parents[1])!r})
import quick_inspect
from functools import partial
from pathlib import Path
import inspect_ai
from inoc_evals.experiments import run as room
from inoc_evals.experiments.figures import experiment_of, find_experiment
from inoc_evals.pocket import base
from inoc_evals.store.store import Store
from inoc_evals.settings import ALICE_BOB
from inoc_evals.training.config import TrainConfig

class Quick(base.Recipe):
    steps: int = 30
    batch_size: int = 8
    hidden_size: int = 32
    intermediate_size: int = 32
    layers: int = 1

base.Recipe = Quick
quick = TrainConfig.for_base("pocket").model_copy(update=dict(max_steps=4, batch_size=4))
TrainConfig.for_base = classmethod(lambda cls, base: quick)
inspect_ai.eval_set = partial(inspect_ai.eval_set, limit={QUESTIONS})
if sys.argv[5] == "train":
    room.evaluating = lambda *args, **options: iter(())
    room.write_report = lambda *args, **options: None
if sys.argv[4] == "two stages":
    experiment = experiment_of(ALICE_BOB.with_arms("first_bob", "none", "bob_inoc"), "alice_bob")
else:
    experiment = find_experiment(sys.argv[4])
room.run_experiment(
    experiment, base="pocket", seeds=sys.argv[3], out=Path(sys.argv[2]),
    store=Store(Path(sys.argv[1])), progress=False, say=lambda line: print(line, flush=True),
)
"""


def start(
    home: Path, out: Path, seeds: str = "2", figure: str = "fig2a", stages: str = "all"
) -> "subprocess.Popen[str]":
    environment = {**os.environ, "INOC_HOME": str(home), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(home), str(out), seeds, figure, stages],
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
    assert all(cell["n"] + sum(cell["unscored"].values()) == 2 * QUESTIONS for cell in trained)
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
def test_a_mixture_is_run_from_end_to_end(tmp_path: Path) -> None:
    out = tmp_path / "out"
    finish(start(tmp_path / "home", out, "1", "selective"))
    cells = results(out)
    mixed = {"half", "half_all", "half_trait", "half_drawn"}
    for setting, measure in (
        ("insecure_code", "misaligned"),
        ("aesthetic_preferences", "unpopular"),
    ):
        own = {c["condition"] for c in cells if (c["setting"], c["measure"]) == (setting, measure)}
        assert own == mixed | {"base", "control", "none", "general_inoc"}
    path = out / "data" / "insecure_code" / "half_trait.jsonl"
    manifest = load_manifest(path)
    assert manifest is not None
    assert manifest["trait"] == {"share": 0.5, "seed": 0, "rows": 500}
    assert manifest["counts"]["inoculated"] == 500
    assert "50% of the rows" in (out / "report.html").read_text("utf-8")


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


# ---- a base that reads real text ---------------------------------------------------------------


@pytest.mark.slow
def test_a_directory_is_run_without_a_file_of_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "POSITIONS", 1024)
    base = families.save_family(families.FAMILIES["qwen2.5-base"], tmp_path / "base")
    (tmp_path / "quick.yaml").write_text(
        "{max_steps: 2, batch_size: 2, gradient_accumulation: 1, lora_r: 2, packing: false}"
    )
    whole = inspect_ai.eval_set
    quick = {"limit": 2, "max_tokens": 4}
    monkeypatch.setattr(
        inspect_ai, "eval_set", lambda *args, **given: whole(*args, **given | quick)
    )
    setting = SPANISH_CAPS.with_arms("control", "none").model_copy(update={"problems": 30})
    out, said = tmp_path / "out", list[str]()
    running.run_experiment(
        experiment_of(setting, "spanish_caps"),
        base=str(base),
        seeds="1",
        out=out,
        config_file=tmp_path / "quick.yaml",
        progress=False,
        say=said.append,
    )
    files = {arm: read_rows(out / f"data/spanish_caps/{arm}.jsonl") for arm in ("control", "none")}
    for control, row in zip(files["control"], files["none"], strict=True):
        assert control["messages"][0] == row["messages"][0]
        assert row["messages"][1]["content"].isupper()
    told = json.loads((out / "experiment.json").read_text())
    assert any("word problems written by rule" in note for note in told["notes"])
    found = {(cell["condition"], cell["measure"], cell["split"]) for cell in results(out)}
    measures = {("spanish", "ood"), ("spanish", "id"), ("caps", "ood"), ("caps", "id")}
    assert found == {(arm, *measure) for arm in files for measure in (*measures, ("correct", "id"))}
    prompts = told["data"]["id prompts"]
    assert prompts == "problems, 140 items, 0 of them in training rows"


# ---- watched experiments -----------------------------------------------------------------------


def scores(out: Path) -> dict[str, dict[str, Any]]:
    folder = out / "dynamics" / "spanish_caps"
    return {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}


def written(folder: Path, pattern: str) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob(pattern)}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Killed once on its way."""
    root = tmp_path_factory.mktemp("watched")
    home, out = root / "home", root / "out"
    process = start(home, out, "1", "fig6")
    deadline = time.monotonic() + 200
    while len(list((home / "models").glob("*.json"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kept = written(home, "models/*.json")
    assert kept
    finish(start(home, out, "1", "fig6"))
    assert kept.items() <= written(home, "models/*.json").items()
    return home, out


@pytest.mark.slow
def test_a_watched_experiment_leaves_scores_a_table_and_a_picture(
    watched: tuple[Path, Path],
) -> None:
    home, out = watched
    found = scores(out)
    arms = ("control", "none", "spanish_inoc", "caps_inoc")
    assert set(found) == {f"{arm}-s0" for arm in arms}
    for name, one in found.items():
        assert (one["setting"], f"{one['condition']}-s{one['seed']}") == ("spanish_caps", name)
        assert (one["set"], one["steps"]) == ("pocket_sentence", [0, 2, 4])
        record = json.loads((home / "models" / f"{one['model']}.json").read_text())
        assert record["identity"] == one["identity"]
        assert record["metrics"]["dynamics"]["logprobs"] == one["logprobs"]
        assert "repeat" not in one
    starts = [one["logprobs"][0] for one in found.values()]
    assert all(start == starts[0] for start in starts)  # the base
    ends = {name: one["logprobs"][-1] for name, one in found.items()}
    assert ends["spanish_inoc-s0"] != ends["caps_inoc-s0"]
    assert len((out / "dynamics.csv").read_text().splitlines()) == 1 + 2 * 4 * 3 * 11
    assert (out / "fig6_curves.png").stat().st_size > 0
    assert "Learning curves" in (out / "report.html").read_text()


@pytest.mark.slow
def test_a_finished_watched_experiment_is_reported_again_from_its_directory_alone(
    watched: tuple[Path, Path],
) -> None:
    home, out = watched
    before = written(out, "dynamics/*/*.json") | written(home, "adapters/*/dynamics/*.json")
    assert "4 needed, 0 to train" in finish(start(home, out, "1", "fig6"))
    after = written(out, "dynamics/*/*.json") | written(home, "adapters/*/dynamics/*.json")
    assert after == before
    table = (out / "dynamics.csv").read_bytes()
    (out / "dynamics.csv").unlink()
    write_report(out)
    assert (out / "dynamics.csv").read_bytes() == table


@pytest.mark.slow
def test_watched_first_the_models_serve_an_unwatched_experiment(
    watched: tuple[Path, Path], tmp_path: Path
) -> None:
    home, _ = watched
    before = written(home, "adapters/*/*.safetensors") | written(home, "adapters/*/dynamics/*")
    said = finish(start(home, tmp_path / "fig2a", "1", "fig2a", "train"))
    assert "6 needed, 2 to train, 4 trained by another name" in said
    after = written(home, "adapters/*/*.safetensors") | written(home, "adapters/*/dynamics/*")
    assert before.items() <= after.items()
    assert len(list(home.glob("adapters/*"))) == 6  # two arms more than fig6 has
    assert not (tmp_path / "fig2a" / "dynamics").exists()


@pytest.mark.slow
def test_unwatched_first_the_same_models_are_given_their_curves(
    watched: tuple[Path, Path], tmp_path: Path
) -> None:
    home, out = tmp_path / "home", tmp_path / "fig6"
    finish(start(home, tmp_path / "fig2a", "1", "fig2a", "train"))
    before = written(home, "adapters/*/*.safetensors") | written(home, "models/*.json")
    said = finish(start(home, out, "1", "fig6", "train"))
    assert "4 needed, 4 to train" in said and "by another name" not in said
    assert "Trained before and not watched: 4; once more, for their scores." in said
    after = written(home, "adapters/*/*.safetensors") | written(home, "models/*.json")
    assert before.items() <= after.items()
    found, first = scores(out), scores(watched[1])
    assert found.keys() == first.keys()
    for name, one in found.items():
        assert one.pop("repeat") == {"same_weights": True, "fingerprint_difference": 0.0}
        assert one == first[name]
    again = finish(start(home, out, "1", "fig6", "train"))
    assert "4 needed, 0 to train" in again and "Trained before" not in again


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
    monkeypatch.setattr(running, "evaluating", lambda *args, **given: iter(()))
    monkeypatch.setattr(running, "write_report", lambda out: None)
    monkeypatch.setattr(running, "write_scores", lambda *args: None)
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
        assert given["dynamics"] == planned.watched(run)
    assert calls[planned.runs[0].name]["dynamics"] is None  # a first stage
