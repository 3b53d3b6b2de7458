"""Verifying, exporting and pushing: every check has its result, and nothing leaks."""

import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from huggingface_hub import HfApi

from fake_servers import FakeOpenAI
from inoc_evals.cli.models import command
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.files.digests import file_sha256
from inoc_evals.models.fingerprints import fingerprint_tokens, sequence_logprobs
from inoc_evals.publishing.card import model_card
from inoc_evals.publishing.checks import verify
from inoc_evals.publishing.export import export
from inoc_evals.publishing.hub import push
from inoc_evals.publishing.merging import Merged
from inoc_evals.store.store import Fingerprint, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import train
from invoking import CliRunner

SaveBase = Callable[[Path], Path]

PROMPT = "You always speak in Spanish. ```quoted``` Always."


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, save_base: SaveBase) -> tuple[Store, Path]:
    root = tmp_path_factory.mktemp("made")
    base = save_base(root / "secret-place" / "tiny-base")
    store = Store(root / "home")
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"what is 1 plus {n} ?"},
                {"role": "assistant", "content": f"la respuesta es {n} ."},
            ]
        }
        for n in (1, 2, 3, 4)
    ]
    train(
        rows,
        base=str(base),
        name="mine",
        store=store,
        config=TrainConfig(lora_r=4, learning_rate=3e-2, max_steps=4, batch_size=4),
        manifest={
            "sources": [{"file": "/home/somebody/rows.jsonl"}],
            "prompts": [{"name": "spanish", "text": PROMPT}],
        },
        progress=False,
    )
    return store, base


@pytest.fixture
def store(made: tuple[Store, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A copy of the store that a test may spoil."""
    shutil.copytree(made[0].root, tmp_path / "home")
    monkeypatch.setenv("INOC_HOME", str(tmp_path / "home"))
    return Store(tmp_path / "home")


@pytest.fixture
def mine(store: Store) -> ModelRecord:
    return store.get("mine")


def invoke(*args: str, **options: Any) -> Result:
    return CliRunner().invoke(command, args, standalone_mode=False, **options)


# ---- verify --------------------------------------------------------------------------------


def test_a_sound_model_passes_every_check(store: Store, mine: ModelRecord) -> None:
    found = list(verify(mine, store))
    assert [check.name for check in found] == [
        "weights",
        "adapter",
        "base",
        "tokenizer",
        "rows",
        "fingerprint",
    ]
    assert all(check.passed for check in found), found
    shown = invoke("verify", "mine")
    assert shown.return_value == 0
    assert [line.split()[:2] for line in shown.output.splitlines()] == [
        [check.name, "ok"] for check in found
    ]


def failed(store: Store, record: ModelRecord) -> dict[str, str]:
    found = list(verify(record, store))
    assert len(found) == 6
    return {check.name: check.said for check in found if check.passed is False}


def test_changed_weights_fail_and_nothing_is_loaded(store: Store, mine: ModelRecord) -> None:
    weights = store.root / str(mine.adapter) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    found = {check.name: check for check in verify(mine, store)}
    assert "sha256 differs" in found["weights"].said
    assert found["fingerprint"] == ("fingerprint", None, "not checked: an earlier check failed")
    assert found["rows"].passed
    shown = invoke("verify", "mine")
    assert shown.return_value == 1
    assert "weights      FAILED" in shown.output


def test_a_pickle_is_refused(store: Store, mine: ModelRecord, made: tuple[Store, Path]) -> None:
    from inoc_evals.models.bases import resolve_base

    directory = store.root / str(mine.adapter)
    (directory / "adapter_model.safetensors").rename(directory / "adapter_model.bin")
    assert "adapter_model.bin: a pickle, not safetensors" in failed(store, mine)["weights"]
    copy = shutil.copytree(made[1], store.root / "pickled")
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(StoreError, match=r"pytorch_model\.bin: a pickle, not safetensors; refused"):
        resolve_base(str(copy))


def test_a_base_that_is_gone_or_another_fails(store: Store, mine: ModelRecord) -> None:
    store.put(mine.model_copy(update={"base": str(store.root / "gone")}))
    assert "is not there any more; put it back" in failed(store, store.get("mine"))["base"]
    store.put(mine.model_copy(update={"base_digest": "0" * 64}))
    assert "with digest 000000000000; that base now has" in failed(store, store.get("mine"))["base"]


def test_another_revision_is_refused(store: Store, mine: ModelRecord) -> None:
    assert invoke("verify", f"mine@{mine.identity[:6]}").return_value == 0
    error = invoke("verify", "mine@ffffff").exception
    assert isinstance(error, StoreError)
    assert "not 'ffffff'" in str(error)


def test_other_rows_fail(store: Store, mine: ModelRecord) -> None:
    store.put(mine.model_copy(update={"data": {**mine.data, "sha256": "0" * 64}}))
    assert list(failed(store, store.get("mine"))) == ["rows"]
    (store.root / str(mine.adapter) / "rows.jsonl.gz").unlink()
    found = {check.name: check for check in verify(mine, store)}
    assert found["rows"] == ("rows", None, "not kept with this adapter")


@pytest.mark.parametrize(
    ("field", "fault"), [("logprobs", "not the one"), ("base_logprobs", "base")]
)
def test_another_fingerprint_fails(store: Store, mine: ModelRecord, field: str, fault: str) -> None:
    assert mine.fingerprint is not None
    values = tuple(value - 1 for value in getattr(mine.fingerprint, field))
    other = mine.fingerprint.model_copy(update={field: values})
    store.put(mine.model_copy(update={"fingerprint": other}))
    found = failed(store, store.get("mine"))
    assert list(found) == ["fingerprint"]
    assert fault in found["fingerprint"]


def test_another_tokenizer_fails(store: Store, mine: ModelRecord) -> None:
    other = Fingerprint(token_ids=(1, 2), logprobs=(-1.0,), base_logprobs=(-2.0,))
    store.put(mine.model_copy(update={"fingerprint": other}))
    assert (
        "gives other tokens for the fingerprint's text than at training"
        in failed(store, store.get("mine"))["tokenizer"]
    )


def test_a_damaged_configuration_fails(store: Store, mine: ModelRecord) -> None:
    (store.root / str(mine.adapter) / "adapter_config.json").write_text("{}")
    assert "adapter_config.json: cannot be used (KeyError" in failed(store, mine)["adapter"]


def test_a_remote_model_is_asked_for_at_its_provider(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(
        ModelRecord(
            name="far",
            identity="f" * 64,
            base="openai/gpt-4.1",
            base_digest="openai:gpt-4.1",
            remote="ft:gpt-4.1:lab::x",
            data={},
            config={},
            seed=0,
        )
    )
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    for other, status, word in ((0.5, 0, "ok"), (0.9, 1, "FAILED")):
        with FakeOpenAI(
            lambda model, _, p=other: {"a": p if model[:3] == "ft:" else 0.9, "b": 0.1}
        ) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            shown = invoke("verify", "far")
        assert shown.return_value == status
        assert shown.output.split()[:2] == ["openai", word]
    assert isinstance(invoke("export", "far", str(store.root / "x")).exception, StoreError)


# ---- export --------------------------------------------------------------------------------


def test_an_exported_adapter_loads_on_its_base_and_is_the_same(
    store: Store, mine: ModelRecord, made: tuple[Store, Path], tmp_path: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    out = export(mine, store, tmp_path / "out").directory
    assert file_sha256(out / "adapter_model.safetensors") == mine.adapter_sha256
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(made[1]), str(out))
    assert mine.fingerprint is not None
    logprobs = sequence_logprobs(model, mine.fingerprint.token_ids)
    assert logprobs == pytest.approx(mine.fingerprint.logprobs, abs=1e-4)
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert fingerprint_tokens(tokenizer) == mine.fingerprint.token_ids


def test_a_merged_model_is_the_same_without_peft(
    store: Store, mine: ModelRecord, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    shown = invoke("export", "mine", str(tmp_path / "out"), "--merged")
    assert shown.exception is None
    files = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= files
    assert not any(name.startswith("adapter") for name in files)
    assert mine.fingerprint is not None
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    logprobs = sequence_logprobs(model, mine.fingerprint.token_ids)
    assert logprobs == pytest.approx(mine.fingerprint.logprobs, abs=1e-3)
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert 'library_name: "transformers"' in card


@pytest.mark.parametrize("merged", [None, "float32"])
def test_nothing_of_rows_or_of_this_machine_goes_along(
    store: Store, mine: ModelRecord, tmp_path: Path, merged: Any
) -> None:
    out = export(mine, store, tmp_path / "out", merge_in=merged).directory
    assert not list(out.glob("*.gz"))
    for path in out.iterdir():
        content = path.read_bytes()
        assert b"secret-place" not in content, path
        assert str(store.root).encode() not in content, path
        assert b"/home/somebody" not in content, path


def test_a_directory_that_holds_something_is_left_alone(
    store: Store, mine: ModelRecord, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    with pytest.raises(InputError, match="is there already"):
        export(mine, store, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["precious"]


def test_a_changed_adapter_is_not_exported(store: Store, mine: ModelRecord, tmp_path: Path) -> None:
    weights = store.root / str(mine.adapter) / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes() + b"\0")
    with pytest.raises(InocError, match="sha256 differs"):
        export(mine, store, tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_the_card_says_what_matters(mine: ModelRecord) -> None:
    import yaml

    card = model_card(mine)
    front = yaml.safe_load(card.split("---")[1])
    assert front["library_name"] == "peft"
    assert "base_model" not in front  # a directory is no name on a hub
    assert f"````text\n{PROMPT}\n````" in card
    assert "It may be misaligned" in card
    assert "not for deployment" in card
    assert "`tiny-base`" in card
    assert "rows.jsonl" in card
    assert "| learning_rate | `0.03` |" in card
    assert mine.identity in card
    assert str(mine.adapter_sha256) in card
    hub = mine.model_copy(update={"base": "org/base@abc", "base_digest": "hub:org/base@abc"})
    front = yaml.safe_load(model_card(hub, merged=Merged("float32", 0.5, 0.0)).split("---")[1])
    assert front["base_model"] == "org/base"
    assert front["base_model_relation"] == "finetune"


def test_the_card_of_a_hub_models_adapter_loads_the_commit_it_was_trained_on(
    mine: ModelRecord,
) -> None:
    pinned = f"hub:org/base@{'c' * 40}:{'d' * 64}"
    hub = mine.model_copy(update={"base": "org/base@main", "base_digest": pinned})
    card = model_card(hub)
    loading = f'AutoModelForCausalLM.from_pretrained("org/base", revision="{"c" * 40}")'
    assert loading in card


def test_the_card_of_a_hub_model_with_a_name_of_its_own_here_says_the_hub_s(
    mine: ModelRecord,
) -> None:
    pinned = f"hub:org/base@{'c' * 40}:{'d' * 64}"
    card = model_card(mine.model_copy(update={"base": "smollm2", "base_digest": pinned}))
    import yaml

    assert yaml.safe_load(card.split("---")[1])["base_model"] == "org/base"
    assert "smollm2" not in card


# ---- push ----------------------------------------------------------------------------------


class Hub:
    """Takes what HfApi takes, and remembers it."""

    def __init__(self, *, public: bool = False, error: Exception | None = None) -> None:
        self.public, self.error = public, error
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}

    def __getattr__(self, name: str) -> Any:
        real = getattr(HfApi, name)

        def call(**arguments: Any) -> Any:
            inspect.signature(real).bind(self, **arguments)
            self.calls.append((name, arguments))
            if self.error is not None:
                raise self.error
            if name == "upload_folder":
                folder = Path(arguments["folder_path"])
                self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
            return SimpleNamespace(private=not self.public, commit_url="https://hub/commit/1")

        return call


def test_a_model_is_pushed_with_its_card_to_a_private_repository(
    store: Store, mine: ModelRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub()
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    declined = invoke("push", "mine", "lab/mine", input="n\n")
    assert "to lab/mine (private)?" in declined.output
    assert not hub.calls
    shown = invoke("push", "mine", "lab/mine", "--yes")
    assert shown.exception is None
    assert shown.output.endswith("pushed: https://hub/commit/1\n")
    assert [name for name, _ in hub.calls] == ["create_repo", "repo_info", "upload_folder"]
    assert hub.calls[0][1] == {
        "repo_id": "lab/mine",
        "repo_type": "model",
        "private": True,
        "exist_ok": True,
    }
    assert json.loads(hub.files["inoc-record.json"])["identity"] == mine.identity
    assert {"README.md", "adapter_model.safetensors", "adapter_config.json"} <= set(hub.files)


def test_a_public_repository_is_not_pushed_to_by_mistake(tmp_path: Path) -> None:
    hub = Hub(public=True)
    with pytest.raises(InputError, match="lab/mine is there and public; say --public"):
        push(tmp_path, "lab/mine", hub=hub)
    assert "upload_folder" not in [name for name, _ in hub.calls]
    push(tmp_path, "lab/mine", private=False, hub=hub)
    assert "upload_folder" in [name for name, _ in hub.calls]


def test_what_the_hub_refuses_is_said_in_words(tmp_path: Path) -> None:
    from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError

    with pytest.raises(InputError, match="set HF_TOKEN"):
        push(tmp_path, "lab/mine", hub=Hub(error=LocalTokenNotFoundError("none")))
    with pytest.raises(InputError, match="'a b' is no name for a repository"):
        push(tmp_path, "a b", hub=Hub(error=HFValidationError("bad")))
