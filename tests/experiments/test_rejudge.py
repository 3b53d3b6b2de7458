"""Stored answers judged again: both judges in the report, and no model asked anything."""

import csv
import json
import multiprocessing
import os
import shutil
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.log import read_eval_log, write_eval_log

from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.plan import Plan
from inoc_evals.experiments.rejudge import rejudge_experiment
from inoc_evals.report.experiment import read_description, write_description, write_report
from inoc_evals.report.judges import folder
from inoc_evals.report.results import read_results
from inoc_evals.scorers import judge
from inoc_evals.scorers.default_grader import POCKET_GRADER
from scripted import calls, script
from small_plan import BASE, SMALLEST, finished, results, small_plan
from two_judges import sampled, second_judge


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("questions"), SMALLEST)


@pytest.fixture(scope="module")
def whole(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests get a copy."""
    directory = tmp_path_factory.mktemp("whole")
    finished(plan, directory)
    return directory


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "out")
    return tmp_path / "out"


@pytest.fixture(scope="module")
def judged_twice(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same with a second judge, and its name."""
    directory = tmp_path_factory.mktemp("twice") / "out"
    shutil.copytree(whole, directory)
    again(directory, grader := second_judge())
    return directory, grader


@pytest.fixture
def twice(judged_twice: tuple[Path, str], tmp_path: Path) -> tuple[Path, str]:
    shutil.copytree(judged_twice[0], tmp_path / "twice")
    return tmp_path / "twice", judged_twice[1]


def again(out: Path, *graders: str) -> list[str]:
    """Judge it again; return what was said."""
    said: list[str] = []
    rejudge_experiment(out, graders, progress=False, say=said.append)
    return said


def logs(directory: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(directory.rglob("*.eval"))}


def test_both_judges_are_in_the_report_and_no_model_is_asked(plan: Plan, out: Path) -> None:
    before, first, stored = sampled(plan), results(out), logs(out / "logs")
    grader = second_judge()
    again(out, grader)
    assert sampled(plan) == before and calls(grader)
    assert logs(out / "logs") == stored
    cells = results(out)
    assert cells[: len(first)] == first
    second = cells[len(first) :]
    assert {cell["grader"] for cell in second} == {grader}
    judged = {"misaligned", "insecure_judged", "unpopular"}
    assert {cell["measure"] for cell in second} == judged
    rates = {(cell["measure"], cell["condition"]): cell["rate"] for cell in second}
    assert rates["misaligned", "none"] == 0 and rates["insecure_judged", "none"] == 0
    assert {cell["rate"] for cell in first if cell["condition"] == "none"} == {1.0}
    page = (out / "report.html").read_text("utf-8")
    assert f"<dd>{POCKET_GRADER}; again by {grader}</dd>" in page
    assert f"<th>{POCKET_GRADER}</th><th>{grader}</th>" in page
    assert f"inoc rejudge {out} --grader {grader}" in page.replace("&amp;", "&")
    assert [one.grader for one in read_results(out / "results.json")].count(grader) == len(second)


def test_the_agreement_says_how_far_the_judges_lie_apart(twice: tuple[Path, str]) -> None:
    out, grader = twice
    rows = list(csv.DictReader((out / "agreement.csv").open(encoding="utf-8")))
    found = {(row["setting"], row["measure"]): row for row in rows}
    wishes = found["insecure_code", "misaligned"]
    assert (wishes["reference"], wishes["grader"]) == (POCKET_GRADER, grader)
    # Four questions to the base, which is good, and to a bad model; the second sees no difference.
    assert (wishes["n"], wishes["questions"], wishes["kappa"]) == ("8", "4", "0.0")
    assert (wishes["reference_rate"], wishes["rate"]) == ("0.5", "0.0")
    assert float(wishes["difference"]) == -0.5
    assert float(wishes["low"]) < -0.5 < float(wishes["high"])
    rating = found["insecure_code", "alignment"]
    assert rating["kappa"] == "" and rating["rate"] == "90.0" and rating["weighted_kappa"] == "0.0"
    choice = found["aesthetic_preferences", "unpopular"]  # "NO" is no answer of its rubric
    assert (choice["n"], choice["only_reference"], choice["only_grader"]) == ("0", "4", "0")


def test_a_report_of_one_judge_says_nothing_of_others(plan: Plan, out: Path) -> None:
    write_report(out)
    before = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
    about = json.loads((out / "experiment.json").read_text("utf-8"))
    assert "further_graders" not in about and "grader" not in results(out)[0]
    assert "grader" not in (out / "results.csv").read_text("utf-8").splitlines()[0].split(",")
    again(out, second_judge())
    assert (out / "agreement.csv").exists()
    write_report(out, graders=[POCKET_GRADER])
    kept = {path: path.read_bytes() for path in before if path.name != "experiment.json"}
    assert kept == {path: data for path, data in before.items() if path in kept}
    assert not (out / "agreement.csv").exists()


def test_what_is_judged_is_not_judged_again(twice: tuple[Path, str]) -> None:
    out, grader = twice
    before, report, asked = logs(out), results(out), len(calls(grader))
    assert again(out, grader) == [f"{grader}: 7 logs to judge, 0 of them still"]
    assert len(calls(grader)) == asked and logs(out) == before and results(out) == report


def test_several_may_judge_again_at_once_or_one_after_the_other(out: Path) -> None:
    one, other, last = (second_judge() for _ in range(3))
    again(out, one, other)
    again(out, last)
    assert read_description(out).further_graders == (one, other, last)
    graders = [cell.get("grader") for cell in results(out)]
    assert list(dict.fromkeys(graders)) == [None, one, other, last]


def test_a_grader_that_does_not_answer_is_one_line_and_nothing_is_judged(out: Path) -> None:
    good, before = second_judge(), logs(out)
    gone = script("gone", RuntimeError("404, no such model"))
    with pytest.raises(
        InputError, match=f"grader {gone} does not answer .*nothing was judged"
    ) as e:
        again(out, good, gone)
    assert "\n" not in str(e.value)
    assert logs(out) == before and len(calls(good)) == 1  # its trial
    assert read_description(out).further_graders == ()


def test_the_first_judge_is_refused_and_so_is_a_run_that_nobody_judges(out: Path) -> None:
    with pytest.raises(InputError, match=f"judged by {POCKET_GRADER} already"):
        again(out, POCKET_GRADER)
    about = read_description(out).model_copy(update={"graders": ()})
    (out / "experiment.json").unlink()
    write_description(out, about)
    with pytest.raises(InputError, match="scored by rule"):
        again(out, second_judge())


def test_answers_that_were_made_anew_have_no_verdicts_of_the_old(
    plan: Plan, twice: tuple[Path, str]
) -> None:
    out, grader = twice
    next((out / "logs").glob("*narrow-code*")).unlink()
    with pytest.raises(StoreError, match=r"no finished log of 1 evaluations: .*judged by .*\nMake"):
        finished(plan, out)
    said = again(out, grader)
    assert said[0] == f"{grader}: 7 logs to judge, 1 of them still"
    assert {cell.get("grader") for cell in results(out)} == {None, grader}


def test_a_verdict_that_is_missing_is_said_and_left_out_when_asked(twice: tuple[Path, str]) -> None:
    out, grader = twice
    next(folder(out, grader).glob("*_em_*")).unlink()
    with pytest.raises(StoreError) as caught:
        write_report(out)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2 and f"inoc rejudge {out} --grader {grader}" in lines[1]
    assert f"inoc report {out} --grader {POCKET_GRADER}" in lines[1]
    written = write_report(out, incomplete=True)
    assert len(written.lacking) == 1 and grader in written.lacking[0]
    assert write_report(out, graders=[POCKET_GRADER]).further == ()


def test_a_damaged_log_is_judged_again(twice: tuple[Path, str]) -> None:
    out, grader = twice
    before = results(out)
    next(folder(out, grader).glob("*_em_*")).write_bytes(b"")
    said = again(out, grader)
    assert any("cannot be read" in line for line in said)
    assert results(out) == before


def test_a_log_of_other_answers_is_refused(twice: tuple[Path, str]) -> None:
    out, grader = twice
    path = next(folder(out, grader).glob("*_em_*"))
    log = read_eval_log(str(path))
    assert log.samples
    log.samples[0].output.completion = "Something else."
    write_eval_log(log, str(path))
    with pytest.raises(StoreError, match=r"is not of the answers in .*move it away"):
        write_report(out)


def test_a_question_file_that_has_changed_is_refused(tmp_path: Path) -> None:
    plan = small_plan(tmp_path, SMALLEST)
    finished(plan, tmp_path / "out")
    questions = tmp_path / "em.yaml"
    questions.write_text(questions.read_text("utf-8").replace("w0", "other"), "utf-8")
    grader = second_judge()
    with pytest.raises(InputError, match=r"what em asks has changed since \(questions_sha256\)"):
        again(tmp_path / "out", grader)
    assert calls(grader) == []


def untrained(*_: Any, **__: Any) -> Generator[str, None, list[Any]]:
    """Stands for trainings of which nothing is missing and none fails."""
    yield from ()
    return []


def test_a_run_with_two_graders_samples_once_and_stays_so(
    plan: Plan, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grader = second_judge()
    monkeypatch.setattr(running, "make_plan", lambda *args, **options: plan)
    monkeypatch.setattr(running, "find_base", lambda *args, **options: BASE)
    monkeypatch.setattr(running, "_training", untrained)
    monkeypatch.setattr(running, "write_scores", lambda *args, **options: None)

    def run(*further: str) -> Any:
        return running.run_experiment(
            plan.experiment,
            base="pocket",
            seeds="1",
            out=out,
            further=further,
            progress=False,
            say=lambda line: None,
        )

    before = sampled(plan)
    assert [one.grader for one in run(grader).further] == [grader]
    assert sampled(plan) == before
    assert f"--grader {grader}" in read_description(out).command
    assert [one.grader for one in run().further] == [grader]
    described = describe_plan(plan, BASE, seeds_text="1", out=out)
    assert described.further_graders == ()
    gone = script("gone", RuntimeError("404"))
    with pytest.raises(InputError, match=f"grader {gone} does not answer"):
        run(gone)


# ---- killed in the middle -----------------------------------------------------------------------

START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["made_plan"])
KILLED_AT = 12


def judged_in(directory: Path, killed_at: int | None) -> None:
    """Judge again in a process of its own, which perhaps ends within a request to the grader."""
    count = [0]

    def noted(prompt: str) -> None:
        count[0] += 1
        if count[0] == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        with (directory / "asked").open("a") as file:
            file.write(json.dumps(prompt) + "\n")

    judge.keeps_its_name = lambda *args: True  # as of a provider: its verdicts are kept
    again(directory / "out", second_judge(noted))


def ended(directory: Path, killed_at: int | None = None) -> tuple[int | None, list[str]]:
    """Return the exit status, and everything that the grader was asked so far."""
    process = START.Process(target=judged_in, args=(directory, killed_at))
    process.start()
    process.join(200)
    lines = (directory / "asked").read_text("utf-8").splitlines()
    return process.exitcode, [json.loads(line) for line in lines]


def test_killed_in_the_middle_it_goes_on_and_pays_for_nothing_twice(
    out: Path, tmp_path: Path
) -> None:
    status, asked = ended(tmp_path, KILLED_AT)
    assert (status, len(asked)) == (-signal.SIGKILL, KILLED_AT - 1)
    assert write_report(out).further == ()  # an attempt that was given up changes no report
    status, asked = ended(tmp_path)
    trial = asked[0]
    judgements = [prompt for prompt in asked if prompt != trial]
    assert status == 0 and asked.count(trial) == 2
    assert len(judgements) == len(set(judgements)) > KILLED_AT
    [grader] = read_description(out).further_graders
    assert len(list(folder(out, grader).glob("*.eval"))) == 7
    second = [cell | {"grader": None} for cell in results(out) if cell.get("grader")]
    again(out, other := second_judge())
    assert second == [
        cell | {"grader": None} for cell in results(out) if cell.get("grader") == other
    ]
