"""A training on a full disk ends in one line; with room it goes on and is the same training."""

import os
from pathlib import Path

import pytest

from inoc_evals.chat import Row, write_rows
from inoc_evals.store.store import Store
from limited import limited


@pytest.mark.slow
@pytest.mark.parametrize("size", [600, 10_000, 40_000])
def test_a_checkpoint_an_adapter_or_rows_that_find_no_room_are_one_line(
    size: int, tmp_path: Path, tiny_base: Path, rows: list[Row]
) -> None:
    file, settings = tmp_path / "rows.jsonl", tmp_path / "train.yaml"
    write_rows(file, rows)
    settings.write_text(
        "{max_steps: 4, batch_size: 4, gradient_accumulation: 1, save_steps: 2, lora_r: 4}"
    )
    command = ["train", str(file), "--base", str(tiny_base), "--name", "m", "--config"]
    run = limited(size, *command, str(settings), "--quiet")
    lines = [line for line in run.stderr.splitlines() if line]
    assert (run.returncode, len(lines)) == (1, 1), run.stderr
    assert lines[0].startswith(f"error: {os.environ['INOC_HOME']}")
    assert "cannot be written (" in lines[0]
    assert Store().names() == []

    again = limited(2**30, *command, str(settings), "--quiet")
    assert again.returncode == 0, again.stderr
    store = Store()
    store.verify_adapter(store.get("m"))
    assert list((store.root / "training").iterdir()) == []
