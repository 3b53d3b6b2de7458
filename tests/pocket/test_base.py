"""The pocket base: built once, whole or not at all, whoever asks and whatever is killed."""

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from inoc_evals.errors import StoreError
from inoc_evals.files.digests import file_sha256
from inoc_evals.models.bases import resolve_base
from inoc_evals.pocket import base
from inoc_evals.store.store import Store

BUILD = """
import sys
from pathlib import Path
from inoc_evals.pocket import base
from inoc_evals.store.store import Store
class Quick(base.Recipe):
    steps: int = 40
    batch_size: int = 8
    hidden_size: int = 32
    intermediate_size: int = 32
    layers: int = 1
base.Recipe = Quick
made = base.build
def build(*args, **kwargs):
    print("building", flush=True)
    made(*args, **kwargs)
    if "slow" in sys.argv:
        import time; time.sleep(60)
base.build = build
base.ensure_base(3, Store(Path(sys.argv[1])), progress=False)
print("done", flush=True)
"""


def start(root: Path, *more: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BUILD, str(root), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


def test_a_base_loads_as_any_hugging_face_directory(quick_recipe: type, tmp_path: Path) -> None:
    path = base.ensure_base(1, Store(tmp_path), progress=False)
    model, tokenizer = (
        AutoModelForCausalLM.from_pretrained(path),
        AutoTokenizer.from_pretrained(path),
    )
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 2 plus 3?"}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    said = model.generate(**ids, max_new_tokens=4)
    assert said.shape[1] > ids["input_ids"].shape[1]
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id


def test_the_same_recipe_gives_the_same_weights_and_another_seed_others(
    quick_recipe: type, tmp_path: Path
) -> None:
    def weights(root: str, seed: int) -> str:
        path = base.ensure_base(seed, Store(tmp_path / root), progress=False)
        return file_sha256(path / "model.safetensors")

    assert weights("a", 1) == weights("b", 1) != weights("a", 2)


def test_a_base_in_the_cache_is_not_built_again(
    quick_recipe: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = base.ensure_base(1, Store(tmp_path), progress=False)
    monkeypatch.setattr(base, "build", lambda *args, **kwargs: pytest.fail("built again"))
    assert base.ensure_base(1, Store(tmp_path)) == path


def append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def test_a_base_whose_files_changed_is_refused_and_built_again_once_it_is_deleted(
    quick_recipe: type, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    before = resolve_base("pocket:1", store).digest
    path = base.base_dir(1, store)
    weights = path / "model.safetensors"
    built = weights.read_bytes()
    assert resolve_base("pocket:1", store).digest == before
    weights.write_bytes(built[:-1] + bytes([built[-1] ^ 1]))
    for fetch in (True, False):
        with pytest.raises(StoreError, match=r"not the pocket base .* model\.safetensors changed"):
            resolve_base("pocket:1", store, fetch=fetch)
    weights.write_bytes(built)
    append(path / "chat_template.jinja")
    with pytest.raises(StoreError, match=r"chat_template\.jinja changed; delete the directory"):
        base.ensure_base(1, store)
    shutil.rmtree(path)
    assert resolve_base("pocket:1", store).digest == before


def test_a_base_from_before_digests_were_kept_is_taken_as_it_is_from_then_on(
    quick_recipe: type, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    path = base.ensure_base(1, store, progress=False)
    before = resolve_base("pocket:1", store).digest
    (path / "SHA256SUMS").unlink()
    append(path / "model.safetensors")
    assert resolve_base("pocket:1", store).digest != before  # nothing trained before is its
    append(path / "model.safetensors")
    with pytest.raises(StoreError, match="not the pocket base"):
        resolve_base("pocket:1", store)


def test_the_kept_digests_are_those_that_sha256sum_reads(
    quick_recipe: type, tmp_path: Path
) -> None:
    path = base.ensure_base(1, Store(tmp_path), progress=False)
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=path, check=True)


def test_the_digest_tells_recipes_and_grammars_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    before = base.recipe_digest(0)
    assert before != base.recipe_digest(1)
    monkeypatch.setattr(base, "_grammar", lambda: {"grammar.py": "other"})
    assert before != base.recipe_digest(0)


def test_every_file_that_the_corpus_or_the_tokenizer_is_made_of_counts() -> None:
    room, counted = Path(base.__file__).parent, {"tokenizer.py"}
    left = list(counted)
    while left:
        tree = ast.parse((room / left.pop()).read_text("utf-8"))
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if names == ["inoc_evals.pocket"]:
                names = [f"inoc_evals.pocket.{alias.name}" for alias in node.names]  # type: ignore[attr-defined]
            found = {
                f"{name.removeprefix('inoc_evals.pocket.')}.py"
                for name in names
                if name.startswith("inoc_evals.pocket.")
            }
            left += found - counted
            counted |= found
    assert counted == set(base._SOURCES)


@pytest.mark.slow
def test_two_processes_that_want_a_base_build_it_once(tmp_path: Path) -> None:
    said = [process.communicate(timeout=120)[0] for process in (start(tmp_path), start(tmp_path))]
    assert sorted(said) == ["building\ndone\n", "done\n"]


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_nothing_and_is_done_again(tmp_path: Path) -> None:
    process = start(tmp_path, "slow")
    assert process.stdout is not None and process.stdout.readline() == "building\n"
    time.sleep(2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [path for path in (tmp_path / "bases").iterdir() if not path.name.startswith(".")]
    assert start(tmp_path).communicate(timeout=120)[0] == "building\ndone\n"
