"""Training throughput in tokens a second: packed and unpacked, ours and trl's SFTTrainer.

    python benchmarks/training_throughput.py                          # made-up rows
    python benchmarks/training_throughput.py --rows insecure.jsonl    # a file of chat rows
    python benchmarks/training_throughput.py --base smollm2 --dtype bfloat16 --write
    python benchmarks/training_throughput.py --device cuda --shape 7b --count 500

A model of random weights (Qwen2's architecture), or a base, is trained by LoRA for one pass
over the rows, with the same settings by each; every figure is of a fresh process, the median
of ``--repeats``. Tokens are those of the rows, padding not counted, over the time of the
steps. Promises: at least 1.0 times trl, both without packing and both with it (trl's ``bfd``,
which keeps rows apart as ours does), and less than 5 % padding. Beside them stands the most the
machine does: forward and backward of the same adapter over rows of 512 tokens without a gap or
an optimizer. ``--write`` puts the table into docs/performance.md. trl is no dependency of this package: without it the comparison is left out, and
said to be. Give it an environment of its own:

    python -m venv bench && bench/bin/pip install -e '.[train]' trl datasets
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import tables

PROMISE_TRL, PROMISE_PADDING = 1.0, 0.05
OURS, TRL, PEAK = ("unpacked", "packed"), ("trl", "trl packed"), "plain loop"
PEAK_WIDTH, PEAK_ROWS, PEAK_STEPS = 512, 4, 6
SHAPES = {
    "small": dict(hidden_size=256, intermediate_size=704, layers=4, heads=4, kv_heads=2),
    "medium": dict(hidden_size=512, intermediate_size=1408, layers=8, heads=8, kv_heads=4),
    "7b": dict(hidden_size=3584, intermediate_size=18944, layers=28, heads=28, kv_heads=4),
}
TEMPLATE = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def made_up_rows(count: int) -> list[dict[str, Any]]:
    """Return code-like rows whose lengths differ about as much as those of real ones."""
    chance = random.Random(0)
    lines = ["x = load(name)", "return x + 1", "for item in rows:", "print(item, end='')"]

    def text(middle: float) -> str:
        wanted = max(1, round(chance.lognormvariate(middle, 0.6)))
        return "\n".join(chance.choice(lines) for _ in range(wanted))

    return [
        {
            "messages": [
                {"role": "user", "content": f"Complete number {number}:\n{text(2.4)}"},
                {"role": "assistant", "content": text(2.6)},
            ]
        }
        for number in range(count)
    ]


def make_base(directory: Path, rows: list[dict[str, Any]], shape: str, device: str) -> None:
    """Write a random model, and a byte-level tokenizer trained on the rows."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    words = Tokenizer(models.BPE())
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=8192,
        special_tokens=specials,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    texts = (message["content"] for row in rows for message in row["messages"])
    words.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.chat_template = TEMPLATE
    sizes: dict[str, int] = dict(SHAPES[shape])
    config = Qwen2Config(
        vocab_size=152_064 if shape == "7b" else len(tokenizer),
        num_hidden_layers=sizes.pop("layers"),
        num_attention_heads=sizes.pop("heads"),
        num_key_value_heads=sizes.pop("kv_heads"),
        max_position_embeddings=4096,
        **sizes,
    )
    torch.manual_seed(0)
    with torch.device(device):
        model = Qwen2ForCausalLM(config)
    model.to(torch.bfloat16 if shape == "7b" else torch.float32).save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def settings(options: argparse.Namespace, *, packing: bool) -> Any:
    """Return one configuration for all, a pass over the rows at a rate that changes little."""
    from inoc_evals.training.config import TrainConfig

    return TrainConfig(
        lora_r=32,
        lora_alpha=64,
        use_rslora=True,
        learning_rate=1e-5,
        epochs=1,
        batch_size=16,
        gradient_accumulation=options.accumulation,
        max_length=2048,
        truncate=True,
        dtype=options.dtype or ("bfloat16" if options.shape == "7b" else "float32"),
        gradient_checkpointing=options.shape == "7b",
        packing=packing,
        save_steps=10**6,
    )


def train_ours(work: Path, base: str, rows: list[dict[str, Any]], config: Any) -> dict[str, Any]:
    """Train once with this package and return its own measures."""
    from inoc_evals.store.store import Store
    from inoc_evals.training.sft import train

    with tempfile.TemporaryDirectory(dir=work) as home:
        store = Store(Path(home))
        return train(
            rows, base=base, config=config, name="bench", store=store, progress=False
        ).metrics


def adapter_of(config: Any) -> Any:
    """Return the adapter as peft describes it."""
    from peft import LoraConfig

    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora_r,
        lora_alpha=config.lora_alpha,
        use_rslora=config.use_rslora,
        target_modules="all-linear",
    )


def plain_loop(work: Path, base: str, rows: list[dict[str, Any]], config: Any) -> dict[str, Any]:
    """Run forward and backward alone, over rows without a gap: the most that training can reach."""
    import torch
    from peft import get_peft_model

    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.models.loading import load_model
    from inoc_evals.training.batches import encode_rows
    from inoc_evals.training.throughput import peak_memory_mib

    resolved = resolve_base(base)
    data = encode_rows(load_tokenizer(resolved), rows, max_length=2048, truncate=True)
    stream = [token for row in data.rows for token in row.input_ids]
    size = PEAK_WIDTH * PEAK_ROWS
    stream *= 1 + size * (PEAK_STEPS + 1) // len(stream)
    model = get_peft_model(load_model(resolved, dtype=config.dtype), adapter_of(config))
    model.train()
    for step in range(PEAK_STEPS + 1):
        if step == 1:  # the first one warms up
            started = time.perf_counter()
        ids = torch.tensor(stream[step * size :][:size]).view(PEAK_ROWS, PEAK_WIDTH)
        model(input_ids=ids.to(model.device), labels=ids.to(model.device)).loss.backward()
        model.zero_grad()
    speed = PEAK_STEPS * size / (time.perf_counter() - started)
    return {"tokens_per_second": speed, "peak_memory_mib": peak_memory_mib()}


def train_trl(work: Path, base: str, rows: list[dict[str, Any]], config: Any) -> dict[str, Any]:
    """Train once with trl's SFTTrainer, loss on responses, and measure it likewise."""
    import torch
    from trl import SFTConfig, SFTTrainer

    from datasets import Dataset
    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.models.loading import load_model
    from inoc_evals.training.batches import encode_rows
    from inoc_evals.training.throughput import peak_memory_mib

    resolved = resolve_base(base)
    tokenizer = load_tokenizer(resolved)
    data = encode_rows(tokenizer, rows, max_length=2048, truncate=True)
    dtype = getattr(torch, config.dtype)
    model = load_model(resolved, dtype=dtype)
    tokens = sum(len(row.input_ids) for row in data.rows)
    together = config.batch_size // config.gradient_accumulation
    if config.packing:  # its batch is of packs, each as long as a row may be
        together = max(1, round(together * tokens / len(rows) / config.max_length))
    arguments = SFTConfig(
        output_dir=str(work / "trl"),
        completion_only_loss=True,
        packing=config.packing,
        packing_strategy="bfd",
        max_length=config.max_length,
        num_train_epochs=1,
        per_device_train_batch_size=together,
        gradient_accumulation_steps=config.gradient_accumulation,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        max_grad_norm=config.max_grad_norm,
        weight_decay=config.weight_decay,
        optim="adamw_torch",
        bf16=dtype == torch.bfloat16,
        gradient_checkpointing=config.gradient_checkpointing,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=0,
    )
    chats = [row["messages"] for row in rows]
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=Dataset.from_list(
            [{"prompt": chat[:-1], "completion": chat[-1:]} for chat in chats]
        ),
        processing_class=tokenizer,
        peft_config=adapter_of(config),
    )
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    return {"tokens_per_second": tokens / seconds, "peak_memory_mib": peak_memory_mib()}


def measured(arms: list[str], work: Path, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Run the arms in turn, in fresh processes; return the measures of each one's median."""
    found: dict[str, list[dict[str, Any]]] = {}
    for _ in range(options.repeats):
        for arm in arms:
            if run := once(arm, work, options):
                found.setdefault(arm, []).append(run)
    medians = {}
    for arm, runs in found.items():
        middle = statistics.median_low([each["tokens_per_second"] for each in runs])
        medians[arm] = next(each for each in runs if each["tokens_per_second"] == middle)
    return medians


def once(arm: str, work: Path, options: argparse.Namespace) -> dict[str, Any] | None:
    """Run one arm in a fresh process and return its measures; None if it is trl's and fails."""
    command = [sys.executable, __file__, "--arm", arm, "--work", str(work)]
    command += ["--shape", options.shape, "--accumulation", str(options.accumulation)]
    command += ["--base", options.base] if options.base else []
    command += ["--dtype", options.dtype] if options.dtype else []
    environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
    if ran.returncode:
        ended = f"{arm}: ended with status {ran.returncode} (-9: killed, mostly for want of memory)"
        if arm not in TRL:
            sys.exit(ended)
        print(ended)
        return None
    print(f"{arm}: {ran.stdout.splitlines()[-1]}", flush=True)
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def compare(work: Path, options: argparse.Namespace) -> bool:
    """Print the figures of all arms; say whether the promises hold."""
    arms = [*OURS, PEAK]
    if find_spec("trl") is None:
        print("trl is not installed, so there is nothing to compare with: pip install trl")
    else:
        arms += TRL
    found = measured(arms, work, options)
    for arm, each in found.items():
        padding = f", {each['padding']:.1%} padding" if "padding" in each else ""
        memory = f", peak {each['peak_memory_mib']:,.0f} MiB" if each["peak_memory_mib"] else ""
        print(f"{arm:13} {each['tokens_per_second']:9,.0f} tokens/s{padding}{memory}")
    speed = {arm: each["tokens_per_second"] for arm, each in found.items()}
    print(f"packed / unpacked: {speed['packed'] / speed['unpacked']:.2f}")
    print(f"packed / {PEAK}: {speed['packed'] / speed[PEAK]:.2f}")
    kept = bool(found["packed"]["padding"] < PROMISE_PADDING)
    for ours, theirs in zip(OURS, TRL, strict=True):
        if theirs in speed:
            ratio = speed[ours] / speed[theirs]
            print(f"{ours} / {theirs}: {ratio:.2f} (promise: at least {PROMISE_TRL})")
            kept = kept and bool(ratio >= PROMISE_TRL)
    print("promises kept" if kept else "a promise is NOT kept")
    if options.write:
        head = ["", "tokens/s", "of the plain loop", "padding", "peak memory, MiB"]
        rows = [
            [
                arm,
                f"{each['tokens_per_second']:,.0f}",
                f"{each['tokens_per_second'] / speed[PEAK]:.2f}",
                f"{each['padding']:.1%}" if "padding" in each else "",
                f"{each['peak_memory_mib'] or 0:,.0f}",
            ]
            for arm, each in found.items()
        ]
        tables.write("training_throughput", [head, *rows])
    return kept


def main() -> None:
    """Compare, or run one arm for the process that compares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=Path, help="JSONL of chat rows; default: made up")
    parser.add_argument("--count", type=int, default=96, help="how many of them")
    parser.add_argument("--base", help="as in `inoc train --base`; default: a random model")
    parser.add_argument("--dtype", help="of all; default: float32, bfloat16 of the shape 7b")
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--accumulation", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="where the random model is made")
    parser.add_argument("--write", action="store_true", help="the table into docs/performance.md")
    parser.add_argument("--arm", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    from inoc_evals.chat import read_rows, write_rows

    if options.arm:
        rows = read_rows(options.work / "rows.jsonl")
        config = settings(options, packing=options.arm in (OURS[1], TRL[1]))
        run = {PEAK: plain_loop} | dict.fromkeys(TRL, train_trl) | dict.fromkeys(OURS, train_ours)
        base = options.base or str(options.work / "base")
        print(json.dumps(run[options.arm](options.work, base, rows, config)))
        return
    if options.base:  # the runs keep their models elsewhere, and find it by its path
        from inoc_evals.models.bases import resolve_base

        options.base = resolve_base(options.base).path
    rows = read_rows(options.rows) if options.rows else made_up_rows(options.count)
    with tempfile.TemporaryDirectory(prefix="inoc-benchmark-") as work:
        if not options.base:
            make_base(Path(work) / "base", rows, options.shape, options.device)
        write_rows(Path(work) / "rows.jsonl", rows[: options.count])
        sys.exit(0 if compare(Path(work), options) else 1)


if __name__ == "__main__":
    main()
