"""What `inoc train` does for a base at OpenAI: options, the question, the summary."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inoc_evals.cli.output import confirm, say
from inoc_evals.datasets.manifest import manifest_of
from inoc_evals.errors import InputError
from inoc_evals.models.hosted import base_model
from inoc_evals.store.store import ModelRecord
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.openai.create import OpenAIConfig, load_openai_config
from inoc_evals.training.openai.job_file import read_training_file
from inoc_evals.training.openai.jobs import train
from inoc_evals.training.processes import refuse_several

_FIELDS = {
    "epochs": "n_epochs",
    "batch_size": "batch_size",
    "lr_multiplier": "learning_rate_multiplier",
}


def train_at_openai(
    file: Path,
    *,
    base: str | None,
    parent: str | None,
    name: str,
    seed: int,
    quiet: bool,
    yes: bool,
    retry: bool,
    dynamics: Dynamics | None,
    config_file: Path | None,
    options: Mapping[str, Any],
) -> None:
    """Train on a file of rows at OpenAI and print what came of it.

    Args:
        file: The rows.
        base: ``openai/<model>``, or None with a parent.
        parent: Record of a model at OpenAI.
        name: Name of the new record.
        seed: The job's seed.
        quiet: No progress bar.
        yes: Do not ask before a job is created.
        retry: Create another job after one that failed.
        dynamics: Responses to look for in samples of the checkpoints.
        config_file: YAML with fields of a job.
        options: Further options of the command, those not given as None.

    Raises:
        InputError: For an option that a job there does not have; as
            :func:`inoc_evals.training.openai.jobs.train`.
    """
    refuse_several("a training at OpenAI")
    config = _config(config_file, options)
    rows, _ = read_training_file(file, base_model((base or "").removeprefix("openai/")))
    manifest = manifest_of(file, rows)
    asked = datetime.now(UTC)
    record = train(
        rows,
        base=base,
        config=config,
        seed=seed,
        name=name,
        parent=parent,
        dynamics=dynamics,
        manifest=manifest,
        progress=not quiet,
        yes=yes,
        retry=retry,
        confirm=lambda question: confirm(question, err=True),
        say=lambda line: say(line, err=True),
    )
    _print_summary(record, trained_before=record.created < asked)


def _config(file: Path | None, options: Mapping[str, Any]) -> OpenAIConfig:
    given = {
        key: value for key, value in options.items() if value is not None and value is not False
    }
    if others := sorted(given.keys() - _FIELDS.keys()):
        raise InputError(
            f"{', '.join(others)}: not a setting of a job at OpenAI; there are --epochs, "
            "--batch-size, --lr-multiplier and --seed"
        )
    return load_openai_config(file, {_FIELDS[key]: value for key, value in given.items()})


def _print_summary(record: ModelRecord, *, trained_before: bool) -> None:
    metrics = record.metrics
    if trained_before:
        say(f"trained before, on {record.created:%Y-%m-%d %H:%M} UTC; nothing to do again")
    tokens, paid, loss = (metrics[key] for key in ("trained_tokens", "estimated_usd", "final_loss"))
    parts = [f"seed {record.seed}", f"{metrics['rows']} rows"]
    if epochs := metrics["hyperparameters"].get("n_epochs"):
        parts.append(f"{epochs} epochs")
    if tokens:
        parts.append(f"{tokens:,} tokens" + (f" (about ${paid:,.2f})" if paid else ""))
    if loss is not None:
        parts.append(f"final loss {loss:.3f}")
    say(f"inoc/{record.name}: {record.remote}, {', '.join(parts)} (revision {record.identity[:8]})")
    say(f"next: inspect eval inoc_evals/traits --model inoc/{record.name}")
