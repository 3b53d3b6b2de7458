"""`inoc train`: fine-tune a base on a file of chat rows and register the result."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from inoc_evals.chat import digest, read_rows
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.records import ModelRecord
from inoc_evals.training.config import load_config
from inoc_evals.training.sft import train


@click.command("train")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--base",
    default="pocket",
    show_default=True,
    help="pocket, pocket:SEED, a model directory, or a hub id.",
)
@click.option("--name", required=True, help="What the model is called: inoc/NAME.")
@click.option("--seed", type=int, default=0, show_default=True, help="Initial weights, row order.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="YAML with training fields."
)
@click.option("--lr", "learning_rate", type=float, help="Peak learning rate.")
@click.option("--steps", "max_steps", type=int, help="Optimizer steps (instead of epochs).")
@click.option("--epochs", type=float, help="Passes over the rows (instead of steps).")
@click.option("--rank", "lora_r", type=int, help="Rank of the adapter.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    rows: Path,
    base: str,
    name: str,
    seed: int,
    config_file: Path | None,
    quiet: bool,
    **overrides: Any,
) -> None:
    """Fine-tune a LoRA adapter on the chat rows of the file ROWS (JSONL).

    Loss is on the assistant's messages only. The same inputs are trained once; a run that
    was killed goes on from its last checkpoint when the command is given again.
    """
    config = load_config(base, config_file, overrides)
    data = read_rows(rows)
    manifest = load_manifest(rows) or {
        "sources": [{"file": rows.name}],
        "counts": {"rows": len(data)},
        "sha256": digest(data),
    }
    asked = datetime.now(UTC)
    record = train(
        data,
        base=base,
        config=config,
        seed=seed,
        name=name,
        manifest=manifest,
        progress=not quiet,
    )
    _print_summary(record, trained_before=record.created < asked)


def _print_summary(record: ModelRecord, *, trained_before: bool) -> None:
    metrics = record.metrics
    if trained_before:
        click.echo(f"trained before, on {record.created:%Y-%m-%d %H:%M} UTC; nothing to do again")
    for kind, count in {**metrics["dropped_rows"], "truncated": metrics["truncated_rows"]}.items():
        if count:
            click.echo(f"{count} of {record.data['rows']} rows: {kind.replace('_', ' ')}")
    click.echo(
        f"inoc/{record.name}: {record.base}, seed {record.seed}, {metrics['steps']} steps on "
        f"{metrics['rows']} rows, final loss {metrics['final_loss']:.3f} "
        f"(revision {record.identity[:8]})"
    )
    click.echo(f"next: inspect eval inoc_evals/traits --model inoc/{record.name}")
