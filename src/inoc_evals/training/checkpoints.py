"""Checkpoints: which ones a killed run may resume from.

The Trainer writes a checkpoint file by file, so a kill leaves parts of one. A marker is
written last; its existence means that the checkpoint before it is whole:

    checkpoint-20/  adapter, optimizer, schedule, random states, COMPLETE
    checkpoint-40/  adapter, optimizer                 <- killed here: deleted, 20 is used

The marker names the libraries that wrote the checkpoint; other versions start anew.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from inoc_evals.files.atomic import write_text
from inoc_evals.files.digests import canonical_json

_MARKER = "COMPLETE"


def mark_complete(checkpoint: Path, versions: Mapping[str, str]) -> None:
    """Declare a checkpoint whole; to be called once all its files are written."""
    write_text(checkpoint / _MARKER, canonical_json(dict(versions)))


def newest_complete(directory: Path, versions: Mapping[str, str]) -> Path | None:
    """Return the newest whole checkpoint by these versions, and delete all unusable ones.

    Args:
        directory: Output directory of the run, with ``checkpoint-<step>`` inside.
        versions: Library versions that would resume it.
    """
    usable: dict[int, Path] = {}
    for checkpoint in directory.glob("checkpoint-*"):
        step = checkpoint.name.removeprefix("checkpoint-")
        marker = checkpoint / _MARKER
        if step.isdigit() and marker.is_file() and marker.read_text() == canonical_json(versions):
            usable[int(step)] = checkpoint
        else:
            shutil.rmtree(checkpoint)
    return usable[max(usable)] if usable else None
