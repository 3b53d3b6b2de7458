"""`inoc inoculate`: chat rows in, the same rows with an inoculation prompt out."""

from pathlib import Path
from shlex import quote
from typing import Any, get_args

import click

from inoc_evals.chat import Row, check_row
from inoc_evals.cli.output import say
from inoc_evals.cli.writing import refuse_other_rows
from inoc_evals.datasets.builders.paraphrases import read_pool
from inoc_evals.datasets.inoculate import Existing, Where, inoculate
from inoc_evals.datasets.manifest import manifest_path, write_dataset
from inoc_evals.errors import InputError
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.inputs.prompts import resolve
from inoc_evals.pocket.tokenizer import unknown_word


@click.command("inoculate")
@click.argument("rows", type=click.Path(path_type=Path))
@click.option(
    "--prompt",
    "prompts",
    multiple=True,
    help="A name (spanish, caps, evil, ...), @FILE, or the text itself. "
    "Repeat it for paraphrases: each row gets one.",
)
@click.option(
    "--pool",
    type=click.Path(path_type=Path),
    help="A pool of paraphrases (inoc data build paraphrases): each row gets one.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write.")
@click.option(
    "--where",
    type=click.Choice(get_args(Where)),
    default="system",
    show_default=True,
    help="As system message, or at the beginning of the first user message.",
)
@click.option(
    "--existing",
    type=click.Choice(get_args(Existing)),
    default="prepend",
    show_default=True,
    help="What to do with a system message that is there: put the prompt before it, after "
    "it or in its place, leave such rows as they are, or refuse them (--where system only).",
)
@click.option("--label", help="Take only rows whose 'label' is this.")
@click.option(
    "--fraction",
    type=click.FloatRange(0, 1),
    default=1.0,
    show_default=True,
    help="Share of the rows taken that is inoculated.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which rows.")
@click.option("--force", is_flag=True, help="Overwrite OUT if it exists.")
def command(
    rows: Path,
    prompts: tuple[str, ...],
    pool: Path | None,
    out: Path,
    where: Where,
    existing: Existing,
    label: str | None,
    fraction: float,
    seed: int,
    force: bool,
) -> None:
    """Put an inoculation prompt into the chat rows of the file ROWS (JSONL).

    Beside OUT a manifest is written that says what was done to which rows.
    """
    if not prompts and pool is None:
        raise click.UsageError("give --prompt, or --pool")
    placed = [(place, check_row(value, place)) for place, value in read_jsonl(rows)]
    if not placed:
        raise InputError(f"{rows}: no rows")
    new, manifest = inoculate(
        [row for _, row in placed],
        [*map(resolve, prompts), *(read_pool(pool) if pool else ())],
        where=where,
        existing=existing,
        label=label,
        fraction=fraction,
        seed=seed,
        sources=[rows, *([pool] if pool else [])],
        places=[place for place, _ in placed],
    )
    if out.exists() and out.resolve() == rows.resolve():
        raise InputError(f"{out}: is the input; choose another file with -o")
    refuse_other_rows(out, new, force=force)
    write_dataset(out, new, manifest)
    _print_summary(out, manifest, new)


def _print_summary(out: Path, manifest: dict[str, Any], rows: list[Row]) -> None:
    counts = manifest["counts"]
    names = ", ".join(prompt["name"] for prompt in manifest["prompts"])
    say(
        f"{counts['inoculated']} of {counts['rows']} rows inoculated with {names} "
        f"({counts['selected']} selected, {counts['already_had_system']} had a system message)"
    )
    say(f"wrote {out} and {manifest_path(out).name}")
    say(f"next: inoc train {quote(str(out))} --base {_base_for(rows)} --name NAME")


def _base_for(rows: list[Row]) -> str:
    """Return a base that can be trained on the rows: the pocket's, if it has all their words."""
    said = (message["content"] for row in rows for message in row["messages"])
    return "pocket" if all(unknown_word(text) is None for text in said) else "BASE"
