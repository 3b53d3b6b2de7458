"""Memory of a process that evaluates eight adapters of one base, against one adapter.

    python benchmarks/adapter_memory.py                 # a random model of pocket size
    python benchmarks/adapter_memory.py --base pocket   # or any other base

Each number is the peak resident memory of a fresh process that asks all its models 400 chats, in
one Inspect evaluation: one of all, or eight of 50 each. Promise: eight take at most 1.3 times what
one takes. One that is asked 50 is shown beside: fewer rows at once need a smaller cache.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

PROMISE = 1.3
CHATS = 400


def evaluate(names: list[str], chats: int) -> None:
    """Evaluate the models in this process and print its peak resident memory in MiB."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.solver import generate

    import inoc_evals.providers.registration  # noqa: F401

    questions = [f"what is {number} plus {number} ?" for number in range(chats)]
    task = Task(dataset=[Sample(input=question) for question in questions], solver=generate())
    logs = eval(
        task,
        model=names,
        max_tokens=32,
        max_connections=chats,
        max_tasks=len(names),
        display="none",
        log_dir=os.environ["INSPECT_LOG_DIR"],
    )
    assert all(log.status == "success" for log in logs), [log.error for log in logs]
    unit = 1024 if sys.platform == "darwin" else 1
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", help="a base as in `inoc train --base`; default: a random model")
    parser.add_argument("--adapters", type=int, default=8)
    parser.add_argument("--evaluate", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--chats", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.evaluate:
        evaluate(options.evaluate, options.chats)
        return
    with tempfile.TemporaryDirectory(prefix="inoc-benchmark-") as work:
        compare(Path(work), options)


def compare(work: Path, options: argparse.Namespace) -> None:
    from provider_throughput import random_adapter, random_base

    from inoc_evals.models.bases import resolve_base
    from inoc_evals.store.store import Store

    base = resolve_base(options.base or str(random_base(work / "base")))
    environment = {
        **os.environ,
        "INOC_HOME": str(work / "home"),
        "INSPECT_LOG_DIR": str(work / "logs"),
    }
    local, store = resolve_base(base.path), Store(work / "home")
    names = [f"inoc/adapter-{number}" for number in range(options.adapters)]
    for name in names:
        random_adapter(local, name.removeprefix("inoc/"), store)
    each = CHATS // options.adapters
    peaks = {}
    for count, chats in ((1, each), (1, CHATS), (options.adapters, each)):
        asked = ["--chats", str(chats), "--evaluate", *names[:count]]
        command = [sys.executable, __file__, *asked]
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        if run.returncode:
            sys.exit(run.stderr)
        peaks[count, chats] = peak = float(run.stdout.split()[-1])
        print(f"{count} adapter{'s' * (count > 1)}, {chats} chats each: {peak:.0f} MiB")
    ratio = peaks[options.adapters, each] / peaks[1, CHATS]
    print(f"ratio of the last two {ratio:.2f} (promise: at most {PROMISE})")


if __name__ == "__main__":
    main()
