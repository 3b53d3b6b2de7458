"""Samples are read one at a time, in Inspect's order, and all of them or none."""

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Epochs, Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, system_message

from inoc_evals.errors import StoreError
from inoc_evals.report.samples import read_samples

_LONG = "a long question, again and again " * 30


@pytest.fixture(params=["eval", "json"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> EvalLog:
    samples = [Sample(id=id, input=_LONG, target="a", metadata={"n": id}) for id in (10, 9, 1)]
    asked = [system_message("Be brief."), generate()]
    task = Task(dataset=samples, solver=asked, scorer=includes(), epochs=Epochs(2, []))
    options: dict[str, Any] = {"log_format": request.param, "display": "none"}
    [found] = eval(task, model="mockllm/model", log_dir=str(tmp_path), **options)
    return found


def file(log: EvalLog) -> Path:
    return Path(log.location.removeprefix("file://"))


def test_samples_are_those_that_inspect_reads_without_their_events(log: EvalLog) -> None:
    header = read_eval_log(log.location, header_only=True)
    found = list(read_samples(header, file(log), conversation=True))
    whole = read_eval_log(log.location, resolve_attachments=True).samples
    assert whole is not None and len(found) == len(whole) == 6
    for one, other in zip(found, whole, strict=True):
        assert (one.id, one.epoch, one.scores) == (other.id, other.epoch, other.scores)
        assert (one.input, one.metadata) == (other.input, other.metadata)
        assert [m.text for m in one.messages] == [m.text for m in other.messages]
        assert one.output.completion == other.output.completion
    if file(log).suffix == ".eval":
        assert not any(one.events for one in found)
        short = list(read_samples(header, file(log)))
        kept = [[m.text for m in one.messages if m.role == "system"] for one in whole]
        assert [[m.text for m in one.messages] for one in short] == kept == [["Be brief."]] * 6


def rewritten(path: Path, change: dict[str, bytes | None]) -> None:
    """Write a log again with parts changed, or left out."""
    before = path.with_suffix(".before")
    shutil.move(path, before)
    with zipfile.ZipFile(before) as parts, zipfile.ZipFile(path, "w") as made:
        for name in dict.fromkeys(parts.namelist()):
            content = change.get(name, parts.read(name))
            if content is not None:
                made.writestr(name, content)


@pytest.mark.parametrize("log", ["eval"], indirect=True)
@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "5 of 6 samples"), (b"{}", "validation error"), (b"[", "Expecting")],
)
def test_a_sample_that_is_lost_or_odd_names_the_log(
    log: EvalLog, content: bytes | None, said: str
) -> None:
    header = read_eval_log(log.location, header_only=True)
    path = file(log)
    rewritten(path, {"samples/9_epoch_2.json": content})
    with pytest.raises(StoreError, match=rf"{path.name}: cannot be read \(.*{said}.*give inoc run"):
        list(read_samples(header, path))
