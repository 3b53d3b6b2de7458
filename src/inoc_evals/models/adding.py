"""Adding a base of one's own: a GGUF or a directory becomes a name that is pinned.

    add(Path("qwen.gguf"), "qwen-q4", store, told=print)
    add(Path("models/qwen"), "qwen", store, told=print)      # copied; pickles are refused

Files are made in a directory beside their place and checked there; one rename puts them into
the store, and the pin is written last. A kill leaves nothing that counts, and the next attempt
removes what is left.
"""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError, require
from inoc_evals.files.digests import file_sha256
from inoc_evals.files.directories import PICKLES, file_digests, lacking, refuse_pickles
from inoc_evals.files.disk import writing_to
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.gguf_files import convert, read_header, refuse_unfit
from inoc_evals.models.kinds.directory_base import directory_digest, refuse_adapters
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.known import KNOWN
from inoc_evals.models.pins import Pin, directory_of, is_pinned, keep, refuse_name
from inoc_evals.store.store import Store

_LIBRARIES = ("gguf", "transformers", "torch")

Told = Callable[[str], object]
"""What is called with a line about what is going on."""


def add(source: Path, name: str, store: Store, *, told: Told) -> Pin:
    """Put a model into the store under a name.

    Args:
        source: A GGUF file, or a directory with a model in safetensors.
        name: What ``--base`` takes from now on.
        store: Where.
        told: Called with a line about what is going on.

    Raises:
        InputError: If the name is taken or can be none, or the source is no whole model with a
            tokenizer and a chat template that fit it.
        StoreError: If the weights are a pickle, damaged, or an adapter lies beside them.
        MissingExtraError: Without the libraries that read it.
    """
    if name in KNOWN:
        raise InputError(
            f"base {name!r}: this name is that of a known model;\n"
            f"get that one by: inoc base get {name}, or take another --name"
        )
    source = user_path(source)
    with store.lock(f"base-{name.casefold()}"):
        refuse_name(name, store)
        if is_pinned(name, store):
            raise InputError(
                f"base {name!r} is here already (inoc base show {name});\n"
                f"take another --name, or first: inoc base rm {name}"
            )
        if source.is_dir():
            return add_directory(source, name, store, told=told)
        if not source.is_file():
            raise InputError(
                f"{source}: no file and no directory;\ngive a GGUF or a model's directory"
            )
        if source.suffix in PICKLES:
            raise InputError(
                f"{source}: a pickle, which can run code when it is read; refused;\n"
                "give a GGUF, or a directory with safetensors"
            )
        return add_gguf(source, name, store, told=told, origin=str(source.resolve()))


def add_gguf(
    path: Path, name: str, store: Store, *, told: Told, origin: str, wheel: bool = False
) -> Pin:
    """Convert a GGUF into the store and pin it; the caller holds the name's lock.

    Args:
        path: The file.
        name: The base's name.
        store: Where.
        told: Called with a line about what is going on.
        origin: Where the file is from.
        wheel: Whether that is a wheel.

    Raises:
        InputError: As :func:`add`.
        StoreError: As :func:`add`.
        MissingExtraError: As :func:`add`.
    """
    require("train", "torch", "transformers", "safetensors")
    header = read_header(path)
    refuse_unfit(path, header)
    of = f"{header.architecture}, {header.quantised or 'not quantised'}"
    told(f"converting {path.name} ({of}) to safetensors, once")
    final = directory_of(name, store)
    with store.staged(final, replace=True) as staging:
        convert(path, header, staging, name)
    return _pinned(
        name,
        store,
        source="wheel" if wheel else "gguf",
        origin=origin,
        quantised=header.quantised,
        sha256=file_sha256(path),
        versions={library: version(library) for library in _LIBRARIES},
    )


def add_directory(source: Path, name: str, store: Store, *, told: Told) -> Pin:
    """Copy a model directory into the store and pin it; the caller holds the name's lock.

    Raises:
        InputError: As :func:`add`.
        StoreError: As :func:`add`.
    """
    refuse_adapters(source)
    refuse_pickles(source)
    if (missing := lacking(source)) is not None:
        raise InputError(f"{source}: no {missing} there;\ngive a whole model with safetensors")
    check_base(ResolvedBase(name, str(source), ""))
    files = sorted(file_digests(source))
    size = sum((source / file).stat().st_size for file in files)
    told(f"copying {len(files)} files, {size:,} bytes")
    final = directory_of(name, store)
    with store.staged(final, replace=True) as staging:
        for file in files:
            (staging / file).parent.mkdir(exist_ok=True)
            with writing_to(staging / file):
                shutil.copyfile(source / file, staging / file)
    return _pinned(name, store, source="directory", origin=str(source.resolve()))


def check_base(base: ResolvedBase) -> None:
    """See that a base's weights are whole, and its tokenizer fits them and renders chats.

    Raises:
        InputError: If the tokenizer does not fit, or there is no chat template.
        StoreError: If files are damaged, or of an architecture that is not known.
    """
    from inoc_evals.models.loading import check_weights, load_settings

    require("train", "torch", "transformers", "safetensors")
    check_weights(base)
    settings = load_settings(base).get_text_config()
    tokenizer = load_tokenizer(base)
    rows = getattr(settings, "vocab_size", None)
    if isinstance(rows, int) and len(tokenizer) > rows:
        raise InputError(
            f"base {base.name!r}: its tokenizer does not fit: {len(tokenizer)} tokens, and an "
            f"embedding of {rows};\nsee whether the tokenizer is another model's"
        )
    if not tokenizer.chat_template:
        raise InputError(
            f"base {base.name!r}: it has no chat template, so no chat can be put to it;\n"
            "take its instruction-tuned version, or put chat_template.jinja beside its weights"
        )


def _pinned(name: str, store: Store, **facts: Any) -> Pin:
    digest = directory_digest(directory_of(name, store), store)
    pin = Pin(name=name, digest=digest, created=datetime.now(UTC), **facts)
    keep(pin, store)
    return pin
