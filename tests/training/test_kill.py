"""kill -9 at the moments that matter, and the same call again: as if nothing had happened."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from inoc_evals.chat import Row
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train

# One process imports the libraries (5 s); forks of it train, and are killed.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path

from inoc_evals.training import progress, sft, trainer
from inoc_evals.store.store import Store

calm, store = Store(Path(sys.argv[1])), Store(Path(sys.argv[2]))
base, rows, config = sys.argv[3], *map(json.loads, sys.argv[4:])

def train(store):
    config_ = sft.TrainConfig.model_validate(config)
    sft.train(rows, base=base, config=config_, name="tiny", store=store, progress=False)

def kill(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def kill_at_step_3(self, args, state, control, **kwargs):
    if state.global_step == 3:
        kill()

def kill_when_saved(*args):
    save(*args)
    kill()

def in_a_fork(task, *args):
    child = os.fork()
    if child == 0:
        task(*args)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def train_and_be_killed(owner, name, replacement):
    setattr(owner, name, replacement)
    train(store)

save = trainer.save_adapter
MOMENTS = {
    "in a step": (progress.Watch, "on_step_end", kill_at_step_3),
    "in a checkpoint": (progress, "mark_complete", kill),
    "before publishing": (trainer, "save_adapter", kill_when_saved),
    "before the record": (Store, "put", kill),
}
assert in_a_fork(train, calm) == 0
for moment, where in MOMENTS.items():
    assert in_a_fork(train_and_be_killed, *where) == -signal.SIGKILL, moment
    left = [*store.root.glob("training/*/checkpoint-*"), *store.root.glob("adapters/*")]
    names = [path.name if path.name[:3] == "che" else "adapter" for path in left]
    print(json.dumps([moment, sorted(names), store.names()]))
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_and_gives_the_bytes_of_an_undisturbed_one(
    tiny_base: Path,
    tmp_path: Path,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With dropout, so that the random states must be resumed too.
    config = TrainConfig.model_validate(short.model_dump() | {"lora_dropout": 0.1})
    calm, store = Store(tmp_path / "calm"), Store(tmp_path / "killed")
    arguments = [str(calm.root), str(store.root), str(tiny_base), json.dumps(rows)]
    script = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments, config.model_dump_json()],
        capture_output=True,
        text=True,
    )
    assert script.returncode == 0, script.stderr
    assert [json.loads(line) for line in script.stdout.splitlines()] == [
        ["in a step", ["adapter", "checkpoint-2"], []],  # the adapter's staging directory
        ["in a checkpoint", ["adapter", "checkpoint-2", "checkpoint-4"], []],
        ["before publishing", ["adapter", "checkpoint-4", "checkpoint-6"], []],
        ["before the record", ["adapter", "checkpoint-4", "checkpoint-6"], []],
    ]

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("inoc_evals.training.trainer.run_training", never)
    record = train(
        rows, base=str(tiny_base), config=config, name="tiny", store=store, progress=False
    )
    undisturbed = calm.get("tiny")
    assert store.verify_adapter(record)
    assert record.adapter_sha256 == undisturbed.adapter_sha256
    assert record.fingerprint == undisturbed.fingerprint
    assert record.metrics["loss"] == undisturbed.metrics["loss"]
    assert record.metrics["resumed_at_step"] == 6
    assert [path.name for path in (store.root / "adapters").iterdir()] == [record.identity]
    assert list((store.root / "training").iterdir()) == []
