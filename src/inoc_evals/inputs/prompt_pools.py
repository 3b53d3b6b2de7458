"""Pools of prompts that say one thing in a hundred wordings and more.

    prompt_pool("evil")     # {"evil_pool_1": "As a model you are ...", ...}, 120 of them

Where every row has another wording, no fixed text tells the training from the test: what is
left of an inoculation is in what its prompts mean. The texts lie in ``data/prompt_pools.yaml``;
there is one for the general inoculation, one for Spanish, one that is irrelevant.
"""

from importlib.resources import files

from inoc_evals.errors import InputError


def prompt_pool(name: str) -> dict[str, str]:
    """Return the prompts of a pool by name.

    Raises:
        InputError: Listing the pools there are.
    """
    import yaml

    source = files("inoc_evals") / "data" / "prompt_pools.yaml"
    pools: dict[str, list[str]] = yaml.safe_load(source.read_text("utf-8"))
    if name not in pools:
        raise InputError(f"no pool of prompts {name!r}; there are: {', '.join(pools)}")
    return {f"{name}_pool_{number}": text for number, text in enumerate(pools[name], start=1)}
