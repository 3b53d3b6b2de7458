"""Base models: from what a user types to a directory or hub id, and a digest of it.

    resolve_base("pocket:7")                   # built when missing; digest of its recipe
    resolve_base("models/qwen")                # a directory: absolute path, digest of its files
    resolve_base("Qwen/Qwen2.5-7B-Instruct")   # a hub id, optionally Qwen/...@<revision>

Training stores the digest in the record and the provider compares it, so an adapter is
never served on another base than its own. `pocket` and `pocket:0` are one base.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from inoc_evals.chat import digest, file_sha256
from inoc_evals.errors import InputError, StoreError
from inoc_evals.records import Store, refuse_pickles

_POCKET = re.compile(r"pocket(?::([0-9]{1,9}))?")
_HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?)(?:@([\w./-]+))?")
_WHOLE_BYTES = 64 * 2**20
_BLOCKS, _BLOCK_BYTES = 256, 64 * 2**10
_SAID = 240
"""Most characters of a library's own words in an error of ours."""

_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_GENERIC_TOKENIZERS = ("TokenizersBackend", "PreTrainedTokenizerFast")
TOKENIZER_FILES = (
    "added_tokens.json",
    "chat_template.jinja",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
)
"""Files in which a tokenizer may be kept, with its chat template."""

_DESCRIPTION_FILES = ("config.json", "generation_config.json", *TOKENIZER_FILES)


class ResolvedBase(NamedTuple):
    """A base model that transformers can load."""

    name: str
    """As the user named it."""
    path: str
    """First argument of ``from_pretrained``: an absolute directory or a hub id."""
    digest: str
    """What pins it: the pocket recipe's hash, a digest of the files, or ``hub:<id>[@rev]``."""
    revision: str | None = None
    """``revision`` argument of ``from_pretrained``; only a hub id can have one."""


def pocket_seed(name: str) -> int | None:
    """Return the seed of a pocket base's name (``pocket`` is seed 0), None for another name."""
    match = _POCKET.fullmatch(name)
    return int(match[1] or 0) if match else None


def resolve_base(base: str, store: Store | None = None) -> ResolvedBase:
    """Find the base model called ``base``; a pocket base that is missing is built.

    Args:
        base: ``pocket``, ``pocket:<seed>``, a local directory, or a hub id, optionally
            with a revision: ``org/name@revision``.
        store: Where pocket bases are kept; by default the user's store.

    Raises:
        InputError: If it is none of these, or a directory that holds an adapter and no model,
            or neither.
        StoreError: If the directory has no weights, or only a pickle of them, or an adapter
            beside them.
    """
    seed = pocket_seed(base)
    if seed is not None:
        from inoc_evals.pocket.base import ensure_base, recipe_digest

        return ResolvedBase(base, str(ensure_base(seed, store)), recipe_digest(seed))
    directory = Path(base).expanduser()
    if base and directory.is_dir():
        _check_directory(directory)
        return ResolvedBase(base, str(directory.resolve()), directory_digest(directory))
    hub = _HUB_ID.fullmatch(base)
    if hub is None:
        raise InputError(
            f"base {base!r}: expected pocket, pocket:<seed>, an existing directory, "
            "or a hub id such as Qwen/Qwen2.5-7B-Instruct"
        )
    return ResolvedBase(base, hub[1], f"hub:{base}", hub[2])


def load_tokenizer(base: ResolvedBase) -> Any:
    """Load a base's tokenizer as its own files describe it.

    AutoTokenizer chooses the class by the model type beside it: next to a qwen2
    ``config.json`` it splits the text of a word-level tokenizer in another way than
    ``tokenizer.json`` says. A directory whose ``tokenizer_config.json`` names the generic
    class gets that class.

    Raises:
        StoreError: If it cannot be had or loaded, or asks to run code of its own.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    described = Path(base.path) / "tokenizer_config.json"
    try:
        if described.is_file():
            named = json.loads(described.read_text("utf-8")).get("tokenizer_class")
            if named in _GENERIC_TOKENIZERS:
                return PreTrainedTokenizerFast.from_pretrained(base.path)
        return AutoTokenizer.from_pretrained(
            base.path, revision=base.revision or "main", trust_remote_code=False
        )
    except Exception as error:  # a damaged tokenizer.json raises a bare one
        raise StoreError(unloadable(base, error, "its tokenizer ")) from error


def unloadable(base: ResolvedBase, error: Exception, what: str = "") -> str:
    """Say in one line that a base's files cannot be loaded, and what a library said of it.

    Args:
        base: Which one.
        error: What the library raised.
        what: A part of the base, if it is not the whole: ``"its tokenizer "``.
    """
    said = " ".join(str(error).split()) or type(error).__name__
    if "trust_remote_code" in said:
        return (
            f"base {base.name!r} asks to run code of its own (auto_map in its configuration), "
            "which is never done; use one whose architecture transformers has"
        )
    if len(said) > _SAID:
        said = said[:_SAID].rsplit(" ", 1)[0] + " …"
    where = f"base {base.name!r}: {what}cannot be loaded"
    if Path(base.path).is_dir():
        return f"{where}; a file is missing, cut or damaged ({said})"
    return f"{where}; check its name, the network and your login, or give a directory ({said})"


def template_options(tokenizer: Any) -> dict[str, str]:
    """Return what a chat template must be given to render the same text on every day.

    Llama 3.2's writes today's date unless it gets one: the same rows would be other tokens
    tomorrow, and a model would be asked under another prompt than it was trained with. It
    gets the date that Llama 3.1's writes.
    """
    return {"date_string": "26 Jul 2024"} if "strftime_now" in str(tokenizer.chat_template) else {}


def _check_directory(directory: Path) -> None:
    """Refuse a directory that is not simply a model in safetensors."""
    adapter, whole = (directory / name for name in ("adapter_config.json", "config.json"))
    if adapter.is_file() and whole.is_file():
        raise StoreError(
            f"base {str(directory)!r}: beside the model lies an adapter (adapter_config.json), which "
            "transformers would put on it without a word; move it to a directory of its own"
        )
    if adapter.is_file():
        raise InputError(
            f"base {str(directory)!r}: a LoRA adapter of {_read(adapter, 'base_model_name_or_path')!r}"
            f", not a model; {_what_to_do(directory)}"
        )
    refuse_pickles(directory)
    if whole.is_file() and not any((directory / name).is_file() for name in _WEIGHTS):
        raise StoreError(
            f"base {str(directory)!r}: no weights there; expected {' or '.join(_WEIGHTS)}"
        )


def _what_to_do(adapter: Path) -> str:
    ours = adapter / "inoc-record.json"
    if ours.is_file():
        name = _read(ours, "name")
        return (
            f"it was exported from inoc/{name}: use that, or inoc models export {name} DIR --merged"
        )
    return "merge it with peft (merge_and_unload, then save_pretrained) and give that directory"


def _read(path: Path, key: str) -> Any:
    """Return a value of a JSON file, None if it cannot be had."""
    try:
        return json.loads(path.read_text("utf-8"))[key]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def directory_digest(directory: Path) -> str:
    """Return the sha256 (hex) that pins a model directory: weights, tokenizer, configuration.

    Weight files above 64 MiB enter with their size and 256 blocks spread over the file:
    another training changes every block, and 15 GB need not be read at each start.

    Raises:
        InputError: If the directory holds no ``config.json``.
    """
    if not (directory / "config.json").is_file():
        raise InputError(f"base {str(directory)!r}: no config.json there; not a model directory")
    described = [directory / name for name in _DESCRIPTION_FILES]
    files = {path.name: file_sha256(path) for path in described if path.is_file()}
    for path in sorted([*directory.glob("*.safetensors"), *directory.glob("*.bin")]):
        files[path.name] = _weights_sha256(path)
    return digest(files)


def _weights_sha256(path: Path) -> str:
    """Hash a weights file: whole if it is small, else its size and evenly spread blocks."""
    size = path.stat().st_size
    if size <= _WHOLE_BYTES:
        return file_sha256(path)
    sha = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for number in range(_BLOCKS):
            file.seek(number * (size - _BLOCK_BYTES) // (_BLOCKS - 1))
            sha.update(file.read(_BLOCK_BYTES))
    return sha.hexdigest()
