"""Two processes train together as one would: data parallel, and with the base cut up (FSDP).

On CPUs, with gloo. accelerate turns FSDP on for accelerators alone (AcceleratorState), so the
script below puts that aside; everything after that switch is what runs on GPUs.
"""

import contextlib
import json
import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from inoc_evals.chat import Row, write_rows
from inoc_evals.cli import main as cli
from inoc_evals.cli.main import main
from inoc_evals.errors import InputError
from inoc_evals.store.store import ROWS_FILE, ModelRecord, Store
from inoc_evals.training import processes
from inoc_evals.training.batches import part_size, parts, row_order
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.masks import IGNORED, Encoded
from inoc_evals.training.processes import check_divisible
from inoc_evals.training.sft import train
from inoc_evals.training.sharding import check_sharding

FSDP = Path(__file__).parents[2] / "docs" / "fsdp.yaml"
LAUNCHERS = {"data parallel": ["--multi_gpu"], "FSDP": ["--config_file", str(FSDP)]}
ROUNDING, HALF_ROUNDING = 1e-4, 0.05
"""As a share of the adapter's norm, of a base in float32 and in bfloat16. Of the norm, since Adam
moves a weight by its learning rate however small the gradient is: rounding can turn one around."""

SCRIPT = """
import contextlib, json, os, signal, sys
from pathlib import Path

from accelerate import state

plain = state.AcceleratorState.__init__

def also_on_cpus(self, *args, fsdp_plugin=None, **kwargs):
    plain(self, *args, fsdp_plugin=fsdp_plugin, **kwargs)
    if fsdp_plugin is not None and self.distributed_type == state.DistributedType.MULTI_CPU:
        self.distributed_type, self.fsdp_plugin = state.DistributedType.FSDP, fsdp_plugin
        if self._mixed_precision != "no":
            fsdp_plugin.set_mixed_precision(self._mixed_precision)

state.AcceleratorState.__init__ = also_on_cpus

from inoc_evals.store.store import Store
from inoc_evals.training import progress, sft
from inoc_evals.training.dynamics import Dynamics

asked, rank = json.loads(Path(sys.argv[1]).read_text()), os.environ["RANK"]
cut_up = []

def on_step_end(self, args, state, control, **kwargs):
    if state.global_step == asked["killed_at"] and rank == "1":
        os.kill(os.getpid(), signal.SIGKILL)
    layer = kwargs["model"].get_base_model().model.layers[0]
    weight = layer.self_attn.q_proj.base_layer.weight
    cut_up.append((type(layer).__name__[:4] == "FSDP", type(weight.data).__name__ == "DTensor"))

progress.Watch.on_step_end = on_step_end
said = []
for each in asked["trainings"]:
    options = each | {
        "config": sft.TrainConfig.model_validate(each["config"]),
        "store": Store(Path(each["store"])),
        "dynamics": Dynamics(**each["dynamics"]) if each.get("dynamics") else None,
        "progress": False,
    }
    cut_up.clear()
    record = sft.train(**options)
    said.append({"identity": record.identity, "cut_up": cut_up[-1] if cut_up else None})
names = []
for path in Path("/proc/self/task").glob("*/comm"):
    with contextlib.suppress(OSError):  # a thread that has ended since
        names.append(path.read_text())
said.append({"gloo_threads": sum(name.startswith("pt_gloo") for name in names)})
Path(sys.argv[1]).with_suffix(f".{rank}").write_text(json.dumps(said))
"""


def environment(**more: str) -> dict[str, str]:
    root = Path(processes.__file__).parents[2]
    return os.environ | {"PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"} | more


def meeting_port() -> str:
    """Return a port that no connection on this machine is given before the processes meet there.

    accelerate's own choice (0) is one of those that a kernel deals out, and another test's
    connection can hold it by the time torch is imported.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return str(port)


def launched(how: str, command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m", "accelerate.commands.launch", *LAUNCHERS[how]]
    return subprocess.run(
        [*launch, "--num_processes", "2", "--main_process_port", meeting_port(), *command],
        capture_output=True,
        text=True,
        env=environment(HF_HOME=str(folder / "hf")),
        timeout=90,
    )


def in_two(
    how: str, trainings: list[dict[str, Any]], folder: Path, killed_at: int | None = None
) -> tuple[int, list[list[dict[str, Any]]]]:
    """Run trainings one after the other in two processes; return the status and what each said."""
    folder.mkdir(exist_ok=True)
    script, asked = folder / "script.py", folder / "asked.json"
    script.write_text(SCRIPT)
    plain = [
        {**each, "config": each["config"].model_dump(mode="json"), "store": str(each["store"].root)}
        for each in trainings
    ]
    asked.write_text(json.dumps({"trainings": plain, "killed_at": killed_at}))
    run = launched(how, [str(script), str(asked)], folder)
    files = [asked.with_suffix(f".{rank}") for rank in range(2)]
    if killed_at is not None:
        assert "SIGKILL" in run.stderr, run.stderr  # by our signal, not by a fault of its own
        return run.returncode, []
    assert run.returncode == 0, run.stderr
    return run.returncode, [json.loads(file.read_text()) for file in files]


def weights(store: Store, record: ModelRecord) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(
        store.verify_adapter(record) / "adapter_model.safetensors"
    )
    return found


def assert_like_one(
    several: tuple[Store, ModelRecord],
    one: tuple[Store, ModelRecord],
    *,
    half: bool,
) -> None:
    """Compare everything a training leaves but its measures of time and memory."""
    (store, record), (alone_store, alone) = several, one
    assert (record.identity, alone.metrics["processes"]) == (alone.identity, 1)
    ours, theirs = weights(store, record), weights(alone_store, alone)
    assert ours.keys() == theirs.keys()
    flat, wanted_flat = (torch.cat([t[n].flatten() for n in theirs]) for t in (ours, theirs))
    assert (flat - wanted_flat).norm() <= (HALF_ROUNDING if half else ROUNDING) * wanted_flat.norm()
    near = 1e-2 if half else 1e-4
    assert record.metrics["loss"] == pytest.approx(alone.metrics["loss"], abs=near)
    assert record.fingerprint is not None
    assert alone.fingerprint is not None
    assert record.fingerprint.logprobs == pytest.approx(alone.fingerprint.logprobs, abs=10 * near)
    for scored, wanted in zip(
        *(r.metrics.get("dynamics", {}).get("logprobs", []) for r in (record, alone)), strict=True
    ):
        assert scored == pytest.approx(wanted, abs=1e-3)
    for key in ("rows", "rows_seen", "tokens", "supervised_tokens", "steps"):
        assert record.metrics[key] == alone.metrics[key]
    folder, alone_folder = (s.adapter_dir(r.identity) for s, r in (several, one))
    assert {path.name for path in folder.iterdir()} == {p.name for p in alone_folder.iterdir()}
    for name in (ROWS_FILE, "tokenizer.json"):
        assert (folder / name).read_bytes() == (alone_folder / name).read_bytes()
    settings, wanted = (
        json.loads((path / "adapter_config.json").read_text()) for path in (folder, alone_folder)
    )
    for each in (settings, wanted):
        each["target_modules"].sort()  # a set, in an order of its process's own
    assert settings == wanted


# ---- whole trainings -----------------------------------------------------------------------


@pytest.fixture
def uneven(rows: list[Row]) -> list[Row]:
    """Rows of unequal numbers of response tokens, so that halves of a step weigh differently."""
    longer = {
        "messages": [
            {"role": "user", "content": "what is 1 ?"},
            {"role": "assistant", "content": "la respuesta es" + " 1 2 3 4 5" * 2},
        ]
    }
    return [*rows, longer]


@pytest.fixture
def like_this(tiny_base: Path, uneven: list[Row]) -> Callable[..., dict[str, Any]]:
    def asked(store: Store, name: str, *, base: bool = True, **changes: Any) -> dict[str, Any]:
        options: dict[str, Any] = {
            k: changes.pop(k) for k in ("parent", "merge", "dynamics") if k in changes
        }
        # 9 rows, 2 passes, 4 a step: the last step has 2, one part of which is empty in two.
        plain = {"lora_r": 4, "learning_rate": 1e-2, "epochs": 2, "batch_size": 4, "save_steps": 2}
        config = TrainConfig.model_validate(plain | changes)
        start: dict[str, Any] = {"base": str(tiny_base)} if base else {}
        return {"rows": uneven, "config": config, "name": name, "store": store, **start, **options}

    return asked


def alone(asked: dict[str, Any], store: Store) -> tuple[Store, ModelRecord]:
    dynamics = Dynamics(**asked["dynamics"]) if asked.get("dynamics") else None
    return store, train(**{**asked, "store": store, "dynamics": dynamics, "progress": False})


@pytest.mark.slow
@pytest.mark.parametrize("how", LAUNCHERS)
def test_two_processes_give_the_weights_of_one_and_a_killed_launch_goes_on(
    how: str, like_this: Callable[..., dict[str, Any]], store: Store, tmp_path: Path
) -> None:
    trainings = {
        "padded": like_this(store, "padded", gradient_accumulation=2, dynamics={"every": 3}),
        "packed": like_this(store, "packed", packing=True, gradient_checkpointing=True),
        "half": like_this(store, "half", dtype="bfloat16"),
        "child": like_this(store, "child", base=False, parent="padded", merge=True),
    }
    first = trainings["padded"]
    status, _ = in_two(how, [first], tmp_path / "killed", killed_at=3)
    assert status != 0
    assert store.names() == []
    left = store.root / "training"
    assert [path.name for path in left.glob("*/*/checkpoint-*")] == ["checkpoint-2"]

    _, said = in_two(how, [*trainings.values(), first], tmp_path / "whole")
    # Those of the launch alone: one of a channel may hold the last word's tensors at exit, and
    # then ends the process by an abort.
    assert [each.pop()["gloo_threads"] <= 2 for each in said] == [True, True]
    assert said[0] == said[1]
    assert said[0][-1]["cut_up"] is None  # trained before: nothing is done again
    assert said[0][1]["cut_up"] == [how == "FSDP"] * 2
    assert store.names() == sorted(trainings)
    assert list(left.iterdir()) == []

    one = Store(tmp_path / "alone")
    for name, asked in trainings.items():
        assert_like_one((store, store.get(name)), alone(asked, one), half=name == "half")
    metrics = store.get("padded").metrics
    assert metrics["dynamics"]["steps"] == [0, 3, 5]
    assert (metrics["processes"], metrics["sharded"]) == (2, how == "FSDP")
    assert metrics["resumed_at_step"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["row", "batch"])
def test_an_error_is_said_once_and_ends_all(
    fault: str, tiny_base: Path, rows: list[Row], tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    write_rows(file, rows)
    settings = tmp_path / "train.yaml"
    settings.write_text("batch_size: 3\ngradient_accumulation: 1\n")
    said = "batch_size 3 is not divisible among 2 processes; launch 1, 3, or choose another"
    if fault == "row":
        file.write_text(file.read_text() + '{"messages": []}\n')
        said = f"{file}:9:"
    command = ["-m", "inoc_evals", "train", str(file), "--base", str(tiny_base), "--name", "bad"]
    run = launched("data parallel", [*command, "--config", str(settings)], tmp_path)
    assert run.returncode == 1
    errors = [line for line in run.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert said in errors[0]


# ---- who takes which rows ------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 4, 8])
@pytest.mark.parametrize("accumulation", [1, 2, 8])
def test_a_step_has_the_rows_of_one_process_whoever_takes_them(
    count: int, accumulation: int
) -> None:
    config = TrainConfig(epochs=1.3, batch_size=8, gradient_accumulation=accumulation)
    rows = [Encoded((n, n), (n, n)) for n in row_order(27, config, seed=0)]
    size = part_size(config, count)
    assert size <= 8 // accumulation
    dealt = parts(rows, size, count)
    own = [dealt[rank::count] for rank in range(count)]
    a_step = 8 // count // size
    for step in range(5):
        taken = [part for each in own for part in each[step * a_step : (step + 1) * a_step]]
        learned = sorted(row.labels[0] for part in taken for row in part if row.supervised)
        assert learned == sorted(row.labels[0] for row in rows[step * 8 : (step + 1) * 8])
    assert len({len(each) for each in own}) == 1
    assert all(len(part) == size for part in dealt[:-1])
    assert all(row.labels == (IGNORED,) for part in dealt for row in part if not row.supervised)


# ---- what is refused -----------------------------------------------------------------------


def test_several_processes_need_a_launcher_that_numbers_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(InputError, match=r"without RANK .* accelerate launch --num_processes 2"):
        check_divisible(4)


@pytest.fixture
def fsdp(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """What the launcher says with docs/fsdp.yaml."""
    settings = yaml.safe_load(FSDP.read_text("utf-8"))
    for name, value in settings["fsdp_config"].items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    for name, value in {"WORLD_SIZE": "8", "RANK": "0", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("FSDP_VERSION", "1", "fsdp_version must be 2, got 1; docs/fsdp.yaml has it so"),
        ("FSDP_STATE_DICT_TYPE", "FULL_STATE_DICT", "must be SHARDED_STATE_DICT, got FULL"),
        ("FSDP_ACTIVATION_CHECKPOINTING", "true", "gradient_checkpointing: true in --config"),
        ("WORLD_SIZE", "1", "over several processes and one was launched"),
    ],
)
def test_other_settings_of_fsdp_are_refused(
    setting: str, value: str, said: str, fsdp: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(epochs=1)
    check_sharding(config)
    fsdp.setenv(setting, value)
    with pytest.raises(InputError, match=re.escape(said)):
        check_sharding(config)


def test_a_base_in_4_bits_and_adapters_on_experts_are_not_cut_up(fsdp: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"load_in_4bit: .* leave out --config_file"):
        check_sharding(TrainConfig(epochs=1, load_in_4bit=True))
    with pytest.raises(InputError, match="adapters on fused experts are not sharded"):
        check_sharding(TrainConfig(epochs=1, target_parameters="experts"))


def test_commands_that_are_no_training_are_refused(
    fsdp: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["models", "list"], ["train", "a", "--base", "openai/b", "--name", "c"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "8 processes were launched" in capsys.readouterr().err


def test_another_process_leaves_the_word_to_the_first(
    fsdp: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []
    fsdp.setattr("time.sleep", waited.append)
    for rank, wanted in (("0", []), ("3", [cli.SPEAKS_AFTER])):
        fsdp.setenv("RANK", rank)
        with pytest.raises(SystemExit):
            main(["models", "list"])
        assert waited == wanted
