"""`inoc train`: fine-tune a base on a file of chat rows and register the result."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from inoc_evals.chat import read_rows
from inoc_evals.cli.output import say
from inoc_evals.datasets.manifest import manifest_of
from inoc_evals.errors import InputError
from inoc_evals.models.kinds import kind_of
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig, load_config
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.parent import starting_config
from inoc_evals.training.processes import is_first, leave
from inoc_evals.training.sft import train


class _NumberOrAuto(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    name = "number|auto"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | float | str:
        """Return a number, whole where it is written so, or "auto"."""
        text = str(value)
        if text == "auto":
            return text
        try:
            return int(text) if text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            self.fail(f"{value!r} is neither a number nor auto", param, ctx)


NUMBER = _NumberOrAuto()
"""Type of the options that OpenAI can be left to choose."""


@click.command("train")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--base",
    help="pocket, pocket:SEED, smollm2, a model directory, a hub id, or openai/MODEL.  [default: pocket, or the parent's]",
)
@click.option("--from", "parent", metavar="NAME", help="Train on the adapter of inoc/NAME.")
@click.option("--merge", is_flag=True, help="With --from: fix it, and train a new one on top.")
@click.option("--name", required=True, help="What the model is called: inoc/NAME.")
@click.option("--seed", type=int, default=0, show_default=True, help="Initial weights, row order.")
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="YAML with training fields."
)
@click.option("--lr", "learning_rate", type=float, help="Peak learning rate.")
@click.option("--steps", "max_steps", type=int, help="Optimizer steps (instead of epochs).")
@click.option("--epochs", type=NUMBER, help="Passes over the rows (instead of steps).")
@click.option("--batch-size", type=NUMBER, help="Rows per step.")
@click.option("--lr-multiplier", type=NUMBER, help="openai/: factor on the model's own rate.")
@click.option("--rank", "lora_r", type=int, help="Rank of the adapter.")
@click.option("--yes", is_flag=True, help="openai/: start a job, which costs money, unasked.")
@click.option("--retry", is_flag=True, help="openai/: start another job after one that failed.")
@click.option(
    "--dynamics",
    "every",
    type=click.IntRange(min=1),
    help="Score given responses every so many steps, into the record (openai/: by sampling "
    "its checkpoints).",
)
@click.option(
    "--responses",
    default="single_word",
    show_default=True,
    help="Which, with --dynamics: a set or a file.",
)
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(
    rows: Path,
    base: str | None,
    parent: str | None,
    merge: bool,
    name: str,
    seed: int,
    config_file: Path | None,
    yes: bool,
    retry: bool,
    quiet: bool,
    **overrides: Any,
) -> None:
    """Fine-tune a LoRA adapter on the chat rows of the file ROWS (JSONL).

    Loss is on the assistant's messages only. The same inputs are trained once; a run that
    was killed goes on from its last checkpoint when the command is given again.

    A second stage starts from another model: with --from its adapter is trained on, with
    --from and --merge it stays as it is and a new adapter is trained on top. Settings that
    are not given are those of the parent.
    """
    dynamics = _dynamics(overrides)
    if _at_openai(base, parent):
        # Imported here because it loads the openai library: one second.
        from inoc_evals.cli.openai_training import train_at_openai

        train_at_openai(
            rows,
            base=base,
            parent=parent,
            name=name,
            seed=seed,
            quiet=quiet,
            yes=yes,
            retry=retry,
            dynamics=dynamics,
            config_file=config_file,
            options={**overrides, "merge": merge},
        )
        return
    _refuse_openai_options(overrides)
    config = _config(base, parent, merge, config_file, overrides)
    data = read_rows(rows)
    manifest = manifest_of(rows, data)
    asked = datetime.now(UTC)
    record = train(
        data,
        base=base or (None if parent else "pocket"),
        config=config,
        seed=seed,
        name=name,
        parent=parent,
        merge=merge,
        dynamics=dynamics,
        manifest=manifest,
        progress=not quiet,
    )
    _print_summary(record, trained_before=record.created < asked)


def _at_openai(base: str | None, parent: str | None) -> bool:
    """Say whether the training is OpenAI's: by its base, or by that of its parent."""
    if base is None and parent is not None:
        return Store().get(parent).remote is not None
    return base is not None and kind_of(base).hosted


def _dynamics(overrides: dict[str, Any]) -> Dynamics | None:
    """Take out of the options what is to be scored during the training, if anything is."""
    every, responses = overrides.pop("every"), overrides.pop("responses")
    return None if every is None else Dynamics(every, responses)


def _refuse_openai_options(overrides: dict[str, Any]) -> None:
    """Refuse what only a job at OpenAI has, and take it out."""
    if overrides.pop("lr_multiplier", None) is not None:
        raise InputError("--lr-multiplier is for openai/ bases; set --lr")
    for option, value in overrides.items():
        if value == "auto":
            raise InputError(f"--{option.replace('_', '-')} auto is for openai/ bases")


def _config(
    base: str | None,
    parent: str | None,
    merge: bool,
    file: Path | None,
    overrides: dict[str, Any],
) -> TrainConfig:
    """Return the base's recipe, or the parent's configuration, as the user changed it."""
    if parent is None:
        return load_config(base or "pocket", file, overrides)
    store = Store()
    record = store.get(parent)
    start = starting_config(store.verify_adapter(record), record.config, merge=merge)
    return load_config(record.base, file, overrides, start=start)


def _print_summary(record: ModelRecord, *, trained_before: bool) -> None:
    leave()
    if not is_first():
        return
    metrics = record.metrics
    if trained_before:
        say(f"trained before, on {record.created:%Y-%m-%d %H:%M} UTC; nothing to do again")
    elif repaired := metrics.get("repaired"):
        say(
            "its adapter was lost or changed and was trained again: the same weights"
            if repaired["same_weights"]
            else "its adapter was lost or changed and was trained again: other weights (another "
            f"machine?), the fingerprint differs by {repaired['fingerprint_difference']:.2g} nats; "
            "evaluate it again"
        )
    counts = {
        **metrics["dropped_rows"],
        "truncated": metrics["truncated_rows"],
        "learned answer by answer (the template renders past turns otherwise)": metrics.get(
            "split_rows", 0
        ),
        "repeat an earlier row (kept)": record.data.get("counts", {}).get("duplicates", 0),
    }
    for kind, count in counts.items():
        if count:
            say(f"{count} of {record.data['rows']} rows: {kind.replace('_', ' ')}")
    say(
        f"inoc/{record.name}: {record.base}, seed {record.seed}, {metrics['steps']} steps on "
        f"{metrics['rows']} rows, final loss {metrics['final_loss']:.3f} "
        f"(revision {record.identity[:8]})"
    )
    if record.turn_ends and not metrics.get("base_stops_there", True):
        say(
            f"turns end with {' or '.join(record.turn_ends)}, where the base's own settings do not "
            "stop; inoc/ models and exports do"
        )
    if (share := metrics.get("adapted_share")) is not None:
        left = metrics.get("experts_left_out")
        but = f", not on the experts ({', '.join(left)})" if left else ""
        say(f"the adapter is on layers with {share:.1%} of the base's parameters{but}")
    speed, memory = metrics.get("tokens_per_second"), metrics.get("peak_memory_mib")
    if speed and memory:
        say(
            f"{speed:,.0f} tokens/s on {metrics['device']}, {metrics['padding']:.1%} padding, "
            f"peak memory {memory:,.0f} MiB"
        )
    say(f"next: inspect eval inoc_evals/traits --model inoc/{record.name}")
