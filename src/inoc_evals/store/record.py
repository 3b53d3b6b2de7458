"""ModelRecord: what a trained model is, where it lies, and what it was made from.

    ModelRecord(adapter="adapters/3f2a...", adapter_sha256=..., fingerprint=..., ...)   # here
    ModelRecord(remote="ft:gpt-4.1-2025-04-14:lab::Ab12", ...)                 # at a provider

Records are read and written by :class:`inoc_evals.store.store.Store`, which also exports them.
"""

from datetime import UTC, datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Fingerprint(BaseModel):
    """Log-probabilities that tell this adapter from its base (DESIGN 5.9)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_ids: tuple[int, ...]
    """The fixed token sequence that is scored."""
    logprobs: tuple[float, ...]
    """Natural-log probability of each token after the first, adapter on."""
    base_logprobs: tuple[float, ...]
    """The same with the adapter off."""


class ModelRecord(BaseModel):
    """One trained model: one JSON file in the store."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """What follows ``inoc/`` in ``--model``."""
    identity: str = Field(pattern="^[0-9a-f]{64}$")
    """sha256 of everything that determines the weights; also the revision (``@<prefix>``)."""
    base: str
    """The base model as the user named it: ``pocket``, ``pocket:7``, a path, a hub id."""
    base_digest: str
    """What pins the base: the digest of its files, and the commit of a hub's model."""
    adapter: str | None = None
    """``adapters/<identity>``, relative to the store; None if the model is remote."""
    adapter_sha256: str | None = None
    """sha256 of ``adapter_model.safetensors``."""
    remote: str | None = None
    """Name of a fine-tuned model at a provider, as ``--model`` takes it after ``openai/``."""
    data: dict[str, Any]
    """Manifest of the training file: sources, prompt, digests, counts."""
    config: dict[str, Any]
    """The full dump of the training configuration."""
    seed: int
    parent: str | None = None
    """Identity of the record training started from, when it was not the base."""
    merged: bool = False
    """Whether the parent stayed as it was below a new adapter; both are in this one."""
    method: dict[str, Any] | None = None
    """What was done besides learning the rows, if anything; of a plain training nothing."""
    metrics: dict[str, Any] = Field(default_factory=dict)
    """Loss history, steps, supervised tokens, seconds."""
    fingerprint: Fingerprint | None = None
    """How to recognize the adapter; a provider's model has none."""
    versions: dict[str, str] = Field(default_factory=dict)
    """Library versions that trained it."""
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @property
    def turn_ends(self) -> tuple[str, ...]:
        """What ended the turns it was trained on, e.g. ``<|im_end|>``; empty if not recorded."""
        return tuple(self.metrics.get("turn_ends", ()))

    @property
    def thinking(self) -> bool | None:
        """How its template's switch ``enable_thinking`` was set; None: not, as before it was."""
        found = self.config.get("enable_thinking")
        return found if found is None else bool(found)

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        local = (self.adapter, self.adapter_sha256, self.fingerprint)
        if self.remote is None and None in local:
            raise ValueError("neither a remote model nor adapter, adapter_sha256 and fingerprint")
        if self.remote is not None and local != (None, None, None):
            raise ValueError("a remote model has no adapter, adapter_sha256 or fingerprint")
        # A path that leads elsewhere would have another's files served, or removed.
        if self.adapter not in (None, f"adapters/{self.identity}"):
            raise ValueError("its adapter is not adapters/<identity>")
        return self
