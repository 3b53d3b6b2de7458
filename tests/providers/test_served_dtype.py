"""In which data type a local model is served: chosen where nobody says, and marked as such."""

from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import get_model

from inoc_evals.models import cpu_precision
from inoc_evals.models.bases import resolve_base
from inoc_evals.pocket.base import Recipe, _new_model
from inoc_evals.pocket.tokenizer import build_tokenizer
from inoc_evals.providers import options
from inoc_evals.providers.engine import steady, weights
from inoc_evals.providers.meaning import Meaning
from inoc_evals.providers.options import served_dtype


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor that is faster in bfloat16, and a base that is stored in it."""
    monkeypatch.delenv("INOC_CPU_DTYPE", raising=False)
    monkeypatch.setattr(weights, "default_device", lambda: "cpu")
    monkeypatch.setattr(steady, "steady_here", lambda: True)
    monkeypatch.setattr(cpu_precision, "gain", lambda: 2.0)
    monkeypatch.setattr(cpu_precision, "_stored_in_bfloat16", lambda base: True)


def meaning(world: Any, trained_in: str | None = None) -> Meaning:
    base = resolve_base(str(world.base))
    if trained_in is None:
        return Meaning("base", base)
    metrics = {"dtype": trained_in} if trained_in else {}
    return Meaning("alpha", base, None, world.alpha.model_copy(update={"metrics": metrics}))


@pytest.mark.parametrize(
    ("trained_in", "expected"),
    [(None, "bfloat16"), ("bfloat16", "bfloat16"), ("float32", "auto"), ("", "auto")],
)
def test_an_adapter_is_served_as_it_was_trained_and_a_base_as_is_best(
    world: Any, trained_in: str | None, expected: str
) -> None:
    """What an old record does not say was float32."""
    assert served_dtype(meaning(world, trained_in), {}) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"dtype": "float32"}, "float32"),
        ({"dtype": "auto"}, "bfloat16"),
        ({"device": "cuda"}, "auto"),
        ({"device": "cpu"}, "bfloat16"),
    ],
)
def test_what_is_asked_for_goes_before_and_a_gpu_chooses_for_itself(
    world: Any, given: dict[str, Any], expected: str
) -> None:
    assert served_dtype(meaning(world), given) == expected


def test_rows_that_would_depend_on_each_other_are_left_in_float32(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady, "steady_here", lambda: False)
    assert served_dtype(meaning(world), {}) == "auto"


def test_what_was_chosen_is_in_the_mark_and_asking_for_it_is_the_same(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inspect's cache must not give answers of one data type for another's."""

    def mark(**arguments: Any) -> str | None:
        return get_model(f"inoc/{world.base}", memoize=False, **arguments).api.base_url

    chosen = mark()
    monkeypatch.setenv("INOC_CPU_DTYPE", "float32")
    assert mark() != chosen
    assert mark(dtype="bfloat16") == chosen


def test_a_base_in_float32_is_marked_as_ever(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_precision, "_stored_in_bfloat16", lambda base: False)
    api: Any = get_model(f"inoc/{world.base}", memoize=False).api
    assert api.chosen(api.meaning) == {}
    monkeypatch.setattr(options, "cpu_dtype", lambda base: pytest.fail("not asked for"))
    asked: Any = get_model(f"inoc/{world.base}", memoize=False, dtype="float32").api
    assert asked.chosen(asked.meaning) == {}


def test_the_pocket_model_is_stored_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it is computed in it, however fast the processor is in another."""
    monkeypatch.undo()
    tokenizer = build_tokenizer()
    _new_model(Recipe(), tokenizer).save_pretrained(tmp_path)
    assert not cpu_precision._stored_in_bfloat16(resolve_base(str(tmp_path)))
