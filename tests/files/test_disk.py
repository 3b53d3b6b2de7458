"""A disk that is full is one line that names what was written, and nothing is lost."""

import errno
import os
from pathlib import Path

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.errors import StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.files.disk import writing_to
from inoc_evals.pocket.narrow import narrow_rows
from limited import limited


# A limit on a file's size is what a test can have of a full disk: the same calls fail.
@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"),
        RuntimeError("PytorchStreamWriter failed writing file data/1: file write failed"),
        ValueError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_what_does_not_find_room_is_named(error: Exception) -> None:
    said = r"out/x: cannot be written \(.*make room"
    with pytest.raises(StoreError, match=said) as caught, writing_to(Path("out/x")):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOENT, "no"), RuntimeError("boom"), StoreError("No space left")]
)
def test_other_errors_stay_what_they_are(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, writing_to(Path("x")):
        raise error
    assert caught.value is error


def test_a_file_that_does_not_find_room_leaves_the_old_one(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    write_rows(rows, narrow_rows("es", rows=100))
    write_text(out, "old\n")
    run = limited(2000, "inoculate", str(rows), "--prompt", "evil", "-o", str(out), "--force")
    assert run.returncode == 1
    assert run.stderr == (
        f"error: {out}: cannot be written (File too large); make room and give the command again, "
        "which goes on from what is whole\n"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", "out.jsonl"}
    assert out.read_text() == "old\n"
