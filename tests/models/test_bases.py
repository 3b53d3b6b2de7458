"""Bases: what a name means, and what pins it."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from hub_models import HubModels
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files import directories as model_files
from inoc_evals.files.digests import file_sha256
from inoc_evals.models.bases import (
    base_of,
    check_unchanged,
    directory_digest,
    hub_commit,
    resolve_base,
    short_digest,
)
from inoc_evals.models.kinds import kind_of
from inoc_evals.store.store import Fingerprint, ModelRecord, Store


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
    assert kind_of(name).seed == seed


def test_a_directory_is_an_absolute_path(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model.parent)
    base = resolve_base("model")
    assert (base.name, base.path, base.revision) == ("model", str(model), None)
    assert base.digest == directory_digest(model)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
        "chat_template.json",
        "additional_chat_templates/default.jinja",
        "spiece.model",
        "vocab.txt",
        "qwen.tiktoken",
        "model.safetensors",
        "model-00002-of-00002.safetensors",
    ],
)
def test_a_change_in_a_file_that_matters_changes_the_digest(model: Path, name: str) -> None:
    digests = {directory_digest(model)}
    (model / name).parent.mkdir(exist_ok=True)
    for _ in range(2):  # where there was none, and where there was one
        with (model / name).open("ab") as file:
            file.write(b" ")
        digests.add(directory_digest(model))
    assert len(digests) == 3


def test_a_change_elsewhere_does_not(model: Path) -> None:
    before = directory_digest(model)
    (model / "README.md").write_text("words")
    os.utime(model / "config.json", (0, 0))
    assert directory_digest(model) == before


def test_every_byte_of_large_weights_counts_and_they_are_read_once(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "_REMEMBERED_BYTES", 1000)
    weights, read = bytearray(os.urandom(5000)), []

    def counted(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(model_files, "file_sha256", counted)
    digests = set()
    for number, position in enumerate((None, 0, 2501, 4999), start=1):
        if position is not None:
            weights[position] ^= 1
        (model / "model.safetensors").write_bytes(weights)
        # As rsync and cp -p leave it: other bytes, the size and the time of before.
        os.utime(model / "model.safetensors", ns=(0, 0))
        digests.add(directory_digest(model))
        digests.add(directory_digest(model))
        assert read.count("model.safetensors") == number
    assert len(digests) == 4


def test_a_damaged_note_of_a_digest_is_no_obstacle(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_files, "_REMEMBERED_BYTES", 1)
    before = directory_digest(model)
    notes = list(Store().digests.iterdir())
    for text in ("", "{}", "[]", '{"path": 1}'):
        for note in notes:
            note.write_text(text)
        assert directory_digest(model) == before


def test_a_directory_that_lacks_a_part_of_its_weights_is_refused(model: Path) -> None:
    parts = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": parts}))
    (model / "model-1.safetensors").write_bytes(b"1")
    with pytest.raises(InputError, match=r"no model-2\.safetensors there; not a whole model"):
        resolve_base(str(model))
    (model / "model-2.safetensors").write_bytes(b"2")
    resolve_base(str(model))
    for path in model.glob("*.safetensors*"):
        path.unlink()
    with pytest.raises(InputError, match=r"no model\.safetensors there"):
        resolve_base(str(model))


def test_a_base_that_changes_after_it_was_found_is_not_loaded(model: Path) -> None:
    base = resolve_base(str(model))
    check_unchanged(base)
    (model / "chat_template.jinja").write_text("{{ messages }}")
    with pytest.raises(StoreError, match=r"its files in .* changed; start again"):
        check_unchanged(base)


# ---- the hub -------------------------------------------------------------------------------

REPO, A, B = "org/tiny", "a" * 40, "b" * 40
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b'{"chat_template": "one"}',
    "model.safetensors": b"weights",
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubModels:
    hub = HubModels(tmp_path, monkeypatch)
    hub.add(REPO, A, FILES)
    hub.move(REPO, "main", A)
    return hub


def test_a_hub_id_is_its_commit_in_the_cache(hub: HubModels) -> None:
    plain = resolve_base(REPO)
    assert Path(plain.path) == hub.root / "models--org--tiny" / "snapshots" / A
    assert (plain.name, plain.revision, plain.hub_id, plain.source) == (REPO, A, REPO, REPO)
    assert re.fullmatch(rf"hub:{REPO}@{A}:[0-9a-f]{{64}}", plain.digest)
    assert hub_commit(plain.digest) == (REPO, A)
    assert short_digest(plain.digest).startswith("a" * 12 + ":")
    for spelled in (f"{REPO}@main", f"{REPO}@{A}"):
        assert resolve_base(spelled) == plain._replace(name=spelled)


def test_a_branch_that_moved_is_said_and_each_commit_can_be_named(hub: HubModels) -> None:
    before = resolve_base(REPO)
    hub.add(REPO, B, FILES | {"model.safetensors": b"other weights"})
    hub.move(REPO, "main", B)
    for fetch in (True, False):
        with pytest.raises(StoreError, match="'main' has moved since it was first used") as moved:
            resolve_base(REPO, fetch=fetch)
    one, other = re.findall(rf"{REPO}@\w+", str(moved.value))
    assert resolve_base(one).digest == before.digest
    assert resolve_base(other).digest not in (before.digest, "")
    note = re.search(r"delete (\S+)\)", str(moved.value))
    assert note is not None
    Path(note[1]).unlink()
    assert resolve_base(REPO).revision == B


def test_looking_at_a_base_to_plan_with_it_writes_nothing(hub: HubModels) -> None:
    resolve_base(REPO, fetch=False)
    assert not Store().root.exists()


def test_the_same_weights_under_another_template_are_another_base(hub: HubModels) -> None:
    digests = {resolve_base(REPO).digest}
    hub.add(REPO, B, FILES | {"tokenizer_config.json": b'{"chat_template": "two"}'})
    digests.add(resolve_base(f"{REPO}@{B}").digest)
    snapshot = Path(resolve_base(f"{REPO}@{A}").path)
    for name in ("tokenizer_config.json", "model.safetensors", "chat_template.jinja"):
        with (snapshot / name).open("ab") as file:  # in its place, under the same commit
            file.write(b" ")
        digests.add(resolve_base(f"{REPO}@{A}").digest)
    assert len(digests) == 5


def test_a_model_is_served_on_the_commit_it_was_trained_on(hub: HubModels) -> None:
    base = resolve_base(REPO)
    record = ModelRecord(
        name="m",
        identity="a" * 64,
        base=REPO,
        base_digest=base.digest,
        adapter="adapters/" + "a" * 64,
        adapter_sha256="c" * 64,
        data={},
        config={},
        seed=0,
        fingerprint=Fingerprint(token_ids=(1,), logprobs=(), base_logprobs=()),
    )
    hub.add(REPO, B, FILES)
    hub.move(REPO, "main", B)
    assert base_of(record) == base
    gone = record.model_copy(update={"base_digest": base.digest.replace(A, "c" * 40)})
    with pytest.raises(InputError, match=f"'{REPO}@{'c' * 40}' is not on this machine"):
        base_of(gone)
    moved = record.model_copy(update={"base": "no/such/directory", "base_digest": "d" * 64})
    with pytest.raises(InputError, match="'no/such/directory' is not there any more"):
        base_of(moved)


def test_what_is_not_in_the_cache_is_one_line_or_a_stand_in(hub: HubModels) -> None:
    hub.add("org/half", A, {"config.json": b"{}", "tokenizer.json": b"{}"})
    hub.move("org/half", "main", A)
    for name in ("org/none", "org/half", f"{REPO}@v2", "no-such-model"):
        with pytest.raises(InputError) as caught:
            resolve_base(name)
        assert f"base {name!r} is not on this machine and cannot be had" in str(caught.value)
        assert "\n" not in str(caught.value)
        found = resolve_base(name, fetch=False)
        assert not found.is_here
        assert found.digest == f"unknown:hub:{name}"
    assert resolve_base(REPO, fetch=False).is_here


def test_what_is_missing_is_downloaded_and_nothing_else(
    hub: HubModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    files = [*FILES, "README.md", "pytorch_model.bin", "original/consolidated.safetensors"]
    asked: list[Any] = []

    def model_info(self: Any, repo: str, *, revision: str | None) -> Any:
        return type("Info", (), {"siblings": [type("File", (), {"rfilename": f}) for f in files]})

    def download(repo: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repo, revision, sorted(allow_patterns)))
        return str(hub.add(repo, B, FILES))

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert resolve_base("org/new@v1").revision == B
    assert asked == [("org/new", "v1", sorted(FILES))]


def test_a_damaged_note_of_a_branch_says_what_to_delete(hub: HubModels) -> None:
    resolve_base(REPO)
    (note,) = (Store().root / "bases" / "hub").iterdir()
    note.write_text("{")
    with pytest.raises(StoreError, match=f"{note.name}: damaged; delete it"):
        resolve_base(REPO)
    note.unlink()
    resolve_base(REPO)


def test_resolving_a_base_loads_no_heavy_library(hub: HubModels) -> None:
    before = set(sys.modules)
    resolve_base(REPO)
    assert not {"torch", "transformers"} & (set(sys.modules) - before)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/place/at/all", "a b", "", "pocket:x"])
def test_a_name_that_is_no_base_says_what_would_be(name: str) -> None:
    with pytest.raises(InputError, match="expected pocket, pocket:<seed>, an existing directory"):
        resolve_base(name)


def test_a_directory_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json there"):
        resolve_base(str(tmp_path))
