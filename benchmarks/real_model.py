"""Serving a real language model: what the engine takes, beside every other way on this machine.

    inoc base get smollm2
    python benchmarks/real_model.py                       # all of it: half an hour on two cores
    python benchmarks/real_model.py chats --rounds 3      # or one part
    python benchmarks/real_model.py --write               # and put its tables into docs/performance.md

Each part prints ratios of one run. Every way runs in a process of its own, in turns with the others,
after a short warm-up: a process whose threads each have computed something is a slower one
(models/openmp.py). All compute in one data type, sample at temperature 1 and make exactly as many
tokens, for no token ends an answer. The last part gives a process two threads that compute.

    chats      200 different chats, 64 tokens, one adapter: plain batched `generate`, Inspect's `hf`
               and transformers' continuous batching, each at several batch sizes, and `inoc/`
    questions  8 questions asked 100 times, against 800 different ones as long: what reading equal
               prompts once is worth, with prompts of 60 tokens (long_questions: of 300), 32 tokens
    adapters   8 adapters asked 32 chats each at once, against one asked all 256, 32 tokens: in one
               process that has loaded all, in short turns, for a machine's speed drifts by more
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

import tables
from provider_throughput import (
    bandwidth,
    plain_loop,
    prompts_of,
    random_adapter,
    sampling,
    without_ends,
)

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


Table = list[list[str]]


def apart(work: Callable[..., None], way: Way) -> Any:
    """Do work in a process of its own; return what it puts into the queue that it is given."""
    context = multiprocessing.get_context("spawn")
    found = context.Queue()
    process = context.Process(target=work, args=(way, found))
    process.start()
    got = found.get()
    process.join()
    return got


def floors(way: Way, found: Any) -> None:
    """In a process of its own: the tokens a second that weights and arithmetic allow.

    The weights are read once a step of all rows, at the bandwidth that a copy shows; prompts and
    answers are multiplied with every weight, answers with the vocabulary's too, at the speed of one
    product of 256 rows.
    """
    import torch

    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.models.loading import load_model

    base = resolve_base(way.base)
    model = load_model(base, dtype=way.dtype)
    size = sum(one.numel() for one in model.parameters())
    head = model.get_output_embeddings().weight.numel()
    weight = torch.ones(1536, 1536, dtype=model.dtype)
    block = torch.ones(256, 1536, dtype=model.dtype)
    torch.nn.functional.linear(block, weight)
    start = time.perf_counter()
    for _ in range(50):
        torch.nn.functional.linear(block, weight)
    flops = 50 * 2 * block.shape[0] * weight.numel() / (time.perf_counter() - start)
    prompts = sum(map(len, prompts_of(load_tokenizer(base), way.questions)))
    made = len(way.questions) * way.new
    work = 2 * (size - head) * prompts + 2 * size * made
    by_weights = len(way.questions) * bandwidth() / (size * model.dtype.itemsize)
    found.put((by_weights, made / (work / flops)))


def with_floors(table: Table, way: Way, ours: str) -> Table:
    """Add what is the most that could be had."""
    own = next(float(row[2]) for row in table if row[0] == ours)
    names = ("weights read once a step", "products at their peak")
    for name, speed in zip(names, apart(floors, way), strict=True):
        table.append([f"the most: {name}", "", f"{speed:.0f}", f"{own / speed:.2f}"])
    return table


def turns(ways: Sequence[Way], rounds: int, ours: str) -> Table:
    """Let each answer in turn; return the median tokens a second, and how much faster ours is."""
    speeds: dict[str, list[float]] = {}
    said: dict[str, Any] = {}
    for _ in range(rounds):
        for way in ways:
            said[way.name] = got = apart(answered, way)
            if not isinstance(got, str):
                speeds.setdefault(way.name, []).append(got[0] / got[1])
    table = [["", "tokens made", "tokens/s", f"{ours}: times as fast"]]
    for name, got in said.items():
        if isinstance(got, str):
            table.append([name, f"does not run here: {got}"[:120], "", ""])
            continue
        table.append(compared(name, f"{got[0]:,}", speeds, ours))
    return table


def compared(name: str, made: str, speeds: dict[str, list[float]], ours: str) -> list[str]:
    """Return a way's row of a table: its median tokens a second, and how much faster ours is."""
    speed, best = (statistics.median(speeds[one]) for one in (name, ours))
    return [name, made, f"{speed:.0f}", f"{best / speed:.2f}"]


def chats(start: Way, tokenizer: Any, rounds: int) -> Table:
    """200 different chats, 64 tokens each, one adapter."""
    way = start._replace(new=64, questions=asked(200, 30, tokenizer, seed=0))
    kinds = ("plain generate", "inspect hf")
    names = [f"{kind}, {batch}" for kind in kinds for batch in BATCHES]
    ways = [way._replace(name=name) for name in (*names, "continuous batching", "inoc")]
    return with_floors(turns(ways, rounds, "inoc"), way, "inoc")


def _questions(start: Way, tokenizer: Any, rounds: int, length: int) -> Table:
    different = asked(800, length, tokenizer, seed=length)
    same = [one for one in different[:8] for _ in range(100)]
    ways = [
        start._replace(name="inoc, 800 different", questions=different),
        start._replace(name="inoc, 8 of them 100 times", questions=same),
    ]
    return turns(ways, rounds, "inoc, 8 of them 100 times")


def questions(start: Way, tokenizer: Any, rounds: int) -> Table:
    """8 questions asked 100 times against 800 different ones, prompts of 60 tokens, 32 tokens each."""
    return _questions(start, tokenizer, rounds, 60)


def long_questions(start: Way, tokenizer: Any, rounds: int) -> Table:
    """8 questions asked 100 times against 800 different ones, prompts of 300 tokens, 32 tokens each."""
    return _questions(start, tokenizer, rounds, 300)


def by_turns(way: Way, found: Any) -> None:
    """In a process of its own: let one adapter and all of them answer as many chats, in turns."""
    from inspect_ai.model import get_model

    import inoc_evals.providers.registration  # noqa: F401

    without_ends()
    models = [get_model(f"inoc/{name}", dtype=way.dtype) for name in way.adapters]
    runs = {
        "inoc, one": through(models[:1], 256, way.new),
        "inoc, eight": through(models, 256, way.new),
    }
    turns = [way.questions[at : at + 256] for at in range(0, len(way.questions), 256)]
    runs["inoc, eight"](turns.pop()[:64])
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    while turns:
        for name in [*runs, *reversed(runs)]:
            start = time.perf_counter()
            speeds[name].append(runs[name](turns.pop()) / (time.perf_counter() - start))
    found.put(speeds)


def adapters(start: Way, tokenizer: Any, rounds: int) -> Table:
    """256 chats, 32 tokens each, of one adapter or of eight, 32 each; eight turns each a round."""
    questions = asked((16 * rounds + 1) * 256, 30, tokenizer, seed=1)
    eight = [f"adapter-{number}" for number in range(8)]
    speeds = apart(by_turns, start._replace(questions=questions, adapters=eight))
    rows = [
        compared(name, str(len(those)), speeds, "inoc, eight") for name, those in speeds.items()
    ]
    return [["", "turns", "tokens/s", "inoc, eight: times as fast"], *rows]


def workers(start: Way, tokenizer: Any, rounds: int) -> Table:
    """200 chats, 64 tokens each, where the main thread keeps OpenMP workers or has let go of them."""
    way = start._replace(new=64, questions=asked(200, 30, tokenizer, seed=0))
    names = ("inoc, computed, kept", "inoc, computed, let go")
    return turns([way._replace(name=name) for name in names], rounds, names[1])


PARTS = {
    "chats": chats,
    "questions": questions,
    "long_questions": long_questions,
    "adapters": adapters,
    "workers": workers,
}


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
    parser.add_argument("--write", action="store_true", help="tables into docs/performance.md")
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
            print((PARTS[part].__doc__ or "").strip(), flush=True)
            table = PARTS[part](start, load_tokenizer(base), options.rounds)
            for row in table:
                print("  " + "  ".join(f"{cell:27}" for cell in row).rstrip())
            if options.write:
                tables.write(f"real_model {part}", table)


if __name__ == "__main__":
    main()
