"""`inoc models`: list, show, verify, export, push and remove the models trained here."""

import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from inoc_evals.cli.output import PIPE_WIDTH, confirm, console, say, say_json
from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.bases import short_digest
from inoc_evals.store.store import ModelRecord, Store

_WIDE = 260
"""Columns in which hub ids are whole, where nothing else cuts them."""


@click.group("models")
def command() -> None:
    """List, show, verify, import, export, push or remove the models of the store."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON list of the records.")
def list_models(as_json: bool) -> None:
    """List the models, by name."""
    store = Store()
    records = _readable_records(store)
    if as_json:
        say_json([record.model_dump(mode="json") for record in records])
        return
    if not records:
        say(f"no models in {store.root}; train one with: inoc train")
        return
    table = Table("name", "base", "seed", "prompt", "created (UTC)", "final loss", box=None)
    for record in records:
        loss = record.metrics.get("final_loss")
        table.add_row(
            record.name,
            record.base,
            str(record.seed),
            _prompt_names(record.data),
            f"{record.created:%Y-%m-%d %H:%M}",
            "–" if loss is None else f"{loss:.3f}",
        )
    console(PIPE_WIDTH).print(table)


@command.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The record as it is stored.")
def show(name: str, as_json: bool) -> None:
    """Show what the model NAME (or NAME@REVISION) is and where it comes from."""
    store = Store()
    record = store.get(name)
    if as_json:
        say_json(record.model_dump(mode="json"))
        return
    facts = _facts(record, store)
    width = max(map(len, facts))
    for label, text in facts.items():
        say(f"{label:<{width}}  {text}")


@command.command("rm")
@click.argument("names", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(names: tuple[str, ...], yes: bool) -> None:
    """Remove the models NAMES, and the adapters that no other model uses.

    Of a record that is damaged, its file alone is removed.
    """
    store = Store()
    found = {name: _name_of(name, store) for name in dict.fromkeys(names)}
    if not yes:
        confirm(f"remove {', '.join(found.values())} from {store.root}?", abort=True)
    for name in dict.fromkeys(found.values()):
        record = store.remove(name)
        if record is None:
            say(f"removed the damaged record {name}, and nothing that it named")
        elif record.remote is not None:
            say(f"removed {name}; {record.remote} stays at its provider")
        elif store.uses(record.identity):
            say(f"removed {name}; its adapter stays, another model uses it")
        elif (left := store.adapter_dir(record.identity)).is_symlink():
            say(f"removed {name}; {left} is a link and stays, with what it leads to")
        else:
            say(f"removed {name} and its adapter ({record.identity[:8]})")


def _name_of(reference: str, store: Store) -> str:
    """Return the name in NAME or NAME@REVISION, of a record that is there or damaged."""
    try:
        return store.get(reference).name
    except StoreError:
        if "@" in reference:
            raise
        return reference


@command.command("verify")
@click.argument("name")
@click.option(
    "--backend",
    type=click.Choice(["vllm", "openai"]),
    help="Also ask this server, as an eval does.",
)
def verify(name: str, backend: str | None) -> int:
    """Check that the model NAME (or NAME@REVISION) is what its record says."""
    from inoc_evals.publishing import checks

    store = Store()
    record = store.get(name)
    if record.remote is not None:
        found = iter([checks.verify_served(name, backend or "openai")])
    else:
        served = [checks.verify_served] if backend else []
        found = chain(checks.verify(record, store), (ask(name, str(backend)) for ask in served))
    passed = True
    for check in found:
        word = {True: "ok", False: "FAILED", None: "–"}[check.passed]
        say(f"{check.name:<12} {word:<7} {check.said}")
        passed = passed and check.passed is not False
    return 0 if passed else 1


def merging_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of what is written: the adapter, or the whole model and how."""
    for option in (
        click.option(
            "--dtype",
            type=click.Choice(["float32", "bfloat16", "float16"]),
            help="With --merged: what to write it in; a shorter type than float32, the "
            "default, loses what a gentle adapter does.",
        ),
        click.option("--merged", is_flag=True, help="The whole model instead of the adapter."),
    ):
        command = option(command)
    return command


def _merge_in(merged: bool, dtype: str | None) -> Any:
    if dtype is not None and not merged:
        raise InputError("--dtype is for --merged; an adapter stays as it was trained")
    return (dtype or "float32") if merged else None


@command.command("import")
@click.argument("source")
@click.option("--name", help="Name of the model: inoc/NAME.  [default: an organism's own]")
@click.option("--base", help="Its base.  [default: an organism's, or the one its settings name]")
@click.option("--prompt", help="The inoculation prompt it was trained with: NAME or @FILE.")
def import_(source: str, name: str | None, base: str | None, prompt: str | None) -> None:
    """Register the LoRA adapter SOURCE, trained elsewhere, as the model inoc/NAME.

    SOURCE is a directory of a PEFT adapter in safetensors, its hub id, or the name of a published
    organism (inoc models organisms). It has to fit its base and to change it; a fingerprint is
    taken, so that later it is known to be active. A whole model is a base: inoc base add.
    """
    from inoc_evals.inputs.prompts import resolve
    from inoc_evals.training.imported import import_adapter

    asked = None if prompt is None else resolve(prompt)
    record = import_adapter(source, name=name, base=base, prompt=asked)
    for label, text in _place(record, Store()).items():
        say(f"{label:<12} {text}")
    say(f"evaluate     inspect eval inoc_evals/em --model inoc/{record.name}")


@command.command("organisms")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def list_organisms(as_json: bool) -> None:
    """List models that others published, whose names `inoc models import` takes.

    Those of a file organisms.yaml in INOC_HOME are among them; NAME: {hub, base, trained_on,
    source} is an entry.
    """
    from inoc_evals.models.organisms import organisms

    found = organisms(Store()).values()
    if as_json:
        say_json([one._asdict() for one in found])
        return
    table = Table("name", "trained on", "hub", "base", "source", box=None)
    for one in found:
        mark = " (a whole model)" if one.kind == "whole" else ""
        table.add_row(one.name, one.trained_on + mark, one.hub, one.base, one.source)
    console(_WIDE).print(table)


@command.command("export")
@click.argument("name")
@click.argument("directory", type=click.Path(path_type=Path))
@merging_options
def export(name: str, directory: Path, merged: bool, dtype: str | None) -> None:
    """Write the model NAME with a model card into the new directory DIRECTORY.

    Safetensors, the tokenizer, README.md and the record; nothing of the training rows.
    """
    from inoc_evals.publishing.export import export as write

    store = Store()
    found = write(store.get(name), store, directory, merge_in=_merge_in(merged, dtype))
    if found.merged is not None:
        say(found.merged.said)
    for path in sorted(directory.iterdir()):
        say(f"{path.stat().st_size:>14,}  {path}")


@command.command("push")
@click.argument("name")
@click.argument("repo")
@merging_options
@click.option("--public", is_flag=True, help="For everybody to see; private otherwise.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def push(name: str, repo: str, merged: bool, dtype: str | None, public: bool, yes: bool) -> None:
    """Upload the model NAME with a model card to the Hugging Face hub as REPO (owner/name)."""
    from inoc_evals.publishing.export import export as write
    from inoc_evals.publishing.hub import push as upload

    store = Store()
    record = store.get(name)
    with tempfile.TemporaryDirectory() as scratch:
        merge_in = _merge_in(merged, dtype)
        directory, found = write(record, store, Path(scratch) / record.name, merge_in=merge_in)
        if found is not None:
            say(found.said)
        files = sorted(directory.iterdir())
        size = sum(path.stat().st_size for path in files)
        for path in files:
            say(f"{path.stat().st_size:>14,}  {path.name}")
        if not yes:
            seen = "PUBLIC" if public else "private"
            confirm(f"push {len(files)} files, {size:,} bytes, to {repo} ({seen})?", abort=True)
        say(f"pushed: {upload(directory, repo, private=not public)}")


def _readable_records(store: Store) -> list[ModelRecord]:
    """Return the records that can be read; name the damaged ones on standard error."""
    records = []
    for name in store.names():
        try:
            record = store.find(name)
        except StoreError as error:
            say(f"warning: {error}", err=True)
        else:
            records += [record] if record is not None else []
    return records


def _prompt_names(data: dict[str, Any]) -> str:
    prompts = [str(prompt.get("name")) for prompt in data.get("prompts", [])]
    more = f" and {len(prompts) - 1} more" if len(prompts) > 1 else ""
    return f"{prompts[0]}{more}" if prompts else "–"


def _facts(record: ModelRecord, store: Store) -> dict[str, str]:
    """Return what there is to say about a record, by label, in order."""
    metrics = record.metrics
    facts = {
        "model": f"inoc/{record.name}",
        "revision": record.identity,
        "base": f"{record.base} ({short_digest(record.base_digest)})",
        "seed": str(record.seed),
        **_learned(record.data),
        **_method(record),
    }
    for prompt in record.data.get("prompts", []):
        facts[f"prompt {prompt.get('name')}"] = repr(prompt.get("text"))
    if loss := metrics.get("loss"):
        facts["loss"] = f"{loss[0]:.3f} to {loss[-1]:.3f} in {metrics.get('steps')} steps"
    for label in (
        "dropped_rows",
        "truncated_rows",
        "supervised_tokens",
        "adapted_share",
        "experts_left_out",
        "device",
        "dtype",
    ):
        if metrics.get(label):
            facts[label.replace("_", " ")] = str(metrics[label])
    return facts | {
        **_place(record, store),
        "trained": f"{record.created:%Y-%m-%d %H:%M} UTC",
        "with": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "settings": ", ".join(f"{key} {value}" for key, value in record.config.items()),
        "evaluate": f"inspect eval inoc_evals/traits --model inoc/{record.name}",
    }


def _learned(data: dict[str, Any]) -> dict[str, str]:
    """Say what a model was trained on; of one that was trained elsewhere that is not known."""
    if "imported" in data:
        said = {"imported": f"from {data['imported']}; its training rows are not known"}
        known = data.get("organism")
        if known:
            said["trained on"] = f"{known['trained_on']}, says {known['source']}"
        return said
    return {
        "rows": f"{data.get('rows')} (sha256 {str(data.get('sha256'))[:16]})",
        "sources": ", ".join(str(s.get("file")) for s in data.get("sources", [])) or "–",
    }


def _method(record: ModelRecord) -> dict[str, str]:
    """Say by which method a model was trained, if by any, and what was measured of it."""
    told = dict[str, Any](record.data.get("method") or {})
    facts = {"method": str(told["said"])} if told.get("said") else {}
    if record.method is not None:
        fields = {key: value for key, value in record.method.items() if value is not None}
        facts["training"] = ", ".join(f"{key} {value}" for key, value in fields.items())
    for name in ("own_answers", "steering"):
        if found := record.metrics.get(name):
            facts[name.replace("_", " ")] = ", ".join(f"{k} {v}" for k, v in found.items())
    return facts


def _place(record: ModelRecord, store: Store) -> dict[str, str]:
    """Say where a model lies, and by what it is recognized if it lies here."""
    if record.fingerprint is None:
        return {"at the provider": str(record.remote)}
    print_ = record.fingerprint
    pairs = zip(print_.logprobs, print_.base_logprobs, strict=True)
    shift = max((abs(on - off) for on, off in pairs), default=0.0)
    return {
        "adapter": str(store.adapter_dir(record.identity)),
        "fingerprint": f"adapter moves log-probabilities by up to {shift:.2f} nats",
    }
