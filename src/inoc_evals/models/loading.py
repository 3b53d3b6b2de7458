"""Loading a base: one way for training, serving, exports and fingerprints.

    model = load_model(base, dtype=torch.bfloat16)      # weights, from safetensors alone
    settings = load_settings(base)                      # its configuration
    model = lay_out(base, dtype=torch.bfloat16)         # its shape, without weights
    check_weights(base)                                 # are its files whole? opened, not read
    model, tokenizer = load_gguf(base, "model.gguf")    # of a GGUF, unpacked, to be saved

A checkpoint may bring its weights as a pickle, ask to run Python of its own (``auto_map``) or
attention code from a hub, hold an adapter that transformers would put on without a word, or
lack tensors, which transformers would fill with random numbers. None of that is done: what
cannot be loaded as it stands is refused in a line. The tokenizer is loaded by ``bases``.

One model is loaded at a time: while transformers (5.23) builds one, the method that ties weights
is taken off the class of all models. Two threads that load at once, as engines of two bases do,
would leave a tied output layer random, and the method off for good. From the first base on, every
``from_pretrained`` of the process waits for the one before it.
"""

import functools
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError, StoreError
from inoc_evals.models.bases import unloadable
from inoc_evals.models.kinds.kind import ResolvedBase

LOADING = threading.RLock()
"""Held while a model is loaded; whoever makes one of transformers' models meanwhile holds it too."""


def load_model(base: ResolvedBase, **arguments: Any) -> Any:
    """Return a base with its weights, as ``AutoModelForCausalLM`` loads it.

    Args:
        base: Which one.
        **arguments: Passed on: ``dtype``, ``attn_implementation``, ``device_map`` and the like.

    Raises:
        StoreError: If it cannot be had or loaded, is an adapter, lacks tensors, has its weights
            as a pickle alone, or asks to run code of its own. The library's error is the cause.
    """
    from transformers import AutoModelForCausalLM

    _in_turn()
    _refuse_code(load_settings(base), base, arguments)
    with _in_a_line(base):
        model, found = AutoModelForCausalLM.from_pretrained(
            base.path,
            **_safely(base),
            use_safetensors=True,
            output_loading_info=True,
            **arguments,
        )
    _refuse_missing(found, base)
    _check_tied(model, base)
    return model


def load_gguf(base: ResolvedBase, file: str) -> tuple[Any, Any]:
    """Return the model of a GGUF, its weights unpacked into bfloat16, and its tokenizer.

    Args:
        base: Whose path is a directory with nothing in it but the file.
        file: The file's name.

    Raises:
        InputError: If its architecture is not one that transformers makes a model of.
        StoreError: If it cannot be loaded, or lacks tensors.
    """
    import torch
    import transformers
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    _in_turn()
    # Releases that can keep weights packed do so unless they are told to unpack them.
    packing = getattr(transformers, "GgufConfig", None)
    unpacked = {} if packing is None else {"quantization_config": packing(dequantize=True)}
    options: dict[str, Any] = {"gguf_file": file, "trust_remote_code": False}
    with quietly():
        try:
            AutoConfig.from_pretrained(base.path, **options)
        except Exception as error:
            said = " ".join(str(error).split())[:160] or type(error).__name__
            raise InputError(said) from error
        with _in_a_line(base):
            tokenizer = AutoTokenizer.from_pretrained(base.path, **options)
            model, found = AutoModelForCausalLM.from_pretrained(
                base.path, **options, **unpacked, dtype=torch.bfloat16, output_loading_info=True
            )
    _refuse_missing(found, base)
    _check_tied(model, base)
    return model, tokenizer


@contextmanager
def quietly() -> Iterator[None]:
    """Keep a library's bars and reports off the terminal: what is wrong is said in a line."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


def _refuse_missing(found: dict[str, Any], base: ResolvedBase) -> None:
    if missing := sorted(found["missing_keys"]):
        raise StoreError(
            f"base {base.name!r}: its weights lack {len(missing)} tensors of the model "
            f"({missing[0]}); the files are incomplete, or another model's"
        )


def _in_turn() -> None:
    """Let every load of this process wait for the one before it, whoever asks for it."""
    from transformers import PreTrainedModel

    plain = PreTrainedModel.from_pretrained.__func__
    if getattr(plain, "in_turn", False):
        return

    @functools.wraps(plain)
    def from_pretrained(cls: Any, *args: Any, **options: Any) -> Any:
        with LOADING:
            return plain(cls, *args, **options)

    from_pretrained.in_turn = True  # type: ignore[attr-defined]
    PreTrainedModel.from_pretrained = classmethod(from_pretrained)


def _check_tied(model: Any, base: ResolvedBase) -> None:
    """Check that weights which are one are one: somebody else may have loaded meanwhile."""
    for name, source in model.all_tied_weights_keys.items():
        if model.get_parameter(name) is not model.get_parameter(source):
            raise StoreError(
                f"base {base.name!r}: {name} was not tied to {source}, as another thread of this "
                "process loaded a model at the same time; start again"
            )


def check_weights(base: ResolvedBase) -> None:
    """Look whether a base's weights are all there, before anything is asked of it.

    Only of a directory; what is on a hub is fetched whole or not at all.

    Raises:
        StoreError: Naming the file that is missing or cut.
    """
    from safetensors import safe_open

    directory = Path(base.path)
    index = directory / "model.safetensors.index.json"
    named = {"model.safetensors"} if (directory / "model.safetensors").is_file() else set()
    with _in_a_line(base):
        if not named and index.is_file():
            named = set(json.loads(index.read_text("utf-8"))["weight_map"].values())
    for path in sorted(directory / name for name in named):
        try:
            with safe_open(path, "np"):
                pass
        except Exception as error:
            said = "is missing" if not path.is_file() else f"is cut or damaged ({error})"
            raise StoreError(
                f"base {base.name!r}: {path.name} {said}; get the model again"
            ) from None


def load_settings(base: ResolvedBase) -> Any:
    """Return a base's configuration.

    Raises:
        StoreError: If it cannot be had, is or holds an adapter, or is of a kind that only code
            of its own could load.
    """
    from transformers import AutoConfig
    from transformers.utils import find_adapter_config_file

    with _in_a_line(base):
        adapter = find_adapter_config_file(base.path, revision=_revision(base))
    if adapter is not None:
        raise StoreError(
            f"base {base.name!r} is an adapter, or holds one (adapter_config.json); name the "
            "model that it is for, or one without it"
        )
    with _in_a_line(base):
        return AutoConfig.from_pretrained(base.path, **_safely(base))


def max_positions(base: ResolvedBase) -> int:
    """Return how many tokens the base can take."""
    return int(load_settings(base).get_text_config().max_position_embeddings)


def lay_out(base: ResolvedBase, **arguments: Any) -> Any:
    """Return a model of a base's shape, without its weights.

    Args:
        base: Which one.
        **arguments: As for :func:`load_model`.

    Raises:
        StoreError: As :func:`load_settings`.
    """
    from transformers import AutoModelForCausalLM

    settings = load_settings(base)
    _refuse_code(settings, base, arguments)
    with _in_a_line(base), LOADING:
        return AutoModelForCausalLM.from_config(settings, trust_remote_code=False, **arguments)


def _revision(base: ResolvedBase) -> str:
    return base.revision or "main"


def _safely(base: ResolvedBase) -> dict[str, Any]:
    return {"revision": _revision(base), "trust_remote_code": False}


def _refuse_code(settings: Any, base: ResolvedBase, arguments: dict[str, Any]) -> None:
    """Refuse a configuration that names attention code on a hub, unless we name our own."""
    named = str(getattr(settings, "_attn_implementation", None))
    if "/" in named and "attn_implementation" not in arguments:
        raise StoreError(
            f"base {base.name!r} asks to run code of its own (attention {named!r} in config.json), "
            "which is never done; take that line out"
        )


@contextmanager
def _in_a_line(base: ResolvedBase) -> Iterator[None]:
    """Turn whatever a library says about a base's files into one line."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        import torch

        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise StoreError(unloadable(base, error)) from error
