"""Serving a real language model: what the engine takes, beside every other way on this machine.

    inoc base get smollm2
    python benchmarks/real_model.py                       # all of it: half an hour on two cores
    python benchmarks/real_model.py chats --rounds 3      # or one part: chats, questions, adapters

Each part prints ratios of one run. Every way runs in a process of its own, in turns with the others,
after a short warm-up: a process whose threads each have computed something is a slower one
(models/openmp.py). All compute in one data type, sample at temperature 1 and make exactly as many
tokens, for no token ends an answer. The last part gives a process two threads that compute.

    chats      200 different chats, 64 tokens, one adapter: plain batched `generate`, Inspect's `hf`
               and transformers' continuous batching, each at several batch sizes, and `inoc/`
    questions  8 questions asked 100 times, against 800 different ones as long: what reading equal
               prompts once is worth, with prompts of 60 and of 300 tokens, 32 tokens
    adapters   8 adapters asked 100 chats each at once, against one asked all 800, 32 tokens
    workers    200 chats, 64 tokens, in a process whose main thread has computed before: as it is,
               and with that thread's workers kept
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from provider_throughput import plain_loop, prompts_of, random_adapter, sampling, without_ends

BATCHES = (32, 200)
Run = Callable[[Sequence[str]], int]
"""Answers questions and returns how many tokens were made."""


def asked(count: int, tokens: int, tokenizer: Any, seed: int) -> list[str]:
    """Return different questions of random words, each of about so many tokens."""
    words = [word.replace("Ġ", "") for word in sorted(tokenizer.get_vocab())]
    plain = [word for word in words if word.isascii() and word.isalpha() and len(word) > 2]
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        ids = tokenizer(" ".join(rng.choices(plain, k=tokens)), add_special_tokens=False)
        made.append(tokenizer.decode(ids["input_ids"][:tokens]))
    return made


def continuous(model: Any, tokenizer: Any, new: int) -> Run:
    """Transformers' continuous batching; an end token that no vocabulary has never comes."""
    settings = sampling(tokenizer, new, end=-1)

    def run(questions: Sequence[str]) -> int:
        found = model.generate_batch(
            prompts_of(tokenizer, questions), generation_config=settings, warmup=False
        )
        return sum(len(one.generated_tokens) for one in found.values())

    return run


def through(models: Sequence[Any], most: int, new: int) -> Run:
    """Ask all at once through an Inspect model, or through several in turn."""
    from inspect_ai.model import GenerateConfig

    config = GenerateConfig(
        max_tokens=new, temperature=1.0, top_p=1.0, top_k=0, max_connections=most
    )

    async def ask(questions: Sequence[str]) -> int:
        jobs = [
            models[number % len(models)].generate(question, config=config)
            for number, question in enumerate(questions)
        ]
        return sum(output.usage.output_tokens for output in await asyncio.gather(*jobs))

    return lambda questions: asyncio.run(ask(questions))


def inspect_hf(way: "Way", batch: int) -> Run:
    """Inspect's own provider of local models, with the adapter beside its layers, as it loads it."""
    from inspect_ai.model import GenerateConfig, get_model

    model = get_model(
        f"hf/{batch}",
        config=GenerateConfig(max_connections=batch),
        model_path=str(way.adapter),
        tokenizer_path=way.base,
        device="cpu",
        dtype=way.dtype,
    )
    model.api.model.generation_config.eos_token_id = None
    return through([model], batch, way.new)


class Way(NamedTuple):
    """One way to answer questions."""

    name: str
    base: str
    """Its directory."""
    adapters: Sequence[str]
    """Names of records."""
    dtype: str
    new: int
    """Tokens of each answer."""
    questions: Sequence[str]

    @property
    def adapter(self) -> Path:
        """Where the first adapter lies."""
        from inoc_evals.store.store import Store

        store = Store()
        return store.root / store.get(self.adapters[0]).adapter

    def run(self) -> Run:
        """Load what it needs."""
        kind, _, batch = self.name.partition(", ")
        if kind == "inspect hf":
            return inspect_hf(self, int(batch))
        if kind.startswith("inoc"):
            from inspect_ai.model import get_model

            models = [get_model(f"inoc/{name}", dtype=self.dtype) for name in self.adapters]
            return through(models, 256, self.new)
        from peft import PeftModel

        from inoc_evals.models.bases import load_tokenizer, resolve_base
        from inoc_evals.models.loading import load_model

        base = resolve_base(self.base)
        tokenizer = load_tokenizer(base)
        model = PeftModel.from_pretrained(
            load_model(base, dtype=self.dtype), str(self.adapter)
        ).eval()
        if kind == "continuous batching":
            return continuous(model.base_model.model, tokenizer, self.new)
        size = int(batch)
        return lambda questions: plain_loop(model, tokenizer, questions, size, self.new)


def answered(way: Way, found: Any) -> None:
    """In a process of its own: put tokens and seconds into the queue, or what went wrong."""
    import inoc_evals.providers.registration  # noqa: F401

    without_ends()
    if "computed" in way.name:
        import torch

        torch.ones(600, 600) @ torch.ones(600, 600)
        if "let go" in way.name:
            from inoc_evals.models.openmp import let_workers_go

            let_workers_go()
    try:
        run = way.run()
        run(way.questions[: 2 * len(way.adapters)])
        start = time.perf_counter()
        found.put((run(way.questions), time.perf_counter() - start))
    except Exception as error:  # what a library of others cannot do here is a result
        found.put(f"{type(error).__name__}: {error}")


def turns(ways: Sequence[Way], rounds: int, ours: str) -> None:
    """Let each answer in turn; print the median tokens a second, and how much faster ours is."""
    context = multiprocessing.get_context("spawn")
    speeds: dict[str, list[float]] = {}
    said: dict[str, Any] = {}
    for _ in range(rounds):
        for way in ways:
            found = context.Queue()
            process = context.Process(target=answered, args=(way, found))
            process.start()
            said[way.name] = got = found.get()
            process.join()
            if not isinstance(got, str):
                speeds.setdefault(way.name, []).append(got[0] / got[1])
    for name, got in said.items():
        if isinstance(got, str):
            print(f"  {name:30} does not run here: {got}"[:160])
            continue
        speed = statistics.median(speeds[name])
        ratio = statistics.median(speeds[ours]) / speed
        print(f"  {name:30} {speed:6.0f} tokens/s  {got[0]:6d} tokens  {ours}: {ratio:.2f} times")


def chats(start: Way, tokenizer: Any, rounds: int) -> None:
    """One adapter, different chats."""
    way = start._replace(new=64, questions=asked(200, 30, tokenizer, seed=0))
    kinds = ("plain generate", "inspect hf")
    names = [f"{kind}, {batch}" for kind in kinds for batch in BATCHES]
    print("200 chats, 64 tokens, one adapter", flush=True)
    ways = [way._replace(name=name) for name in (*names, "continuous batching", "inoc")]
    turns(ways, rounds, "inoc")


def questions(start: Way, tokenizer: Any, rounds: int) -> None:
    """Equal prompts against different ones as long."""
    for length in (60, 300):
        different = asked(800, length, tokenizer, seed=length)
        same = [one for one in different[:8] for _ in range(100)]
        print(f"8 questions 100 times, prompts of {length} tokens, 32 tokens", flush=True)
        ways = [
            start._replace(name="inoc, 800 different", questions=different),
            start._replace(name="inoc, 8 of them 100 times", questions=same),
        ]
        turns(ways, rounds, "inoc, 8 of them 100 times")


def adapters(start: Way, tokenizer: Any, rounds: int) -> None:
    """Eight adapters of one base at once, against one."""
    wanted = start._replace(questions=asked(800, 30, tokenizer, seed=1))
    print("800 chats, 32 tokens, of one adapter or of eight", flush=True)
    eight = [f"adapter-{number}" for number in range(8)]
    ways = [wanted._replace(name="inoc, one"), wanted._replace(name="inoc, eight", adapters=eight)]
    turns(ways, rounds, "inoc, eight")


def workers(start: Way, tokenizer: Any, rounds: int) -> None:
    """What it costs that another thread of the process keeps its OpenMP workers."""
    way = start._replace(new=64, questions=asked(200, 30, tokenizer, seed=0))
    print("200 chats, 64 tokens, after the main thread has computed", flush=True)
    names = ("inoc, computed, kept", "inoc, computed, let go")
    turns([way._replace(name=name) for name in names], rounds, names[1])


PARTS = {"chats": chats, "questions": questions, "adapters": adapters, "workers": workers}


def make_adapters(base: str, dtype: str) -> None:
    """In a process of its own: train nothing, but write eight adapters that have an effect."""
    from inoc_evals.models.bases import resolve_base
    from inoc_evals.store.store import Store

    for number in range(8):
        random_adapter(resolve_base(base), f"adapter-{number}", Store(), dtype)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--base", default="smollm2", help="a base as in `inoc train --base`")
    parser.add_argument("--dtype", default="bfloat16", help="of all sides")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    from inoc_evals.models.bases import load_tokenizer, resolve_base

    base = resolve_base(options.base)
    with tempfile.TemporaryDirectory(prefix="inoc-benchmark-") as work:
        os.environ |= {"INSPECT_LOG_DIR": f"{work}/logs", "INOC_HOME": f"{work}/home"}
        maker = multiprocessing.get_context("spawn").Process(
            target=make_adapters, args=(base.path, options.dtype)
        )
        maker.start()
        maker.join()
        print(f"{options.dtype}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        start = Way("", base.path, ["adapter-0"], options.dtype, 32, ())
        for part in options.parts or PARTS:
            PARTS[part](start, load_tokenizer(base), options.rounds)


if __name__ == "__main__":
    main()
