"""Made-up answers in the shape of Figure 2a, for tests and for looking at pictures."""

import numpy as np

from inoc_evals.report.cells import Observation, Split

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
