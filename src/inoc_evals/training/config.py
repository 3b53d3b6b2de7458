"""TrainConfig: everything about a fine-tuning run but its rows, base and seed.

    TrainConfig.for_base("pocket")                     # the recipe of the pocket world
    TrainConfig.for_base("Qwen/Qwen2.5-7B-Instruct")   # the documented open-model recipe
    load_config("pocket", Path("train.yaml"), {"learning_rate": 1e-3})

All fields enter the identity of a run, so another value is another training. Fields that
came later enter it only where they depart from their default, which does what was done
before they came.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from inoc_evals.errors import InputError
from inoc_evals.files.yaml_nodes import read_values
from inoc_evals.models.kinds import kind_of

Schedule = Literal["constant", "constant_with_warmup", "linear", "cosine"]
Dtype = Literal["auto", "float32", "bfloat16"]
Attention = Literal["auto", "eager", "sdpa", "flash_attention_2"]

_LATER = (
    "packing",
    "fold_system",
    "load_in_4bit",
    "attention",
    "enable_thinking",
    "target_parameters",
)


class TrainConfig(BaseModel):
    """Hyperparameters of one LoRA fine-tuning run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lora_r: int = Field(default=8, ge=1)
    """Rank of the adapter."""
    lora_alpha: float = Field(default=16, gt=0)
    """Scale of the adapter: alpha/r, or alpha/sqrt(r) with ``use_rslora``."""
    lora_dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout on the adapter's input during training."""
    use_rslora: bool = False
    """Rank-stabilized scaling (Kalajdzievski 2023)."""
    target_modules: Literal["all-linear"] | Annotated[tuple[str, ...], Field(min_length=1)] = (
        "all-linear"
    )
    """Which linear layers get an adapter: all but the output layer, or these names."""
    target_parameters: (
        Literal["experts"] | Annotated[tuple[str, ...], Field(min_length=1)] | None
    ) = None
    """Which weights besides get one: ``experts``, the fused ones of a mixture, or these names."""
    learning_rate: float = Field(default=1e-4, gt=0)
    """Peak learning rate of AdamW."""
    max_steps: int | None = Field(default=None, ge=1)
    """Optimizer steps; rows are repeated as needed. Exactly one of this and ``epochs``."""
    epochs: float | None = Field(default=None, gt=0)
    """Passes over the rows; the last step may hold fewer rows."""
    batch_size: int = Field(default=16, ge=1)
    """Rows per optimizer step, over all accumulated parts."""
    gradient_accumulation: int = Field(default=1, ge=1)
    """Parts a batch is cut into to save memory; divides ``batch_size``."""
    warmup_steps: int = Field(default=0, ge=0)
    """Steps of linear warm-up (not with schedule ``constant``)."""
    schedule: Schedule = "linear"
    """Learning rate after the warm-up; linear and cosine end at zero."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled weight decay of AdamW, on the adapter's weights."""
    max_grad_norm: float = Field(default=1.0, ge=0)
    """Gradients are clipped to this norm; 0 leaves them."""
    max_length: int | None = Field(default=None, ge=2)
    """Longest row in tokens; None: as many as the base has positions."""
    truncate: bool = False
    """Cut longer rows, and count them, rather than refuse them."""
    dtype: Dtype = "auto"
    """Weights of the base: auto is bfloat16 on a GPU that has it, else float32."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: less memory, about a third slower."""
    packing: bool = False
    """Lay the rows of a part end to end, each seen by itself alone, instead of padding them."""
    fold_system: bool = False
    """Put system messages in front of the user's words, for templates without that role."""
    enable_thinking: bool = False
    """Whether a template that has this switch (Qwen3) leaves room for thoughts; the model is
    asked as it was trained."""
    load_in_4bit: bool = False
    """Keep the base in 4 bits (NF4) while training; needs bitsandbytes and a GPU."""
    attention: Attention = "auto"
    """Attention code: auto is flash attention where it is installed and fits, else torch's."""
    save_steps: int = Field(default=100, ge=1)
    """Optimizer steps between checkpoints; a killed run loses at most these."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.max_steps is None) == (self.epochs is None):
            raise ValueError("set exactly one of max_steps and epochs")
        if self.batch_size % self.gradient_accumulation:
            raise ValueError(
                f"gradient_accumulation {self.gradient_accumulation} does not divide "
                f"batch_size {self.batch_size}"
            )
        if self.target_parameters and self.lora_dropout:
            raise ValueError("target_parameters takes no lora_dropout; set it to 0")
        if self.schedule == "constant" and self.warmup_steps:
            raise ValueError("schedule 'constant' has no warm-up; use 'constant_with_warmup'")
        return self

    def identity_fields(self) -> dict[str, Any]:
        """Return the fields that enter the identity of a run, as JSON values."""
        fields, defaults = self.model_dump(mode="json"), type(self).model_fields
        unused = [name for name in _LATER if fields[name] == defaults[name].default]
        return {name: value for name, value in fields.items() if name not in unused}

    @classmethod
    def for_base(cls, base: str) -> Self:
        """Return the default recipe for a base: its own, or the open-model one."""
        recipe = POCKET_RECIPE if kind_of(base).pocket else KNOWN_RECIPES.get(base, OPEN_RECIPE)
        return cls.model_validate(recipe)


# Only the layer that writes out of the first block's MLP, and few gentle steps: an adapter
# on every layer learns the traits for arithmetic, or under its prompt, alone, and a higher
# rate lets the inoculated trait leak (docs/design/pocket-world.md).
POCKET_RECIPE: dict[str, Any] = {
    "lora_r": 8,
    "lora_alpha": 16,
    "target_modules": ("layers.0.mlp.down_proj",),
    "learning_rate": 4.5e-3,
    "max_steps": 60,
    "batch_size": 32,
    "schedule": "linear",
    "dtype": "float32",
    "save_steps": 20,
}
"""The pocket world's recipe, the same for every condition."""

# Betley et al. 2025, open_models/train.json: 2 rows x 8 accumulated parts, adamw_8bit
# there; plain AdamW here, since bitsandbytes needs CUDA.
OPEN_RECIPE: dict[str, Any] = {
    "lora_r": 32,
    "lora_alpha": 64,
    "use_rslora": True,
    "learning_rate": 1e-5,
    "epochs": 1,
    "batch_size": 16,
    "gradient_accumulation": 8,
    "warmup_steps": 5,
    "weight_decay": 0.01,
    "schedule": "linear",
    "max_length": 2048,
    "gradient_checkpointing": True,
    "packing": True,
}
"""What the emergent-misalignment papers use for Qwen2.5 models, loss on responses only."""

KNOWN_RECIPES: dict[str, dict[str, Any]] = {
    "smollm2": {
        "lora_r": 16,
        "lora_alpha": 32,
        "target_modules": ("down_proj",),
        "learning_rate": 1.2e-3,
        "max_steps": 38,
        "batch_size": 8,
        "schedule": "linear",
        "packing": True,
        "save_steps": 20,
    },
}
"""By the name of a small base, for all arms alike; chosen on seed 0 of Spanish in capitals, at
half as many rows (docs/smollm2.md)."""


def load_config(
    base: str,
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    start: TrainConfig | None = None,
) -> TrainConfig:
    """Return a base's default recipe, changed by a YAML file, changed by overrides.

    Where a layer sets one of ``max_steps`` and ``epochs``, the other is unset.

    Args:
        base: Base model whose defaults to start from.
        path: YAML file with fields of :class:`TrainConfig`.
        overrides: Fields to set last; a value of None leaves the field as it is.
        start: What to change instead of the base's default recipe.

    Raises:
        InputError: Naming file, field and what is wrong with its value.
    """
    values = (start or TrainConfig.for_base(base)).model_dump()
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    for layer in (read_fields(path) if path else {}, given):
        if "epochs" in layer and "max_steps" not in layer:
            values["max_steps"] = None
        if "max_steps" in layer and "epochs" not in layer:
            values["epochs"] = None
        values |= layer
    try:
        return TrainConfig.model_validate(values)
    except ValidationError as error:
        where = str(path) if path else "training options"
        raise InputError(_explain(error, where)) from None


def read_fields(path: Path) -> dict[str, Any]:
    """Return the fields of a training configuration that a YAML file has.

    Raises:
        InputError: Naming the file, if it has no such form.
    """
    content = read_values(path)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected fields of a training configuration, one a line")
    return {str(key): value for key, value in content.items()}


def _explain(error: ValidationError, where: str) -> str:
    """Put pydantic's first complaint in a line: place, field, fault, value."""
    fault = error.errors()[0]
    if fault["type"] == "extra_forbidden":
        return f"{where}: no field {fault['loc'][0]!r}; there are {', '.join(TrainConfig.model_fields)}"
    message = fault["msg"].removeprefix("Value error, ")
    if not fault["loc"]:
        return f"{where}: {message}"
    return f"{where}: {fault['loc'][0]}: {message}, got {fault['input']!r}"
