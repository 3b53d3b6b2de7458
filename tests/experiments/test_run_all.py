"""All experiments: one that fails keeps no other from being run, what is finished is passed over."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from inoc_evals.cli import run as cli_run
from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments import run_all as room
from inoc_evals.experiments.executors.here import Here
from inoc_evals.experiments.figures import EXPERIMENTS
from inoc_evals.experiments.one_writer import writing
from inoc_evals.experiments.run_all import run_all
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.overview import Line
from inoc_evals.store.store import Store

SOME = [EXPERIMENTS[name] for name in ("fig2a", "fig5", "fig6", "subliminal")]


class Apart(Here):
    """Stands for other processes."""

    apart = True


class Runs:
    """Stands for stages: leaves logs and a model, or fails."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.failing: set[str] = set()
        self.failing_late: set[str] = set()
        self.told: list[str] = []
        self.given: dict[str, Any] = {}

    def __call__(self, experiment: Any, **options: Any) -> Iterator[str]:
        self.ran.append(experiment.figure)
        self.given[experiment.figure] = options["given"]
        with writing(options["out"]):
            yield from self.stages(experiment, **options)

    def stages(self, experiment: Any, **options: Any) -> Iterator[str]:
        if experiment.figure in self.failing:
            raise StoreError("1 of 3 models could not be trained, as said above: none-s0")
        apart = options["executor"].apart
        for stage in ("training", "trained", "evaluating") if apart else ("trained",):
            self.told.append(f"{experiment.figure} {stage}")
            yield stage
        if experiment.figure in self.failing_late:
            raise StoreError("2 of 9 evaluations failed, as said above: none seed 0")
        out: Path = options["out"]
        (out / "logs").mkdir(parents=True, exist_ok=True)
        (out / "logs" / "a.eval").write_text("answers")
        store = options["store"]
        adapter = store.root / "adapters" / "1"
        (adapter / "dynamics").mkdir(parents=True, exist_ok=True)
        (adapter / "dynamics" / f"{experiment.figure}.json").touch()
        if not (weights := adapter / "adapter_model.safetensors").exists():
            weights.touch()
        store.models.mkdir(exist_ok=True)
        if not (record := store.models / "m.json").exists():
            record.write_text(json.dumps({"identity": "1"}))
        self.told.append(f"{experiment.figure} evaluated")
        yield "evaluated"


def written(out: Path) -> Any:
    """Stands for write_report."""
    (out / "report.html").write_text("report")
    return type("Written", (), {"said": f"On new prompts, {out.name} <b>."})


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs()
    about = type("About", (), {"models": {"none seed 0": "m"}})
    monkeypatch.setattr(room, "stages", runs)
    monkeypatch.setattr(room, "write_report", written)
    monkeypatch.setattr(room, "read_description", lambda out: about)
    base = ResolvedBase("pocket", "/nowhere", "0" * 64)
    monkeypatch.setattr(room, "find_base", lambda *_, **__: base)
    return runs


def all_of(tmp_path: Path, **options: Any) -> dict[str, Line]:
    lines = run_all(
        SOME, base="pocket", seeds=options.pop("seeds", "2"), out=tmp_path / "out",
        store=Store(tmp_path / "home"), say=lambda line: None, **options,
    )  # fmt: skip
    assert [one.figure for one in lines] == [one.figure for one in SOME]
    return {one.figure: one for one in lines}


def test_one_that_fails_keeps_no_other_from_being_run_and_is_run_alone_then(
    runs: Runs, tmp_path: Path
) -> None:
    runs.failing = {"fig5"}
    lines = all_of(tmp_path)
    # Watched trainings come first: one that was not watched is trained again for its scores.
    assert runs.ran == ["fig6", "fig2a", "fig5"]
    ended = {"fig2a": "done", "fig5": "failed", "fig6": "done", "subliminal": "left out"}
    assert {name: one.ended for name, one in lines.items()} == ended
    assert "could not be trained" in lines["fig5"].said
    assert "no rows in the pocket world" in lines["subliminal"].said
    page = (tmp_path / "out" / "overview.html").read_text("utf-8")
    assert 'href="fig2a/report.html"' in page and "fig2a &lt;b&gt;." in page
    assert 'href="fig5/report.html"' not in page
    runs.ran, runs.failing = [], set()
    assert all_of(tmp_path)["fig5"].ended == "done"
    assert runs.ran == ["fig5"]
    listed = json.loads((tmp_path / "out" / "overview.json").read_text("utf-8"))
    assert listed[0] == {
        "figure": "fig2a", "title": EXPERIMENTS["fig2a"].title, "ended": "done",
        "said": "On new prompts, fig2a <b>.", "report": "fig2a/report.html",
    }  # fmt: skip


def test_what_others_do_goes_on_while_the_next_experiment_is_begun(
    runs: Runs, tmp_path: Path
) -> None:
    runs.failing_late = {"fig2a"}
    lines = all_of(tmp_path, executor=Apart())
    # There is always something left to do; and each one's logs are there before the next looks.
    assert runs.told == [
        "fig6 training",
        "fig2a training", "fig6 trained", "fig6 evaluating",
        "fig5 training", "fig2a trained", "fig6 evaluated", "fig2a evaluating",
        "fig5 trained", "fig5 evaluating", "fig5 evaluated",
    ]  # fmt: skip
    assert {name: one.ended for name, one in lines.items()} == {
        "fig2a": "failed", "fig5": "done", "fig6": "done", "subliminal": "left out",
    }  # fmt: skip
    assert lines["fig2a"].said == "2 of 9 evaluations failed, as said above: none seed 0"
    with writing(tmp_path / "out" / "fig2a"):
        pass


def test_an_interrupt_lets_go_of_what_is_still_evaluated(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(experiment: Any, **options: Any) -> Iterator[str]:
        if experiment.figure == "fig5":
            raise KeyboardInterrupt
        return runs(experiment, **options)

    monkeypatch.setattr(room, "stages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        all_of(tmp_path, executor=Apart())
    assert runs.told[-1] == "fig6 evaluating"
    for name in ("fig6", "fig2a"):
        with writing(tmp_path / "out" / name):
            pass


@pytest.mark.parametrize(
    "change",
    [
        "nothing",
        "log",
        "report",
        "lost log",
        "weights",
        "record",
        "note",
        "seeds",
        "package",
        "others",
    ],
)
def test_whatever_changed_is_run_again(
    runs: Runs, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of(tmp_path)
    runs.ran = []
    out, home = tmp_path / "out" / "fig2a", tmp_path / "home"
    if change == "log":
        (out / "logs" / "a.eval").write_text("Answers")
    elif change == "report":
        (out / "report.html").unlink()
    elif change == "lost log":
        (out / "logs" / "a.eval").unlink()
    elif change == "weights":
        (home / "adapters" / "1" / "adapter_model.safetensors").unlink()
    elif change == "record":
        (home / "models" / "m.json").unlink()
    elif change == "note":
        note = out / ".finished.json"
        note.write_text(note.read_text().replace("On new prompts", "On old prompts"))
    elif change == "package":
        monkeypatch.setattr("inoc_evals.experiments.unchanged.package_digest", lambda: "other")
    elif change == "others":  # a package whose tasks are asked
        monkeypatch.setattr(room, "packages_of", lambda settings: ["inspect_evals 9"])
    all_of(tmp_path, seeds="3" if change == "seeds" else "2")
    # The first to be run makes the record again, as it was.
    again = {"nothing": [], "record": ["fig6"]}.get(change, ["fig2a"])
    assert set(again) <= set(runs.ran) and bool(runs.ran) == bool(again)


def test_a_report_that_cannot_be_written_is_that_experiments_failure(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_fails(out: Path) -> Any:
        if out.name == "fig2a":
            raise StoreError("2 of 8 evaluations have no finished log")
        return written(out)

    monkeypatch.setattr(room, "write_report", one_fails)
    lines = all_of(tmp_path)
    assert [lines["fig2a"].ended, lines["fig5"].ended] == ["failed", "done"]
    assert lines["fig2a"].said == "2 of 8 evaluations have no finished log"
    monkeypatch.setattr(room, "write_report", written)
    runs.ran = []
    assert all_of(tmp_path)["fig2a"].ended == "done"
    assert runs.ran == ["fig2a"]


def test_a_report_is_written_while_its_directory_is_held(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    def looking(out: Path) -> Any:
        with pytest.raises(InputError, match="another inoc run is writing it"), writing(out):
            pass
        held.append(True)
        return written(out)

    monkeypatch.setattr(room, "write_report", looking)
    all_of(tmp_path)
    assert held == [True] * 3


def test_files_of_rows_go_to_those_that_take_them(runs: Runs, tmp_path: Path) -> None:
    label = next(iter(SOME[0].settings[0].files))
    rows = tmp_path / "rows.jsonl"
    rows.write_text("{}")
    all_of(tmp_path, given={label: rows})
    assert runs.given["fig2a"] == runs.given["fig6"] == {label: rows}
    assert runs.given["fig5"] == {}
    with pytest.raises(InputError, match="no experiment has such a label"):
        all_of(tmp_path, given={"nobody": rows})


def test_the_command_prints_a_line_each_and_ends_with_status_1_if_one_failed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {}

    def run(experiments: Any, **options: Any) -> list[Line]:
        asked.update(options)
        return [
            Line(figure="fig2a", title="A", ended="done", said="On x.", report="fig2a/report.html"),
            Line(figure="fig5", title="B", ended="failed", said="no room"),
        ]

    monkeypatch.setattr(cli_run, "run_all", run)
    done = CliRunner().invoke(cli_run.command, ["all", "--out", str(tmp_path), "--jobs", "2"])
    assert done.exit_code == 1
    assert "On x." in done.output and "no room" in done.output
    assert "1 of 2 experiments failed: fig5" in done.output
    assert asked["executor"].jobs == 2 and asked["out"] == tmp_path


def test_an_interrupt_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli_run, "run_experiment", run)
    done = CliRunner().invoke(cli_run.command, ["fig2a"])
    assert "the same command goes on from there" in done.output and done.exit_code != 0


@pytest.mark.parametrize("options", [["--jobs", "2"], ["--engine", "ray"]])
def test_what_a_provider_trains_is_not_divided(options: list[str]) -> None:
    done = CliRunner().invoke(cli_run.command, ["fig2a", "--base", "openai/gpt-4.1", *options])
    assert done.exit_code == 1 and "leave --jobs and --engine out" in done.output
