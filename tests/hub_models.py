"""A hub's cache on this machine, as its client lays it out: commits, and branches that move.

hub = HubModels(tmp_path, monkeypatch)
hub.add("org/tiny", "a" * 40, files=Path("a directory"))     # or {"config.json": b"{}"}
hub.move("org/tiny", "main", "a" * 40)
"""

from collections.abc import Mapping
from pathlib import Path

import pytest


class HubModels:
    """Makes the client find its cache in a directory of the test."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root / "hub"
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(self.root))

    def add(self, repo: str, commit: str, files: Path | Mapping[str, bytes]) -> Path:
        """Write a snapshot; files are links to blobs, as the client makes them."""
        folder = self._folder(repo)
        snapshot = folder / "snapshots" / commit
        if isinstance(files, Path):
            files = {path.name: path.read_bytes() for path in files.iterdir() if path.is_file()}
        for name, data in files.items():
            blob = folder / "blobs" / f"{commit[:4]}-{name.replace('/', '-')}"
            for path in (blob, snapshot / name):
                path.parent.mkdir(parents=True, exist_ok=True)
            blob.write_bytes(data)
            (snapshot / name).symlink_to(blob)
        return snapshot

    def move(self, repo: str, ref: str, commit: str) -> None:
        """Let a branch or tag stand for a commit."""
        path = self._folder(repo) / "refs" / ref
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit)

    def _folder(self, repo: str) -> Path:
        return self.root / f"models--{repo.replace('/', '--')}"
