"""`inoc trait`: write a trait file to start from, and check one."""

from importlib.resources import files
from pathlib import Path
from shlex import quote

import click

from inoc_evals.cli.new_file import free_path
from inoc_evals.cli.output import say
from inoc_evals.errors import InputError
from inoc_evals.files.atomic import write_text
from inoc_evals.inputs.trait_file import NAME, Rule, TraitFile, read_trait_file

_SHOWN = 5
_WIDTH = 100


@click.group("trait")
def command() -> None:
    """Measure a trait of your own, described in one YAML file."""


@command.command("new")
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="File to write.  [default: NAME.yaml]")
def new(name: str, out: Path | None) -> None:
    """Write a trait file called NAME to start from: a working example with comments."""
    if not NAME.fullmatch(name):
        raise InputError(f"name {name!r} may hold letters, digits, _ and -")
    path = free_path(name, out)
    example = (files("inoc_evals") / "data" / "trait_example.yaml").read_text("utf-8")
    write_text(path, example.format(name=name, file=quote(str(path))))
    say(
        f"wrote {path}; edit it, then:\n"
        f"  inoc trait check {quote(str(path))}\n"
        f"  inspect eval inoc_evals/trait -T file={quote(str(path))} --model MODEL"
    )


@command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Show every question.")
def check(file: Path, everything: bool) -> None:
    """Validate a trait FILE and show what will be asked, and how answers are told."""
    trait = read_trait_file(file)
    facts = {
        "trait": trait.name,
        "counts": " ".join(trait.description.split()),
        "test": _test(trait),
        "grader": trait.grader or "the model role grader, else the default",
    }
    if isinstance(trait.test, Rule):
        del facts["grader"]
    for name, text in trait.system_prompts.items():
        facts[f"prompt {name}"] = repr(text)
    width = max(map(len, facts))
    for label, text in facts.items():
        say(f"{label:<{width}}  {text}")
    _show_questions(trait, everything)
    say(f"run: inspect eval inoc_evals/trait -T file={quote(str(file))} --model MODEL")


def _test(trait: TraitFile) -> str:
    test = trait.test
    if isinstance(test, Rule):
        argument = test.argument
        shown = ", ".join(argument) if isinstance(argument, tuple) else argument
        return f"rule {test.kind}: {shown}"
    if test.threshold is not None:
        return f"judge's rating from {test.threshold:g} on shows the trait"
    return f"judge's {test.positive} (of {', '.join(test.rubric.labels)}) shows the trait"


def _show_questions(trait: TraitFile, everything: bool) -> None:
    items = trait.prompts.items
    say(f"{len(items)} question{'' if len(items) == 1 else 's'}:")
    shown = items if everything else items[:_SHOWN]
    for item in shown:
        line = " ".join(item.prompt.split())
        say(f"  {line if len(line) <= _WIDTH or everything else line[: _WIDTH - 1] + '…'}")
    if len(items) > len(shown):
        say(f"  and {len(items) - len(shown)} more (--all)")
