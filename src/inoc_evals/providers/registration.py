"""The name `inoc` among Inspect's model providers; the provider is imported on first use.

inspect eval inoc_evals/traits --model inoc/<record>[@rev]
"""

from inspect_ai.model import ModelAPI, modelapi


@modelapi(name="inoc")
def inoc() -> type[ModelAPI]:
    """Return the provider that serves registered models and pocket bases."""
    from inoc_evals.providers.api import InocAPI

    return InocAPI
