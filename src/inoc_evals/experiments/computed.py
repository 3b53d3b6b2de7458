"""Experiments whose arms or measures are computed: shares, pools, probes.

    [one.figure for one in COMPUTED]    # paraphrases, leaks, methods, dose, selective

All others are files of ``data/experiments``.
"""

from inoc_evals.experiments.figures import Experiment, experiment
from inoc_evals.inputs.prompt_pools import prompt_pool
from inoc_evals.settings import (
    AESTHETIC_PREFERENCES,
    INSECURE_CODE,
    REWARD_HACKING,
    SPANISH_CAPS,
    Setting,
)
from inoc_evals.settings.method_arms import method_arms
from inoc_evals.settings.setting import Measure, Probe
from inoc_evals.settings.shared import (
    ASKED_UNDER_EACH,
    MISALIGNED,
    dosed,
    misaligned_under,
    pooled,
    selecting,
    under_probes,
    under_prompts,
)

_EM = (INSECURE_CODE, AESTHETIC_PREFERENCES, REWARD_HACKING)
"""The settings of Figure 3."""

_DOSES, _TRAITS = (0, 25, 50, 75, 100), (0, 10, 50, 100)
"""Per cent of the rows: inoculated, and with the trait."""


def _fixed_or_pool(setting: Setting, inoculated: str, pool: str) -> Setting:
    """Return a setting with an inoculation and an irrelevant prompt, each fixed and as a pool."""
    arms = {arm.name: arm for arm in setting.arms}
    nil, told = arms[inoculated].nil, {"name": "fixed", "label": "One fixed prompt"}
    fixed = arms[inoculated].model_copy(update=told | {"said": "trained with one fixed prompt"})
    return setting.with_arms("base", "control", "none").adding(
        fixed,
        pooled(pool, name="pool", label="A pool of wordings", nil=nil),
        arms["irrelevant"].model_copy(update={"label": "One irrelevant prompt"}),
        pooled("irrelevant", name="irrelevant_pool", label="A pool of irrelevant ones"),
        prompts=prompt_pool(pool) | prompt_pool("irrelevant"),
    )


def _dose() -> Experiment:
    """Return the grid of doses, each compared with the same rows without a prompt."""
    cells = [(trait, dose) for trait in _TRAITS for dose in _DOSES]
    arms = [dosed("evil", "misaligned", inoculated=dose, trait=trait) for trait, dose in cells]
    names = {cell: arm.name for cell, arm in zip(cells, arms, strict=True)}
    return Experiment(
        figure="dose",
        title="How many rows are inoculated, and how many show the trait",
        settings=(INSECURE_CODE.with_arms("base").adding(*arms),),
        contrasts=tuple((names[trait, dose], names[trait, 0]) for trait, dose in cells if dose),
    )


_LEAKS = (
    SPANISH_CAPS.with_arms("base", "none", "spanish_inoc", "caps_inoc").model_copy(
        update={
            "measures": under_probes(
                {name: SPANISH_CAPS.measures[name] for name in ("spanish", "caps")},
                Probe(
                    task="traits",
                    args={"language": "es", "prompts": "chat", "probes": "spanish_caps"},
                    pocket={"prompts": "pocket"},
                    pocket_limit=ASKED_UNDER_EACH,
                    prompted=False,
                ),
            )
        }
    ),
    INSECURE_CODE.with_arms("base", "none", "general_inoc").model_copy(
        update={
            "measures": under_probes(
                {"misaligned": MISALIGNED.model_copy(update={"score": "elicited"})},
                Probe(
                    task="em_elicitation",
                    args={"questions": "broad", "probes": "insecure_code"},
                    pocket={"questions": "pocket"},
                    pocket_limit=ASKED_UNDER_EACH,
                    prompted=False,
                ),
            )
        }
    ),
)
"""Questions under every probe that is matched to the rows, once."""


_SPANISH_UNDER = {
    "none": "No system message",
    "spanish": "Spanish",
    "spanish_paraphrase_3": "Spanish, in other words",
    "spanish_negated": "Never Spanish",
    "spanish_caps_placebo": "Answers the question",
    "irrelevant": "Irrelevant",
    "helpful": "Helpful",
}
_SPANISH_ANYWHERE = SPANISH_CAPS.measures["spanish"].model_copy(update={"id": None})
_EVIL_UNDER = {
    "none": "No system message",
    "evil": "Malicious, evil",
    "elicit_evil": "Evil",
    "elicit_misaligned": "Misaligned ways",
    "elicit_not_evil": "Not evil",
    "elicit_hhh": "Helpful, honest, harmless",
    "write_insecure_code": "Insecure code",
    "irrelevant": "Irrelevant",
}
_METHODS = ("adapter", "steering", "consistency", "dropped", "diluted", "honest_after")


def _with_methods(
    setting: Setting, inoculated: str, trait: str, measures: dict[str, Measure]
) -> Setting:
    """Return a setting whose arms are the alternatives to one of its inoculations.

    Args:
        setting: The setting.
        inoculated: Name of the arm with the inoculation, which every setting calls alike here.
        trait: The measure that it is meant to bring to nil.
        measures: What is read.
    """
    named = {"name": "inoculated", "label": "Inoculation prompt"}
    plain = setting.with_arms("base", "control", "none").arms
    prompted = setting.arm(inoculated).model_copy(update=named)
    assert prompted.prompt is not None
    others = method_arms(prompted.prompt, after=prompted.name, nil=(trait,))
    arms = (*plain, prompted, *others, setting.arm("test_time"))
    return Setting(**{**dict(setting), "arms": arms, "measures": measures})


# The report of the last one that is run is written with nothing beside it: one of the short ones.
COMPUTED: tuple[Experiment, ...] = (
    experiment(
        "paraphrases",
        "A fixed prompt or a pool of wordings: its meaning, or a gate?",
        _fixed_or_pool(INSECURE_CODE, "general_inoc", "evil"),
        _fixed_or_pool(SPANISH_CAPS, "spanish_inoc", "spanish"),
        further=(("pool", "fixed"), ("irrelevant_pool", "irrelevant")),
    ),
    Experiment(
        "leaks",
        "Leaks: prompts and questions matched to the training",
        _LEAKS,
        (("none", "base"),),
    ),
    Experiment(
        figure="methods",
        title="Inoculation and its alternatives",
        settings=(
            _with_methods(
                SPANISH_CAPS,
                "spanish_inoc",
                "spanish",
                {
                    **{
                        name: SPANISH_CAPS.measures[name] for name in ("spanish", "caps", "correct")
                    },
                    **under_prompts({"spanish": _SPANISH_ANYWHERE}, _SPANISH_UNDER),
                },
            ),
            _with_methods(
                INSECURE_CODE,
                "general_inoc",
                "misaligned",
                {
                    **INSECURE_CODE.measures,
                    "correct": SPANISH_CAPS.measures["correct"],
                    **misaligned_under(_EVIL_UNDER),
                },
            ),
        ),
        contrasts=(
            ("none", "base"),
            ("none", "control"),
            *((name, "none") for name in ("inoculated", *_METHODS, "test_time")),
        ),
    ),
    _dose(),
    experiment(
        "selective",
        "Which rows of a mixture are inoculated",
        *(
            setting.with_arms("base", "control", "none", "general_inoc").adding(
                *selecting("evil", "misaligned", *setting.parts)
            )
            for setting in _EM
        ),
        further=tuple((f"half_{rows}", "half") for rows in ("all", "trait", "drawn")),
    ),
)
