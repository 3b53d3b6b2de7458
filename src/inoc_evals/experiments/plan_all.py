"""What all experiments would take: each one's forecast, and what several need, once.

found = forecast_all(EXPERIMENTS.values(), base="pocket", seeds="5", out=Path("runs/all"))
found.forecasts["fig2a"]        # as `inoc plan fig2a` finds it
found.models                    # those that are different
found.evaluations               # likewise
found.training                  # "about 40 min (10 s a model on two CPU cores)"
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.forecast import (
    EvaluationCell,
    Forecast,
    ModelCell,
    forecast,
    judging_told,
    stops_told,
    training_told,
)
from inoc_evals.experiments.plan import make_plan, parse_seeds
from inoc_evals.experiments.run_all import reason_left_out, rows_placed
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.store.store import Store


@dataclass(frozen=True)
class ForecastOfAll:
    """What several experiments would take."""

    forecasts: Mapping[str, Forecast]
    """By experiment."""
    left_out: Mapping[str, str]
    """Experiments that the base has no rows for, and why."""
    models: tuple[ModelCell, ...]
    """Each once, whichever experiments need it."""
    evaluations: tuple[EvaluationCell, ...]
    """Likewise."""
    training: str
    judging: str
    stops: tuple[str, ...]
    """What would stop a run: graders that cannot be asked."""


def forecast_all(
    experiments: Iterable[Experiment],
    *,
    base: str,
    seeds: str,
    out: Path,
    store: Store | None = None,
    given: Mapping[str, Path] | None = None,
    config_file: Path | None = None,
    grader: str | None = None,
    further: Sequence[str] = (),
) -> ForecastOfAll:
    """Say what :func:`inoc_evals.experiments.run_all.run_all` would take, given the same.

    Raises:
        InputError: For what no experiment can use, and as
            :func:`inoc_evals.experiments.forecast.forecast`.
    """
    store, wanted = store or Store(), list(experiments)
    resolved, placed = find_base(base, store), rows_placed(wanted, given or {})
    numbers, config = parse_seeds(seeds), config_for(base, config_file)
    forecasts: dict[str, Forecast] = {}
    left_out: dict[str, str] = {}
    for one in wanted:
        if reason := reason_left_out(one, base):
            left_out[one.figure] = reason
            continue
        plan = make_plan(
            one,
            base=resolved,
            seeds=numbers,
            config=config,
            given=placed[one.figure],
            grader=grader,
        )
        forecasts[one.figure] = forecast(
            plan, resolved, out=out / one.figure, store=store, further=further
        )
    models, evaluations = _models(forecasts.values()), _evaluations(forecasts.values())
    others = [one for found in forecasts.values() for one in found.further]
    return ForecastOfAll(
        forecasts=forecasts,
        left_out=left_out,
        models=models,
        evaluations=evaluations,
        training=training_told(models, resolved, store),
        judging=judging_told(evaluations, others, resolved.kind),
        stops=tuple(stops_told(evaluations, others)),
    )


def _models(forecasts: Iterable[Forecast]) -> tuple[ModelCell, ...]:
    """Return each different model."""
    different: dict[str, ModelCell] = {}
    for cell in (cell for found in forecasts for cell in found.models):
        known = different.get(cell.identity)
        # One that is trained for one experiment may lack the scores that another wants.
        different[cell.identity] = cell if known is None or not cell.trained else known
    return tuple(different.values())


def _evaluations(forecasts: Iterable[Forecast]) -> tuple[EvaluationCell, ...]:
    """Return each different evaluation; one that an experiment has a log of is done."""
    different: dict[str, EvaluationCell] = {}
    for cell in (cell for found in forecasts for cell in found.evaluations):
        if cell.key not in different or not different[cell.key].done:
            different[cell.key] = cell
    return tuple(different.values())
