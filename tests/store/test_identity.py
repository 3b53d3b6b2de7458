"""What a training's identity is made of: every field is declared, and old identities stay."""

from typing import Any

import pytest
from pydantic import BaseModel

from inoc_evals.files.digests import digest
from inoc_evals.settings.setting import Setting
from inoc_evals.store.record import ModelRecord
from inoc_evals.training.config import TrainConfig

# A field that is added has to be put somewhere: it either changes what a training gives, and so its
# identity, or it does not.
DECLARED: dict[type[BaseModel], dict[str, set[str]]] = {
    TrainConfig: {
        "part of the identity": {
            *("lora_r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules"),
            *("learning_rate", "max_steps", "epochs", "batch_size", "gradient_accumulation"),
            *("warmup_steps", "schedule", "weight_decay", "max_grad_norm", "max_length"),
            *("truncate", "dtype", "gradient_checkpointing", "save_steps"),
        },
        # Trainings of before these fields were there keep their identity.
        "part of it where it is not the default": {
            *("packing", "fold_system", "load_in_4bit", "attention", "enable_thinking"),
            "target_parameters",
        },
    },
    ModelRecord: {
        "the identity, and what proves it": {
            *("identity", "base_digest", "adapter", "adapter_sha256", "fingerprint", "remote"),
        },
        "what it was made of, in words": {
            *("base", "data", "config", "seed", "parent", "merged", "method"),
        },
        "no part of it": {"name", "metrics", "versions", "created"},
    },
    Setting: {
        "part of rows, and so of identities": {
            *("parts", "control", "files", "control_files", "first", "prompts", "rows"),
            *("problems", "data_seed", "arms"),
        },
        "part of the keys of evaluations": {"measures"},
        "told": {"name", "title", "source", "description"},
    },
}

OTHER: dict[str, Any] = {
    "lora_r": 3,
    "lora_alpha": 3.0,
    "lora_dropout": 0.25,
    "use_rslora": True,
    "target_modules": ("down_proj",),
    "learning_rate": 3e-3,
    "max_steps": 3,
    "epochs": 3.0,
    "batch_size": 6,
    "gradient_accumulation": 2,
    "warmup_steps": 3,
    "schedule": "cosine",
    "weight_decay": 0.25,
    "max_grad_norm": 3.0,
    "max_length": 33,
    "truncate": True,
    "dtype": "bfloat16",
    "gradient_checkpointing": True,
    "save_steps": 33,
    "packing": True,
    "fold_system": True,
    "load_in_4bit": True,
    "attention": "eager",
    "enable_thinking": True,
    "target_parameters": ("experts.down_proj",),
}


@pytest.mark.parametrize("model", DECLARED, ids=lambda model: model.__name__)
def test_every_field_is_declared_part_of_the_identity_or_not(model: type[BaseModel]) -> None:
    sets = list(DECLARED[model].values())
    declared = set().union(*sets)
    assert sum(map(len, sets)) == len(declared)
    differing = declared ^ set(model.model_fields)
    assert not differing, f"{model.__name__}: say of {sorted(differing)} whether it is part of it"


@pytest.mark.parametrize("name", TrainConfig.model_fields)
def test_every_field_of_a_configuration_changes_the_identity(name: str) -> None:
    plain = TrainConfig(max_steps=1)
    changed = plain.model_copy(update={name: OTHER[name]})
    assert digest(changed.identity_fields()) != digest(plain.identity_fields())
    later = DECLARED[TrainConfig]["part of it where it is not the default"]
    assert (name in plain.identity_fields()) == (name not in later)


@pytest.mark.parametrize(
    ("base", "pinned"),
    [
        ("pocket", "fc183a167a138952162aee72fdc86e4eb35ca41661290dd9bf6cb13ddf12b574"),
        ("org/model", "73d4ae02ffd9020bc9bf52996f2df0a957a4a66f0c97c331779a36f046e151b2"),
    ],
)
def test_the_identities_of_trainings_that_were_made_stay(base: str, pinned: str) -> None:
    assert digest(TrainConfig.for_base(base).identity_fields()) == pinned
