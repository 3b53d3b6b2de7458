"""Precision: the data type of the base, 4 bits, and which attention code runs.

    AutoModelForCausalLM.from_pretrained(path, **base_arguments(config, base))

The adapter is float32 always. bitsandbytes and flash-attn are used where they are
installed and are never required.
"""

import os
from importlib.util import find_spec
from typing import Any

import torch
from transformers.utils import is_flash_attn_2_available

from inoc_evals.errors import InputError
from inoc_evals.models.cpu_precision import cpu_dtype
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.short_attention import short_attention


def base_arguments(config: TrainConfig, base: ResolvedBase | None = None) -> dict[str, Any]:
    """Return what ``from_pretrained`` is to be given for a run's base.

    Args:
        config: How is trained.
        base: What is trained on; None if a CPU is to compute in float32.

    Raises:
        InputError: If 4 bits or flash attention are asked for and cannot be had here.
    """
    dtype = base_dtype(config, base)
    arguments: dict[str, Any] = {"dtype": dtype}
    attention = _attention(config, dtype)
    if attention is not None:
        arguments["attn_implementation"] = attention
    if config.load_in_4bit:
        arguments |= _four_bit(dtype)
    return arguments


def base_dtype(config: TrainConfig, base: ResolvedBase | None = None) -> torch.dtype:
    """Return the data type of the base: ``auto`` is bfloat16 where it is fast (cpu_precision)."""
    if config.dtype == "auto":
        if torch.cuda.is_available():
            fast = torch.cuda.is_bf16_supported()
        else:
            fast = base is not None and cpu_dtype(base) == "bfloat16"
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if config.dtype == "bfloat16" else torch.float32


def _attention(config: TrainConfig, dtype: torch.dtype) -> str | None:
    flash = is_flash_attn_2_available() and torch.cuda.is_available()
    fits = flash and dtype == torch.bfloat16
    if config.attention == "flash_attention_2" and not fits:
        why = "needs dtype bfloat16" if flash else "needs the package flash-attn and a GPU"
        raise InputError(f"attention: flash_attention_2 {why}; attention: auto does without")
    if config.attention == "auto" and not fits:
        slim = dtype == torch.bfloat16 and not torch.cuda.is_available()
        return short_attention() if slim else None
    if config.attention == "auto":
        return "flash_attention_2"
    return config.attention


def _four_bit(dtype: torch.dtype) -> dict[str, Any]:
    if find_spec("bitsandbytes") is None or not torch.cuda.is_available():
        raise InputError(
            "load_in_4bit: needs a GPU and the package bitsandbytes; "
            "pip install bitsandbytes, or leave the option out"
        )
    from transformers import BitsAndBytesConfig

    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {
        "quantization_config": quantization,
        "device_map": {"": int(os.environ.get("LOCAL_RANK", "0"))},
    }


def four_bit_ready(model: Any, config: TrainConfig) -> Any:
    """Prepare a base in 4 bits for training: norms in float32, gradients reach the adapter."""
    from peft import prepare_model_for_kbit_training

    return prepare_model_for_kbit_training(
        model, use_gradient_checkpointing=config.gradient_checkpointing
    )
