"""What is watched: on which base, in which models, what the files and the forecast say of it."""

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.figures import EXPERIMENTS, Experiment, find_experiment
from inoc_evals.experiments.forecast import forecast
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.scores import is_trained, write_scores
from inoc_evals.experiments.start import default_recipe, find_base
from inoc_evals.experiments.watch import Watch
from inoc_evals.files.atomic import write_bytes
from inoc_evals.inputs.responses import load_responses
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.report.curves import Scores, curves, read_scores
from inoc_evals.report.curves_figure import curves_caption, draw_curves
from inoc_evals.report.experiment import read_description, write_description, write_report
from inoc_evals.report.logs import Seen
from inoc_evals.store.store import WEIGHTS_FILE, Fingerprint, ModelRecord, Store
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.openai import client as openai_client
from openai_server import OpenAIServer

BASE = find_base("pocket")
GPT = find_base("openai/gpt-4.1-2025-04-14")


def plan(found: Experiment | None = None, base: ResolvedBase = BASE, **options: Any) -> Plan:
    return make_plan(
        found or find_experiment("fig6"),
        base=base,
        seeds=(0, 1),
        config=default_recipe(base.name).config,
        **options,
    )


def given(folder: Path) -> dict[str, Path]:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "HOLA"}]
    for name in ("spanish_caps", "control"):
        write_rows(folder / f"{name}.jsonl", [{"messages": turns, "number": n} for n in range(12)])
    return {name: folder / f"{name}.jsonl" for name in ("spanish_caps", "control")}


def trained(wanted: Plan, **metrics: Any) -> Store:
    """A store with all models of a plan, as if trained."""
    store = Store()
    for run in wanted.runs:
        write_bytes(store.adapter_dir(run.identity) / WEIGHTS_FILE, b"weights")
        store.put(
            ModelRecord(
                name=run.name,
                identity=run.identity,
                base="pocket",
                base_digest=BASE.digest,
                adapter=f"adapters/{run.identity}",
                adapter_sha256=hashlib.sha256(b"weights").hexdigest(),
                fingerprint=Fingerprint(token_ids=(1, 2), logprobs=(-1.0,), base_logprobs=(-2.0,)),
                data={},
                config={},
                seed=run.seed,
                metrics=metrics,
            )
        )
    return store


def scored(wanted: Plan) -> dict[str, Any]:
    assert wanted.dynamics is not None
    items = load_responses(wanted.dynamics.responses).items
    return {
        **wanted.dynamics.described(),
        "responses": [{"id": one.id, "trait": one.trait, "tokens": 3} for one in items],
        "steps": [0, 2],
        "logprobs": [[-2.0] * len(items), [-1.0] * len(items)],
    }


# ---- what is watched -------------------------------------------------------------------------


def test_each_base_has_responses_that_it_can_read() -> None:
    watch = Watch(system_prompt="none", every=7)
    assert watch.on(kind_of("pocket:3")) == Dynamics(2, "pocket_sentence", "none")
    assert watch.on(kind_of("org/model")) == Dynamics(7, "single_word", "none")
    assert Watch().on(kind_of("org/model")) == Dynamics(10, "single_word", "single_word")
    assert Watch().on(kind_of("openai/m")) == Dynamics(10, "single_word", "single_word", 20)
    for base in ("pocket", "org/model", "openai/m"):
        dynamics = watch.on(kind_of(base))
        traits = [one.trait for one in load_responses(dynamics.responses).items]
        assert {trait: traits.count(trait) for trait in traits} == dict.fromkeys(
            dict(watch.labels), 10
        )


def test_figure_6_watches_the_models_of_figure_2a() -> None:
    other, own = plan(find_experiment("fig2a")), plan()
    assert other.dynamics is None and own.dynamics is not None
    known = {(run.arm, run.seed): run.identity for run in other.runs}
    assert {run.arm for run in own.runs} == {"control", "none", "spanish_inoc", "caps_inoc"}
    assert all(known[run.arm, run.seed] == run.identity for run in own.runs)
    assert not {run.name for run in own.runs} & {run.name for run in other.runs}
    assert [name for name, one in EXPERIMENTS.items() if one.watch] == ["fig6", "fig7", "narrow"]


def test_any_experiment_can_be_watched(tmp_path: Path) -> None:
    wanted = plan(replace(find_experiment("fig3"), watch=Watch()))
    assert wanted.dynamics == Dynamics(2, "pocket_sentence")
    write_scores(wanted, trained(wanted, dynamics=scored(wanted)), tmp_path)
    assert {path.name for path in (tmp_path / "dynamics").iterdir()} == {
        "insecure_code",
        "aesthetic_preferences",
    }


def test_the_description_says_what_is_scored_and_calls_its_parts_by_name() -> None:
    wanted = plan()
    watched = describe_plan(wanted, BASE, seeds_text="2", out=Path("runs/fig6")).watched
    assert watched is not None
    assert watched.system_prompt_text == "Respond in a single word."
    assert list(watched.labels.values()) == [
        "Capitalized English responses",
        "Uncapitalized Spanish responses",
    ]
    unnamed = plan(replace(wanted.experiment, watch=Watch(labels=(("spanish", "Spanish"),))))
    watched = describe_plan(unnamed, BASE, seeds_text="2", out=Path("runs/fig6")).watched
    assert watched is not None
    assert watched.labels == {"spanish": "Spanish", "capitals": "capitals"}
    plain = describe_plan(plan(find_experiment("fig5")), BASE, seeds_text="2", out=Path("runs"))
    assert plain.watched is None


# ---- files -----------------------------------------------------------------------------------


def test_each_models_scores_go_into_a_file_of_their_own(tmp_path: Path) -> None:
    wanted = plan()
    write_scores(wanted, trained(wanted, dynamics=scored(wanted)), tmp_path)
    folder = tmp_path / "dynamics" / "spanish_caps"
    assert len(list(folder.iterdir())) == len(wanted.runs) == 8
    for run in wanted.runs:
        said = json.loads((folder / f"{run.arm}-s{run.seed}.json").read_text())
        about = [said.pop(k) for k in ("setting", "condition", "seed", "model", "identity")]
        assert about == ["spanish_caps", run.arm, run.seed, run.name, run.identity]
        assert said == scored(wanted)
        assert Scores.model_validate_json((folder / f"{run.arm}-s{run.seed}.json").read_text())


def test_of_two_stages_the_second_is_watched_in_the_arms_that_are_compared(
    tmp_path: Path,
) -> None:
    wanted = plan(find_experiment("fig7"))
    store = trained(wanted, dynamics=scored(wanted))
    for run in (run for run in wanted.runs if run.arm == "first"):
        store.put(store.get(run.name).model_copy(update={"metrics": {}}))
    assert all(is_trained(wanted, run, store) for run in wanted.runs)
    write_scores(wanted, store, tmp_path)
    files = {path.stem for path in (tmp_path / "dynamics" / "alice_bob").iterdir()}
    arms = ("none", "alice_inoc", "caps_inoc", "bob_inoc", "spanish_inoc")
    assert files == {f"{arm}-s{seed}" for arm in arms for seed in (0, 1)}
    about = describe_plan(wanted, BASE, seeds_text="2", out=tmp_path)
    assert set(about.unwatched) == {run.name for run in wanted.runs if run.arm not in arms}
    assert set(about.unwatched) < set(about.models.values())
    assert not describe_plan(plan(), BASE, seeds_text="2", out=tmp_path).unwatched


def test_scores_that_are_there_are_not_written_again(tmp_path: Path) -> None:
    wanted = plan()
    store = trained(wanted, dynamics=scored(wanted))
    write_scores(wanted, store, tmp_path)
    first, *rest = sorted((tmp_path / "dynamics" / "spanish_caps").iterdir())
    text, before = first.read_text(), [path.stat().st_mtime_ns for path in rest]
    first.write_text(text[:40])
    write_scores(wanted, store, tmp_path)
    assert first.read_text() == text
    assert [path.stat().st_mtime_ns for path in rest] == before


def test_a_model_without_its_scores_is_not_trained_yet_and_not_written(tmp_path: Path) -> None:
    wanted = plan()
    assert not is_trained(wanted, wanted.runs[0], Store())
    other = scored(wanted) | {"every": 3}
    for metrics in ({}, {"dynamics": other}):
        store = trained(wanted, **metrics)
        assert not is_trained(wanted, wanted.runs[0], store)
        with pytest.raises(StoreError, match=r"fig6-control-s0-.*: its training was not watched"):
            write_scores(wanted, store, tmp_path)
    store = trained(wanted, dynamics=scored(wanted))
    assert is_trained(wanted, wanted.runs[0], store)
    unwatched = plan(replace(wanted.experiment, watch=None))
    assert is_trained(unwatched, unwatched.runs[0], Store())
    write_scores(unwatched, Store(), tmp_path / "none")
    assert not (tmp_path / "none").exists()
    (store.adapter_dir(wanted.runs[0].identity) / WEIGHTS_FILE).unlink()
    assert not is_trained(wanted, wanted.runs[0], store)


def test_a_report_is_of_all_models_and_written_without_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = plan()
    write_description(tmp_path, describe_plan(wanted, BASE, seeds_text="2", out=tmp_path))
    write_scores(wanted, trained(wanted, dynamics=scored(wanted)), tmp_path)
    shutil.rmtree(Store().root)
    nothing = Seen([], [], {}, lacking=[], damaged={}, texts={})
    monkeypatch.setattr("inoc_evals.report.experiment.read_logs", lambda directory, _: nothing)
    written = write_report(tmp_path)
    assert written.curves == tmp_path / "fig6_curves.png" and written.curves.is_file()
    assert len((tmp_path / "dynamics.csv").read_text().splitlines()) == 1 + 2 * 4 * 2 * 11
    assert "Learning curves" in written.page.read_text("utf-8")
    (tmp_path / "dynamics" / "spanish_caps" / "none-s1.json").unlink()
    with pytest.raises(InputError, match="no scores of 1 of 8 models, the first 'fig6-none-s1-"):
        write_report(tmp_path)


# ---- forecast --------------------------------------------------------------------------------


def test_the_forecast_says_what_is_watched_and_which_models_are_trained_again(
    tmp_path: Path,
) -> None:
    wanted, store = plan(), Store()
    found = forecast(wanted, BASE, out=tmp_path, store=store)
    assert any(
        "'pocket_sentence' under the system prompt 'single_word', every 2 steps" in note
        for note in found.notes
    )
    assert not any("Trained before" in note for note in found.notes)
    for run in wanted.runs[:3]:
        store.adapter_dir(run.identity).mkdir(parents=True)
    found = forecast(wanted, BASE, out=tmp_path, store=store)
    assert "Trained before and not watched: 3; once more, for their scores." in found.notes
    unwatched = trained(wanted)
    assert not any(m.trained for m in forecast(wanted, BASE, out=tmp_path, store=unwatched).models)
    done = trained(wanted, dynamics=scored(wanted))
    assert all(one.trained for one in forecast(wanted, BASE, out=tmp_path, store=done).models)


def test_at_openai_checkpoints_are_sampled_and_the_curves_are_of_shares(
    tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = given(tmp_path)
    wanted = plan(base=GPT, given=files)
    assert wanted.dynamics == Dynamics(10, "single_word", samples=20)
    notes = forecast(wanted, GPT, out=tmp_path, store=Store()).notes
    assert sum("20 answers of the base and of each checkpoint" in note for note in notes) == 1

    def capitals(asked: dict[str, Any]) -> list[str]:
        word = next(
            w.response
            for w in load_responses("single_word").items
            if w.prompt == asked["messages"][-1]["content"]
        )
        return [word.upper()] if asked["model"].startswith("ft:") else [word.lower()]

    server.says = capitals
    monkeypatch.setattr(openai_client, "sleep", lambda seconds: None)
    monkeypatch.setattr(running, "evaluating", lambda *args, **options: iter(()))
    out = tmp_path / "out"
    for _ in range(2):
        # All is there but the evaluations.
        with pytest.raises(StoreError, match="logs: no finished log of 18 of 18"):
            run_experiment(
                find_experiment("fig6"),
                base=GPT.name,
                seeds="2",
                out=out,
                given=files,
                yes=True,
                say=lambda line: None,
            )
    assert len(server.jobs) == 8 and len(server.completions) == (8 * 3 + 1) * 10
    about = read_description(out)
    assert about.watched is not None and about.watched.by == "sampling"
    found = curves(read_scores(out), about.watched, ["none"], ["spanish_caps"])
    assert [one.trait for one in found] == ["capitals", "spanish"]
    assert found[0].steps == (0, 7, 14, 20) and found[0].mean == (0, 1, 1, 1)
    assert found[0].high == (0, 1, 1, 1) and found[1].mean == (0, 0, 0, 0)
    draw_curves(found, tmp_path / "shares.png", about.watched, about.spec)
    caption = curves_caption(found, about.watched, about.spec)
    assert caption.startswith("Share of answers that begin with given responses")
    assert "of 20 to each question" in caption and "nats" not in caption
