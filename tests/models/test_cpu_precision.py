"""Sixteen bits on a CPU: where they are chosen, where they never are, and how to forbid them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.models import cpu_precision
from inoc_evals.models.bases import resolve_base
from inoc_evals.models.cpu_precision import cpu_dtype, gain


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("INOC_CPU_DTYPE", raising=False)
    monkeypatch.setattr(cpu_precision, "gain", lambda: 3.0)
    cpu_precision._stored_in_bfloat16.cache_clear()
    yield
    cpu_precision._stored_in_bfloat16.cache_clear()


def base(directory: Path, dtype: str | None, **more: object) -> Path:
    """A configuration with weights that nobody opens."""
    settings = {
        "model_type": "mistral" if "sliding_window" in more else "qwen2",
        "architectures": ["Qwen2ForCausalLM"],
        "hidden_size": 32,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        **({"dtype": dtype} if dtype else {}),
        **more,
    }
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text(json.dumps(settings))
    (directory / "model.safetensors").write_bytes(b"weights")
    return directory


@pytest.mark.parametrize(
    ("dtype", "gained", "expected"),
    [
        ("bfloat16", 2.0, "bfloat16"),
        ("bfloat16", 1.1, "float32"),
        ("float32", 9.0, "float32"),
        ("float16", 9.0, "float32"),
        (None, 9.0, "float32"),
    ],
)
def test_a_base_stored_in_bfloat16_is_computed_in_it_where_that_is_faster(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str | None,
    gained: float,
    expected: str,
) -> None:
    monkeypatch.setattr(cpu_precision, "gain", lambda: gained)
    assert cpu_dtype(resolve_base(str(base(tmp_path / "base", dtype)))) == expected


def test_the_environment_forbids_it_and_says_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved = resolve_base(str(base(tmp_path / "base", "bfloat16")))
    monkeypatch.setenv("INOC_CPU_DTYPE", "float32")
    assert cpu_dtype(resolved) == "float32"
    monkeypatch.setenv("INOC_CPU_DTYPE", "auto")
    assert cpu_dtype(resolved) == "bfloat16"
    monkeypatch.setenv("INOC_CPU_DTYPE", "int8")
    with pytest.raises(InputError, match="INOC_CPU_DTYPE=int8: it can be float32, or auto"):
        cpu_dtype(resolved)


def test_a_window_of_attention_is_left_in_float32(tmp_path: Path) -> None:
    """Its rows run in static lanes, where what is beside them moves the last bits."""
    directory = base(tmp_path / "base", "bfloat16", sliding_window=8)
    assert cpu_dtype(resolve_base(str(directory))) == "float32"


def test_the_gain_is_measured_and_is_a_ratio() -> None:
    assert 0.01 < gain() < 1000
    assert gain() == gain()


def test_what_other_processes_take_in_between_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two rounds in three are interrupted; alone a product takes 3 in float32, 1 in bfloat16."""
    import torch

    now, calls = [0.0], [0]

    def taking(rows: torch.Tensor, weight: torch.Tensor) -> None:
        calls[0] += 1
        own = 3.0 if rows.dtype == torch.float32 else 1.0
        now[0] += own if calls[0] % 3 == 0 else 1000.0 - 900.0 * (rows.dtype == torch.float32)

    monkeypatch.setattr(torch.nn.functional, "linear", taking)
    monkeypatch.setattr(cpu_precision.time, "perf_counter", lambda: now[0])
    gain.cache_clear()
    try:
        assert gain() == pytest.approx(3.0)
    finally:
        gain.cache_clear()
