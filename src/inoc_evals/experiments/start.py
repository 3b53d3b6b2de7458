"""What an experiment starts from: its base, found without building it, and the recipe.

    find_base("pocket")                        # its path may not be there yet
    find_base("openai/gpt-4.1-2025-04-14")     # digest "openai:gpt-4.1-2025-04-14"
    recipe, source = default_recipe("Qwen/Qwen2.5-7B-Instruct")
    config_for("google/gemma-2-9b-it", Path("gemma.yaml"))    # the recipe, changed by a file

The paper trains GPT-4.1 with what the API chooses; its values for Qwen are not public, so no
recipe is called the paper's.
"""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.store.store import Store
from inoc_evals.training.config import KNOWN_RECIPES, TrainConfig, load_config

if TYPE_CHECKING:
    from inoc_evals.training.openai.create import OpenAIConfig

Config: TypeAlias = "TrainConfig | OpenAIConfig"
"""How models are trained: here, or at OpenAI."""

_SOURCES = {
    "pocket": "ours: found on seeds 0-9 of the pocket world, the same for every arm",
    "smollm2": (
        "ours: chosen on seed 0 of Spanish in capitals (docs/smollm2.md), the same for every arm"
    ),
    "openai": (
        "OpenAI's automatic choice of epochs, batch size and learning rate, as in the paper"
    ),
    "open": (
        "Betley's open recipe (arXiv 2502.17424, open_models/train.json) with unquantized AdamW "
        "and packing, which are ours; the paper's own values for open models are not public"
    ),
}


class Recipe(NamedTuple):
    """Default hyper-parameters of a base."""

    config: Config
    source: str
    """Whose they are."""


def find_base(base: str, store: Store | None = None, *, build: bool = False) -> ResolvedBase:
    """Find a base.

    Args:
        base: ``pocket``, ``pocket:<seed>``, a directory, a hub id, or ``openai/<model>``.
        store: Where pocket bases are kept; by default the user's store.
        build: Build or download what is missing.

    Raises:
        InputError: If it is none of these, or a directory without a model.
        StoreError: As :func:`inoc_evals.models.bases.resolve_base`.
    """
    return kind_of(base).resolve(store or Store(), fetch=build)


def stand_in_notes(base: ResolvedBase) -> list[str]:
    """Say of a base that is not here that the names of models on it are not known yet."""
    if base.is_here:
        return []
    return [
        f"The base {base.name} is not on this machine yet; once it is, what the models' names "
        "end in, which is of the base too, will be another."
    ]


def default_recipe(base: str) -> Recipe:
    """Return the hyper-parameters that a base is trained with by default, and their source."""
    if kind_of(base).hosted:
        # Imported here because it brings OpenAI's client.
        from inoc_evals.training.openai.create import OpenAIConfig

        return Recipe(OpenAIConfig(), _SOURCES["openai"])
    kind = "pocket" if kind_of(base).pocket else base if base in KNOWN_RECIPES else "open"
    return Recipe(TrainConfig.for_base(base), _SOURCES[kind])


def config_for(base: str, path: Path | None) -> Config:
    """Return the hyper-parameters of a base, changed by a YAML file; the same for all arms.

    Args:
        base: As for :func:`find_base`.
        path: Fields of :class:`TrainConfig`, or of a job at OpenAI; None changes nothing.

    Raises:
        InputError: Naming file, field and what is wrong with its value.
    """
    if not kind_of(base).hosted:
        return load_config(base, path)
    # Imported here because it brings OpenAI's client.
    from inoc_evals.training.openai.create import load_openai_config

    return load_openai_config(path)


def source_of(base: str, config: Config) -> str:
    """Say whose hyper-parameters these are, for this base."""
    default = default_recipe(base)
    if config == default.config:
        return default.source
    changed = [name for name, value in default.config if value != getattr(config, name)]
    return f"yours in {', '.join(changed)}; the rest {default.source}"
