"""What a finished training leaves beside its adapter: result, rows, and scores if watched.

    adapters/<identity>/training.json           losses, fingerprint, versions
    adapters/<identity>/SHA256SUMS              what its files were when the training ended
    adapters/<identity>/rows.jsonl.gz           what it was trained on
    adapters/<identity>/dynamics/<key>.json     how likely given responses were on the way

Scores have a file for each thing that was watched, so that a model which was trained unwatched
can be given its curve by a second training of the same inputs. An adapter of which a file is
missing or not what it was counts as untrained: the same training puts it there again.
"""

import gzip
import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from inoc_evals.chat import Row
from inoc_evals.errors import StoreError
from inoc_evals.files.atomic import write_bytes, write_text
from inoc_evals.files.digests import canonical_json
from inoc_evals.files.directories import file_digests, first_fault, keep_sums, kept_sums
from inoc_evals.store.store import ROWS_FILE, WEIGHTS_FILE, Fingerprint
from inoc_evals.training.dynamics import Dynamics

_RESULT_FILE = "training.json"


class TrainingResult(BaseModel):
    """What a finished run leaves beside its adapter (``training.json``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    adapter_sha256: str
    """sha256 of ``adapter_model.safetensors``."""
    metrics: dict[str, Any]
    """Loss per step, counts of rows and tokens, seconds."""
    fingerprint: Fingerprint
    """Log-probabilities with the adapter on and off."""
    versions: dict[str, str]
    """Library versions that trained it."""
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When the run ended."""


def keep_result(adapter: Path, result: TrainingResult) -> None:
    """Write ``training.json``: the run is finished once its directory has its name."""
    keep_sums(adapter, file_digests(adapter))
    write_text(adapter / _RESULT_FILE, result.model_dump_json(indent=2) + "\n")


def whole_result(adapter: Path) -> TrainingResult | None:
    """Return the same as :func:`read_result`, if the adapter's files are those of the training.

    Of adapters from before sums were kept, weights and configuration are looked at.
    """
    result = None if adapter.is_symlink() else read_result(adapter)
    if result is None:
        return None
    kept = {**(kept_sums(adapter) or {}), WEIGHTS_FILE: result.adapter_sha256}
    try:
        json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return result if first_fault(adapter, kept) is None else None


def read_result(adapter: Path) -> TrainingResult | None:
    """Return what a finished run left in an adapter's directory; None if nothing readable."""
    try:
        return TrainingResult.model_validate_json((adapter / _RESULT_FILE).read_text("utf-8"))
    except (OSError, ValueError):  # a ValidationError is one
        return None


def keep_rows(adapter: Path, rows: Sequence[Row]) -> None:
    """Write rows so that the same rows give the same bytes: no time stamp, sorted keys."""
    text = "".join(f"{canonical_json(row)}\n" for row in rows)
    write_bytes(adapter / ROWS_FILE, gzip.compress(text.encode("utf-8"), mtime=0))


def kept_scores(adapter: Path, dynamics: Dynamics) -> dict[str, Any] | None:
    """Return the scores beside an adapter for these dynamics; None if there are none.

    Raises:
        StoreError: If the file they are kept in is damaged.
    """
    path = _scores_file(adapter, dynamics)
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        raise StoreError(f"{path}: damaged; delete it and train again") from None
    return found


def keep_scores(adapter: Path, dynamics: Dynamics, scores: Mapping[str, Any]) -> None:
    """Write the scores of a training beside its adapter."""
    write_text(_scores_file(adapter, dynamics), json.dumps(dict(scores)) + "\n")


def keep_all_scores(adapter: Path, again: Path) -> None:
    """Copy the scores beside an adapter to where it is trained again."""
    if (adapter / "dynamics").is_dir():
        shutil.copytree(adapter / "dynamics", again / "dynamics")


def _scores_file(adapter: Path, dynamics: Dynamics) -> Path:
    return adapter / "dynamics" / f"{dynamics.key}.json"
