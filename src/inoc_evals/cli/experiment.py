"""`inoc experiment`: write an experiment file to start from, check one, say what one is."""

import re
import textwrap
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from shlex import quote

import click
from rich.table import Table

from inoc_evals.cli.new_file import new_file, yaml_text
from inoc_evals.cli.output import console, say
from inoc_evals.cli.run import BASES, asked_for
from inoc_evals.cli.setting import measures_told, prompts_told
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import EXPERIMENTS, FOLDER, Experiment, Given, find_experiment
from inoc_evals.experiments.fitting import check_experiment, check_plan
from inoc_evals.experiments.plan import make_plan, parse_seeds
from inoc_evals.experiments.start import config_for, find_base
from inoc_evals.files.atomic import write_text
from inoc_evals.settings import Setting

_TEXT_WIDTH = 120
"""Columns in a file or a pipe, of texts that are to be read."""

_COPY = """\
# A copy of the packaged experiment {source}, to be changed.
#
#   inoc experiment check {file}        validate it; with --base BASE, see that rows and judges fit
#   inoc plan {file} --base pocket      what it would take
#   inoc run {file} --base pocket       train, evaluate, report
#
# Arms there are: inoc setting show SETTING. Whatever else may stand here, as a number of seeds or
# measures of your own: docs/experiments.md.

"""


@click.group("experiment")
def command() -> None:
    """List and show experiments; write or check one of your own, a YAML file."""


@command.command("list")
def list_experiments() -> None:
    """List the packaged experiments."""
    table = Table("name", "about", "settings", box=None)
    for name, one in EXPERIMENTS.items():
        table.add_row(name, one.title, ", ".join(setting.name for setting in one.settings))
    console(_TEXT_WIDTH).print(table)


@command.command("new")
@click.argument("name")
@click.option("--from", "source", metavar="EXPERIMENT", help="Copy a packaged one: fig2a.")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.yaml]")
def new(name: str, source: str | None, out: Path | None) -> None:
    """Write an experiment file called NAME to start from: a working example with comments."""
    path = new_file(name, out, EXPERIMENTS, "experiment")
    file = quote(str(path))
    write_text(path, _example(name, file) if source is None else _copy(source, name, file))
    say(
        f"wrote {path}; edit it, then:\n"
        f"  inoc experiment check {file}\n"
        f"  inoc run {file} --base pocket"
    )


def _example(name: str, file: str) -> str:
    text = (files("inoc_evals") / "data" / "experiment_example.yaml").read_text("utf-8")
    return text.format(name=yaml_text(name), file=file)


def _copy(source: str, name: str, file: str) -> str:
    """Return the text of a packaged experiment under another name."""
    if source not in EXPERIMENTS:
        raise InputError(f"no experiment {source!r} to copy; there are: {', '.join(EXPERIMENTS)}")
    path = FOLDER / f"{source}.yaml"
    text = path.read_text("utf-8") if path.is_file() else _taken(EXPERIMENTS[source])
    text = re.sub(r"^name: .*$", f"name: {yaml_text(name)}", text, count=1, flags=re.M)
    return _COPY.format(source=source, file=file) + text


def _taken(one: Experiment) -> str:
    """Return a file that takes all of an experiment whose arms or measures are computed."""
    lines = [
        f"name: {one.figure}",
        f"title: {yaml_text(one.title)}",
        f"# Its arms and measures, of which fewer may be named: inoc experiment show {one.figure}",
        f"from: {one.figure}",
        "settings:",
    ]
    for setting in one.settings:
        lines.append(f"  {setting.name}:")
        lines += _listed("arms", [arm.name for arm in setting.arms])
        lines += _listed("measures", list(setting.measures))
    pairs = [f"  - {condition} - {reference}" for condition, reference in one.contrasts]
    return "\n".join([*lines, "contrasts:", *pairs]) + "\n"


def _listed(key: str, names: Sequence[str]) -> list[str]:
    text = f"{key}: [{', '.join(names)}]"
    return textwrap.wrap(text, 96, initial_indent="    ", subsequent_indent=" " * 6)


@command.command("check")
@click.argument("file")
@click.option("--base", help=f"See that rows, measures and judges fit a base: {BASES}")
def check(file: str, base: str | None) -> None:
    """Validate an experiment FILE, as far as that can be done without training.

    Settings, arms, prompts, measures and contrasts are checked; with --base, the rows as that
    base reads them, its recipe and who judges as well. FILE may be a packaged experiment's name.
    """
    found = find_experiment(file)
    for line in check_experiment(found):
        say(line)
    if base is not None:
        _check_on(found, base)
    option = base or "BASE"
    say(f"run: inoc plan {quote(file)} --base {option}, then inoc run with the same")


def _check_on(found: Experiment, base: str) -> None:
    asked, resolved = asked_for(found, base, Given()), find_base(base)
    plan = make_plan(
        found,
        base=resolved,
        seeds=parse_seeds(asked.seeds),
        config=config_for(base, asked.config_file),
        given=asked.given,
        grader=asked.grader,
    )
    for line in (*plan.notes, *check_plan(plan, resolved, asked.further)):
        say(line)


@command.command("show")
@click.argument("name")
def show(name: str) -> None:
    """Say what an experiment is: settings, arms with their prompts, measures, what is compared.

    NAME is that of a packaged experiment, or a YAML file of your own.
    """
    found = find_experiment(name)
    say(f"{found.figure}: {found.title}" + (f" ({found.source})" if found.source else ""))
    for setting in found.settings:
        _show_setting(setting)
    say("\ncompared")
    for condition, reference in found.contrasts:
        say(f"  {condition} - {reference}")
    if found.watch is not None:
        arms = ", ".join(found.watch.arms) or "all arms"
        say(f"\nwatched while training: {arms}, the responses {found.watch.responses}")
    _show_given(found)


def _show_setting(setting: Setting) -> None:
    say(f"\nsetting {setting.name}: {setting.title}\n{setting.description}\narms")
    for arm in setting.arms:
        nil = f" Meant to be nil: {', '.join(arm.nil)}." if arm.nil else ""
        say(f"  {arm.name}: {arm.description}{nil}")
        for text in prompts_told(setting, arm):
            say(f"    {text}")
    say("measures")
    for line in measures_told(setting):
        say(f"  {line}")


def _show_given(found: Experiment) -> None:
    for base, given in (("any base", found.given), *found.bases.items()):
        said = [
            *([f"seeds {given.seeds}"] if given.seeds else []),
            *(f"rows {label} of {path}" for label, path in given.rows.items()),
            *([f"training fields of {given.config}"] if given.config else []),
            *_judged_by(given.graders),
            *([f"settings {', '.join(given.settings)}"] if given.settings else []),
            *([f"measures {', '.join(given.measures)}"] if given.measures else []),
        ]
        if said:
            say(f"\non {base}: {'; '.join(said)}")


def _judged_by(graders: Sequence[str]) -> list[str]:
    return [f"judged by {', '.join(graders)}"] if graders else []
