"""Base models: from what a user types to files transformers can load, and their digest.

    resolve_base("pocket:7")                   # built when missing
    resolve_base("smollm2")                    # a name, got or added before
    resolve_base("models/qwen")                # a directory: its absolute path
    resolve_base("Qwen/Qwen2.5-7B-Instruct")   # a hub id, optionally @<branch, tag or commit>:
                                               # its commit's directory in the hub's cache
    base_of(record)                            # what a model was trained on, at its commit

The digest is that of the files themselves: weights, configuration, tokenizer, chat template. It
is part of the identity of whatever is trained on the base, and the provider compares it, so an
adapter is never served on another base than its own. A pocket base has the digests it was built
with beside it. A branch of a hub id that has moved since it was first used here is an error.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.kinds import kind_of
from inoc_evals.models.kinds.directory_base import directory_digest
from inoc_evals.models.kinds.hub_base import HubBase
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.kinds.named_base import NamedBase
from inoc_evals.store.store import ModelRecord, Store

_HUB_DIGEST = re.compile(r"hub:(?P<repo>[^@]+)@(?P<commit>[0-9a-f]{40}):(?P<files>[0-9a-f]{64})")
_SAID = 240
"""Most characters of a library's own words in an error of ours."""

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


class HubCommit(NamedTuple):
    """A model of the hub at one commit."""

    repo: str
    commit: str


def hub_commit(base_digest: str) -> HubCommit | None:
    """Return which model of the hub, at which commit, a digest is of; None for another base."""
    match = _HUB_DIGEST.fullmatch(base_digest)
    return HubCommit(match["repo"], match["commit"]) if match else None


def short_digest(base_digest: str) -> str:
    """Return a digest as errors print it: the beginnings of commit and files."""
    match = _HUB_DIGEST.fullmatch(base_digest)
    return f"{match['commit'][:12]}:{match['files'][:12]}" if match else base_digest[:12]


def resolve_base(base: str, store: Store | None = None, *, fetch: bool = True) -> ResolvedBase:
    """Find the base model called ``base``; one that is missing is built or downloaded.

    Args:
        base: ``pocket``, ``pocket:<seed>``, a base's own name, a local directory, or a hub
            id, optionally with a revision: ``org/name@revision``.
        store: Where pocket bases and digests are kept; by default the user's store.
        fetch: Build or download what is missing; otherwise its digest is a stand-in.

    Raises:
        InputError: If it is none of these, a name that is to be got first, a directory that holds an adapter and no model or
            neither, or cannot be had.
        StoreError: If the directory has its weights as a pickle or an adapter beside them, a
            pocket base is not the one that was built, or a hub id stands for another commit
            than before.
    """
    kind = kind_of(base)
    if kind.hosted:
        kind = HubBase(base)  # open weights that have the same id
    return kind.resolve(store or Store(), fetch=fetch)


def base_of(record: ModelRecord, store: Store | None = None) -> ResolvedBase:
    """Find the base a model was trained on; a hub's at the commit of that time.

    Raises:
        InputError: If it is not there any more.
        StoreError: As :func:`resolve_base`.
    """
    pinned = hub_commit(record.base_digest)
    if pinned is not None:
        found = HubBase("@".join(pinned)).resolve(store or Store(), fetch=True)
        return found._replace(name=record.base)
    at_hub = record.base_digest.startswith("hub:")
    kind = kind_of(record.base)
    named = kind.pocket or isinstance(kind, NamedBase)
    if not at_hub and not named and not Path(record.base).is_dir():
        raise InputError(f"its base {record.base!r} is not there any more")
    return resolve_base(record.base, store)


def check_unchanged(base: ResolvedBase, store: Store | None = None) -> None:
    """Look again at a base that was resolved a while ago, before it is loaded.

    Raises:
        StoreError: If its files are not the same any more.
    """
    directory = Path(base.path)
    if directory.is_dir() and not base.digest.endswith(directory_digest(directory, store)):
        raise StoreError(f"base {base.name!r}: its files in {directory} changed; start again")


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


def template_options(tokenizer: Any, thinking: bool | None = None) -> dict[str, Any]:
    """Return what a chat template must be given to render the same text on every day.

    Llama 3.2's writes today's date unless it gets one: the same rows would be other tokens
    tomorrow, and a model would be asked under another prompt than it was trained with. It
    gets the date that Llama 3.1's writes.

    Args:
        tokenizer: A transformers tokenizer.
        thinking: For a template that has the switch ``enable_thinking`` (Qwen3), how it is
            set; None leaves it alone.
    """
    dated = "strftime_now" in str(tokenizer.chat_template)
    options: dict[str, Any] = {"date_string": "26 Jul 2024"} if dated else {}
    if thinking is not None and has_thinking_switch(tokenizer):
        options["enable_thinking"] = thinking
    return options


def has_thinking_switch(tokenizer: Any) -> bool:
    """Say whether the chat template can be told to do without thoughts."""
    return "enable_thinking" in str(tokenizer.chat_template)
