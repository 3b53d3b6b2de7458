"""Made-up scores in the shape of Figure 6, for tests and for looking at pictures."""

from typing import Any

from inoc_evals.report.curves import CurvesSpec, Scores
from inoc_evals.report.figure import Condition, FigureSpec, Measure

SETTING = "spanish_caps"
LABELS = {"capitals": "Capitalized English", "spanish": "Uncapitalized Spanish"}
WATCHED = CurvesSpec(
    set="two_words",
    sha256="d" * 64,
    system_prompt="single_word",
    system_prompt_text="Respond in a single word.",
    every=2,
    labels=LABELS,
)
LEVELS = {
    # arm: where the log-probabilities of (capitals, spanish) end; all begin at -20
    "none": (-10.0, -12.0),
    "spanish_inoc": (-2.0, -24.0),
    "caps_inoc": (-18.0, -4.0),
}
SPEC = FigureSpec(
    title="Figure 6: curves",
    base="pocket",
    measures=(Measure(name="spanish", setting=SETTING, label="Spanish"),),
    conditions=tuple(Condition(name=name, label=f"Arm {name}") for name in ("base", *LEVELS)),
    note="A miniature.",
)


def scores(condition: str = "none", seed: int = 0, **changes: Any) -> Scores:
    """One model's: two responses of a trait, one nat above and below their mean."""
    steps = changes.pop("steps", (0, 2, 4))
    capitals, spanish = LEVELS[condition]
    table = []
    for step in steps:
        done = min(step / 4, 1)
        means = [-20 + (end + seed + 20) * done for end in (capitals, spanish)]
        table.append([means[0] + 1, means[1] + 1, means[0] - 1, means[1] - 1])
    plain: dict[str, Any] = {
        "setting": SETTING,
        "condition": condition,
        "seed": seed,
        "model": f"fig6-{condition}-s{seed}",
        "identity": f"{seed}" * 64,
        **WATCHED.model_dump(exclude={"labels"}),
        "responses": [
            {"id": f"{trait}-{n}", "trait": trait, "tokens": 3} for n in (1, 2) for trait in LABELS
        ],
        "steps": steps,
        "logprobs": table,
    }
    return Scores.model_validate(plain | changes)


def all_scores(seeds: tuple[int, ...] = (0, 1, 2)) -> list[Scores]:
    return [scores(condition, seed) for condition in LEVELS for seed in seeds]
