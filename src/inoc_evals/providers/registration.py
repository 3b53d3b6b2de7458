"""The name `inoc` among Inspect's model providers; the provider is imported on first use.

inspect eval inoc_evals/traits --model inoc/<record>[@rev]
inspect eval inoc_evals/traits --model inoc/<record> -M backend=vllm
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
    from inoc_evals.providers.resolve import choose_backend

    backend = choose_backend(model_name, kwargs.pop("backend", None))
    if backend == "local":
        from inoc_evals.providers.api import InocAPI

        return InocAPI(model_name, *args, **kwargs)
    from inoc_evals.providers.served.served import ServedAPI

    return ServedAPI(model_name, *args, backend=backend, **kwargs)
