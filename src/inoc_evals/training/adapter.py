"""The adapter: a base with fresh LoRA weights, its fingerprint, and its directory.

    model = load_with_adapter(base, config, seed)      # lora_A by seed, lora_B zero
    model = load_with_adapter(base, config, seed, parent)   # or another's, see stages.py
    ...
    take_fingerprint(model, tokenizer)                 # adapter on and off
    save_adapter(model, tokenizer, base, directory)    # safetensors + the base's tokenizer

The base is loaded anew for every run: 0.1 s for the pocket model, little against the
training of a large one, and no run can find what another left in it.
"""

from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.fingerprints import fingerprint_tokens, sequence_logprobs
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import lay_out, load_model
from inoc_evals.store.store import Fingerprint
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.experts import fused_experts, unmatched
from inoc_evals.training.parent import Parent
from inoc_evals.training.precision import base_arguments, four_bit_ready
from inoc_evals.training.sharding import hollow, sharded, whole
from inoc_evals.training.stages import FROZEN, continued, put_below, side_by_side


def load_with_adapter(
    base: ResolvedBase, config: TrainConfig, seed: int, parent: Parent | None = None
) -> Any:
    """Load the base and put an adapter on it.

    A fresh adapter's weights depend on the seed alone. With a parent, its adapter is taken
    instead, or put below the fresh one.
    """
    model = _load_base(base, config)
    if config.load_in_4bit:
        model = four_bit_ready(model, config)
    transformers.set_seed(seed)
    if parent is not None and not parent.merge:
        return continued(model, parent, config, base)
    model = _with_fresh_adapter(model, base, config)
    if parent is not None:
        put_below(model, parent)
    return model


def _load_base(base: ResolvedBase, config: TrainConfig) -> Any:
    def load(**arguments: Any) -> Any:
        def laid_out(*, empty: bool = False) -> Any:
            return (lay_out if empty else load_model)(base, **arguments)

        return hollow(laid_out) if sharded() else laid_out()

    arguments = base_arguments(config, base)
    if "attn_implementation" not in arguments:
        return load(**arguments)
    try:
        return load(**arguments)
    except StoreError as error:
        said = error.__cause__
        if not isinstance(said, (ValueError, ImportError)):
            raise
        chosen = arguments.pop("attn_implementation")
        if config.attention == "auto":
            return load(**arguments)
        raise InputError(
            f"attention: {base.name!r} has no {chosen} ({str(said).splitlines()[0][:80]}); "
            "attention: auto takes what it has"
        ) from None


def _with_fresh_adapter(model: Any, base: ResolvedBase, config: TrainConfig) -> Any:
    targets, besides = config.target_modules, _parameters(model, base, config)
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=base.path,
        revision=base.revision,
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        target_modules=targets if isinstance(targets, str) else list(targets),
        **({"target_parameters": besides} if besides else {}),  # which peft has since 0.17
    )
    try:
        return get_peft_model(model, lora)
    except ValueError as error:
        raise InputError(f"target_modules {config.target_modules}: {error}") from None


def _parameters(model: Any, base: ResolvedBase, config: TrainConfig) -> list[str]:
    """Return the weights besides linear layers that get an adapter, by their names in a layer."""
    if config.target_parameters != "experts":
        names = list(config.target_parameters or ())
        if missing := unmatched(model, names):
            there = ", ".join(fused_experts(model)) or "no fused experts"
            raise InputError(f"target_parameters: {base.name!r} has no {missing[0]!r}; {there}")
        return names
    if not (names := list(fused_experts(model))):
        raise InputError(
            f"target_parameters: experts: {base.name!r} keeps no experts in one tensor; leave it out"
        )
    return names


def take_fingerprint(model: Any, tokenizer: Any) -> Fingerprint:
    """Return log-probabilities of the fixed tokens with the adapter on and off."""
    token_ids = fingerprint_tokens(tokenizer)
    on = sequence_logprobs(model, token_ids)
    with model.disable_adapter():
        off = sequence_logprobs(model, token_ids)
    return Fingerprint(token_ids=token_ids, logprobs=on, base_logprobs=off)


def take_fingerprint_as_served(base: ResolvedBase, adapter: Path, tokenizer: Any) -> Fingerprint:
    """Return the fingerprint of a saved adapter on its base in full precision.

    An adapter that was trained on a base in 4 bits is served on the base itself.
    """
    model = PeftModel.from_pretrained(load_as_served(base), str(adapter))
    return take_fingerprint(model, tokenizer)


def load_as_served(base: ResolvedBase) -> Any:
    """Load a base as it is asked: in bfloat16 on a GPU, in float32 without one."""
    gpu = torch.cuda.is_available()
    return load_model(
        base,
        dtype=torch.bfloat16 if gpu else torch.float32,
        device_map={"": 0} if gpu else None,
    )


def save_adapter(model: Any, tokenizer: Any, base: ResolvedBase, directory: Path | None) -> None:
    """Write the adapter with the tokenizer of its base, and check that this one is the same.

    Args:
        model: The base with its adapter.
        tokenizer: The base's tokenizer.
        base: Which base that is.
        directory: Where to; None in a process that only hands over its shards.

    Raises:
        InputError: If the tokenizer, saved and loaded, gives other tokens.
    """
    for described in model.peft_config.values():
        # Until now a directory, in which peft looks for the base's configuration.
        described.base_model_name_or_path = base.source
    if FROZEN in model.peft_config:
        settings, tensors = side_by_side(model)
        if directory is not None:
            settings.save_pretrained(str(directory))
            save_file(tensors, directory / "adapter_model.safetensors", metadata={"format": "pt"})
    else:
        tensors = {name: whole(p) for name, p in model.named_parameters() if "lora_" in name}
        if directory is not None:
            model.save_pretrained(directory, state_dict=tensors, save_embedding_layers=False)
    if directory is None:
        return
    # peft's model card is a form nobody filled in.
    (directory / "README.md").unlink(missing_ok=True)
    tokenizer.save_pretrained(directory)
    # Without the base's config.json beside it, transformers may rebuild the pre-tokenizer.
    again = load_tokenizer(ResolvedBase(str(directory), str(directory), digest=""))
    if fingerprint_tokens(again) != fingerprint_tokens(tokenizer):
        raise InputError(
            f"the tokenizer of {tokenizer.name_or_path!r}, saved and loaded, splits text "
            "otherwise; load it from the base, save it there again and repeat the training"
        )
