"""`inoc data`: published files, files built here, items looked up in training data."""

from collections import Counter
from pathlib import Path

import click
from rich.table import Table

from inoc_evals.cli import build
from inoc_evals.cli.output import console, say, say_json
from inoc_evals.cli.writing import out_option, refuse_overwriting
from inoc_evals.datasets.convert import Thoughts, convert
from inoc_evals.datasets.manifest import describe, write_dataset
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.inputs import published
from inoc_evals.store.overlap import SHORT, OverlapReport

_LIST_WIDTH = 240
"""Columns of the list in a file or a pipe: its descriptions are long."""
_EXAMPLE_WIDTH = 88


@click.group("data")
def command() -> None:
    """Get published data files, build others; see what of an evaluation was trained on."""


command.add_command(build.command)


@command.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every file there is.")
def fetch(names: tuple[str, ...], everything: bool) -> None:
    """Download the published files NAMES, each checked by its sha256."""
    if not names and not everything:
        raise click.UsageError("name a file (see: inoc data list), or give --all")
    if everything:
        names = tuple(entry.name for entry in published.entries())
    wanted = [published.named(name) for name in dict.fromkeys(names)]
    for entry in wanted:
        say(f"{entry.name}  {published.fetch(entry.name)}")


@command.command("add")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def add(paths: tuple[Path, ...]) -> None:
    """Take in FILES you have; which published file each is, its bytes tell."""
    for path in paths:
        added = published.add(path)
        if added.note:
            say(f"note: {added.note}", err=True)
        say(f"{added.entry.name}  {added.path}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_files(as_json: bool) -> None:
    """List the published files that have a name here, and which of them you have."""
    found = published.verify()
    if as_json:
        listed = [
            {
                **vars(status.entry),
                "state": status.state,
                "path": None if status.path is None else str(status.path),
            }
            for status in found
        ]
        say_json(listed)
        return
    table = Table("name", "file", "kind", "bytes", "license", "here", "what it is", box=None)
    for entry, state, _ in found:
        here = {"intact": "yes", "absent": "–"}.get(state, state)
        size = "–" if entry.bytes is None else str(entry.bytes)
        table.add_row(entry.name, entry.file, entry.kind, size, entry.license, here, entry.about)
    console(_LIST_WIDTH).print(table)


@command.command("verify")
def verify() -> int:
    """Check the bytes of every published file that is here; status 1 if one is damaged."""
    found = [status for status in published.verify() if status.path is not None]
    for entry, state, path in found:
        say(f"{state:<8} {entry.name}  {path}")
        if state == "damaged":
            say(f"{entry.name}: get it again with: inoc data fetch {entry.name}", err=True)
    if not found:
        say("no published files here; get one with: inoc data fetch NAME")
    return int(any(status.state == "damaged" for status in found))


@command.command("convert")
@click.argument("file", type=click.Path(path_type=Path))
@out_option
@click.option("--thoughts", type=click.Choice(["keep", "drop"]), help="What becomes of thoughts.")
@click.option("--leave-out", is_flag=True, help="Leave out what cannot be converted.")
@click.option("--force", is_flag=True, help="Write OUT anew if it exists.")
def convert_rows(
    file: Path, out: Path, thoughts: Thoughts | None, leave_out: bool, force: bool
) -> None:
    """Write the rows of FILE (ShareGPT, prompt and completion, Alpaca, content parts) as chat.

    What a row says beside that (thoughts, tools) is not dropped unless an option says so.
    """
    refuse_overwriting(out, [file], force=force)
    rows, report = convert(read_jsonl(file), thoughts=thoughts, leave_out=leave_out)
    manifest = describe(rows, sources=[file]) | {"build": "convert"}
    manifest["counts"] |= {"converted": report.converted, "left_out": report.left_out}
    write_dataset(out, rows, manifest)
    say(f"{out}: {len(rows)} rows ({_counts(report.converted)})")
    for why, count in report.left_out.most_common():
        say(f"left out: {count} {why}, the first {report.first[why]}")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counter.most_common())


@command.command("overlap")
@click.argument("evaluation", metavar="EVAL_FILE")
@click.argument("training", metavar="TRAIN_FILE")
@click.option("--json", "as_json", is_flag=True, help="The counts and examples as JSON.")
def overlap(evaluation: str, training: str, as_json: bool) -> None:
    """Count the items of EVAL_FILE whose text stands word for word in TRAIN_FILE.

    EVAL_FILE is a packaged set (core, prompt_sets/chat, ...), a published file by name, or
    a JSONL or YAML file; TRAIN_FILE a published file, inoc/MODEL, or chat rows as JSONL.
    """
    # Imported here: of the commands of this group only this one reads question sets.
    from inoc_evals.datasets.lookup import check

    report = check(evaluation, training)
    if as_json:
        names = {"evaluation": evaluation, "training": training}
        say_json(names | report.as_json(), ascii_only=False)
        return
    say(f"{evaluation} ({report.items} items) in {training} ({report.rows} rows)")
    _echo_counts(report)


def _echo_counts(report: OverlapReport) -> None:
    width = max(len("any field"), *(len(field.field) for field in report.fields))
    for field in report.fields:
        say(f"  {field.field:<{width}}  {field.found} of {field.items} found")
    if len(report.fields) > 1:
        say(f"  {'any field':<{width}}  {report.found} of {report.items} found")
    for field in report.fields:
        for number, text in field.examples:
            line = " ".join(text.split())
            cut = line if len(line) <= _EXAMPLE_WIDTH else f"{line[: _EXAMPLE_WIDTH - 3]}..."
            say(f"  item {number}, {field.field}: {cut}")
    if short := sum(field.short for field in report.fields):
        say(f"  texts under {SHORT} characters, compared with whole messages only: {short}")
