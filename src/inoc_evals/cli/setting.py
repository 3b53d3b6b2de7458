"""`inoc setting`: list and show what is studied; write or check a setting of one's own."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from shlex import quote
from typing import Any

import click
from click.core import ParameterSource
from rich.table import Table

from inoc_evals.chat import Row, write_rows
from inoc_evals.cli.new_file import new_file, yaml_text
from inoc_evals.cli.output import console, say
from inoc_evals.cli.run import BASES, ROWS, given_rows
from inoc_evals.datasets.sources import lacking
from inoc_evals.errors import InputError, require
from inoc_evals.experiments.files import TrainingFile, training_files
from inoc_evals.experiments.measure_names import check_measures
from inoc_evals.experiments.start import default_recipe, find_base
from inoc_evals.files.atomic import write_text
from inoc_evals.models.kinds import kind_of
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.settings import SETTINGS, Setting
from inoc_evals.settings.own import find_setting
from inoc_evals.settings.setting import Arm, Rows

_TEXT_WIDTH = 120
"""Columns in a file or a pipe, of texts that are to be read."""
_EXAMPLES = 10
_ROWS = 400
"""Rows of the example that is written."""
_BASES = ("pocket", "smollm2", "openai/MODEL", "any other")


@click.group("setting")
def command() -> None:
    """List and show what is studied; write or check a setting of your own."""


@command.command("list")
def list_settings() -> None:
    """List the settings there are."""
    table = Table("name", "about", "arms", "rows for", box=None)
    for setting in SETTINGS.values():
        sources = [] if lacking(setting, "pocket") else ["pocket"]
        sources.append(f"other bases: {_elsewhere(setting)}")
        table.add_row(setting.name, setting.title, str(len(setting.arms)), "; ".join(sources))
    console(_TEXT_WIDTH).print(table)


def _elsewhere(setting: Setting) -> str:
    """Say where the rows on other bases come from."""
    for place, told in (("published", "published"), ("problems", "written by rule")):
        if all(getattr(one, place) is not None for one in setting.files.values()):
            return told
    return "to be built"


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Show a setting: its rows, arms with their prompts to the letter, measures, recipes.

    NAME is that of a packaged setting, or a YAML file of your own.
    """
    setting = find_setting(name)
    say(f"{setting.name}: {setting.title} ({setting.source})\n{setting.description}")
    say("\nrows")
    for label, part in (setting.first.parts if setting.first else {}).items():
        prompt = setting.prompt(part.prompt).text
        say(f"  first stage {label}: {_told_source(part.file)}, after the prompt {prompt!r}")
    for what, sources in (("narrow", setting.files), ("control", setting.control_files)):
        for label, source in sources.items():
            say(f"  {what} {label}: {_told_source(source)}")
    say("\narms")
    for arm in setting.arms:
        say(f"  {arm.name}: {arm.description}")
        for text in prompts_told(setting, arm):
            say(f"    {text}")
    say("\nmeasures")
    for line in measures_told(setting):
        say(f"  {line}")
    say("\nrecipe by default")
    for base in _BASES:
        say(f"  {base}: {default_recipe(base).source}")


def measures_told(setting: Setting) -> list[str]:
    """Return what is measured by which task, a line each."""
    return [
        f"{key} ({', '.join(f'{split}: {one.task}' for split, one in measure.probes().items())}): "
        f"{measure.rule}"
        for key, measure in setting.measures.items()
    ]


def _told_source(source: Rows) -> str:
    told = source.path or source.built or f"published file {source.published}"
    if source.problems is not None:
        told = f"word problems written by rule, as by {source.problems.command}"
    return told + (f", each after {source.prefix!r}" if source.prefix else "")


def prompts_told(setting: Setting, arm: Arm) -> list[str]:
    """Return the prompts of an arm to the letter, and where each is put."""
    texts = [f"trained with: {setting.prompt(name).text!r}" for name in arm.prompts]
    under = dict.fromkeys(arm.test_prompts.values())
    return texts + [f"asked under: {setting.asked_under(name).text!r}" for name in under]


@command.command("new")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.yaml]")
def new(name: str, out: Path | None) -> None:
    """Write a setting file called NAME to start from: a working example with comments.

    Beside it two files of rows are written, in the words of the pocket world, for you to replace.
    """
    path = new_file(name, out, SETTINGS, "setting")
    rows, control = (path.with_name(f"{path.stem}_{part}.jsonl") for part in ("rows", "control"))
    for made in (rows, control):
        if made.exists():
            raise InputError(f"{made} exists; choose another name, or --out FILE")
    write_rows(rows, narrow_rows("es", caps=True, rows=_ROWS))
    write_rows(control, narrow_rows(rows=_ROWS))
    example = files("inoc_evals") / "data" / "setting_example.yaml"
    named = {"rows": yaml_text(rows.name), "control": yaml_text(control.name)}
    typed = quote(str(path))
    write_text(path, example.read_text("utf-8").format(name=yaml_text(name), file=typed, **named))
    say(
        f"wrote {path}, {rows} and {control}; edit them, then:\n"
        f"  inoc setting check {typed}\n"
        f"  inoc run --setting {typed} --base pocket"
    )


@command.command("check")
@click.argument("file")
@click.option("--base", default="pocket", show_default=True, help=BASES)
@click.option("--rows", "rows", multiple=True, metavar="LABEL=FILE", help=ROWS)
@click.pass_context
def check(context: click.Context, file: str, base: str, rows: tuple[str, ...]) -> None:
    """Validate a setting FILE, and show ten rows as a model will see them.

    FILE may be the name of a packaged setting. The rows are shown in the chat template of the
    base; what carries loss is green and between ▸ and ◂.
    """
    setting = find_setting(file)
    files = training_files(setting, base, given_rows(rows))
    check_measures(setting)
    say(f"{setting.name}: {setting.description}")
    for name, made in files.items():
        say(f"  {name}: {len(made.rows):,} rows{_told(made.manifest)}")
    chosen = context.get_parameter_source("base") is not ParameterSource.DEFAULT
    _show_examples(files, base, strict=chosen)
    option = file if file in SETTINGS else quote(file)
    say(f"run: inoc plan --setting {option} --base BASE, then inoc run with the same")


def _told(manifest: Mapping[str, Any]) -> str:
    names = ", ".join(prompt["name"] for prompt in manifest.get("prompts", []))
    counts = manifest["counts"]
    if not names:
        return ""
    return f", {counts['inoculated']:,} of them after the prompt {names}"


# ---- examples ------------------------------------------------------------------------------


def _show_examples(files: Mapping[str, TrainingFile], base: str, *, strict: bool) -> None:
    """Show rows of every arm in turn; words that the pocket lacks are an error if it was asked."""
    if kind_of(base).hosted:
        say("examples: OpenAI's chat template is not public; choose a base with one")
        return
    require("train", "torch", "transformers", "tokenizers")
    tokenizer = _tokenizer(base)
    from inoc_evals.training.rendered import rendered

    printed = console(_TEXT_WIDTH)
    for number, (arm, place, row) in enumerate(_examples(files), start=1):
        try:
            spans = rendered(tokenizer, row["messages"], where=f"arm {arm}, row {place}")
        except InputError as error:
            if strict:
                raise
            say(f"examples cannot be shown: {error}\nname the --base you will train")
            return
        printed.print(f"{number}. {arm}, row {place}", style="bold")
        for span in spans:
            text = f"▸{span.text}◂" if span.learned else span.text
            printed.print(text, style="green" if span.learned else "dim", end="")
        printed.print()


def _tokenizer(base: str) -> Any:
    """Load a base's tokenizer; that of the pocket needs no base."""
    from inoc_evals.models.bases import load_tokenizer

    if kind_of(base).pocket:
        from inoc_evals.pocket.tokenizer import build_tokenizer

        return build_tokenizer()
    return load_tokenizer(find_base(base))


def _examples(files: Mapping[str, TrainingFile]) -> list[tuple[str, int, Row]]:
    """Return arm, row number and row of ten examples: the arms in turn, rows evenly spread."""
    arms = list(files)
    found = []
    for number in range(_EXAMPLES):
        arm = arms[number % len(arms)]
        rows = files[arm].rows
        place = number * len(rows) // _EXAMPLES
        found.append((arm, place + 1, rows[place]))
    return found
