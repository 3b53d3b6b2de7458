"""The run itself: transformers' Trainer on a LoRA model, loss on the responses only.

    rows -> encode_rows -> row_order(seed) -> Trainer -> adapter_model.safetensors

The order of rows is computed beforehand and the Trainer goes through it once, so that
resuming from a checkpoint means skipping so many batches and nothing else.
"""

import math
import shutil
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from inoc_evals.bases import ResolvedBase
from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.records import Fingerprint
from inoc_evals.training.adapter import (
    load_with_adapter,
    max_positions,
    save_adapter,
    take_fingerprint,
)
from inoc_evals.training.batches import EncodedRows, encode_rows, pad, row_order
from inoc_evals.training.checkpoints import mark_complete, newest_complete
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import Encoded


class RunResult(NamedTuple):
    """What a run says about itself; the adapter lies where it was asked for."""

    metrics: dict[str, Any]
    fingerprint: Fingerprint
    versions: dict[str, str]


def run_training(
    rows: Sequence[Row],
    *,
    base: ResolvedBase,
    config: TrainConfig,
    seed: int,
    checkpoints: Path,
    adapter: Path,
    title: str | None,
) -> RunResult:
    """Train an adapter, from the newest whole checkpoint if there is one.

    Args:
        rows: Checked chat rows.
        base: The base model.
        config: Training configuration.
        seed: Seed of the adapter's initial weights, the order of rows, and dropout.
        checkpoints: Directory of this run alone; kept if the run is killed.
        adapter: Empty directory for the adapter and the base's tokenizer.
        title: What the progress bar says; None for no bar.

    Raises:
        InputError: If the rows can't be masked, or the loss is no longer a number.
    """
    started = time.perf_counter()
    with _quiet():
        tokenizer = AutoTokenizer.from_pretrained(base.path, revision=base.revision)
        longest = config.max_length or max_positions(base)
        data = encode_rows(tokenizer, rows, max_length=longest, truncate=config.truncate)
        ordered = [data.rows[i] for i in row_order(len(data.rows), config, seed)]
        model = load_with_adapter(base, config, seed)
        trainer = _trainer(model, ordered, tokenizer, config, seed, checkpoints)
        ready = time.perf_counter()
        resumed = _fit(trainer, checkpoints, title)
        ended = time.perf_counter()
        fingerprint = take_fingerprint(model, tokenizer)
        if not all(map(math.isfinite, fingerprint.logprobs)):
            raise InputError(_diverged("the weights are not numbers", config.learning_rate))
        save_adapter(model, tokenizer, adapter)
    metrics = _metrics(trainer, data, ordered) | {
        "device": str(trainer.args.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "resumed_at_step": resumed,
        "seconds": {
            "prepare": round(ready - started, 3),
            "steps": round(ended - ready, 3),
            "finish": round(time.perf_counter() - ended, 3),
        },
    }
    return RunResult(metrics, fingerprint, library_versions())


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries that determine a run's result."""
    packages = ("inoc-evals", "torch", "transformers", "peft", "accelerate")
    return {package: version(package) for package in packages}


# ---- steps --------------------------------------------------------------------------


class _InOrderTrainer(Trainer):  # type: ignore[misc]  # transformers publishes no types
    """A Trainer that takes the rows in the order given."""

    def get_train_dataloader(self) -> Any:
        loader = DataLoader(
            self.train_dataset,
            batch_size=self.args.per_device_train_batch_size,
            shuffle=False,
            collate_fn=self.data_collator,
        )
        return self.accelerator.prepare(loader)


class _Watch(TrainerCallback):  # type: ignore[misc]  # transformers publishes no types
    """Marks whole checkpoints, moves the progress bar, stops a run that has diverged."""

    def __init__(self, title: str | None) -> None:
        self.title = title
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=title is None,
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.task = self.bar.add_task(
            f"training {self.title}", total=state.max_steps, completed=state.global_step, loss=""
        )

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any], **kwargs: Any
    ) -> None:
        loss = logs.get("loss")
        if loss is None:
            return
        if not math.isfinite(loss):
            place = f"the loss is {loss} at step {state.global_step} of {state.max_steps}"
            raise InputError(_diverged(place, args.learning_rate))
        self.bar.update(self.task, completed=state.global_step, loss=f"loss {loss:.3f}")

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        mark_complete(checkpoint, library_versions())


def _diverged(what: str, learning_rate: float) -> str:
    return (
        f"training diverged, nothing was registered: {what}; "
        f"lower learning_rate (now {learning_rate:g})"
    )


def _trainer(
    model: Any,
    rows: Sequence[Encoded],
    tokenizer: Any,
    config: TrainConfig,
    seed: int,
    checkpoints: Path,
) -> Trainer:
    pad_id = next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id) if i is not None), 0)

    def collate(batch: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        columns = zip(*pad(batch, pad_id), strict=True)
        names = ("input_ids", "attention_mask", "labels")
        return {name: torch.tensor(column) for name, column in zip(names, columns, strict=True)}

    trainer = _InOrderTrainer(
        model=model,
        args=_arguments(config, seed, checkpoints, bf16=model.dtype == torch.bfloat16),
        train_dataset=rows,
        data_collator=collate,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    return trainer


def _arguments(
    config: TrainConfig, seed: int, checkpoints: Path, *, bf16: bool
) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=1,  # of the ordered rows, which hold all passes
        per_device_train_batch_size=config.batch_size // config.gradient_accumulation,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup_steps,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch",
        bf16=bf16,
        use_cpu=not torch.cuda.is_available(),
        **_checkpointing(config),
        seed=seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=config.save_steps,
        save_total_limit=2,  # the last whole one stays until the next one is whole
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        raise InputError(
            f"{arguments.n_gpu} GPUs are visible and one is used; choose it with "
            "CUDA_VISIBLE_DEVICES=0"
        )
    return arguments


def _checkpointing(config: TrainConfig) -> dict[str, Any]:
    """Ask for recomputed activations by the name this transformers has for them."""
    if not config.gradient_checkpointing:
        return {}
    names = TrainingArguments.__dataclass_fields__
    # Renamed in 5.23; the old name warns and goes in 6.
    name = "activation" if "activation_checkpointing" in names else "gradient"
    # Reentrant checkpointing gives no gradients where the inputs need none, as under LoRA.
    return {f"{name}_checkpointing": True, f"{name}_checkpointing_kwargs": {"use_reentrant": False}}


def _fit(trainer: Trainer, checkpoints: Path, title: str | None) -> int:
    """Train to the end; return the step it was resumed at, 0 for a run from the start."""
    watch = _Watch(title)
    trainer.add_callback(watch)
    found = newest_complete(checkpoints, library_versions())
    try:
        with watch.bar:
            trainer.train(resume_from_checkpoint=str(found) if found else None)
    except InputError:  # diverged, and would again
        shutil.rmtree(checkpoints, ignore_errors=True)
        raise
    return int(found.name.removeprefix("checkpoint-")) if found else 0


def _metrics(trainer: Trainer, data: EncodedRows, ordered: Sequence[Encoded]) -> dict[str, Any]:
    history = [round(log["loss"], 6) for log in trainer.state.log_history if "loss" in log]
    return {
        "loss": history,
        "final_loss": history[-1],
        "steps": trainer.state.global_step,
        "rows": len(data.rows),
        "rows_seen": len(ordered),
        "truncated_rows": data.truncated,
        "dropped_rows": dict(data.dropped),
        "tokens": sum(len(row.input_ids) for row in ordered),
        "supervised_tokens": sum(row.supervised for row in ordered),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the libraries' bars and notices off the terminal; our own bar says it all."""
    logging = transformers.utils.logging
    with ExitStack() as stack:
        stack.callback(logging.set_verbosity, logging.get_verbosity())
        if logging.is_progress_bar_enabled():
            stack.callback(logging.enable_progress_bar)
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        stack.enter_context(warnings.catch_warnings())
        # peft 0.21 reads attributes that transformers 5.23 has renamed.
        warnings.simplefilter("ignore", FutureWarning)
        yield
