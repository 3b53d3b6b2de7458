"""Scorers: what a completion shows, decided by rule where a rule decides.

    rules          letter case and the final number: pure
    language_id    which language a text is in
    outcomes       reading a sample's values and reasons back: pure
    traits         the scorers: caps(), correct(), language("es")

The scorers are looked up on first use, so that the pure modules import without Inspect.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.scorers.traits import caps, correct, language

__all__ = ["caps", "correct", "language"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inoc_evals.scorers import traits

    return getattr(traits, name)
