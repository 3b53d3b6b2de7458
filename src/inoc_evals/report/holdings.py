"""What a directory of logs holds: whose each is, which are finished, which cannot be read.

    held = holdings(Path("runs/fig2a/logs"))
    held.log_of(planned)      # its one finished log, or None; two are refused, both named
    held.unfinished[key]      # started, cancelled or failed
    held.damaged              # {path: why it cannot be read}

A log says in its metadata which evaluation it is of (``evaluation``: the key of
:mod:`inoc_evals.experiments.evaluations`). A finished log counts whatever the times say that
are written in it and beside it, for clocks are set back; logs of anything else are left alone.
"""

import zipfile
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from errno import EINVAL
from os import SEEK_END
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from inoc_evals.errors import StoreError
from inoc_evals.files.stamp import Stamp, stamp

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog

_END, _COUNT = 22, slice(10, 12)
"""Bytes at the end of a zip file without a comment, and where in them its parts are counted."""

SAMPLES = "samples/"
"""What the names of the parts begin with that hold samples."""

_MANY = 0xFFFF
"""What stands there of more parts than two bytes can count."""


class Planned(BaseModel):
    """An evaluation that an experiment needs a finished log of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    """Digest of all that determines its samples."""
    label: str
    """What a reader is told is missing: ``spanish_caps/none seed 0 ood: traits``."""
    model: str
    """As ``--model`` takes it."""
    base_digest: str
    identity: str | None
    """Identity of the training run; None for the base itself."""
    cells: tuple[dict[str, Any], ...] = ()
    """Places of the figure that read it; none: those that the log's metadata says."""


class Unfinished(NamedTuple):
    """A log that no result may be read from."""

    path: Path
    status: str
    """``started`` (and perhaps killed), ``cancelled``, ``error``, or why else it does not count."""


@dataclass(frozen=True)
class Holdings:
    """What the logs of a directory are."""

    directory: Path
    finished: dict[str, list[Path]] = field(default_factory=lambda: defaultdict(list))
    unfinished: dict[str, list[Unfinished]] = field(default_factory=lambda: defaultdict(list))
    damaged: dict[Path, str] = field(default_factory=dict)
    others: list[Path] = field(default_factory=list)
    """Logs that no experiment made, or one of before logs had keys."""

    def log_of(self, planned: Planned) -> Path | None:
        """Return the finished log of an evaluation, None if there is none.

        Raises:
            StoreError: If there are two, for their samples would count twice.
        """
        logs = self.finished.get(planned.key, [])
        if len(logs) > 1:
            names = " and ".join(str(path) for path in logs[:2])
            raise StoreError(
                f"two finished logs of {planned.label} would count twice: {names}; remove one of "
                "them (inspect view shows them)"
            )
        return logs[0] if logs else None

    def cannot_be_read(self, path: Path, error: Exception, key: str | None = None) -> None:
        """Note that a log is damaged; then nothing else is held of it.

        Args:
            path: The log.
            error: What reading it raised.
            key: Its evaluation, if it was taken for a finished one.

        Raises:
            OSError: If the error is of the disk, and not of what stands in the file.
        """
        if isinstance(error, OSError) and error.errno != EINVAL:
            raise error
        self.damaged[path] = _first_line(error)
        if key is not None:
            self.finished[key].remove(path)

    def lacking(self, planned: Iterable[Planned]) -> list[str]:
        """Say of each evaluation without a finished log what it is, and what there is of it."""
        said = []
        for one in planned:
            if self.log_of(one) is None:
                left = self.unfinished.get(one.key, [])
                why = f" ({left[0].path.name} is {left[0].status}, not finished)" if left else ""
                said.append(one.label + why)
        return said


def holdings(directory: Path, *, whole: bool = True, samples: bool = True) -> Holdings:
    """Look through a directory's logs; it may be absent.

    Args:
        directory: Where Inspect wrote them.
        whole: Also check that what stands in them is what was written, which reads every byte;
            else only the headers are read.
        samples: Check the samples, too. Who reads them all afterwards compares them then; of
            two finished logs of an evaluation they are checked all the same.

    Raises:
        OSError: If a file cannot be opened or read for a reason outside of it.
    """
    from inspect_ai.log import list_eval_logs

    held = Holdings(directory)
    if not directory.is_dir():
        return held
    for info in list_eval_logs(str(directory)):
        path = Path(info.name.removeprefix("file://"))
        try:
            key, status = _told(path)
            if whole:
                check_whole(path, samples=samples)
        # What reading damaged bytes raises has no common class: zip, JSON, Unicode, validation.
        except Exception as error:
            held.cannot_be_read(path, error)
        else:
            _place(held, path, key, status)
    if whole and not samples:
        _check_doubles(held)
    return held


def _check_doubles(held: Holdings) -> None:
    """Check the samples of logs of one evaluation: of two, one may be damaged."""
    for key, path in [(key, path) for key, paths in held.finished.items() for path in paths]:
        if len(held.finished[key]) > 1:
            try:
                check_whole(path)
            except Exception as error:  # as above
                held.cannot_be_read(path, error, key)


_TOLD: dict[tuple[str, Stamp | None], tuple[str | None, str]] = {}


def _told(path: Path) -> tuple[str | None, str]:
    """Return which evaluation a log is of, if it says so, and its status.

    A run looks through its logs several times, and at each header once while the file, which may
    be moved, stays as it is.
    """
    known = (path.name, stamp(path))
    if known not in _TOLD:
        from inspect_ai.log import read_eval_log

        header = read_eval_log(str(path), header_only=True)
        key = (header.eval.metadata or {}).get("evaluation")
        _TOLD[known] = (key if isinstance(key, str) else None, status_of(header))
    return _TOLD[known]


def _place(held: Holdings, path: Path, key: str | None, status: str) -> None:
    if key is None:
        held.others.append(path)
    elif status == "success":
        held.finished[key].append(path)
    else:
        held.unfinished[key].append(Unfinished(path, status))


def check_whole(path: Path, *, samples: bool = True) -> None:
    """Check that a log has all its parts, with the checksums they were written with.

    Inspect reads a log without comparing them, so a changed byte may be a changed answer.

    Args:
        path: Its file.
        samples: Whether the samples are read for it, or everything else alone.

    Raises:
        zipfile.BadZipFile: Saying what is changed; other errors if it cannot be read at all.
    """
    if path.suffix != ".eval":
        return  # JSON text, which has no checksums
    with zipfile.ZipFile(path) as parts:
        listed = parts.infolist()
        for part in listed:
            if samples or not part.filename.startswith(SAMPLES):
                read_part(parts, part.filename)
    # Python reads the directory by its length alone: a changed byte there may hide entries.
    counted = int.from_bytes(_last(path, _END)[_COUNT], "little")
    if counted not in (len(listed), _MANY):
        raise zipfile.BadZipFile(f"{len(listed)} of its {counted} parts are listed")


def read_part(parts: zipfile.ZipFile, name: str) -> bytes:
    """Return a part of a log, compared with its checksum.

    Raises:
        zipfile.BadZipFile: If it is not what was written.
    """
    try:
        return parts.read(name)
    except OSError:
        raise  # of the disk, and not of what stands in the file
    except NotImplementedError as error:  # a method of packing, or a changed byte that says so
        raise zipfile.BadZipFile(f"{name}: {error}") from error
    # Bytes that were changed may fail to be unpacked, which has no common class.
    except Exception as error:
        raise zipfile.BadZipFile(f"{name} was changed after it was written") from error


def _last(path: Path, count: int) -> bytes:
    with path.open("rb") as file:
        file.seek(-count, SEEK_END)
        return file.read()


def status_of(header: "EvalLog") -> str:
    """Return a log's status: ``success`` only of one that holds every sample and still counts."""
    if header.status != "success":
        return header.status
    if header.invalidated:
        return "invalidated"
    results = header.results
    if results is None:
        return "without results"
    if results.logged_samples is not None and results.logged_samples < results.total_samples:
        return f"of {results.logged_samples} of {results.total_samples} samples"
    return "success"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:200]
