"""The name `inoc` among Inspect's model providers; the provider is imported on first use.

inspect eval inoc_evals/traits --model inoc/<record>[@rev]
"""

from typing import Any, cast

from inspect_ai.model import ModelAPI, modelapi


@modelapi(name="inoc")
def inoc() -> type[ModelAPI]:
    """Return what opens registered models, pocket bases and the pocket judge."""
    return cast(type[ModelAPI], _open)


def _open(model_name: str, *args: Any, **kwargs: Any) -> ModelAPI:
    if model_name == "pocket-judge":
        from inoc_evals.providers.pocket_judge import PocketJudgeAPI

        return PocketJudgeAPI(model_name, *args, **kwargs)
    from inoc_evals.providers.api import InocAPI

    return InocAPI(model_name, *args, **kwargs)
