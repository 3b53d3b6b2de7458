"""The adapter: a base with fresh LoRA weights, its fingerprint, and its directory.

    model = load_with_adapter(base, config, seed)      # lora_A by seed, lora_B zero
    ...
    take_fingerprint(model, tokenizer)                 # adapter on and off
    save_adapter(model, tokenizer, directory)          # safetensors + the base's tokenizer

The base is loaded anew for every run: 0.1 s for the pocket model, little against the
training of a large one, and no run can find what another left in it.
"""

from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from inoc_evals.bases import ResolvedBase
from inoc_evals.errors import InputError
from inoc_evals.fingerprints import fingerprint_tokens, sequence_logprobs
from inoc_evals.records import Fingerprint
from inoc_evals.training.config import TrainConfig


def max_positions(base: ResolvedBase) -> int:
    """Return how many tokens the base can take."""
    settings = AutoConfig.from_pretrained(base.path, revision=base.revision).get_text_config()
    return int(settings.max_position_embeddings)


def load_with_adapter(base: ResolvedBase, config: TrainConfig, seed: int) -> Any:
    """Load the base and put a fresh adapter on it; its weights depend on the seed alone."""
    if config.dtype == "auto":
        gpu = torch.cuda.is_available() and torch.cuda.is_bf16_supported()
        dtype = torch.bfloat16 if gpu else torch.float32
    else:
        dtype = getattr(torch, config.dtype)
    model = AutoModelForCausalLM.from_pretrained(base.path, revision=base.revision, dtype=dtype)
    targets = config.target_modules
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=base.path,
        revision=base.revision,
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        use_rslora=config.use_rslora,
        target_modules=targets if isinstance(targets, str) else list(targets),
    )
    transformers.set_seed(seed)
    try:
        return get_peft_model(model, lora)
    except ValueError as error:
        raise InputError(f"target_modules {config.target_modules}: {error}") from None


def take_fingerprint(model: Any, tokenizer: Any) -> Fingerprint:
    """Return log-probabilities of the fixed tokens with the adapter on and off."""
    token_ids = fingerprint_tokens(tokenizer)
    on = sequence_logprobs(model, token_ids)
    with model.disable_adapter():
        off = sequence_logprobs(model, token_ids)
    return Fingerprint(token_ids=token_ids, logprobs=on, base_logprobs=off)


def save_adapter(model: Any, tokenizer: Any, directory: Path) -> None:
    """Write the adapter with the tokenizer of its base, and check that this one is the same.

    Raises:
        InputError: If the tokenizer, saved and loaded, gives other tokens.
    """
    model.save_pretrained(directory, save_embedding_layers=False)
    # peft's model card is a form nobody filled in.
    (directory / "README.md").unlink(missing_ok=True)
    tokenizer.save_pretrained(directory)
    # Without the base's config.json beside it, transformers may rebuild the pre-tokenizer.
    if fingerprint_tokens(AutoTokenizer.from_pretrained(directory)) != fingerprint_tokens(
        tokenizer
    ):
        raise InputError(
            f"the tokenizer of {tokenizer.name_or_path!r}, saved and loaded, splits text "
            "otherwise; load it with AutoTokenizer, save it into the base and train again"
        )
