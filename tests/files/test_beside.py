"""What kills leave beside a target goes with its next write; what is being written stays."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from inoc_evals.files import beside
from inoc_evals.files.atomic import new_directory, write_text
from inoc_evals.report.picture import write_picture
from inoc_evals.store.store import Store

KILLED = """
    import os, signal
    from pathlib import Path
    from inoc_evals.files import atomic
    def kill(*paths):
        os.kill(os.getpid(), signal.SIGKILL)
    atomic.os.replace = kill
"""


def killed(script: str) -> None:
    """Run a script whose process is killed where it renames."""
    whole = textwrap.dedent(KILLED) + textwrap.dedent(script)
    run = subprocess.run([sys.executable, "-c", whole], check=False)
    assert run.returncode == -signal.SIGKILL


def old(path: Path, days: float) -> None:
    then = time.time() - days * 24 * 3600
    for each in (*path.rglob("*"), path):
        os.utime(each, (then, then))


def test_a_file_that_a_killed_writer_left_goes_with_the_next_write_of_the_same_target(
    tmp_path: Path,
) -> None:
    for name in ("a.json", "other.json"):
        killed(f"atomic.write_text(Path({str(tmp_path / name)!r}), 'x')")
    assert len(list(tmp_path.iterdir())) == 2
    write_text(tmp_path / "a.json", "y")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left[1] == "a.json" and left[0].startswith(".other.json.") and len(left) == 2


def test_a_directory_that_a_killed_writer_left_goes_with_the_next_one(tmp_path: Path) -> None:
    final = tmp_path / "base"
    killed(f"""
        from inoc_evals.store.store import Store
        with Store(Path({str(tmp_path)!r})).staged(Path({str(final)!r})) as staging:
            (staging / "weights").write_bytes(b"half")
    """)
    assert len(list(tmp_path.iterdir())) == 1
    with Store(tmp_path).staged(final) as staging:
        (staging / "weights").write_bytes(b"whole")
    assert list(tmp_path.iterdir()) == [final]
    assert (final / "weights").read_bytes() == b"whole"


def test_a_picture_that_a_killed_writer_left_goes_too(tmp_path: Path) -> None:
    path = tmp_path / "fig2a.png"
    killed(f"""
        from inoc_evals.report.picture import write_picture
        from matplotlib.figure import Figure
        write_picture(Path({str(path)!r}), lambda: Figure((1, 1)))
    """)
    from matplotlib.figure import Figure

    assert len(list(tmp_path.iterdir())) == 1
    write_picture(path, lambda: Figure((1, 1)))
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_living_process_writes_stays_however_old(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    script = f"""
        from pathlib import Path
        from inoc_evals.files.atomic import new_directory
        print(new_directory(Path({str(target)!r})), flush=True)
        input()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        writing = Path(process.stdout.readline().strip())
        old(writing, days=9)
        write_text(target, "x")
        own = new_directory(target)
        write_text(target, "y")
        assert writing.is_dir() and own.is_dir()
        process.communicate("\n")
    write_text(target, "z")
    assert sorted(tmp_path.iterdir()) == sorted([own, target])


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir])
@pytest.mark.parametrize("name", [".a.json.0123abcd", ".a.json.ffffff-1-0123abcd"])
def test_what_another_machine_or_release_wrote_goes_after_a_day(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    left, target = tmp_path / name, tmp_path / "a.json"
    make(left)
    if left.is_dir():
        (left / "new").write_text("x")
        os.utime(left, (1, 1))
    write_text(target, "x")
    assert left.exists()
    old(left, days=1.1)
    write_text(target, "y")
    assert list(tmp_path.iterdir()) == [target]


def test_no_other_file_is_taken_for_one_that_was_left(tmp_path: Path) -> None:
    names = (".a.json", ".a.json.old", ".a.json.lock", ".a.json.run.json", "a.json.0123abcd")
    for name in (*names, ".b.a.json.0123abcd", ".a.json.0123abcd.json"):
        (tmp_path / name).touch()
        old(tmp_path / name, days=9)
    write_text(tmp_path / "a.json", "x")
    assert len(list(tmp_path.iterdir())) == len(names) + 3


def test_a_link_that_was_left_goes_without_what_it_leads_to(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").touch()
    link = tmp_path / ".a.json.0123abcd"
    link.symlink_to(precious)
    os.utime(link, (1, 1), follow_symlinks=False)
    write_text(tmp_path / "a.json", "x")
    assert not link.is_symlink() and (precious / "x").exists()


def test_where_processes_cannot_be_asked_after_only_the_age_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(f"atomic.write_text(Path({str(tmp_path / 'a')!r}), 'x')")
    monkeypatch.setattr(beside, "_asks_after", False)
    write_text(tmp_path / "a", "y")
    assert len(list(tmp_path.iterdir())) == 2
