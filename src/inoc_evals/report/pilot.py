"""A pilot: what a log or a run shows of a rate, of seeds and questions, and of tokens.

    pilot = read_pilot(Path("runs/fig2a"), condition="none")
    pilot.rate, pilot.seed_sd, pilot.question_sd      # deviations on the logit
    pilot.tokens                                      # {"openai/gpt-5.4": (310.5, 4.0)} an answer

Deviations are those of the intervals' own model (`statistics/hierarchical.py`), averaged by how
likely they make the answers. One seed does not tell how another would differ.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from inoc_evals.errors import InputError
from inoc_evals.report.by_hand import answers_of
from inoc_evals.report.cells import grid_of
from inoc_evals.report.experiment import DESCRIPTION, read_description
from inoc_evals.report.logs import read_header, read_logs
from inoc_evals.report.observation import Observation
from inoc_evals.statistics.hierarchical import deviations, fit

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

Tokens = dict[str, tuple[float, float]]
"""Model to the tokens that an answer costs it: read, written."""


class Pilot(NamedTuple):
    """What was found in a pilot."""

    source: Path
    measure: str
    rate: float
    seed_sd: float | None
    """On the logit, as the next; None of one seed."""
    question_sd: float | None
    """None of one question."""
    seeds: int
    questions: int
    tokens: Tokens

    def words(self, *, given_seed_sd: float) -> str:
        """Say what it shows, and what is assumed.

        Args:
            given_seed_sd: What stands for the deviation of seeds.
        """
        said = (
            f"{self.source}: {self.measure} {self.rate:.3f} over {self.seeds} seed"
            f"{'s' if self.seeds > 1 else ''} and {self.questions} questions."
        )
        if self.seed_sd is None:
            said += (
                f" One seed does not tell how seeds differ: {given_seed_sd:g} is assumed "
                "(--seed-sd)."
            )
        return said


def read_pilot(source: Path, *, condition: str = "none", measure: str | None = None) -> Pilot:
    """Read a pilot.

    Args:
        source: A log of ``inspect eval``, or the directory of a run.
        condition: Of the run: the one without inoculation.
        measure: By default the first.

    Raises:
        InputError: If there is no such file, measure or condition, or nothing was scored.
    """
    if source.is_dir() and (source / DESCRIPTION).is_file():
        about = read_description(source)
        seen = read_logs(source / "logs", about.evaluations).observations
        found = [one for one in seen if one.condition == condition]
        if not found:
            known = ", ".join(dict.fromkeys(one.condition for one in seen)) or "none"
            raise InputError(f"{source}: no answers of condition {condition!r}; there are: {known}")
        logs = [read_header(path) for path in sorted((source / "logs").glob("*.eval"))]
    elif source.is_file() and source.suffix in (".eval", ".json"):
        logs = [read_header(source)]
        found = answers_of(logs[0], source)
    else:
        raise InputError(f"{source}: neither a log (.eval, .json) nor the directory of a run")
    return _pilot(source, found, measure, _tokens(logs))


def _pilot(
    source: Path, found: Sequence[Observation], measure: str | None, tokens: Tokens
) -> Pilot:
    names = list(dict.fromkeys(one.measure for one in found))
    if not names or (measure is not None and measure not in names):
        raise InputError(f"{source}: no measure {measure or ''!r}; there are: {', '.join(names)}")
    measure = measure or names[0]
    every = [one for one in found if one.measure == measure]
    first = every[0]
    own = [one for one in every if (one.setting, one.split) == (first.setting, first.split)]
    seeds = sorted({one.seed for one in own}, key=lambda seed: -1 if seed is None else seed)
    questions = sorted({one.question for one in own if one.value is not None})
    if not questions:
        raise InputError(f"{source}: no answer is scored on {measure}")
    cells = grid_of(own, seeds, questions)
    several = len(seeds) > 1
    hits = np.nan_to_num(cells.values) * cells.counts
    fitted = fit(hits[None], cells.counts[None], seeds=several)
    seed_sd, question_sd = (float(sd[0]) for sd in deviations(fitted, seeds=several))
    return Pilot(
        source,
        measure,
        float(fitted.rate[0]),
        seed_sd if several else None,
        question_sd if len(questions) > 1 else None,
        len(seeds),
        len(questions),
        tokens,
    )


def _tokens(logs: Sequence["EvalLog"]) -> Tokens:
    """Return what an answer cost on average, graders included."""
    answers = sum(log.results.total_samples for log in logs if log.results)
    used: dict[str, tuple[int, int]] = {}
    for log in logs:
        for model, usage in _usage(log).items():
            read, written = used.get(model, (0, 0))
            used[model] = (read + usage[0], written + usage[1])
    return {
        model: (read / answers, written / answers)
        for model, (read, written) in used.items()
        if answers
    }


def _usage(log: "EvalLog") -> Mapping[str, tuple[int, int]]:
    return {
        model: (usage.input_tokens, usage.output_tokens)
        for model, usage in log.stats.model_usage.items()
    }
