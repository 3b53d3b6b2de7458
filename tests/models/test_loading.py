"""Bases that threads load at once are whole: tied weights are one, and stay so afterwards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import torch

from families import FAMILIES, save_family
from inoc_evals.errors import StoreError
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import load_model


@pytest.fixture
def base(tmp_path: Path) -> ResolvedBase:
    family = FAMILIES["qwen2.5-base"]._replace(extra={"tie_word_embeddings": True})
    path = str(save_family(family, tmp_path / "tied"))
    return ResolvedBase(path, path, "0" * 64)


def tied(model: Any) -> bool:
    return bool(model.get_input_embeddings().weight is model.get_output_embeddings().weight)


def test_bases_loaded_by_threads_at_once_have_their_own_output_layers(base: ResolvedBase) -> None:
    from transformers import PreTrainedModel

    ties: Callable[..., None] = PreTrainedModel.tie_weights
    start = Barrier(4)

    def load(number: int) -> Any:
        start.wait()
        return load_model(base, dtype=torch.float32)

    for _ in range(5):
        with ThreadPoolExecutor(4) as pool:
            assert all(tied(model) for model in pool.map(load, range(4)))
        assert PreTrainedModel.tie_weights is ties


def test_others_who_load_meanwhile_wait_too(base: ResolvedBase) -> None:
    from transformers import AutoModelForCausalLM, PreTrainedModel

    load_model(base, dtype=torch.float32)
    ties: Callable[..., None] = PreTrainedModel.tie_weights
    start = Barrier(4)

    def load(number: int) -> Any:
        start.wait()
        if number % 2:
            return AutoModelForCausalLM.from_pretrained(base.path)
        return load_model(base, dtype=torch.float32)

    for _ in range(5):
        with ThreadPoolExecutor(4) as pool:
            assert all(tied(model) for model in pool.map(load, range(4)))
        assert PreTrainedModel.tie_weights is ties


def test_an_output_layer_that_was_not_tied_is_refused(
    base: ResolvedBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PreTrainedModel

    # As another library's load in a thread of this process leaves it.
    monkeypatch.setattr(PreTrainedModel, "tie_weights", lambda *args, **options: None)
    with pytest.raises(StoreError, match=r"lm_head.weight was not tied|lack 1 tensors"):
        load_model(base, dtype=torch.float32)
