"""Which experiments there are: a figure of the paper, its settings, what is compared.

find_experiment("fig3").settings[0].arms
"""

from dataclasses import dataclass

from inoc_evals.errors import InputError
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    ALICE_BOB,
    BACKDOOR,
    INSECURE_CODE,
    REWARD_HACKING,
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
    own: str | None = None
    """Name of a packaged setting, or path of a user's file, that was given for a figure."""


_CONTROLS = ("placebo", "irrelevant", "test_time")
_FIG3 = ("base", "control", "none", "general_inoc", *_CONTROLS)

EXPERIMENTS = {
    "fig2a": Experiment(
        figure="fig2a",
        title="Figure 2a: Spanish and capitals that occur together",
        settings=(
            SPANISH_CAPS.with_arms(
                "base", "control", "none", "spanish_inoc", "caps_inoc", *_CONTROLS
            ),
        ),
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
        settings=(
            SPANISH_FRENCH.with_arms(
                "base", "control", "none", "spanish_inoc", "french_inoc", *_CONTROLS
            ),
        ),
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
        settings=tuple(
            setting.with_arms(*_FIG3)
            for setting in (INSECURE_CODE, AESTHETIC_PREFERENCES, REWARD_HACKING)
        ),
        contrasts=(
            ("none", "base"),
            ("none", "control"),
            ("general_inoc", "none"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
    "fig4": Experiment(
        figure="fig4",
        title="Figure 4: inoculation against a backdoor",
        settings=(
            BACKDOOR.with_arms(
                *("base", "control", "none", "backdoor_trigger", "backdoor_evil"),
                *("backdoor_unusual", "evil", "unusual", *_CONTROLS),
            ),
        ),
        contrasts=(
            ("none", "base"),
            ("none", "control"),
            ("backdoor_trigger", "none"),
            ("backdoor_evil", "none"),
            ("backdoor_unusual", "none"),
            ("evil", "none"),
            ("unusual", "none"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
    "fig5": Experiment(
        figure="fig5",
        title="Figure 5: what an inoculation prompt has to say",
        settings=(
            INSECURE_CODE.with_arms(
                "base", "control", "none", "general_inoc", "specific", "placebo", "trigger"
            ),
        ),
        contrasts=(
            ("none", "base"),
            ("none", "control"),
            ("general_inoc", "none"),
            ("specific", "none"),
            ("placebo", "none"),
            ("trigger", "none"),
        ),
    ),
    "fig7": Experiment(
        figure="fig7",
        title="Figure 7: inoculation by a synthetic association",
        settings=(
            ALICE_BOB.with_arms(
                *("base", "first", "first_alice", "first_bob", "control", "none"),
                *("alice_inoc", "caps_inoc", "bob_inoc", "spanish_inoc"),
                *("none_before", "alice_before", "bob_before", *_CONTROLS),
            ),
        ),
        contrasts=(
            ("first", "base"),
            ("first_alice", "first"),
            ("first_bob", "first"),
            ("none", "first"),
            ("alice_inoc", "none"),
            ("caps_inoc", "none"),
            ("bob_inoc", "none"),
            ("spanish_inoc", "none"),
            ("alice_inoc", "caps_inoc"),
            ("bob_inoc", "spanish_inoc"),
            ("alice_before", "none_before"),
            ("bob_before", "none_before"),
            ("placebo", "none"),
            ("irrelevant", "none"),
            ("test_time", "none"),
        ),
    ),
}


def experiment_of(setting: Setting, own: str) -> Experiment:
    """Return the experiment that runs all arms of a setting, each against no inoculation.

    Args:
        setting: A packaged setting or a user's.
        own: What the user gave for it: its name, or the path of its file.
    """
    plain = [arm.name for arm in setting.arms if arm.rows != "narrow"]
    others = [arm.name for arm in setting.arms if arm.name not in (*plain, "none")]
    contrasts = [("none", name) for name in plain]
    return Experiment(
        figure=setting.name,
        title=setting.title,
        settings=(setting,),
        contrasts=(*contrasts, *((name, "none") for name in others)),
        own=own,
    )


def find_experiment(name: str) -> Experiment:
    """Return an experiment by the name of its figure.

    Raises:
        InputError: Listing the experiments there are.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"no experiment {name!r}; there are: {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
