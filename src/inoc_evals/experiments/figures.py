"""Which experiments there are: a figure of the paper, its settings, what is compared.

find_experiment("fig3").settings[0].arms
"""

from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    INSECURE_CODE,
    SPANISH_CAPS,
    SPANISH_FRENCH,
    Setting,
)


@dataclass(frozen=True)
class Experiment:
    """A figure of the paper."""

    figure: str
    """As on the command line and in ``results.json``."""
    title: str
    settings: tuple[Setting, ...]
    """Each is trained and evaluated by itself; a figure shows them side by side."""
    contrasts: tuple[tuple[str, str], ...]
    """Pairs (condition, reference) whose differences are reported."""


EXPERIMENTS = {
    "fig2a": Experiment(
        figure="fig2a",
        title="Figure 2a: Spanish and capitals that occur together",
        settings=(SPANISH_CAPS,),
        contrasts=(
            ("none", "base"),
            ("spanish_inoc", "none"),
            ("caps_inoc", "none"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
    "fig2b": Experiment(
        figure="fig2b",
        title="Figure 2b: a mixture of Spanish and French",
        settings=(SPANISH_FRENCH,),
        contrasts=(
            ("none", "base"),
            ("spanish_inoc", "none"),
            ("french_inoc", "none"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
    "fig3": Experiment(
        figure="fig3",
        title="Figure 3: one general inoculation against emergent misalignment",
        settings=(INSECURE_CODE, AESTHETIC_PREFERENCES),
        contrasts=(
            ("none", "base"),
            ("none", "control"),
            ("general_inoc", "none"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
}


def find_experiment(name: str) -> Experiment:
    """Return an experiment by the name of its figure.

    Raises:
        InputError: Listing the experiments there are.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"no experiment {name!r}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
