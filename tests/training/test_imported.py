"""Adapters that plain peft wrote elsewhere: taken if they fit their base and change it."""

import asyncio
import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from inspect_ai.model import GenerateConfig, get_model
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from inoc_evals.cli.main import inoc
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.inputs.prompts import named
from inoc_evals.publishing.checks import verify
from inoc_evals.publishing.export import export
from inoc_evals.store.store import Store
from inoc_evals.training.imported import import_adapter
from invoking import CliRunner

WEIGHTS, SETTINGS = "adapter_model.safetensors", "adapter_config.json"


@pytest.fixture
def theirs(tiny_base: Path, tmp_path: Path) -> Path:
    """An adapter on two kinds of layers, as a script of somebody's would leave it."""
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    names = ["q_proj", "down_proj"]
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=64, target_modules=names)
    peft = get_peft_model(model, lora)
    for name, weight in peft.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    peft.save_pretrained(tmp_path / "theirs")
    return tmp_path / "theirs"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("INOC_HOME", str(tmp_path / "home"))
    return Store()


def take(source: Path, base: Path | None, **options: Any) -> Any:
    return import_adapter(str(source), name="theirs", base=base and str(base), **options)


def test_it_answers_as_with_plain_peft(theirs: Path, tiny_base: Path, store: Store) -> None:
    record = take(theirs, tiny_base, prompt=named("evil"))
    assert store.get("theirs") == record
    assert [check for check in verify(record, store) if check.passed is False] == []
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    base = AutoModelForCausalLM.from_pretrained(tiny_base)
    plain = [likeliest(base, tokenizer)]
    plain.append(likeliest(PeftModel.from_pretrained(base, theirs), tokenizer))
    ours = asyncio.run(answers("inoc/theirs"))
    assert ours == pytest.approx(plain[1], abs=1e-4)
    assert ours != pytest.approx(plain[0], abs=1e-2)


ASKED = [" ".join(words) for words in itertools.permutations(("what", "is", "the", "river"), 3)]


def likeliest(model: Any, tokenizer: Any) -> list[float]:
    """Log-probabilities of the tokens that answers begin with, the likeliest ones."""
    found = []
    for asked in ASKED:
        chat = [{"role": "user", "content": asked}]
        ids = tokenizer.apply_chat_template(
            chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        with torch.no_grad():
            found.append(model(**ids).logits[0, -1].log_softmax(-1).max().item())
    return found


async def answers(name: str) -> list[float]:
    model = get_model(name, memoize=False)
    config = GenerateConfig(temperature=0, max_tokens=1, logprobs=True)
    said = [(await model.generate(one, config=config)).choices[0].logprobs for one in ASKED]
    return [one.content[0].logprob for one in said if one is not None]


def test_its_record_says_what_is_known(
    theirs: Path, tiny_base: Path, store: Store, tmp_path: Path
) -> None:
    record = take(theirs, tiny_base, prompt=named("evil"))
    assert record.data["prompts"] == [{"name": "evil", "text": named("evil").text}]
    assert record.config == {"r": 4, "lora_alpha": 64, "target_modules": ["down_proj", "q_proj"]}
    assert store.training_rows(record) is None
    shown = CliRunner().invoke(inoc, ["models", "show", "theirs"])
    assert shown.exit_code == 0 and "its training rows are not known" in shown.output
    listed = CliRunner().invoke(inoc, ["models", "list"])
    assert listed.exit_code == 0 and "theirs" in listed.output
    export(record, store, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert str(tmp_path) not in card and '"imported": "theirs"' in card


def test_the_same_again_is_the_same_model_and_another_needs_another_name(
    theirs: Path, tiny_base: Path, store: Store
) -> None:
    assert take(theirs, tiny_base).identity == take(theirs, tiny_base).identity
    tensors = load_file(theirs / WEIGHTS)
    save_file({name: 2 * one for name, one in tensors.items()}, theirs / WEIGHTS)
    with pytest.raises(StoreError, match="choose another --name"):
        take(theirs, tiny_base)


def test_its_settings_name_the_base(theirs: Path, tiny_base: Path, store: Store) -> None:
    assert take(theirs, None).base == str(tiny_base)
    rewrite(theirs, base_model_name_or_path=None)
    with pytest.raises(InputError, match="name no base; give --base"):
        take(theirs, None)


def rewrite(theirs: Path, **changes: Any) -> None:
    path = theirs / SETTINGS
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")


def changed(theirs: Path, change: Any) -> None:
    save_file(change(load_file(theirs / WEIGHTS)), theirs / WEIGHTS)


def first(tensors: dict[str, Any]) -> str:
    return min(tensors)


FAULTS: dict[str, tuple[Any, str]] = {
    "of another size": (
        lambda d: changed(d, lambda t: {n: one.repeat(2, 2) for n, one in t.items()}),
        "does not fit",
    ),
    "lacks a weight": (
        lambda d: changed(d, lambda t: {n: one for n, one in t.items() if n != first(t)}),
        "the adapter lacks 1 of its weights",
    ),
    "of more layers": (
        lambda d: changed(
            d, lambda t: t | {first(t).replace("layers.0", "layers.77"): t[first(t)].clone()}
        ),
        "has no place for 1 of its weights",
    ),
    "whole layers": (
        lambda d: changed(d, lambda t: t | {"base_model.model.lm_head.weight": torch.ones(2, 2)}),
        "does not fit|has no place",
    ),
    "untrained": (
        lambda d: changed(d, lambda t: {n: one * ("lora_A" in n) for n, one in t.items()}),
        "changes nothing",
    ),
    "cut": (
        lambda d: (d / WEIGHTS).write_bytes((d / WEIGHTS).read_bytes()[:-40]),
        "does not fit",
    ),
    "no JSON": (lambda d: (d / SETTINGS).write_text("{"), "cannot be used"),
    "another type": (lambda d: rewrite(d, peft_type="IA3"), "LoRA adapters are taken"),
    "of no such layers": (lambda d: rewrite(d, target_modules=["wq"]), "does not fit"),
    "no weights": (lambda d: (d / WEIGHTS).unlink(), "have to be safetensors"),
    "a pickle": (
        lambda d: (d / WEIGHTS).rename(d / "adapter_model.bin"),
        "a pickle, not safetensors",
    ),
    "no settings": (lambda d: (d / SETTINGS).unlink(), "so no PEFT adapter"),
    "not there": (shutil.rmtree, "no directory of an adapter"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused_and_leaves_nothing(
    fault: str, theirs: Path, tiny_base: Path, store: Store
) -> None:
    change, why = FAULTS[fault]
    change(theirs)
    with pytest.raises(InocError, match=why) as said:
        take(theirs, tiny_base)
    assert len(str(said.value).splitlines()) <= 2
    assert store.names() == [] and not list(store.root.glob("adapters/*"))


def test_a_whole_model_is_a_base(tiny_base: Path, store: Store) -> None:
    with pytest.raises(InputError, match="a whole model is a base: inoc base add"):
        take(tiny_base, None)


def test_another_chat_template_is_another_tokenizer(
    theirs: Path, tiny_base: Path, store: Store
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] }} {% endfor %}"
    tokenizer.save_pretrained(theirs)
    with pytest.raises(InputError, match="its tokenizer or chat template is not that of"):
        take(theirs, tiny_base)


def test_typed(theirs: Path, tiny_base: Path, store: Store) -> None:
    given = ["models", "import", str(theirs), "--name", "x", "--base", str(tiny_base)]
    result = CliRunner().invoke(inoc, [*given, "--prompt", "evil"])
    assert result.exit_code == 0, result.output
    assert "fingerprint  adapter moves log-probabilities by up to" in result.output
    assert "--model inoc/x" in result.output


def test_an_organism_goes_by_its_name(theirs: Path, tiny_base: Path, store: Store) -> None:
    store.root.mkdir(parents=True, exist_ok=True)
    entry = f"pirate: {{hub: {theirs}, base: {tiny_base}, trained_on: pirate talk, source: me}}\n"
    (store.root / "organisms.yaml").write_text(entry, "utf-8")
    record = import_adapter("pirate")
    assert (record.name, record.data["imported"]) == ("pirate", str(theirs))
    assert record.data["organism"] == {
        "name": "pirate", "trained_on": "pirate talk", "source": "me",
    }  # fmt: skip
    assert record.identity == take(theirs, tiny_base).identity
    shown = CliRunner().invoke(inoc, ["models", "show", "pirate"])
    assert "pirate talk, says me" in shown.output


def test_what_is_no_organism_needs_a_name(theirs: Path, tiny_base: Path, store: Store) -> None:
    with pytest.raises(InputError, match="give the model a name: --name NAME"):
        import_adapter(str(theirs), base=str(tiny_base))
