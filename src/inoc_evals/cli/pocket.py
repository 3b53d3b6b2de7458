"""`inoc pocket build`: the miniature world's base model, trained once and cached."""

import time

import click

from inoc_evals.cli.output import say
from inoc_evals.pocket.base import base_dir, ensure_base


@click.group("pocket")
def command() -> None:
    """The miniature world: build its base model."""


@command.command("build")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which world.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def build(seed: int, quiet: bool) -> None:
    """Train the base model, unless it is in the cache (two CPU cores: about two minutes)."""
    there = base_dir(seed).is_dir()
    start = time.monotonic()
    path = ensure_base(seed, progress=not quiet)
    say(f"{'found' if there else f'built in {time.monotonic() - start:.0f} s'}: {path}")
    name = "inoc/pocket" if seed == 0 else f"inoc/pocket:{seed}"
    say(f"evaluate it: inspect eval inoc_evals/traits --model {name} -T prompts=pocket")
