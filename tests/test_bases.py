"""Bases: what a name means, and what pins it."""

import json
import os
from pathlib import Path

import pytest

from inoc_evals import bases
from inoc_evals.bases import directory_digest, pocket_seed, resolve_base
from inoc_evals.errors import InputError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    directory = tmp_path / "model"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps({"model_type": "qwen2"}))
    (directory / "tokenizer.json").write_text("{}")
    (directory / "model.safetensors").write_bytes(b"weights")
    return directory


@pytest.mark.parametrize(
    ("name", "seed"),
    [("pocket", 0), ("pocket:0", 0), ("pocket:7", 7), ("pocket:", None), ("pocket7", None)],
)
def test_pocket_names_carry_a_seed(name: str, seed: int | None) -> None:
    assert pocket_seed(name) == seed


def test_a_directory_is_an_absolute_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    base = resolve_base("model")
    assert (base.name, base.path, base.revision) == ("model", str(model), None)
    assert base.digest == directory_digest(model)


@pytest.mark.parametrize(
    "name", ["config.json", "tokenizer.json", "model.safetensors", "chat_template.jinja"]
)
def test_a_change_in_a_file_that_matters_changes_the_digest(model: Path, name: str) -> None:
    before = directory_digest(model)
    with (model / name).open("ab") as file:
        file.write(b" ")
    assert directory_digest(model) != before


def test_a_change_elsewhere_does_not(model: Path) -> None:
    before = directory_digest(model)
    (model / "README.md").write_text("words")
    os.utime(model / "config.json", (0, 0))
    assert directory_digest(model) == before


def test_large_weights_are_pinned_without_being_read_whole(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bases, "_WHOLE_BYTES", 1000)
    monkeypatch.setattr(bases, "_BLOCKS", 4)
    monkeypatch.setattr(bases, "_BLOCK_BYTES", 10)
    weights = bytearray(os.urandom(5000))
    digests = set()
    for position in (None, 0, 4999, 2, 4995):
        if position is not None:
            weights[position] ^= 1
        (model / "model.safetensors").write_bytes(weights)
        digests.add(directory_digest(model))
    assert len(digests) == 5


def test_a_hub_id_may_have_a_revision() -> None:
    plain = resolve_base("Qwen/Qwen2.5-7B-Instruct")
    assert plain[1:] == ("Qwen/Qwen2.5-7B-Instruct", "hub:Qwen/Qwen2.5-7B-Instruct", None)
    pinned = resolve_base("Qwen/Qwen2.5-7B-Instruct@abc123")
    assert pinned[1:] == (
        "Qwen/Qwen2.5-7B-Instruct",
        "hub:Qwen/Qwen2.5-7B-Instruct@abc123",
        "abc123",
    )


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/place/at/all", "a b", "", "pocket:x"])
def test_a_name_that_is_no_base_says_what_would_be(name: str) -> None:
    with pytest.raises(InputError, match="expected pocket, pocket:<seed>, an existing directory"):
        resolve_base(name)


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json there"):
        resolve_base(str(tmp_path))
