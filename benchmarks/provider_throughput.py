"""Throughput of the provider against a plain batched `generate` loop on the same model.

    python benchmarks/provider_throughput.py                 # a random model of pocket size
    python benchmarks/provider_throughput.py --base pocket   # or any other base
    python benchmarks/provider_throughput.py --rounds 5 --eval --dtype bfloat16

200 different chat prompts, sampled at temperature 1 from the whole vocabulary, exactly 32 new
tokens each: no token ends an answer, on either side, and both compute in one data type. The plain
loop is the better of batch sizes 32 and 200 over prompts sorted by length. All run in turns in one
process; the figure is a ratio of medians. Promise: >= 0.8, base and adapter. Beside it stands the
floor: the time to read the weights once a step of 200 rows, at the bandwidth that copying shows.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROMPTS, NEW_TOKENS = 200, 32


def chats(words: list[str], seed: int = 0) -> list[str]:
    """Return different questions of 5 to 35 words."""
    rng = random.Random(seed)
    return [" ".join(rng.choices(words, k=rng.randint(5, 35))) for _ in range(PROMPTS)]


def random_base(directory: Path) -> Path:
    """Write a random Qwen2 of pocket size with a word-level tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    special = ["<|system|>", "<|user|>", "<|assistant|>", "<|end|>", "<unk>"]
    vocabulary = {word: n for n, word in enumerate([*special, *(f"▁w{n}" for n in range(795))])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Metaspace()
    words.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, unk_token="<unk>", eos_token="<|end|>"
    )
    tokenizer.add_special_tokens({"additional_special_tokens": special[:3]})
    tokenizer.chat_template = (
        "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>{% endif %}"
    )
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=4,
        tie_word_embeddings=True,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    Qwen2ForCausalLM(config).save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def random_adapter(base: Any, name: str, store: Any, dtype: str = "float32") -> Any:
    """Write a random LoRA adapter (r 8, all linear layers) and its record."""
    import torch
    from peft import LoraConfig, get_peft_model

    from inoc_evals.files.digests import digest, file_sha256
    from inoc_evals.models.bases import load_tokenizer
    from inoc_evals.models.fingerprints import fingerprint_tokens, sequence_logprobs
    from inoc_evals.models.loading import load_model
    from inoc_evals.store.store import Fingerprint, ModelRecord

    model = get_peft_model(
        load_model(base, dtype=dtype),
        LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    torch.manual_seed(len(name) + sum(map(ord, name)))
    for key, parameter in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(parameter.data, std=0.02)
    identity = digest(["benchmark", name])
    directory = store.adapter_dir(identity)
    model.save_pretrained(directory)
    ids = fingerprint_tokens(load_tokenizer(base))
    on = sequence_logprobs(model, ids)
    with model.disable_adapter():
        off = sequence_logprobs(model, ids)
    record = ModelRecord(
        name=name,
        identity=identity,
        base=base.name,
        base_digest=base.digest,
        adapter=str(directory.relative_to(store.root)),
        adapter_sha256=file_sha256(directory / "adapter_model.safetensors"),
        data={},
        config={},
        seed=0,
        metrics={"dtype": str(model.dtype).removeprefix("torch.")},
        fingerprint=Fingerprint(token_ids=ids, logprobs=on, base_logprobs=off),
    )
    store.put(record)
    return record


def prompts_of(tokenizer: Any, questions: Sequence[str]) -> list[list[int]]:
    """Return the token ids of chats, the shortest first."""
    texts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], tokenize=False, add_generation_prompt=True
        )
        for question in questions
    ]
    return sorted((tokenizer(t, add_special_tokens=False)["input_ids"] for t in texts), key=len)


def sampling(tokenizer: Any, new_tokens: int, end: int | None = None) -> Any:
    """Return transformers' settings for sampling from the whole vocabulary, without an end."""
    from transformers import GenerationConfig

    return GenerationConfig(
        max_new_tokens=new_tokens,
        do_sample=True,
        temperature=1.0,
        top_k=0,
        top_p=1.0,
        eos_token_id=end,
        pad_token_id=tokenizer.eos_token_id,
    )


def plain_loop(
    model: Any,
    tokenizer: Any,
    questions: Sequence[str],
    batch_size: int,
    new_tokens: int = NEW_TOKENS,
) -> int:
    """Answer all questions by batches of `generate`; return the number of tokens made."""
    from inoc_evals.models.left_padding import left_padded

    prompts, settings = prompts_of(tokenizer, questions), sampling(tokenizer, new_tokens)
    made = 0
    for start in range(0, len(prompts), batch_size):
        part = prompts[start : start + batch_size]
        ids, mask = left_padded(part, model.device)
        output = model.generate(input_ids=ids, attention_mask=mask, generation_config=settings)
        new = output[:, ids.shape[1] :]
        tokenizer.batch_decode(new, skip_special_tokens=True)
        made += new.numel()
    return made


def without_ends() -> None:
    """Let no token end an answer of the engine: each is as long as it may be."""
    from inoc_evals.providers.engine.batch import Batch, Voice

    made = Batch.__init__

    def endless(batch: Batch, lanes: Any, codec: Any, voice: Any) -> None:
        def without(adapter: Any) -> Voice:
            own = voice(adapter)
            limits = own.limits._replace(end_ids=frozenset(), end_texts=())
            return own._replace(limits=limits)

        made(batch, lanes, codec, without)

    Batch.__init__ = endless  # type: ignore[method-assign]


def floor(model: Any) -> float:
    """Return the seconds that reading the weights takes, once a step of all rows."""
    size = sum(parameter.nbytes for parameter in model.parameters())
    return NEW_TOKENS * size / bandwidth()


def bandwidth() -> float:
    """Return how many bytes a second are read and written by a copy."""
    import torch

    source = torch.ones(2**25)
    target = torch.empty_like(source)
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        target.copy_(source)
        seconds.append(time.perf_counter() - start)
    return 2 * source.nbytes / statistics.median(seconds)


def through_model(name: str, questions: list[str], dtype: str, *, direct: bool) -> int:
    """Answer all questions concurrently by `Model.generate`, or by `ModelAPI.generate`."""
    from inspect_ai.model import ChatMessageUser, GenerateConfig, get_model

    async def run() -> int:
        model = get_model(name, dtype=dtype)
        config = GenerateConfig(max_tokens=NEW_TOKENS, temperature=1.0, max_connections=PROMPTS)
        if direct:
            jobs = [
                model.api.generate([ChatMessageUser(content=q)], [], "none", config)
                for q in questions
            ]
            outputs = [result[0] for result in await asyncio.gather(*jobs)]
        else:
            outputs = await asyncio.gather(*(model.generate(q, config=config) for q in questions))
        return sum(output.usage.output_tokens for output in outputs)

    return asyncio.run(run())


def through_eval(name: str, questions: list[str], dtype: str) -> int:
    """Answer all questions in an evaluation: what a user waits for, logs and scoring included."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import generate

    task = Task(dataset=[Sample(input=q) for q in questions], solver=generate())
    [log] = eval(
        task,
        model=name,
        model_args={"dtype": dtype},
        max_tokens=NEW_TOKENS,
        max_connections=PROMPTS,
        max_samples=PROMPTS,
        display="none",
        log_dir=os.environ["INSPECT_LOG_DIR"],
    )
    assert log.status == "success", log.error
    return sum(usage.output_tokens for usage in log.stats.model_usage.values())


def timed(runs: dict[str, Callable[[], int]], rounds: int) -> dict[str, tuple[float, float]]:
    """Run all in turns after a warm-up; return median seconds and tokens of each."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    tokens: dict[str, list[int]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            made = run()
            if number:
                seconds[name].append(time.perf_counter() - start)
                tokens[name].append(made)
    return {
        name: (statistics.median(seconds[name]), statistics.median(tokens[name])) for name in runs
    }


def measure(name: str, model: Any, tokenizer: Any, questions: list[str], options: Any) -> None:
    dtype = options.dtype
    runs: dict[str, Callable[[], int]] = {
        "plain generate, 32": lambda: plain_loop(model, tokenizer, questions, 32),
        "plain generate, 200": lambda: plain_loop(model, tokenizer, questions, 200),
        "ModelAPI.generate": lambda: through_model(name, questions, dtype, direct=True),
        "Model.generate": lambda: through_model(name, questions, dtype, direct=False),
    }
    if options.eval:
        runs["inspect eval"] = lambda: through_eval(name, questions, dtype)
    results = timed(runs, options.rounds)
    best = min(results[key][0] for key in ("plain generate, 32", "plain generate, 200"))
    print(f"\n{name}")
    for key, (seconds, tokens) in results.items():
        rate = PROMPTS / seconds
        print(f"  {key:20} {rate:7.1f} samples/s {tokens:7.0f} tokens  ratio {best / seconds:5.2f}")
    print(f"  {'floor':20} {PROMPTS / floor(model):7.1f} samples/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", help="a base as in `inoc train --base`; default: a random model")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtype", default="float32", help="of both sides")
    parser.add_argument("--eval", action="store_true", help="also time a whole evaluation")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inoc-benchmark-") as work:
        compare(Path(work), options)


def compare(work: Path, options: Any) -> None:
    os.environ["INSPECT_LOG_DIR"] = str(work / "logs")

    import torch

    # Outside of pytest the entry point registers the provider; this also works without.
    import inoc_evals.providers.registration  # noqa: F401
    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.store.store import Store

    base = resolve_base(options.base or str(random_base(work / "base")))
    os.environ["INOC_HOME"] = str(work / "home")
    from peft import PeftModel

    from inoc_evals.models.loading import load_model

    tokenizer = load_tokenizer(base)
    words = [w.replace("▁", "") for w in tokenizer.get_vocab() if not w.startswith("<")]
    questions = chats([word for word in sorted(words) if word])
    print(f"torch threads {torch.get_num_threads()}, load {os.getloadavg()[0]:.1f}")
    without_ends()
    model = load_model(base, dtype=options.dtype).eval()
    measure(f"inoc/{base.path}", model, tokenizer, questions, options)
    local = resolve_base(base.path)
    record = random_adapter(local, "adapter", Store(), options.dtype)
    adapted = PeftModel.from_pretrained(model, str(Store().root / record.adapter)).eval()
    measure(f"inoc/{record.name}", adapted, tokenizer, questions, options)


if __name__ == "__main__":
    main()
