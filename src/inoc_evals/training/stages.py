"""Stages: training that starts from the adapter of another record.

    continued    base + parent, the parent's weights trained on
    merged       base + parent, both fixed, + a new adapter that is trained

A merged parent stays a second adapter during training, so that no rounding of the base's
weights comes between training and serving. What is saved is one adapter again, parent and
child side by side, which any server can load on the untouched base:

    A = [A_parent ; A_child]     B = [s_parent B_parent , s_child B_child]     scale 1
"""

from typing import Any

import torch
from peft import LoraConfig, PeftModel

from inoc_evals.errors import InputError
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.parent import Parent
from inoc_evals.training.sharding import whole

CHILD, FROZEN = "default", "frozen_parent"


def continued(model: Any, parent: Parent, config: TrainConfig, base: ResolvedBase) -> Any:
    """Put the parent's adapter on a base, to be trained on.

    Args:
        model: The base.
        parent: The adapter.
        config: Training configuration; its adapter has the parent's shape.
        base: Which base that is, for the adapter's own description.
    """
    settings = LoraConfig.from_pretrained(str(parent.directory))
    settings.lora_dropout = config.lora_dropout
    settings.base_model_name_or_path, settings.revision = base.path, base.revision
    return PeftModel.from_pretrained(
        model,
        str(parent.directory),
        config=settings,
        is_trainable=True,
        torch_device=str(model.device),
    )


def put_below(model: Any, parent: Parent) -> None:
    """Add the parent's adapter to a model with a fresh one; it takes part and stays fixed."""
    settings = LoraConfig.from_pretrained(str(parent.directory))
    settings.lora_dropout = 0.0
    ours, theirs = _parameters(model.peft_config[CHILD]), _parameters(settings)
    if ours and theirs and set(ours) != set(theirs):
        raise InputError(
            f"target_parameters: the adapter of {parent.name!r} is on {', '.join(sorted(theirs))}, "
            f"the new one on {', '.join(sorted(ours))}; peft has both on the same, or one on none"
        )
    model.add_adapter(FROZEN, settings)
    model.load_adapter(str(parent.directory), FROZEN, torch_device=str(model.device))
    use_both(model)


def use_both(model: Any) -> None:
    """Make child and fixed parent take part; does nothing to a model of one adapter.

    To be called again after a checkpoint was loaded: that leaves the child alone active.
    """
    if FROZEN not in model.peft_config:
        return
    model.base_model.set_adapter([CHILD, FROZEN])
    for name, parameter in model.named_parameters():
        if f".{FROZEN}." in name:
            parameter.requires_grad_(False)


def side_by_side(model: Any) -> tuple[LoraConfig, dict[str, torch.Tensor]]:
    """Return child and fixed parent as one adapter of both ranks."""
    child, parent = model.peft_config[CHILD], model.peft_config[FROZEN]
    tensors = dict[str, torch.Tensor]()
    for path, module in model.named_modules():
        held = getattr(module, "lora_A", None)
        if held is None or not any(name in held for name in (CHILD, FROZEN)):
            continue
        # Of fused experts, each has its own rows of A and columns of B.
        experts = getattr(module, "num_experts", 1)
        downs, ups = [], []
        for name, rank in ((FROZEN, parent.r), (CHILD, child.r)):
            down = torch.zeros(experts, rank, module.in_features)
            up = torch.zeros(module.out_features, rank, experts)
            if name in held:
                down = whole(held[name].weight).float().cpu().reshape(down.shape)
                up = whole(module.lora_B[name].weight).float().cpu().reshape(up.shape)
                up = up * module.scaling[name]
            downs.append(down)
            ups.append(up)
        tensors[f"{path}.lora_A.weight"] = torch.cat(downs, 1).flatten(0, 1)
        tensors[f"{path}.lora_B.weight"] = torch.cat(ups, 1).flatten(1)
    besides = {name for one in (child, parent) for name in _parameters(one)}
    settings = LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=child.base_model_name_or_path,
        revision=child.revision,
        r=child.r + parent.r,
        lora_alpha=child.r + parent.r,
        target_modules=set(child.target_modules) | set(parent.target_modules),
        inference_mode=True,
        **({"target_parameters": sorted(besides)} if besides else {}),
    )
    return settings, tensors


def _parameters(settings: LoraConfig) -> list[str]:
    """Return the weights besides linear layers that an adapter is on; peft before 0.17 has none."""
    return list(getattr(settings, "target_parameters", None) or ())
