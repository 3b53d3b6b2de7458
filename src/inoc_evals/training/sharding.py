"""Sharding: FSDP, each process holding a part of the base, where the launcher asks for it.

    accelerate launch --config_file docs/fsdp.yaml -m inoc_evals train ...

The base and the adapter are cut up layer by layer (FSDP2, which cuts every parameter by itself,
so that a base in bfloat16 and an adapter in float32 can lie in one layer). Gradients are added
up in float32. The adapter is put together again to be saved; checkpoints stay in pieces.
"""

import os
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import InputError
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.processes import is_first, launched

if TYPE_CHECKING:
    import torch

_WANTED = {
    "FSDP_VERSION": "2",
    "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
    "FSDP_STATE_DICT_TYPE": "SHARDED_STATE_DICT",
    "FSDP_ACTIVATION_CHECKPOINTING": "false",
}
"""Settings of the launcher without which what is said above does not hold."""


def sharded() -> bool:
    """Say whether the launcher asked for FSDP."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def check_sharding(config: TrainConfig) -> None:
    """Check the launcher's settings, and the configuration against them.

    Raises:
        InputError: Naming the setting and what it must be.
    """
    if not sharded():
        return
    if launched() == 1:
        raise InputError(
            "FSDP shards a base over several processes and one was launched; set --num_processes, "
            "or start it without --config_file"
        )
    if config.load_in_4bit:
        raise InputError(
            "load_in_4bit: a base in 4 bits is not sharded; leave out --config_file, and every "
            "process holds the whole base in 4 bits"
        )
    if config.target_parameters:
        raise InputError(
            "target_parameters: adapters on fused experts are not sharded; leave out --config_file, "
            "and every process holds the whole base"
        )
    for setting, wanted in _WANTED.items():
        found = os.environ.get(setting, "unset")
        if found.lower() != wanted.lower():
            hint = ""
            if setting == "FSDP_ACTIVATION_CHECKPOINTING":
                hint = " (gradient_checkpointing: true in --config is what asks for it)"
            raise InputError(
                f"{setting.lower()} must be {wanted}, got {found}{hint}; docs/fsdp.yaml has it so"
            )


def hollow(load: Any) -> Any:
    """Load a base where it will be cut up: its weights in the first process alone.

    The others get theirs from the first. Theirs are memory that is never touched, and so takes
    no place; buffers, which are not sent, are real.

    Args:
        load: What loads the base, given nothing, or what lays it out, given ``empty=True``.
    """
    if is_first() or os.environ.get("FSDP_CPU_RAM_EFFICIENT_LOADING", "").lower() != "true":
        return load()
    import torch
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        model = load(empty=True)
    for module in model.modules():
        for name, weight in module.named_parameters(recurse=False):
            empty = torch.empty_like(weight, device="cpu")
            setattr(module, name, torch.nn.Parameter(empty, requires_grad=weight.requires_grad))
    model.tie_weights()
    return model


def add_up_in_float32(trainer: Any) -> None:
    """Compute in bfloat16 where the base is, and add up gradients in float32."""
    plugin = trainer.accelerator.state.fsdp_plugin
    if plugin.mixed_precision_policy is not None:
        import torch
        from torch.distributed.fsdp import MixedPrecisionPolicy

        plugin.mixed_precision_policy = MixedPrecisionPolicy(
            param_dtype=torch.bfloat16, reduce_dtype=torch.float32
        )


def whole(weight: "torch.Tensor") -> "torch.Tensor":
    """Return a weight put together from its shards; all processes must ask for it."""
    gather = getattr(weight, "full_tensor", None)
    full: torch.Tensor = weight if gather is None else gather()
    return full.detach()
