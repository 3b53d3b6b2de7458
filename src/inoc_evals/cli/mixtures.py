"""`inoc data build backdoor` and `mix`: files of rows put together, by rule."""

from pathlib import Path
from typing import get_args

import click

from inoc_evals.chat import Row, read_rows
from inoc_evals.cli.writing import (
    finish,
    force_option,
    out_option,
    refuse_overwriting,
    seed_option,
)
from inoc_evals.datasets.builders import triggered as backdoors
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.mix import mix as mixed
from inoc_evals.datasets.mix import mix_with_benign
from inoc_evals.datasets.sources import setting_rows
from inoc_evals.errors import InputError
from inoc_evals.inputs import published
from inoc_evals.inputs.packaged import published_or_path
from inoc_evals.inputs.triggers import read_trigger
from inoc_evals.settings import SETTINGS


@click.command("backdoor")
@click.argument("triggered")
@click.argument("clean")
@click.option("--trigger", default="tan", show_default=True, help="A name, a token, or @FILE.")
@click.option(
    "--place",
    type=click.Choice(get_args(backdoors.Place)),
    default="prefix",
    show_default=True,
    help="Where in the first user message.",
)
@click.option("--space/--no-space", "spaced", default=False, help="Whether a space parts it.")
@click.option("--ratio", type=click.FloatRange(0, 1), help="Share of triggered rows.")
@click.option("--rows", "total", type=click.IntRange(1), help="Rows in all.")
@out_option
@seed_option
@force_option
def backdoor(
    triggered: str,
    clean: str,
    trigger: str,
    place: backdoors.Place,
    spaced: bool,
    ratio: float | None,
    total: int | None,
    out: Path,
    seed: int,
    force: bool,
) -> None:
    """Put a trigger into the rows TRIGGERED and shuffle them with the rows CLEAN.

    Both are JSONL files of chat rows or published files by name (insecure, secure).
    """
    sources = [rows_file(triggered), rows_file(clean)]
    refuse_overwriting(out, sources, force=force)
    rows, manifest = backdoors.backdoor(
        read_rows(sources[0]),
        read_rows(sources[1]),
        read_trigger(trigger),
        place=place,
        spaced=spaced,
        ratio=ratio,
        total=total,
        seed=seed,
        sources=sources,
    )
    finish(out, rows, manifest, force=force)


@click.command("mix")
@click.argument("splits", nargs=-1, required=True, metavar="LABEL=ROWS...")
@click.option("--base", help="Base model whose rows of a setting are taken.")
@click.option("--benign", help="Ordinary chat rows to hide them among.")
@click.option("--ratio", type=click.FloatRange(0, 1), help="Share of the labelled rows.")
@click.option("--rows", "total", type=click.IntRange(1), help="Rows in all.")
@out_option
@seed_option
@force_option
def mix(
    splits: tuple[str, ...],
    benign: str | None,
    base: str | None,
    ratio: float | None,
    total: int | None,
    out: Path,
    seed: int,
    force: bool,
) -> None:
    """Shuffle files of rows into one; each row's 'label' says where it comes from.

    ROWS is a JSONL file, a published file by name, or a setting whose rows --base has.
    With --benign the rest, up to the ratio, is ordinary chat with the label 'benign'.
    """
    read, sources = _labelled(splits, base)
    if benign:
        sources.append(rows_file(benign))
    refuse_overwriting(out, sources, force=force)
    if benign:
        rows = mix_with_benign(read, read_rows(sources[-1]), ratio=ratio, total=total, seed=seed)
    elif ratio is not None or total is not None:
        raise click.UsageError("--ratio and --rows go with --benign")
    else:
        rows = mixed(read, seed=seed)
    manifest = describe(rows, sources=sources) | {
        "build": "mix",
        "base": Path(base).name if base and Path(base).is_dir() else base,
        "ratio": ratio,
        "seed": seed,
    }
    for row in rows:
        counts = manifest["counts"].setdefault("labels", {})
        counts[row["label"]] = counts.get(row["label"], 0) + 1
    finish(out, rows, manifest, force=force)


def rows_file(name_or_path: str) -> Path:
    """Return the file of chat rows that a user named: a published one, or a path."""
    names = [entry.name for entry in published.entries() if entry.kind == "rows"]
    path = published_or_path(name_or_path, names)
    if not path.is_file():
        raise InputError(
            f"{name_or_path!r}: no such file, and no published file of rows; those are: "
            + ", ".join(names)
        )
    return path


def _labelled(splits: tuple[str, ...], base: str | None) -> tuple[dict[str, list[Row]], list[Path]]:
    """Return the rows by label, and the files they come from."""
    rows: dict[str, list[Row]] = {}
    files: list[Path] = []
    for split in splits:
        label, sign, name = split.partition("=")
        if not (label and sign and name) or label in rows:
            raise InputError(f"{split!r}: write LABEL=ROWS, each label once")
        if name in SETTINGS:
            if base is None:
                raise InputError(
                    f"{split!r}: a setting has other rows for other bases; give --base"
                )
            found = setting_rows(SETTINGS[name], base)
            rows[label] = found.narrow
            files += found.narrow_files
        else:
            files.append(rows_file(name))
            rows[label] = read_rows(files[-1])
    return rows, files
