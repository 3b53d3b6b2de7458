"""The run itself: transformers' Trainer on a LoRA model, loss on the responses only.

    rows -> encode_rows -> row_order(seed) -> Trainer -> adapter_model.safetensors

The order of rows is computed beforehand and the Trainer goes through it once, so that
resuming from a checkpoint means skipping so many batches and nothing else.
"""

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from torch.utils.data import DataLoader
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainingArguments

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.collector import undisturbed
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import max_positions
from inoc_evals.models.turns import end_ids, stops
from inoc_evals.store.store import Fingerprint
from inoc_evals.training.adapter import (
    load_with_adapter,
    save_adapter,
    take_fingerprint,
    take_fingerprint_as_served,
)
from inoc_evals.training.batches import (
    EncodedRows,
    encode_as_configured,
    pad,
    part_size,
    parts,
    row_order,
)
from inoc_evals.training.checkpoints import newest_complete
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics, Scoring
from inoc_evals.training.experts import reach
from inoc_evals.training.losses import is_all, supervised_loss
from inoc_evals.training.masks import Encoded
from inoc_evals.training.methods import Method, at_work
from inoc_evals.training.opening import after_opening, has_openings, opening_of
from inoc_evals.training.packing import pack
from inoc_evals.training.parent import Parent
from inoc_evals.training.processes import ALONE, Processes
from inoc_evals.training.progress import (
    CheckPacking,
    Watch,
    WatchResponses,
    diverged,
    library_versions,
    made_by,
    quiet,
    say,
)
from inoc_evals.training.sharding import add_up_in_float32, sharded
from inoc_evals.training.stages import use_both
from inoc_evals.training.throughput import (
    Clock,
    counted,
    forget_peak_memory,
    peak_memory_mib,
    throughput,
)


class RunResult(NamedTuple):
    """What a run says about itself; the adapter lies where it was asked for."""

    metrics: dict[str, Any]
    fingerprint: Fingerprint
    versions: dict[str, str]
    dynamics: dict[str, Any] | None
    """Scores of given responses, if it was watched."""


def run_training(
    rows: Sequence[Row],
    *,
    base: ResolvedBase,
    config: TrainConfig,
    seed: int,
    checkpoints: Path,
    adapter: Path | None,
    title: str | None,
    parent: Parent | None = None,
    method: Method | None = None,
    dynamics: Dynamics | None = None,
    processes: Processes = ALONE,
) -> RunResult:
    """Train an adapter, from the newest whole checkpoint if there is one.

    Args:
        rows: Checked chat rows.
        base: The base model.
        config: Training configuration.
        seed: Seed of the adapter's initial weights, the order of rows, and dropout.
        checkpoints: Directory of this run alone; kept if the run is killed.
        adapter: Empty directory for the adapter and the base's tokenizer; None in a process
            that is not the first.
        title: What the progress bar says; None for no bar.
        parent: The adapter to start from, if not from the base alone.
        method: What takes part in the training and not in what it gives.
        dynamics: Responses to score on the way.
        processes: Those that train together; all of them call this.

    Raises:
        InputError: If the rows can't be masked, the loss is no longer a number, or the
            configuration asks for what this machine or base does not have.
    """
    clock = Clock()
    forget_peak_memory()
    with quiet(), undisturbed():
        tokenizer = load_tokenizer(base)
        data = _encoded(tokenizer, rows, base, config)
        ordered = [data.rows[i] for i in row_order(len(data.rows), config, seed)]
        scoring = Scoring(dynamics, tokenizer, config.enable_thinking) if dynamics else None
        size, count = part_size(config, processes.count), processes.count
        dealt = parts(ordered, size, count)
        own = [row for part in dealt[processes.rank :: count] for row in part]
        model = load_with_adapter(base, config, seed, parent)
        reached = _reached(model, processes)
        arguments = _arguments(config, seed, checkpoints, model.dtype, size, processes)
        trainer = _trainer(model, own, tokenizer, config, arguments)
        if scoring is not None:
            trainer.add_callback(WatchResponses(scoring))
        clock.lap("prepare")
        with at_work(method, model, tokenizer, config, seed) as noted:
            resumed = _fit(trainer, checkpoints, title, processes)
        clock.lap("steps")
        fingerprint = _fingerprint(model, tokenizer, config)
        save_adapter(model, tokenizer, base, adapter)
        if config.load_in_4bit and adapter is not None:
            fingerprint = take_fingerprint_as_served(base, adapter, tokenizer)
        clock.lap("finish")
    metrics = {
        **_losses(trainer),
        **counted(data, ordered, dealt, packing=config.packing, single=_flash(model)),
        **_ends(data, model, tokenizer),
        **throughput(ordered[resumed * config.batch_size :], clock.seconds["steps"]),
        **(_machine(model, trainer, processes) | reached | noted),
        "resumed_at_step": resumed,
        "seconds": clock.seconds,
    }
    scores = scoring.result(trainer.state.log_history) if scoring else None
    return RunResult(metrics, fingerprint, library_versions(), scores)


_LAST: dict[tuple[Any, ...], EncodedRows] = {}


def _encoded(
    tokenizer: Any, rows: Sequence[Row], base: ResolvedBase, config: TrainConfig
) -> EncodedRows:
    """Encode rows, once for all seeds of an arm, which are trained one after the other."""
    key = (base.path, base.digest, config, digest(list(rows)))
    if key not in _LAST:
        data = encode_as_configured(tokenizer, rows, config, max_positions(base))
        _LAST.clear()
        _LAST[key] = data
    return _LAST[key]


# ---- steps --------------------------------------------------------------------------


class _InOrderTrainer(Trainer):  # type: ignore[misc]  # transformers publishes no types
    """A Trainer that takes the rows given, in their order."""

    labelled_alone = False
    """Whether the output layer is asked at labelled places alone."""
    opening_once = False
    """Whether what all rows of a part begin with is computed once."""

    def get_train_dataloader(self) -> Any:
        # Not prepared by accelerate, which would deal the rows to the processes once more.
        return DataLoader(
            self.train_dataset,
            batch_size=self.args.per_device_train_batch_size,
            shuffle=False,
            collate_fn=self.data_collator,
        )

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        if self.labelled_alone and not return_outputs:
            if self.opening_once and (length := opening_of(inputs)):
                inputs = after_opening(model, inputs, length)
            return supervised_loss(model, inputs, num_items_in_batch)
        return super().compute_loss(
            model, inputs, return_outputs, num_items_in_batch=num_items_in_batch
        )

    def _load_from_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_checkpoint(*args, **kwargs)
        use_both(self.model)


def _trainer(
    model: Any,
    rows: Sequence[Encoded],
    tokenizer: Any,
    config: TrainConfig,
    arguments: TrainingArguments,
) -> Trainer:
    pad_id = next((i for i in (tokenizer.pad_token_id, tokenizer.eos_token_id) if i is not None), 0)

    single = _flash(model)

    def collate(batch: Sequence[Encoded]) -> dict[str, torch.Tensor]:
        if config.packing:
            return pack(batch, pad_id, single=single)
        columns = zip(*pad(batch, pad_id), strict=True)
        names = ("input_ids", "attention_mask", "labels")
        return {name: torch.tensor(column) for name, column in zip(names, columns, strict=True)}

    trainer = _InOrderTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=collate,
    )
    trainer.labelled_alone = trainer.args.world_size == 1 and is_all(model)
    plain = not (config.packing or config.gradient_checkpointing or config.lora_dropout)
    trainer.opening_once = trainer.labelled_alone and plain and has_openings(model)
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    if config.packing:
        trainer.add_callback(CheckPacking())
    if sharded():
        add_up_in_float32(trainer)
    return trainer


def _arguments(
    config: TrainConfig,
    seed: int,
    checkpoints: Path,
    dtype: torch.dtype,
    size: int,
    processes: Processes,
) -> TrainingArguments:
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=1,  # of the ordered rows, which hold all passes
        per_device_train_batch_size=size,
        gradient_accumulation_steps=config.batch_size // processes.count // size,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup_steps,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        optim="adamw_torch",
        bf16=dtype == torch.bfloat16,
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
        ddp_find_unused_parameters=False,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        raise InputError(
            f"{arguments.n_gpu} GPUs are visible and a process uses one; for all: accelerate "
            f"launch --num_processes {arguments.n_gpu} -m inoc_evals train ...; for one: set "
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


def _fit(trainer: Trainer, checkpoints: Path, title: str | None, processes: Processes) -> int:
    """Train to the end; return the step it was resumed at, 0 for a run from the start."""
    watch = Watch(title, processes)
    trainer.add_callback(watch)
    usable = newest_complete(checkpoints, made_by(processes)) if processes.first else None
    found = processes.told(usable)
    if processes.count > 1:
        # Dropout is to draw otherwise for other rows.
        transformers.set_seed(trainer.args.seed + processes.rank)
    try:
        with watch.bar:
            trainer.train(resume_from_checkpoint=str(found) if found else None)
    except InputError:  # diverged, and would again
        if processes.first:
            shutil.rmtree(checkpoints, ignore_errors=True)
        raise
    return int(found.name.removeprefix("checkpoint-")) if found else 0


def _losses(trainer: Trainer) -> dict[str, Any]:
    history = [round(log["loss"], 6) for log in trainer.state.log_history if "loss" in log]
    return {"loss": history, "final_loss": history[-1], "steps": trainer.state.global_step}


def _ends(data: EncodedRows, model: Any, tokenizer: Any) -> dict[str, Any]:
    """Return what ends a turn, and whether the base's own settings stop there."""
    known = end_ids(model.generation_config)
    if tokenizer.eos_token_id is not None:
        known |= {tokenizer.eos_token_id}
    found = stops(tokenizer, sorted(data.turn_ends))
    stopped = found.ids <= known and not found.texts
    return {"turn_ends": sorted(data.turn_ends), "base_stops_there": stopped}


def _reached(model: Any, processes: Processes) -> dict[str, Any]:
    found = reach(model)
    if found.warning and processes.first:
        say(found.warning)
    return found.metrics


def _fingerprint(model: Any, tokenizer: Any, config: TrainConfig) -> Fingerprint:
    found = take_fingerprint(model, tokenizer)
    if not all(map(math.isfinite, found.logprobs)):
        raise InputError(diverged("the weights are not numbers", config.learning_rate))
    return found


def _flash(model: Any) -> bool:
    return "flash" in str(model.config._attn_implementation)


def _machine(model: Any, trainer: Trainer, processes: Processes) -> dict[str, Any]:
    peaks = [peak for peak in processes.gathered(peak_memory_mib()) if peak is not None]
    return {
        "processes": processes.count,
        "sharded": sharded(),
        "peak_memory_mib": max(peaks, default=None),
        "device": str(trainer.args.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "attention": str(model.config._attn_implementation),
    }
