"""A base in memory with its adapters: loaded once, switched, and checked before use.

    weights = Weights.load(base, device="cpu", dtype="float32", codec=codec)
    weights.activate(None)           # the base, adapters off
    weights.activate(adapter)        # loads it on first use, after its sha256 and fingerprint
    weights.rank(adapter)            # -> 8: may run beside others in a batch; None: only alone

An adapter whose file is not the trained one, that has no effect, or that sits on another
base than its own is refused (StoreError), now and whenever it is asked for again: evaluated,
it would yield numbers about the wrong model. One whose check was cut short, by lack of memory
for example, is neither passed nor refused: it is checked at the next request.
"""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from inoc_evals.errors import InputError, StoreError, require
from inoc_evals.models.fingerprints import fingerprint_fault, sequence_logprobs
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.models.loading import load_model
from inoc_evals.models.turns import end_ids
from inoc_evals.providers.engine.attention import attend_by_products, products_are_steady
from inoc_evals.providers.engine.batch import Batch, Limits, Voice
from inoc_evals.providers.engine.lanes import StaticLanes, forward
from inoc_evals.providers.engine.mixed import Mixed
from inoc_evals.providers.engine.prefills import Prefills
from inoc_evals.providers.engine.rendering import Codec
from inoc_evals.providers.engine.request import Adapter
from inoc_evals.providers.engine.slots import SlotLanes, slots_agree
from inoc_evals.providers.engine.steady import WIDTH, make_steady, mixes_here
from inoc_evals.store.store import Store

_DTYPES = ("auto", "float32", "bfloat16", "float16")


def default_device() -> str:
    """Return the device used when none is named: CUDA if there is one, else the CPU."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@dataclass(eq=False)
class Weights:
    """A base model, the adapters loaded into it, and which of them is active."""

    model: Any
    codec: Codec
    limits: Limits
    """By the model's own configuration; what the template and a record say comes to it."""
    base: ResolvedBase
    vocabulary: int
    """Number of token ids the model can read."""
    plain: bool
    """Whether rows can run in slots; otherwise in static lanes."""
    steady: bool = False
    """Whether a row's numbers are kept from depending on the other rows (steady.py)."""
    prefills: Prefills = field(default_factory=lambda: Prefills(0))
    """Prompts that were read before."""
    _peft: Any = None
    _mixed: Mixed = field(default_factory=Mixed)
    _ranks: dict[str, int | None] = field(default_factory=dict)
    """Of the adapters that have passed the check; None for those that run alone."""
    _on: str | None = ""
    """Key of the adapter that peft has switched on, empty for none; None while not known."""
    _active: str | None = ""
    """Key of the one whose all rows are, empty for the base; None while that is not known."""
    _checked: set[str] = field(default_factory=set)
    """Keys of the adapters that are loaded and have passed the check."""
    _faults: dict[str, str] = field(default_factory=dict)
    """Of those that are refused, why."""

    @classmethod
    def load(cls, base: ResolvedBase, *, device: str, dtype: str, codec: Codec) -> "Weights":
        """Load a base model for inference.

        Args:
            base: Which one.
            device: A torch device.
            dtype: ``auto``, the checkpoint's own (float32 on the CPU), or a torch dtype.
            codec: Its tokenizer.

        Raises:
            InputError: If the dtype is not one of those supported.
            StoreError: As :func:`inoc_evals.models.loading.load_model`.
        """
        if dtype not in _DTYPES:
            raise InputError(f"dtype {dtype!r} is not one of {', '.join(_DTYPES)}")
        if dtype == "auto" and torch.device(device).type == "cpu":
            dtype = "float32"
        with no_bars():
            model = load_model(base, dtype=dtype)
        model.to(device).eval().requires_grad_(False)
        steady = model.device.type == "cpu" and model.dtype == torch.bfloat16
        if steady:
            make_steady(model)
        plain = slots_agree(model)
        if plain and model.device.type == "cpu" and (not steady or products_are_steady()):
            attend_by_products(model)
        return cls(
            model=model,
            codec=codec,
            limits=Limits(end_ids(model.generation_config), _context(model)),
            base=base,
            vocabulary=int(model.get_input_embeddings().weight.shape[0]),
            plain=plain,
            steady=steady,
        )

    @property
    def cache_bytes_per_token(self) -> int:
        """Memory that one token takes in a key-value cache of full attention."""
        config = self.model.config.get_text_config(decoder=True)
        query_heads = getattr(config, "num_attention_heads", None) or 1
        heads = getattr(config, "num_key_value_heads", None) or query_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // query_heads
        return int(2 * config.num_hidden_layers * heads * size * self.model.dtype.itemsize)

    def batch(self) -> Batch:
        """Return an empty batch."""
        if not self.plain:
            return Batch(StaticLanes(self.model, self._choose), self.codec, self._voice)
        step = WIDTH if self.steady else 1
        lanes = SlotLanes(self.model, self.prefills, step, self._choose)
        return Batch(lanes, self.codec, self._voice)

    def _voice(self, adapter: Adapter | None) -> Voice:
        identity = self.base.digest + (f"+{adapter.record.identity}" if adapter else "")
        ends = self.codec.stops(adapter.record.turn_ends if adapter else ())
        limits = self.limits._replace(end_ids=self.limits.end_ids | ends.ids, end_texts=ends.texts)
        return Voice(identity, limits)

    def rank(self, adapter: Adapter | None) -> int | None:
        """Return what an adapter takes of the room there is for several in one batch; None: all.

        Raises:
            StoreError: As :meth:`activate`.
        """
        if adapter is not None and adapter.key not in self._checked:
            self._admit(adapter)
        if not self.plain:
            return None
        return self._ranks[adapter.key] if adapter else 0

    def _choose(self, owners: Sequence[str], among: Iterable[str]) -> None:
        """Make the next forward passes those of these owners, one for each row or one for all."""
        if self._ranks.get(owners[0], 0) is None:
            self._switch(owners[0])
        else:
            self._active = None  # if this is cut short, the next request chooses anew
            self._off()
            self._mixed.choose(owners, among)
            self._active = owners[0] if len(set(owners)) == 1 else None

    def logprobs(self, token_ids: Sequence[int]) -> tuple[float, ...]:
        """Return log-probabilities of the tokens after the first, by what is active."""
        return sequence_logprobs(self.model, token_ids) if len(token_ids) > 1 else ()

    def activate(self, adapter: Adapter | None) -> None:
        """Make the next forward passes those of the base (None) or of an adapter.

        Raises:
            StoreError: If the adapter is not the one its record describes.
        """
        key = adapter.key if adapter else ""
        if adapter is not None and key not in self._checked:
            self._admit(adapter)
        if key != self._active:
            self._switch(key)

    def base_logprobs(self, token_ids: Sequence[int]) -> tuple[float, ...]:
        """Return log-probabilities of the tokens after the first, by the base."""
        active = self._active
        self._switch("")
        found = self.logprobs(token_ids)
        self._switch(active or "")
        return found

    def merged(self) -> Any:
        """Return the base with the active adapter added to its weights; this is then used up."""
        peft, self._peft, self.model = self._peft, None, None  # else it stays in memory
        return peft.merge_and_unload(adapter_names=[self._active])

    def _admit(self, adapter: Adapter) -> None:
        """Load an adapter and check it; only one that passes stays."""
        if adapter.key in self._faults:
            raise StoreError(self._faults[adapter.key])
        try:
            self._load(adapter)
            self._ranks[adapter.key] = self._rank(adapter.key)
            self._check(adapter)
        except BaseException as error:
            self._drop(adapter.key)
            if isinstance(error, StoreError):
                self._faults[adapter.key] = str(error)
            raise
        self._checked.add(adapter.key)

    def _drop(self, key: str) -> None:
        self.prefills.clear(key)
        if self._peft is not None and key in self._peft.peft_config:
            self._switch("")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # it was the active one
                self._peft.delete_adapter(key)
            self._on = None
        self._ranks.pop(key, None)

    def _rank(self, key: str) -> int | None:
        """Return the rank of an adapter that gives its rows, beside others', what it gives alone."""
        rank = self._mixed.rank(self._peft, key)
        if rank is None or (self.steady and not mixes_here()):
            return None
        rows, found = [[1, 2, 3], [3, 2, 1]], []
        try:
            for owners, asked in (([key, ""], rows), ([key], rows[:1]), ([""], rows[1:])):
                self._choose(owners, ())
                found.append(forward(self.model, torch.tensor(asked, device=self.model.device)))
        except torch.OutOfMemoryError:
            raise
        except Exception:  # whatever it stumbles over, peft's own way does without it
            return None
        tolerance = 0 if self.steady else 1e-3 if self.model.dtype == torch.float32 else 0.1
        together, alone = found[0], torch.cat(found[1:])
        agree = (together - alone).abs().max() <= tolerance * alone.abs().max()
        return rank if agree else None

    def _switch(self, key: str) -> None:
        if self._ranks.get(key, 0) is not None:
            self._choose([key], ())
        elif key != self._on:
            self._active = self._on = None  # if this is cut short, the next request switches anew
            self._mixed.leave()
            self._peft.set_adapter(key)
            self._peft.base_model.enable_adapter_layers()
            # Both have made it trainable.
            self._peft.requires_grad_(False)
            self._on = self._active = key

    def _off(self) -> None:
        """Let adapters that peft has switched on be off."""
        if self._on != "" and self._peft is not None:
            self._on = None
            self._peft.base_model.disable_adapter_layers()
        self._on = ""

    def _load(self, adapter: Adapter) -> None:
        require("train", "peft")
        from peft import PeftConfig, get_peft_model

        record = adapter.record
        directory = str(Store(adapter.root).verify_adapter(record))
        try:
            with warnings.catch_warnings():
                # Of peft: a call that transformers has renamed, and a base that lies
                # elsewhere than in training. The fingerprint tells whether it is the same.
                warnings.simplefilter("ignore", FutureWarning)
                warnings.simplefilter("ignore", UserWarning)
                self._active = self._on = None  # peft switches to what it loads
                if self._peft is None:
                    config = PeftConfig.from_pretrained(directory)
                    config.inference_mode = True
                    self._peft = get_peft_model(self.model, config, adapter_name=adapter.key)
                self._peft.load_adapter(
                    directory, adapter_name=adapter.key, torch_device=str(self.model.device)
                )
        except torch.OutOfMemoryError:
            raise
        except (ValueError, RuntimeError, OSError, KeyError, TypeError) as error:
            raise StoreError(
                f"model {record.name!r}: its adapter does not load onto {self.base.name!r}: {error}"
            ) from error
        self._peft.eval().requires_grad_(False)
        if self.steady:
            make_steady(self._peft)
        self._mixed.take(self._peft)

    def _check(self, adapter: Adapter) -> None:
        """Compare the adapter's fingerprint, on and off, with that of its record."""
        record, stored = adapter.record, adapter.record.fingerprint
        if stored is None:
            raise StoreError(f"model {record.name!r}: its record has no fingerprint")
        ids = stored.token_ids
        self._switch(adapter.key)
        on = sequence_logprobs(self.model, ids)
        self._switch("")
        off = sequence_logprobs(self.model, ids)
        trained_in = record.metrics.get("dtype", "float32")
        exact = self.model.dtype == torch.float32 and trained_in == "float32"
        fault = fingerprint_fault(stored, on=on, off=off, exact=exact, trained=trained_in)
        if fault is not None:
            raise StoreError(f"model {record.name!r}: {fault}")


@contextmanager
def no_bars() -> Iterator[None]:
    """Keep the progress bars of transformers out of Inspect's display."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _context(model: Any) -> int | None:
    config = model.config.get_text_config(decoder=True)
    context = getattr(config, "max_position_embeddings", None)
    return int(context) if context else None
