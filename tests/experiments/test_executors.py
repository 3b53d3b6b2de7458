"""Executors: all that can be done is done, in the order that parents ask for, kills or not."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from fake_units import FAILS, KILLED_ALWAYS, KILLED_ONCE, SLOW, do, unit
from inoc_evals.errors import InputError, MissingExtraError, StoreError
from inoc_evals.experiments.executors import executor as interface
from inoc_evals.experiments.executors.executor import Executor, Unit, executor_of
from inoc_evals.experiments.executors.here import HERE
from inoc_evals.experiments.executors.workers import Workers
from inoc_evals.experiments.tally import Tally

EXECUTORS = {"here": lambda: HERE, "workers": lambda: Workers(2)}


@pytest.fixture(autouse=True)
def path_of_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    )


def run(executor: Executor, units: Sequence[Unit], said: list[str] | None = None) -> dict[str, str]:
    lines = [] if said is None else said
    tally = Tally("units", len(units), shown=False, say=lines.append)
    with executor, tally:
        failures = executor.run(units, do, tally)
    assert tally.running == 0
    assert tally.finished + tally.lost == len(units)
    return {one.key: one.why for one in failures}


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_unit_is_done_after_those_it_needs(name: str, tmp_path: Path) -> None:
    units = [
        unit(tmp_path, "child", needs=("parent",)),
        unit(tmp_path, "parent", SLOW),
        unit(tmp_path, "other", needs=("done before",)),
    ]
    assert run(EXECUTORS[name](), units) == {}
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*")}
    assert made.keys() == {"child", "parent", "other"}
    assert made["parent"] < made["child"]


@pytest.mark.parametrize("name", EXECUTORS)
def test_one_that_fails_is_said_and_keeps_only_those_that_need_it(
    name: str, tmp_path: Path
) -> None:
    said: list[str] = []
    units = [
        unit(tmp_path, "bad", FAILS),
        unit(tmp_path, "child", needs=("bad",)),
        unit(tmp_path, "grandchild", needs=("child",)),
        unit(tmp_path, "good"),
    ]
    failed = run(EXECUTORS[name](), units, said)
    assert failed == {
        "bad": "there is no room for bad",
        "child": "not tried, for it starts from unit bad",
        "grandchild": "not tried, for it starts from unit child",
    }
    assert {path.name for path in tmp_path.glob("*")} == {"good"}
    assert "failed: unit bad: there is no room for bad" in said


def test_what_nobody_foresaw_is_said_with_its_place() -> None:
    try:
        raise KeyError("rows")
    except KeyError as error:
        said = interface.why(error)
    assert said.startswith("KeyError: 'rows' (test_executors.py:")
    assert interface.why(StoreError("a\nb")) == "a b"


def test_a_worker_that_is_killed_loses_one_unit_which_is_done_again(tmp_path: Path) -> None:
    said: list[str] = []
    units = [unit(tmp_path, "killed", KILLED_ONCE), *(unit(tmp_path, f"u{n}") for n in range(6))]
    assert run(Workers(2), units, said) == {}
    begun = (tmp_path / "killed.begun").read_text()
    assert begun == "xx"
    assert {path.name for path in tmp_path.glob("u*")} == {f"u{n}" for n in range(6)}
    assert said == ["unit killed: its process was killed (SIGKILL); it is done again"]


def test_one_whose_process_is_always_lost_is_given_up(tmp_path: Path) -> None:
    units = [unit(tmp_path, "killed", KILLED_ALWAYS), unit(tmp_path, "good")]
    failed = run(Workers(2), units)
    assert failed == {"killed": "its process was killed (SIGKILL), 3 times"}
    assert (tmp_path / "good").is_file()


def test_workers_share_the_cores_and_a_number_of_the_users_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inoc_evals.experiments.executors.workers.cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    run(Workers(2), [unit(tmp_path, "free")])
    assert (tmp_path / "free").read_text() == "4"
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    run(Workers(2), [unit(tmp_path, "set")])
    assert (tmp_path / "set").read_text() == "3"


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="cores cannot be kept to")
def test_each_worker_keeps_to_cores_of_its_own_also_one_that_takes_anothers_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    every = os.sched_getaffinity(0)
    units = [unit(tmp_path, "killed", KILLED_ONCE)]
    units += [unit(tmp_path, f"u{n}", "cores") for n in range(6)]
    assert run(Workers(2), units) == {}
    kept = [set(map(int, path.read_text().split())) for path in tmp_path.glob("u*")]
    if len(every) > 1:
        one, other = {frozenset(cores) for cores in kept}
        assert not one & other and one | other == every
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert run(Workers(2), [unit(tmp_path, "free", "cores")]) == {}
    assert set(map(int, (tmp_path / "free").read_text().split())) == every


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_is_not_waited_for_is_done_beside_the_rest(name: str, tmp_path: Path) -> None:
    said: list[str] = []

    def tally(count: int) -> Tally:
        return Tally("units", count, shown=False, say=said.append)

    with EXECUTORS[name]() as executor:
        late = executor.begin([unit(tmp_path, "late", SLOW)], do, tally(1))
        bad = executor.begin([unit(tmp_path, "bad", FAILS)], do, tally(1), anywhere=False)
        assert executor.run([unit(tmp_path, "quick")], do, tally(1)) == []
        assert executor.wait(late) == [] and late.over
        assert [one.why for one in executor.wait(bad)] == ["there is no room for bad"]
    made = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*")}
    assert made.keys() == {"late", "quick"}
    # One process does them in turn; of two the other one goes on.
    assert (made["late"] < made["quick"]) == (name == "here")
    assert said == ["failed: unit bad: there is no room for bad"]


def test_workers_go_on_by_themselves(tmp_path: Path) -> None:
    said: list[str] = []
    units = [unit(tmp_path, "killed", KILLED_ONCE), *(unit(tmp_path, f"u{n}") for n in range(3))]
    with Workers(1) as workers:
        given = workers.begin(units, do, Tally("x", 4, shown=False, say=said.append))
        until = time.monotonic() + 60
        while not given.over and time.monotonic() < until:
            time.sleep(0.01)  # busy with what comes next
        assert given.over and not given.failures
    assert {path.name for path in tmp_path.glob("u*")} == {"u0", "u1", "u2"}
    assert (tmp_path / "killed").is_file() and "it is done again" in said[0]


def test_what_ends_the_thread_ends_the_run(tmp_path: Path) -> None:
    def say(line: str) -> None:
        raise BrokenPipeError("nobody reads this")

    with pytest.raises(BrokenPipeError, match="nobody reads"), Workers(1) as workers:
        workers.run([unit(tmp_path, "bad", FAILS)], do, Tally("x", 1, shown=False, say=say))


def test_a_run_that_is_left_leaves_nothing_behind(tmp_path: Path) -> None:
    workers = Workers(1)
    with workers:
        workers.begin([unit(tmp_path, "slow", "sleeps")], do, Tally("x", 1, shown=False))
    assert not workers._workers
    with workers:
        assert workers.run([unit(tmp_path, "next")], do, Tally("x", 1, shown=False)) == []
    assert [path.name for path in tmp_path.glob("*")] == ["next"]


def test_an_interrupt_ends_the_workers(tmp_path: Path) -> None:
    units = [unit(tmp_path, f"slow{n}", "sleeps") for n in range(2)]

    class Interrupted(Tally):
        def started(self, label: str) -> None:
            super().started(label)
            if self.running == 2:
                os.kill(os.getpid(), signal.SIGINT)  # as from a terminal

    workers = Workers(2)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt), workers:
        workers.run(units, do, Interrupted("units", 2, shown=False))
    assert time.monotonic() - begun < 60
    assert not list(tmp_path.glob("slow*")) and not workers._workers


@pytest.mark.parametrize(
    ("jobs", "engine", "said"),
    [(0, None, "--jobs 0"), (1, "spark", "expected ray"), (-2, None, "at least one")],
)
def test_what_is_no_executor_is_refused(jobs: int, engine: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        executor_of(jobs, engine)


def test_ray_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inoc_evals.errors.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"inoc-evals\[ray\]"):
        executor_of(1, "ray")


def test_the_tally_says_what_is_done_running_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Tally("trainings", 5, shown=False, say=lambda line: None) as tally:
        assert tally.text() == "trainings: 0 of 5 done, 0 running, 5 left"
        tally.started("a")
        tally.started("b")
        clock[0] = 10.0
        tally.done("a")
        told = "trainings: 1 of 5 done, 1 running, 3 left, about 40 s to go"
        assert tally.text() == told
        tally.stopped("b")
        tally.failed("b", "no")
        assert "1 of 5 done, 1 failed, 0 running, 3 left" in tally.text()


def test_elsewhere_than_on_a_terminal_plain_lines_say_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with Tally("trainings", 2) as tally:
        tally.started("a")
        clock[0] = 20.0
        tally.done("a")
    err = capsys.readouterr().err
    assert err == "trainings: 1 of 2 done, 0 running, 1 left, about 20 s to go\n"
