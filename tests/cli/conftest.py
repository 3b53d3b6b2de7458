from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, and the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
