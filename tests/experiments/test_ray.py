"""A Ray cluster of two workers on this machine: carried or shared, killed or not."""

import json
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from fake_units import FAILS, carried_unit, do_carried
from inoc_evals.errors import InputError
from inoc_evals.experiments.executors import ray_cluster
from inoc_evals.experiments.executors.carried import packed, unpacked
from inoc_evals.experiments.executors.ray_cluster import RayCluster
from inoc_evals.experiments.tally import Tally
from inoc_evals.store.store import Store

TESTS = Path(__file__).parents[1]

SCRIPT = f"""
import json, sys
sys.path.append({str(TESTS)!r})
from pathlib import Path
from fake_units import carried_unit, do_carried
from inoc_evals.experiments.executors.ray_cluster import RayCluster
from inoc_evals.experiments.tally import Tally
from inoc_evals.store.store import Store

home, out = Path(sys.argv[1]), Path(sys.argv[2])
if len(sys.argv) > 3:
    import ray
    whole = ray.init
    there = dict(env_vars=dict(INOC_HOME=sys.argv[3]))
    ray.init = lambda **given: whole(**given, runtime_env=there)
said = []
units = [
    carried_unit(Store(home), out, "killed", "killed once"),
    carried_unit(Store(home), out, "child", needs=("killed",)),
    carried_unit(Store(home), out, "bad", "fails"),
    *(carried_unit(Store(home), out, "u%d" % n) for n in range(3)),
]
with RayCluster(jobs=2) as cluster, Tally("units", len(units), shown=False, say=said.append) as t:
    failures = cluster.run(units, do_carried, t)
print("ENDED" + json.dumps(dict(said=said, failed=dict((one.key, one.why) for one in failures))))
"""


def test_what_is_packed_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "adapter" / "deep").mkdir(parents=True)
    (tmp_path / "adapter" / "deep" / "a").write_text("a")
    (tmp_path / "record.json").write_text("{}")
    names = [("adapters/1", str(tmp_path / "adapter")), ("r.json", str(tmp_path / "record.json"))]
    unpacked(packed(names), tmp_path / "there")
    assert (tmp_path / "there" / "adapters" / "1" / "deep" / "a").read_text() == "a"
    assert (tmp_path / "there" / "r.json").read_text() == "{}"


# ---- what the cluster's driver does, with a cluster of one process --------------------------------


class Lost(Exception):
    """A worker or machine that is gone."""


class FakeRay(ModuleType):
    """Does at once, on copies and with a store of its own, what is sent to it."""

    exceptions = SimpleNamespace(WorkerCrashedError=Lost, NodeDiedError=Lost, ObjectLostError=Lost)

    def __init__(self, home: Path) -> None:
        super().__init__("ray")
        self.home, self.put_bytes, self.crashes = home, 0, {"killed": 1, "always": 9}
        self.kept: list[Any] = []

    def init(self, **given: Any) -> None:
        self.given = given

    def shutdown(self) -> None:
        self.given = {}

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def put(self, value: bytes) -> int:
        self.put_bytes += len(value)
        self.kept.append(value)
        return len(self.kept) - 1

    def get(self, ref: int) -> Any:
        if isinstance(self.kept[ref], Exception):
            raise self.kept[ref]
        return self.kept[ref]

    def wait(self, refs: list[int], num_returns: int) -> tuple[list[int], list[int]]:
        return refs[:num_returns], refs[num_returns:]

    def remote(self, **options: Any) -> Any:
        assert options == {"num_cpus": 1, "num_gpus": 0, "max_retries": 0}

        def decorate(function: Any) -> Any:
            def sent(do: Any, work: Any, what: Any) -> int:
                if self.crashes.get(work.name, 0):
                    self.crashes[work.name] -= 1
                    self.kept.append(Lost())
                    return len(self.kept) - 1
                with pytest.MonkeyPatch.context() as there:
                    there.setenv("INOC_HOME", str(self.home))
                    self.kept.append(function(do, pickle.loads(pickle.dumps(work)), what))
                return len(self.kept) - 1

            return SimpleNamespace(remote=sent)

        return decorate


@pytest.mark.parametrize("store", ["shared", "fetched"])
def test_what_is_lacking_is_fetched_and_what_was_made_is_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    home, out, there = tmp_path / "home", tmp_path / "out", tmp_path / "there"
    (home / "bases" / "b").mkdir(parents=True)
    (home / "bases" / "b" / "weights").write_text("1 2 3")
    there.mkdir()
    fake = FakeRay(home if store == "shared" else there)
    monkeypatch.setitem(sys.modules, "ray", fake)
    units = [
        carried_unit(Store(home), out, "killed"),
        carried_unit(Store(home), out, "child", needs=("killed",)),
        carried_unit(Store(home), out, "bad", FAILS),
        carried_unit(Store(home), out, "always"),
        carried_unit(Store(home), out, "good"),
    ]
    said: list[str] = []
    tally = Tally("units", len(units), shown=False, say=said.append)
    with RayCluster("10.0.0.1:6379", jobs=2) as cluster, tally:
        assert fake.given["address"] == "10.0.0.1:6379"
        failures = {one.key: one.why for one in cluster.run(units, do_carried, tally)}
    assert failures.keys() == {"bad", "always"}
    assert "there is no room for bad" in failures["bad"]
    assert failures["always"] == "its worker was lost, 3 times"
    assert said[0] == "unit killed: its worker was lost; it is done again"
    made = {path.name: path.read_text() for path in out.iterdir()}
    assert made == {name: "1 2 3" for name in ("killed", "child", "good")}
    assert (there / "bases" / "b" / "weights").is_file() == (store == "fetched")
    assert fake.put_bytes < 30_000  # once, and not for each unit


def test_a_machine_with_another_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", FakeRay(tmp_path))
    digests = iter("ab")
    monkeypatch.setattr(ray_cluster, "package_digest", lambda: next(digests))
    (tmp_path / "bases" / "b").mkdir(parents=True)
    unit = carried_unit(Store(tmp_path), tmp_path / "out", "a")
    with RayCluster() as cluster:
        [failure] = cluster.run([unit], do_carried, Tally("units", 1, shown=False))
    assert "has another inoc-evals" in failure.why


def test_a_cluster_that_cannot_be_reached_is_an_error_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**given: Any) -> None:
        raise ConnectionError("no cluster\nat all")

    fake = FakeRay(tmp_path)
    fake.init = init  # type: ignore[method-assign]
    monkeypatch.setitem(sys.modules, "ray", fake)
    with pytest.raises(InputError, match=r"--engine ray:there:1: ConnectionError: no cluster at"):
        RayCluster("there:1").__enter__()


# ---- Ray itself -----------------------------------------------------------------------------------


def ended(*arguments: Path) -> dict[str, Any]:
    environment = {**os.environ, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    environment["PYTHONPATH"] = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
    environment["INOC_HOME"] = str(arguments[0])
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    found: dict[str, Any] = json.loads(run.stdout.partition("ENDED")[2])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("store", ["shared", "fetched"])
@pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray")
def test_two_workers_do_all_units_with_one_of_them_killed(tmp_path: Path, store: str) -> None:
    home, out, there = tmp_path / "home", tmp_path / "out", tmp_path / "there"
    (home / "bases" / "b").mkdir(parents=True)
    (home / "bases" / "b" / "weights").write_text("1 2 3")
    there.mkdir()
    found = ended(home, out, *([there] if store == "fetched" else []))
    assert list(found["failed"]) == ["bad"] and "no room for bad" in found["failed"]["bad"]
    assert "unit killed: its worker was lost; it is done again" in found["said"]
    made = {path.name: path.read_text() for path in out.iterdir()}
    assert made == {name: "1 2 3" for name in ("killed", "child", "u0", "u1", "u2")}
    assert (there / "bases" / "b" / "weights").is_file() == (store == "fetched")
