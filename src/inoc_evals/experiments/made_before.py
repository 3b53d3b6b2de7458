"""Made before: what another experiment has a finished log of is not evaluated again.

    before = MadeBefore()
    before.look_in(Path("runs/all/fig2a/logs"))              # again, once more have been made there
    before.take(["9c1e..."], Path("runs/all/fig3/logs"))     # -> {"9c1e..."}: copied
    before.trainings                                         # what is being trained for others

Experiments share models, under other names: what is asked of one in the same way, with the same
seed, is answered alike. A log's key (evaluations.py) says so; which cells of the figure read it
stands in the description of the experiment, not in a log that was made for another.
"""

from collections.abc import Iterable
from pathlib import Path

from inoc_evals.files.atomic import write_bytes
from inoc_evals.report.holdings import check_whole, holdings
from inoc_evals.training.dynamics import Dynamics


class MadeBefore:
    """Finished logs of other experiments; a directory is looked through when one is wanted."""

    def __init__(self) -> None:
        self.trainings: set[tuple[str, Dynamics | None]] = set()
        """Identities of what is trained for others, and what is scored in it; None goes for any."""
        self._found: dict[Path, dict[str, Path] | None] = {}
        """By directory; None: not looked through yet."""

    def look_in(self, log_dir: Path) -> None:
        """Take a directory into account, as it will be when logs are wanted; it may be absent."""
        self._found[log_dir] = None

    def take(self, keys: Iterable[str], log_dir: Path) -> set[str]:
        """Copy what there is of some evaluations, whole, into a directory.

        Args:
            keys: Of evaluations that the directory has no finished log of.
            log_dir: The directory; what is taken is not taken from there.

        Returns:
            Keys of what was taken.

        Raises:
            StoreError: If the disk is full.
        """
        wanted, taken = set(keys), set[str]()
        for directory in self._found if wanted else ():
            if directory == log_dir:
                continue
            found = self._logs_in(directory)
            for key in sorted(wanted & found.keys() - taken):
                if (log := _whole(found[key])) is not None:
                    write_bytes(log_dir / found[key].name, log)
                    taken.add(key)
        return taken

    def _logs_in(self, directory: Path) -> dict[str, Path]:
        found = self._found[directory]
        if found is None:
            finished = holdings(directory, whole=False).finished
            found = {key: paths[0] for key, paths in finished.items() if paths}
            self._found[directory] = found
        return found


def _whole(path: Path) -> bytes | None:
    """Return a log's bytes; None if they are not as they were written, or cannot be read."""
    try:
        check_whole(path)
        return path.read_bytes()
    # What reading damaged bytes raises has no common class; and it may have been moved away.
    except Exception:
        return None
