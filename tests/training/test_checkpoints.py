from pathlib import Path

from inoc_evals.training.checkpoints import mark_complete, newest_complete

VERSIONS = {"torch": "2.13.0"}


def checkpoint(directory: Path, step: int, versions: dict[str, str] | None = VERSIONS) -> Path:
    path = directory / f"checkpoint-{step}"
    path.mkdir(parents=True)
    (path / "optimizer.pt").write_bytes(b"half")
    if versions is not None:
        mark_complete(path, versions)
    return path


def test_the_newest_whole_checkpoint_is_used_and_parts_are_deleted(tmp_path: Path) -> None:
    checkpoint(tmp_path, 9)
    whole = checkpoint(tmp_path, 20)
    part = checkpoint(tmp_path, 100, versions=None)
    assert newest_complete(tmp_path, VERSIONS) == whole
    assert not part.exists()


def test_a_checkpoint_of_other_library_versions_is_not_used(tmp_path: Path) -> None:
    other = checkpoint(tmp_path, 20, {"torch": "2.12.0"})
    assert newest_complete(tmp_path, VERSIONS) is None
    assert not other.exists()


def test_a_run_that_has_not_begun_has_no_checkpoint(tmp_path: Path) -> None:
    assert newest_complete(tmp_path / "none", VERSIONS) is None
