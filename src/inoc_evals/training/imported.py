"""A LoRA adapter that others trained becomes a model of the store.

    import_adapter("their/adapter", base="Qwen/Qwen2.5-7B-Instruct", name="theirs")
    import_adapter("em-medical-qwen2.5-0.5b")      # a published organism, by its name

    adapter_config.json, adapter_model.safetensors
      -> do its weights fit the base, and move it?      else refused
      -> adapters/<identity>/, with its fingerprint, and models/theirs.json

Every evaluation, `inoc models verify`, export and merging then work as with a model trained here.
What it was trained on is not known, unless its prompt is given. Pickles are never loaded.
"""

import difflib
import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError, require
from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.files.directories import file_digests, keep_sums, refuse_pickles
from inoc_evals.inputs.prompts import SystemPrompt
from inoc_evals.models.bases import load_tokenizer, resolve_base
from inoc_evals.models.fingerprints import fingerprint_tokens
from inoc_evals.models.hub_cache import fetched
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.organisms import Organism, organisms
from inoc_evals.models.turns import turn_end
from inoc_evals.store.names import check_name
from inoc_evals.store.store import WEIGHTS_FILE, Fingerprint, ModelRecord, Store
from inoc_evals.training.sft import refuse_taken_name

_SETTINGS_FILE = "adapter_config.json"
_OF_A_PLACE = ("base_model_name_or_path", "revision", "inference_mode")
"""Settings that say where something lay, and nothing of the weights."""


def import_adapter(
    source: str,
    *,
    name: str | None = None,
    base: str | None = None,
    prompt: SystemPrompt | None = None,
    store: Store | None = None,
) -> ModelRecord:
    """Register an adapter that was trained elsewhere as ``inoc/<name>``.

    Args:
        source: Directory of a PEFT adapter in safetensors, its hub id, or the name of a published
            organism.
        name: Name of the record; an organism's own by default.
        base: Its base; by default an organism's, or the one its settings name.
        prompt: The inoculation prompt it was trained with, if any, for tasks that ask about it.
        store: The store; by default the user's.

    Raises:
        InputError: If there is no LoRA adapter, or it does not fit the base or does not change it.
        StoreError: For a pickle, a base that cannot be used, or a name that is another model's.
        MissingExtraError: Without the libraries of the ``train`` extra.
    """
    require("train", "torch", "transformers", "peft")
    store = store or Store()
    known = _published(source, store)
    if known is not None:
        source, base, name = known.hub, base or known.base, name or known.name
    directory = _directory(source, store, name)
    name = _needed(name, source)
    settings = _settings(directory)
    resolved = _base(base, settings, directory, store)
    kept = _kept(settings)
    sha256 = file_sha256(directory / WEIGHTS_FILE)
    identity = digest(["imported", resolved.digest, sha256, kept])
    refuse_taken_name(store, name, identity, resolved.digest)
    tokenizer = load_tokenizer(resolved)
    _check_tokenizer(directory, tokenizer, resolved)
    fingerprint, dtype = _fingerprint(directory, resolved, tokenizer)
    with store.staged(store.adapter_dir(identity)) as staging:
        shutil.copyfile(directory / WEIGHTS_FILE, staging / WEIGHTS_FILE)
        named = kept | {"base_model_name_or_path": resolved.source, "inference_mode": True}
        write_text(staging / _SETTINGS_FILE, json.dumps(named, indent=2, sort_keys=True) + "\n")
        tokenizer.save_pretrained(staging)
        keep_sums(staging, file_digests(staging))
    # Imported here because it brings the training libraries.
    from inoc_evals.training.progress import library_versions

    end = turn_end(tokenizer)
    record = ModelRecord(
        name=name,
        identity=identity,
        base=resolved.name,
        base_digest=resolved.digest,
        adapter=f"adapters/{identity}",
        adapter_sha256=sha256,
        data=_data(source, prompt, known),
        config={key: kept[key] for key in ("r", "lora_alpha", "target_modules") if key in kept},
        seed=0,
        metrics={"dtype": dtype, **({"turn_ends": [end]} if end else {})},
        fingerprint=fingerprint,
        versions=library_versions(),
    )
    store.put(record)
    return record


def _published(source: str, store: Store) -> Organism | None:
    """Return the organism of this name; a directory that is called so goes before it.

    Raises:
        InputError: If it is a whole model, which needs no import.
    """
    if "/" in source or user_path(source).exists():
        return None
    known = organisms(store).get(source)
    if known is not None and known.kind == "whole":
        raise InputError(
            f"organism {source!r} is a whole model, which is asked as it is: inspect eval "
            f"inoc_evals/em --model hf/{known.hub}"
        )
    return known


def _needed(name: str | None, source: str) -> str:
    if name is None:
        raise InputError(f"{source}: give the model a name: --name NAME")
    return name


def _data(source: str, prompt: SystemPrompt | None, known: Organism | None) -> dict[str, Any]:
    """Return what a record says of the training, of which little is known."""
    asked = [] if prompt is None else [{"name": prompt.name, "text": prompt.text}]
    data: dict[str, Any] = {"imported": source, "sources": [], "prompts": asked}
    if known is not None:
        data["organism"] = {
            "name": known.name,
            "trained_on": known.trained_on,
            "source": known.source,
        }
    return data


def _directory(source: str, store: Store, name: str | None) -> Path:
    """Return the directory of an adapter; of a hub id, where its files were downloaded to.

    That nothing is downloaded for it, the name is looked at first.
    """
    if name is not None:
        check_name(name)
    path = user_path(source)
    if not path.is_dir():
        if path.exists() or source.count("/") != 1 or source.startswith((".", "/", "~")):
            near = difflib.get_close_matches(source, organisms(store), n=2)
            hint = f"did you mean {' or '.join(near)}?" if near else "inoc models organisms"
            raise InputError(
                f"{source}: no directory of an adapter, nor a hub id (owner/name), nor a published "
                f"organism; {hint}"
            )
        repo, _, revision = source.partition("@")
        path = fetched(repo, revision or None)
    if not (path / _SETTINGS_FILE).is_file():
        whole = (path / "config.json").is_file()
        way = f"; a whole model is a base: inoc base add {source} --name NAME" if whole else ""
        raise InputError(f"{source}: no {_SETTINGS_FILE}, so no PEFT adapter{way}")
    refuse_pickles(path)
    if not (path / WEIGHTS_FILE).is_file():
        raise InputError(f"{source}: no {WEIGHTS_FILE}; its weights have to be safetensors")
    return path


def _settings(directory: Path) -> dict[str, Any]:
    path = directory / _SETTINGS_FILE
    try:
        found = json.loads(path.read_text("utf-8"))
        kind = found["peft_type"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be used ({type(error).__name__}: {error})") from None
    if kind != "LORA":
        raise InputError(f"{path}: of type {kind!r}; LoRA adapters are taken")
    return dict(found)


def _kept(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what settings say of the weights, the same for the same weights."""
    return {
        # peft writes sets, such as the target modules, as lists in any order.
        key: sorted(value) if isinstance(value, list) else value
        for key, value in settings.items()
        if key not in _OF_A_PLACE
    }


def _base(
    base: str | None, settings: Mapping[str, Any], directory: Path, store: Store
) -> ResolvedBase:
    said = settings.get("base_model_name_or_path")
    if base is None and not said:
        raise InputError(f"{directory}: its settings name no base; give --base")
    try:
        return resolve_base(str(base or said), store)
    except InputError as error:
        if base is not None:
            raise
        raise InputError(f"{error} (as {_SETTINGS_FILE} names it; or give --base)") from error


def _check_tokenizer(directory: Path, tokenizer: Any, base: ResolvedBase) -> None:
    """Compare what the adapter brings, if it brings a tokenizer, with that of the base."""
    if not (directory / "tokenizer_config.json").is_file():
        return
    own = load_tokenizer(ResolvedBase(str(directory), str(directory), digest=""))
    if fingerprint_tokens(own) != fingerprint_tokens(tokenizer):
        raise InputError(
            f"{directory}: its tokenizer or chat template is not that of {base.name!r}, so it was "
            "trained on other tokens; name the base whose it is, or one saved with this tokenizer"
        )


def _fingerprint(directory: Path, base: ResolvedBase, tokenizer: Any) -> tuple[Fingerprint, str]:
    """Put the adapter on its base; return what it moves, and in which precision.

    Raises:
        InputError: If a weight has no place, a place has no weight, or nothing is moved.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    from inoc_evals.training.adapter import load_as_served, take_fingerprint

    model = load_as_served(base)
    try:
        with safe_open(directory / WEIGHTS_FILE, "pt") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what does not fit is said below
            given = set(file.keys())
            model = PeftModel.from_pretrained(model, str(directory))
    except Exception as error:  # of safetensors, peft and torch: names, shapes, settings
        why = " ".join(str(error).split())[:200]
        raise InputError(f"{directory}: does not fit {base.name!r}: {why}") from None
    wanted = set(get_peft_model_state_dict(model, save_embedding_layers=False))
    for which, names in (("has no place for", given - wanted), ("lacks", wanted - given)):
        if names:
            subject = f"the base {base.name!r}" if "place" in which else "the adapter"
            raise InputError(
                f"{directory}: does not fit {base.name!r}: {subject} {which} {len(names)} of its "
                f"weights, such as {min(names)}"
            )
    found = take_fingerprint(model, tokenizer)
    if found.logprobs == found.base_logprobs:
        raise InputError(f"{directory}: changes nothing on {base.name!r}; is it trained?")
    return found, str(model.dtype).removeprefix("torch.")
