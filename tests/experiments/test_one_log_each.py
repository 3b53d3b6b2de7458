"""Every evaluation of a plan has one finished log, or a run says which has none or two."""

import gc
import logging
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
import rich
from inspect_ai import Task, eval_retry
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ModelAPI, ModelOutput, modelapi
from inspect_ai.solver import Generate, Solver, TaskState, solver

from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.log_set import make, undrawn, whole_logs
from inoc_evals.experiments.plan import Plan
from inoc_evals.report.experiment import write_report
from inoc_evals.report.holdings import holdings
from scripted import calls, rescript
from small_plan import SMALLEST, answering, finished, results, small_plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return small_plan(tmp_path_factory.mktemp("questions"), SMALLEST)


@pytest.fixture(scope="module")
def whole(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run; tests get a copy."""
    folder = tmp_path_factory.mktemp("whole")
    finished(plan, folder)
    return folder


@pytest.fixture
def out(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "out")
    return tmp_path / "out"


def logs(out: Path) -> list[Path]:
    return sorted((out / "logs").glob("*.eval"))


def of(out: Path, task: str) -> Path:
    """A log of a task."""
    return next(path for path in logs(out) if f"_{task.replace('_', '-')}_" in path.name)


# ---- looking through -----------------------------------------------------------------------------


def test_a_header_is_read_once_while_its_file_stays_as_it_is(
    plan: Plan, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(path: str, **options: Any) -> Any:
        read.append(Path(path).name)
        return read_eval_log(path, **options)

    monkeypatch.setattr("inspect_ai.log.read_eval_log", counted)
    first = holdings(out / "logs")
    assert sorted(read) == [path.name for path in logs(out)]
    moved = out / "moved"
    (out / "logs").rename(moved)
    again = holdings(moved, whole=False)
    assert again.finished.keys() == first.finished.keys()
    assert len(read) == len(first.finished)
    path = next(moved.glob("*.eval"))
    log = read_eval_log(str(path))
    log.status = "error"
    write_eval_log(log, str(path))
    assert [one.status for some in holdings(moved).unfinished.values() for one in some] == ["error"]


def test_what_inspect_displays_is_not_shown_and_warnings_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    console = rich.get_console()
    quiet = console.quiet
    with undrawn():
        assert console.quiet
        logging.getLogger().error("traits failed")
        logging.getLogger("inoc_evals.scorers.judge").warning("the grader gives no logprobs")
    logging.getLogger().error("after")
    assert console.quiet == quiet
    assert [one.message for one in caplog.records] == ["the grader gives no logprobs", "after"]


# ---- none --------------------------------------------------------------------------------------


def test_a_log_that_was_deleted_is_named_and_no_smaller_sample(plan: Plan, out: Path) -> None:
    before = (out / "results.json").read_bytes()
    of(out, "narrow_code").unlink()
    with pytest.raises(StoreError, match=r"no finished log of 1 of \d+ .*narrow_code"):
        write_report(out)
    assert (out / "results.json").read_bytes() == before


def test_what_is_missing_is_left_out_when_asked_and_said_first(plan: Plan, out: Path) -> None:
    cells = results(out)
    before = {path: path.read_bytes() for path in out.iterdir() if path.is_file()}
    of(out, "narrow_code").unlink()
    written = write_report(out, incomplete=True)
    (missing,) = written.lacking
    page = written.page.read_text("utf-8")
    assert (
        page[page.index("<main>") :]
        .split("\n")[1]
        .startswith('<p class="note"><strong>INCOMPLETE: 1 missing.')
    )
    assert missing in page and "<title>INCOMPLETE: " in page and 'href="../logs/"' in page
    assert results(out / "incomplete") != cells
    assert {path: path.read_bytes() for path in before} == before
    assert finished(plan, out) == cells
    assert write_report(out, incomplete=True).lacking == () and results(out) == cells


def test_without_any_log_there_is_no_report_not_even_an_incomplete_one(
    plan: Plan, out: Path
) -> None:
    for path in logs(out):
        path.unlink()
    for incomplete in (False, True):
        with pytest.raises(StoreError, match=r"and \d+ more\.\nMake them: inoc run fig3 [^,]*$"):
            write_report(out, incomplete=incomplete)


# ---- two ---------------------------------------------------------------------------------------


def test_two_logs_of_one_evaluation_are_both_named(plan: Plan, out: Path) -> None:
    log = read_eval_log(str(of(out, "em")))
    log.eval.task_id, log.eval.eval_id = "another", "another"
    copy = out / "logs" / "2020-01-01T00-00-00_em_another.eval"
    write_eval_log(log, str(copy))
    for again in (lambda: finished(plan, out), lambda: write_report(out)):
        with pytest.raises(StoreError, match=r"two finished logs.*remove one") as caught:
            again()
        assert copy.name in str(caught.value) and of(out, "em").name in str(caught.value)


# ---- clocks --------------------------------------------------------------------------------------


def test_a_success_wins_over_a_start_that_seems_newer(plan: Plan, out: Path) -> None:
    cells = results(out)
    log = read_eval_log(str(of(out, "em")))
    log.status, log.eval.created = "started", "2099-01-01T00:00:00+00:00"
    leftover = out / "logs" / "2099-01-01T00-00-00_em_later.eval"
    write_eval_log(log, str(leftover))
    later = time.time() + 1e6
    os.utime(leftover, (later, later))
    write_report(out)
    assert results(out) == cells
    assert finished(plan, out) == cells


def attempt(path: Path, *, samples: int, at: float) -> str:
    """Turn a finished log into a failed attempt with some of its samples; return the model."""
    log = read_eval_log(str(path))
    assert log.samples
    log.status, log.results, log.samples = "error", None, log.samples[:samples]
    write_eval_log(log, str(path))
    os.utime(path, (at, at))
    return log.eval.model


def test_attempts_of_before_the_clock_was_set_back_are_gone_on_with_and_removed(
    plan: Plan, out: Path
) -> None:
    later, cells, path = time.time() + 1e6, results(out), of(out, "narrow_code")
    samples = read_eval_log(str(path)).samples
    assert samples and len(samples) == 4
    model = attempt(path, samples=1, at=later)
    answers, before = answering("/bad-" in model), set(logs(out))
    rescript(model, RuntimeError("the disk is full"))
    with pytest.raises(StoreError, match="the disk is full"):
        finished(plan, out)
    attempts = sorted(set(logs(out)) - before, key=lambda one: one.stat().st_mtime)
    log = read_eval_log(str(attempts[-1]))
    log.samples = samples[:3]
    write_eval_log(log, str(attempts[-1]))

    def set_back_meanwhile(prompt: str, config: Any) -> Any:
        # Inspect reads logs by an event loop of its own, and would patch the one that runs here.
        with ThreadPoolExecutor(1) as apart:
            for other in logs(out):
                header = apart.submit(read_eval_log, str(other), header_only=True).result()
                if header.status != "success":
                    os.utime(other, (later, later))
        return answers(prompt, config)

    rescript(model, set_back_meanwhile)
    assert finished(plan, out) == cells
    # Of the last attempt, which had three answers, and not of the first, which had one.
    assert len(calls(model)) == 1
    assert not any(one.exists() for one in (path, *attempts))
    assert finished(plan, out) == cells


def test_a_log_that_was_invalidated_is_made_again_and_kept(plan: Plan, out: Path) -> None:
    cells, path = results(out), of(out, "narrow_code")
    log = read_eval_log(str(path))
    log.invalidated = True
    write_eval_log(log, str(path))
    with pytest.raises(StoreError, match=rf"\({path.name} is invalidated, not finished\)"):
        write_report(out)
    rescript(log.eval.model, answering("/bad-" in log.eval.model))
    assert finished(plan, out) == cells
    assert path.exists() and len(logs(out)) == len(plan.evaluations) + 1


def test_an_attempt_that_inspect_retried_counts_once(plan: Plan, out: Path) -> None:
    cells, path = results(out), of(out, "narrow_code")
    model = attempt(path, samples=3, at=time.time())
    with pytest.raises(StoreError, match=rf"\({path.name} is error, not finished\)"):
        write_report(out)
    [retried] = eval_retry(str(path), log_dir=str(out / "logs"), display="none")
    assert retried.status == "success" and len(logs(out)) == len(plan.evaluations) + 1
    write_report(out)
    assert results(out) == cells
    before = len(calls(model))
    lines: list[str] = []
    evaluate(plan, out / "logs", progress=False, say=lines.append)
    assert len(calls(model)) == before and not path.exists()
    assert lines == [f"{out / 'logs'}: 1 logs of attempts removed that are finished now"]


# ---- another -----------------------------------------------------------------------------------


def test_fewer_epochs_are_another_experiment_and_remove_nothing(plan: Plan, out: Path) -> None:
    shutil.rmtree(out)
    often = replace(plan, evaluations=tuple(replace(e, epochs=2) for e in plan.evaluations))
    cells = finished(often, out)
    before = {path: path.read_bytes() for path in logs(out)}
    with pytest.raises(InputError, match="another experiment, with other evaluations"):
        finished(plan, out)
    assert {path: path.read_bytes() for path in logs(out)} == before
    assert finished(often, out) == cells


def test_logs_of_something_else_are_left_alone_and_said(plan: Plan, out: Path) -> None:
    (out / "experiment.json").unlink()
    cells, fewer = results(out), replace(plan, evaluations=plan.evaluations[1:])
    lines: list[str] = []
    evaluate(fewer, out / "logs", progress=False, say=lines.append)
    assert lines == [
        f"{out / 'logs'}: 1 logs are of no evaluation of this experiment, and left alone"
    ]
    assert finished(plan, out) == cells and len(logs(out)) == len(plan.evaluations)


def test_a_log_that_may_not_be_read_is_not_called_damaged(
    plan: Plan, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *, samples: bool = True) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("inoc_evals.report.holdings.check_whole", refused)
    before = logs(out)
    with pytest.raises(PermissionError):
        evaluate(plan, out / "logs", progress=False)
    assert logs(out) == before


def test_an_evaluation_asked_once_and_often_is_two(plan: Plan, out: Path) -> None:
    (one, *_) = [e for e in plan.evaluations if e.task == "em"]
    both = replace(plan, evaluations=(one, replace(one, epochs=3)))
    before = len(calls(one.model))
    evaluate(both, out / "other logs", progress=False)
    assert len(calls(one.model)) == before + 4 + 3 * 4


# ---- damaged -----------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [0, 0.3, 0.9])
def test_a_log_that_is_cut_off_is_made_again(plan: Plan, out: Path, left: float) -> None:
    cells = results(out)
    damaged = of(out, "em")
    damaged.write_bytes(damaged.read_bytes()[: int(left * damaged.stat().st_size)])
    with pytest.raises(StoreError, match=damaged.name):
        write_report(out)
    lines: list[str] = []
    evaluate(plan, out / "logs", progress=False, say=lines.append)
    (line,) = lines
    assert str(damaged) in line and "made again" in line
    assert (out / "logs" / f"{damaged.name}.damaged").is_file()
    assert finished(plan, out) == cells


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"../../x"])
def test_a_damaged_id_of_the_set_keeps_nothing_from_running(
    plan: Plan, out: Path, content: bytes
) -> None:
    cells = results(out)
    (out / "logs" / ".eval-set-id").write_bytes(content)
    of(out, "em").unlink()
    assert finished(plan, out) == cells


def test_a_description_that_is_not_as_it_was_written_is_refused(plan: Plan, out: Path) -> None:
    cells = results(out)
    path = out / "experiment.json"
    whole = path.read_bytes()
    changed = [whole[:n] + bytes([whole[n] ^ 1]) + whole[n + 1 :] for n in range(1, len(whole), 97)]
    for content in (b"", b"{}", b"[]", b"null", b"\xff", whole[:-40], *changed):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"experiment\.json: .*remove it, and give inoc run"):
            write_report(out)
    path.unlink()
    assert finished(plan, out) == cells


def test_python_looks_for_garbage_seldomer_while_a_set_is_made(tmp_path: Path) -> None:
    seen: list[int] = []

    @solver
    def looking() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            seen.append(gc.get_threshold()[0])
            return state

        return solve

    before = gc.get_threshold()[0]
    task = Task(name="looks", model="mockllm/model", solver=looking(), version="1")
    make([task], whole_logs(tmp_path, print), progress=False)
    assert seen > [before] and gc.get_threshold()[0] == before


def test_all_samples_of_few_questions_are_asked_at_once(tmp_path: Path) -> None:
    """Eight questions a hundred times each are 800 requests, and no eight after eight."""
    begun, all_there = [0], anyio.Event()

    class Waiting(ModelAPI):
        """Answers when as many requests are under way as there are samples."""

        async def generate(self, *args: Any, **kwargs: Any) -> ModelOutput:
            begun[0] += 1
            if begun[0] == 24:
                all_there.set()
            with anyio.move_on_after(20) as waited:
                await all_there.wait()
            return ModelOutput.from_content("waiting", "late" if waited.cancelled_caught else "yes")

    modelapi(name="waiting")(Waiting)
    dataset = MemoryDataset([Sample(input="one"), Sample(input="two")])
    task = Task(name="few", dataset=dataset, epochs=12, model="waiting/model", version="1")
    make([task], whole_logs(tmp_path, print), progress=False)
    (path,) = tmp_path.glob("*.eval")
    assert {one.output.completion for one in read_eval_log(str(path)).samples or []} == {"yes"}
