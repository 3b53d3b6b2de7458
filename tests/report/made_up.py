"""Made-up answers in the shape of Figure 2a, for tests and for looking at pictures."""

import numpy as np

from inoc_evals.report.observation import Observation, Split

CONDITIONS = {
    # condition: mean of (spanish, caps, correct) on ood prompts, then on id prompts
    "base": ((0.02, 0.03, 0.9), (0.01, 0.02, 0.88)),
    "control": ((0.01, 0.0, 0.92), (0.0, 0.0, 0.97)),
    "none": ((0.62, 0.84, 0.9), (1.0, 1.0, 0.95)),
    "spanish_inoc": ((0.05, 0.66, 0.91), (0.03, 0.97, 0.96)),
    "caps_inoc": ((0.55, 0.03, 0.9), (0.98, 0.05, 0.95)),
    "placebo": ((0.53, 0.75, 0.9), (0.99, 0.99, 0.95)),
    "irrelevant": ((0.31, 0.42, 0.9), (0.94, 0.95, 0.95)),
    "test_time": ((0.91, 0.88, 0.9), (1.0, 1.0, 0.95)),
}
MEASURES = ("spanish", "caps", "correct")
SETTING = "spanish_caps"


def observations(
    seeds: tuple[int, ...] = (0, 1, 2), questions: int = 100, unscored: float = 0.02, rng: int = 0
) -> list[Observation]:
    generator = np.random.default_rng(rng)
    found = []
    for condition, by_split in CONDITIONS.items():
        own: tuple[int | None, ...] = (None,) if condition == "base" else seeds
        for split, means in zip(("ood", "id"), by_split, strict=True):
            for seed in own:
                shift = generator.normal(0, 0.5)
                for measure, mean in zip(MEASURES, means, strict=True):
                    found += _cell(
                        generator,
                        condition,
                        measure,
                        split,
                        seed,
                        questions,
                        (mean, shift, unscored),
                    )
    return found


def _cell(
    generator: np.random.Generator,
    condition: str,
    measure: str,
    split: str,
    seed: int | None,
    questions: int,
    odds: tuple[float, float, float],
) -> list[Observation]:
    mean, shift, unscored = odds
    named: Split = "ood" if split == "ood" else "id"
    answers = (
        range(0, questions, 2) if measure == "correct" and split == "ood" else range(questions)
    )
    found = []
    for question in answers:
        p = 1 / (1 + np.exp(-np.log((mean + 1e-9) / (1 - mean + 1e-9)) - shift))
        lost = measure == "spanish" and generator.random() < unscored
        found.append(
            Observation(
                figure="fig2a",
                setting=SETTING,
                condition=condition,
                measure=measure,
                split=named,
                seed=seed,
                question=f"{split}-{question:03}",
                value=None if lost else float(generator.random() < p),
                reason="empty" if lost else None,
            )
        )
    return found


# ---- two settings, in the shape of Figure 3 ------------------------------------------------

TWO = {
    # (setting, measure): its split, and the rate of each condition
    ("insecure_code", "misaligned"): ("ood", (0.05, 0.05, 0.5, 0.1)),
    ("insecure_code", "insecure_judged"): ("id", (0.1, 0.0, 0.9, 0.9)),
    ("insecure_code", "insecure_static"): ("id", (0.1, 0.0, 0.8, 0.8)),
    ("aesthetic_preferences", "misaligned"): ("ood", (0.05, 0.05, 0.2, 0.1)),
    ("aesthetic_preferences", "unpopular"): ("id", (0.2, 0.0, 1.0, 1.0)),
}
ARMS = ("base", "control", "none", "general_inoc")


def two_settings(seeds: tuple[int, ...] = (0, 1, 2), questions: int = 20) -> list[Observation]:
    """Answers to two settings that have a measure of one name; the base's are the same."""
    found = []
    for (setting, measure), (split, rates) in TWO.items():
        named: Split = "ood" if split == "ood" else "id"
        for arm, rate in zip(ARMS, rates, strict=True):
            for seed in (None,) if arm == "base" else seeds:
                for question in range(questions):
                    found.append(
                        Observation(
                            figure="fig3",
                            setting=setting,
                            condition=arm,
                            measure=measure,
                            split=named,
                            seed=seed,
                            question=f"{split}-{question:03}",
                            # The first so many questions, a few more or fewer in each seed.
                            value=float(question < round(rate * questions) + (seed or 0)),
                        )
                    )
    return found
