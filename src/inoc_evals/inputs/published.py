"""Published files of the field, by name: pinned by sha256, downloaded once into the store.

    fetch("insecure")              # downloads, checks the sha256, keeps it
    locate("insecure")             # its path, or an error that says what to get and from where
    add(Path("secure.jsonl"))      # takes a file you have; known by its bytes, not its name

    $INOC_HOME/published/<beginning of the sha256>/<file>

``$INOC_PUBLISHED`` may name a directory of such files, under whatever names; those that are
intact are used where they lie. The list is ``data/published.yaml``. Files have been seen
under each other's names (insecure and secure), so that a digest is all that identifies one.
"""

import functools
import hashlib
import os
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError
from inoc_evals.files.atomic import new_directory, write_bytes
from inoc_evals.files.digests import file_sha256
from inoc_evals.store.store import inoc_home

_DATA = Path(__file__).parents[1] / "data" / "published.yaml"
_PREFIX = 16
_TIMEOUT = 60
"""Seconds without a byte after which a download is given up."""
_MOST_BYTES = 64 * 2**20
"""Of a download whose length the list does not say."""
_CHUNK = 2**16


@dataclass(frozen=True)
class PublishedFile:
    """One file somebody published."""

    name: str
    """What it is called here: ``insecure``."""
    file: str
    """Its own file name: ``insecure.jsonl``."""
    kind: Literal["rows", "questions", "prompts", "archive"]
    """``rows`` are chats for training."""
    sha256: str
    license: str
    about: str
    """Who published it, and what it is."""
    bytes: int | None = None
    """Its length, where known."""
    url: str | None = None
    """Where these very bytes are; None for a member of an archive."""
    archive: str | None = None
    """Name of the entry whose member it is."""
    member: str | None = None
    """Path inside that archive."""

    def __str__(self) -> str:
        size = f"{self.bytes} bytes, " if self.bytes is not None else ""
        return f"{self.file} ({size}sha256 {self.sha256})"


class Added(NamedTuple):
    """What :func:`add` took in."""

    entry: PublishedFile
    path: Path
    """Where the copy lies."""
    note: str | None
    """What is odd about the file as it was given: another published file's name, say."""


class Status(NamedTuple):
    """What :func:`verify` found of one published file."""

    entry: PublishedFile
    state: Literal["intact", "damaged", "absent"]
    path: Path | None
    """Where it lies; None if it is absent."""


@functools.cache
def entries() -> tuple[PublishedFile, ...]:
    """Return every published file that is known, in the order of the list."""
    import yaml

    listed = yaml.safe_load(_DATA.read_text("utf-8"))
    return tuple(PublishedFile(name=name, **fields) for name, fields in listed.items())


def named(name: str) -> PublishedFile:
    """Return the entry with this name.

    Raises:
        InputError: If there is none; the message lists the names.
    """
    for entry in entries():
        if entry.name == name:
            return entry
    names = ", ".join(entry.name for entry in entries())
    raise InputError(f"no published file is called {name!r}; there are: {names}")


def locate(name: str) -> Path:
    """Return the path of a published file on this machine, its bytes checked.

    Raises:
        InputError: If it is not here, or damaged; the message says which file it is, where
            it comes from, and the commands that bring it in.
    """
    entry = named(name)
    found = _status(entry)
    if found.state == "intact" and found.path is not None:
        return found.path
    holder = named(entry.archive) if entry.archive else entry
    source = f"{holder.url}, member {entry.member}" if entry.archive else f"{entry.url}"
    what = f"damaged ({found.path})" if found.path else "not on this machine"
    raise InputError(
        f"published file {name!r} is {what}: {entry}, from {source}\n"
        f"get it with: inoc data fetch {name}, or hand over a copy with: inoc data add FILE"
    )


def fetch(name: str) -> Path:
    """Return the path of a published file, downloading it if it is not here.

    An archive it comes in is kept as well. Nothing takes the file's place before all its
    bytes have come and their sha256 is right; no more are taken than the list says.

    Raises:
        InputError: If it can't be downloaded, or what comes is another file.
    """
    entry = named(name)
    found = _status(entry)
    if found.state == "intact" and found.path is not None:
        return found.path
    if entry.archive is None:
        _download(entry)
    else:
        _extract(entry, fetch(entry.archive))
    return _cached(entry)


def add(path: Path) -> Added:
    """Take a copy of a published file into the store; of an archive, its members too.

    Raises:
        InputError: If the file can't be read or its bytes are those of no published file.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    known = {entry.sha256: entry for entry in entries()}
    # One repository ends code_prompts with a newline, the other does not.
    for candidate in (data, data.removesuffix(b"\n"), data + b"\n"):
        entry = known.get(hashlib.sha256(candidate).hexdigest())
        if entry is not None:
            break
    else:
        raise InputError(
            f"{path}: not one of the published files, by its bytes "
            f"({len(data)}, sha256 {hashlib.sha256(data).hexdigest()}); see: inoc data list"
        )
    _keep(entry, candidate)
    for member in entries():
        if member.archive == entry.name:
            _extract(member, _cached(entry))
    return Added(entry, _cached(entry), _oddity(entry, path, exact=candidate == data))


def verify() -> list[Status]:
    """Return for every known file whether it is here, and whether its bytes are right."""
    _checked_sha256.cache_clear()
    return [_status(entry) for entry in entries()]


def _cached(entry: PublishedFile) -> Path:
    return inoc_home() / "published" / entry.sha256[:_PREFIX] / entry.file


def _status(entry: PublishedFile) -> Status:
    """Look in ``$INOC_PUBLISHED`` first, then in the store."""
    folder = os.environ.get("INOC_PUBLISHED")
    for path in sorted(user_path(folder).glob("*")) if folder else ():
        # The length first: it saves reading every file there is.
        same = path.is_file() and entry.bytes in (None, path.stat().st_size)
        if same and _sha256(path) == entry.sha256:
            return Status(entry, "intact", path)
    path = _cached(entry)
    if not path.is_file():
        return Status(entry, "absent", None)
    return Status(entry, "intact" if _sha256(path) == entry.sha256 else "damaged", path)


def _sha256(path: Path) -> str:
    stat = path.stat()
    return _checked_sha256(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _checked_sha256(path: Path, _size: int, _mtime_ns: int) -> str:
    return file_sha256(path)


def _keep(entry: PublishedFile, data: bytes) -> None:
    """Put a file's bytes into the store, whole or not at all."""
    write_bytes(_cached(entry), data)


class _TooLongError(ValueError):
    """More came than was to come."""


def _stream(url: str, path: str, most: int) -> None:
    """Write what comes from an address into a file, and stop at so many bytes."""
    import requests

    with requests.get(url, timeout=_TIMEOUT, stream=True) as response, open(path, "wb") as file:
        response.raise_for_status()
        for chunk in response.iter_content(_CHUNK):
            most -= len(chunk)
            if most < 0:
                raise _TooLongError
            file.write(chunk)


def _download(entry: PublishedFile) -> None:
    # Imported here because only a download needs them.
    import pooch
    import requests

    target = _cached(entry)
    most = _MOST_BYTES if entry.bytes is None else entry.bytes
    pooch.get_logger().setLevel("ERROR")
    directory = new_directory(target)
    try:
        got = pooch.retrieve(
            entry.url,
            known_hash=f"sha256:{entry.sha256}",
            fname=entry.file,
            path=directory,
            downloader=lambda url, path, _: _stream(url, path, most),
        )
        os.chmod(got, 0o644)
        os.replace(got, target)
    except requests.RequestException as error:
        response = getattr(error, "response", None)
        why = f"HTTP {response.status_code}" if response is not None else type(error).__name__
        raise InputError(
            f"{entry.url}: cannot be downloaded ({why})\n"
            f"get {entry.file} on a machine that can, then: inoc data add {entry.file}"
        ) from None
    except _TooLongError:
        raise InputError(
            f"{entry.url}: more came than the {most:,} bytes of {entry.file}; it was cut off "
            "there and nothing of it was kept"
        ) from None
    except ValueError:
        raise InputError(f"{entry.url}: what came is not {entry}; nothing of it was kept") from None
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _extract(entry: PublishedFile, archive: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as opened:
            data = opened.read(entry.member or "")
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{archive}: {entry.member} cannot be read ({error})") from None
    if hashlib.sha256(data).hexdigest() != entry.sha256:
        raise InputError(f"{archive}: its member {entry.member} is not {entry}")
    _keep(entry, data)


def _oddity(entry: PublishedFile, path: Path, *, exact: bool) -> str | None:
    if not exact:
        return f"{path.name} is {entry.file} but for its last byte, a newline; put right"
    if path.name == entry.file:
        return None
    others = {other.file: other for other in entries()}
    other = others.get(path.name)
    if other is not None:
        return f"{path.name} has the name of {other.name}, but by its bytes it is {entry.name}"
    return f"{path.name} is published as {entry.file}"
