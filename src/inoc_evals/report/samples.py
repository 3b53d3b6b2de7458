"""The samples of a log, one at a time, without what no report reads.

    for sample in read_samples(header, Path("logs/2026-01-01_em.eval")):
        sample.scores, sample.metadata, sample.output, sample.messages

Left out are events, attachments and the store. A log with its events is many times as large as its
answers, and a hundred thousand answers are more than a machine should hold at once. Inspect's own reader validates every event before it
lets go of it, and its way to leave fields out parses several times slower than it reads them;
so an ``.eval`` file is opened as what it is, a zip with a JSON file for each sample, of which the
fields are parsed that are wanted: Inspect writes the events after them. That each sample came is
checked against the header.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inoc_evals.errors import StoreError
from inoc_evals.report.holdings import SAMPLES, read_part

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

_READ = {"id", "epoch", "input", "target", "metadata", "messages", "output", "scores"}
"""Fields of a sample that are kept; Inspect writes each of them, and these before the events."""

_BETWEEN = re.compile(r"[\s:,]*")
"""What stands between the keys and values of an object."""


def read_samples(
    header: "EvalLog", path: Path, *, conversation: bool = False
) -> Iterator["EvalSample"]:
    """Yield the samples of a log in Inspect's order: by epoch, then by id.

    Args:
        header: The log, read without samples.
        path: Its file.
        conversation: Whether all of a sample's messages are wanted; otherwise its system messages.

    Raises:
        StoreError: If the file cannot be read, or holds fewer samples than its header says.
        zipfile.BadZipFile: If a sample is not as it was written, and nobody looked before.
    """
    count = 0
    try:
        for sample in _from_zip(path, conversation) if path.suffix == ".eval" else _from_json(path):
            yield sample
            count += 1
    except zipfile.BadZipFile:
        raise
    # What another version's samples raise has no common class: JSON, validation.
    except Exception as error:
        raise unreadable(path, error) from error
    expected = header.results.total_samples if header.results else count
    if count != expected:
        raise unreadable(path, f"{count} of {expected} samples")


def unreadable(path: Path, why: object) -> StoreError:
    """Return the error of a log that is whole and yet cannot be read."""
    said = (str(why) or type(why).__name__).splitlines()[0]
    return StoreError(f"{path}: cannot be read ({said}); move it away, and give inoc run again")


def _from_zip(path: Path, conversation: bool) -> Iterator["EvalSample"]:
    from inspect_ai.log import EvalSample

    with zipfile.ZipFile(path) as parts:
        # A sample that was run again stands there twice; by name the later one is read.
        names = {name for name in parts.namelist() if name.startswith(SAMPLES)}
        for name in sorted(names, key=_order):
            said = _fields(read_part(parts, name).decode())
            if not conversation and "messages" in said:  # to check each costs more than all else
                said["messages"] = [one for one in said["messages"] if one["role"] == "system"]
            yield EvalSample.model_validate(said)


def _fields(text: str) -> dict[str, Any]:
    """Return the fields that are kept of a sample's JSON, parsed no further than the last of them.

    Raises:
        ValueError: If the text is no JSON as far as it is read.
    """
    found: dict[str, Any] = {}
    decoder, place = json.JSONDecoder(), text.find("{") + 1
    while len(found) < len(_READ):
        place = _after(_BETWEEN, text, place)
        if text.startswith("}", place):
            break
        key, place = decoder.raw_decode(text, place)
        value, place = decoder.raw_decode(text, _after(_BETWEEN, text, place))
        if key in _READ:
            found[key] = value
    return found


def _after(pattern: re.Pattern[str], text: str, place: int) -> int:
    matched = pattern.match(text, place)
    return matched.end() if matched else place


def _order(name: str) -> tuple[int, str]:
    """Return what ``samples/<id>_epoch_<number>.json`` is sorted by."""
    sample, _, epoch = name.removeprefix(SAMPLES).removesuffix(".json").rpartition("_epoch_")
    if not epoch.isdecimal():
        raise zipfile.BadZipFile(f"{name!r} is the name of no sample")
    return int(epoch), sample.zfill(20) if sample.isdecimal() else sample


def _from_json(path: Path) -> Iterator["EvalSample"]:
    """Yield from a log in Inspect's older format, which can only be read whole."""
    from inspect_ai.log import read_eval_log

    yield from read_eval_log(str(path)).samples or []
