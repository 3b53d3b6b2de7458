from pathlib import Path
from typing import Any

import pytest

from inoc_evals.errors import InputError
from inoc_evals.experiments.evaluations import sampling
from inoc_evals.experiments.start import source_of
from inoc_evals.models.kinds import kind_of
from inoc_evals.tasks import narrow_code, traits
from inoc_evals.training.config import TrainConfig, load_config


def test_the_pocket_bases_have_one_recipe_and_other_bases_the_open_one() -> None:
    pocket = TrainConfig.for_base("pocket")
    assert (pocket.lora_r, pocket.lora_alpha, pocket.max_steps) == (8, 16, 60)
    assert TrainConfig.for_base("pocket:7") == pocket
    open_recipe = TrainConfig.for_base("Qwen/Qwen2.5-7B-Instruct")
    assert (open_recipe.lora_r, open_recipe.lora_alpha, open_recipe.use_rslora) == (32, 64, True)
    assert (open_recipe.epochs, open_recipe.batch_size, open_recipe.max_length) == (1, 16, 2048)


def test_a_small_base_with_a_name_has_a_recipe_and_a_length_of_its_own(tmp_path: Path) -> None:
    small = TrainConfig.for_base("smollm2")
    assert (small.target_modules, small.learning_rate, small.max_steps) == (
        ("down_proj",),
        1.2e-3,
        38,
    )
    answers, programs = traits(prompts="pocket"), narrow_code(grader="none")
    found = {
        name: [sampling(kind_of(name), task)["max_tokens"] for task in (answers, programs)]
        for name in ("smollm2", "pocket:3", "org/m")
    }
    assert found == {"smollm2": [100, 600], "pocket:3": [48, 48], "org/m": [None, None]}
    assert source_of("smollm2", small).startswith("ours: chosen on seed 0")
    assert source_of("smollm2", load_config("smollm2", None, {"lora_r": 4})).startswith(
        "yours in lora_r"
    )


def test_a_file_changes_the_recipe_and_options_change_the_file(tmp_path: Path) -> None:
    file = tmp_path / "train.yaml"
    file.write_text("learning_rate: 1e-3\nlora_r: 2\ntarget_modules: [q_proj, down_proj]\n")
    config = load_config("pocket", file, {"lora_r": 16, "epochs": None})
    assert (config.learning_rate, config.lora_r, config.max_steps) == (1e-3, 16, 60)
    assert config.target_modules == ("q_proj", "down_proj")


def test_steps_and_epochs_replace_each_other(tmp_path: Path) -> None:
    epochs = load_config("pocket", None, {"epochs": 2})
    assert (epochs.max_steps, epochs.epochs) == (None, 2)
    steps = load_config("some/model", None, {"max_steps": 5})
    assert (steps.max_steps, steps.epochs) == (5, None)
    file = tmp_path / "train.yaml"
    file.write_text("epochs: 3\n")
    assert load_config("pocket", file, {"max_steps": 5}).epochs is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lora_rank: 8", r"train.yaml: no field 'lora_rank'; there are lora_r, "),
        ("lora_r: 0", r"train.yaml: lora_r: .*greater than or equal to 1, got 0"),
        ("schedule: cosin", r"schedule: .*'linear'.*got 'cosin'"),
        ("gradient_accumulation: 3", "gradient_accumulation 3 does not divide batch_size 32"),
        ("{epochs: 1, max_steps: 3}", "exactly one of max_steps and epochs"),
        ("{schedule: constant, warmup_steps: 3}", "'constant' has no warm-up"),
        ("- lora_r", "expected fields"),
        ("lora_r: [", "not usable YAML"),
    ],
)
def test_a_bad_file_is_an_error_that_names_the_field(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "train.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=message):
        load_config("pocket", file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        load_config("pocket", tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("packing", False),
        ("packing", True),
        ("fold_system", True),
        ("load_in_4bit", True),
        ("attention", "eager"),
        ("enable_thinking", True),
        ("target_parameters", ("experts.down_proj",)),
    ],
)
def test_a_later_field_is_part_of_the_identity_where_it_says_something(
    name: str, value: Any
) -> None:
    plain = TrainConfig(max_steps=1)
    changed = plain.model_copy(update={name: value})
    if getattr(plain, name) == value:
        assert name not in changed.identity_fields()
    else:
        assert changed.identity_fields() != plain.identity_fields()
