"""A Ray cluster of two workers on this machine: carried or shared, killed or not."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.experiments.executors.carried import packed, unpacked

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
