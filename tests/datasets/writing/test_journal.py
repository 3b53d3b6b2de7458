"""The journal: what was written is there after any kill, and one process holds it."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from inoc_evals.datasets.writing.journal import Reply, journal_path, opened
from inoc_evals.errors import InputError, StoreError

REPLY = Reply("LA RESPUESTA\nES 5.", "stop", 12, 7)


def test_a_reply_that_was_added_is_found_by_the_next_process(tmp_path: Path) -> None:
    path = journal_path(tmp_path / "new" / "rows.jsonl")
    assert path.name == "rows.jsonl.replies.jsonl"
    with opened(path) as journal:
        assert journal.find("a") is None
        journal.add("a", REPLY)
        assert journal.find("a") == REPLY
    with opened(path) as journal:
        assert journal.find("a") == REPLY and journal.find("b") is None


def test_what_was_given_up_is_known_to_the_next_process(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with opened(path) as journal:
        journal.add("a", REPLY)
        journal.add("b", REPLY)
        assert not journal.gave_up("a")
        journal.give_up("a")
        assert journal.gave_up("a")
    with opened(path) as journal:
        assert journal.gave_up("a") and not journal.gave_up("b")
        assert journal.find("a") == journal.find("b") == REPLY
    path.write_text(path.read_text() + '{"key": "c", "text": "x", "text": "y"}\n', "utf-8")
    with pytest.raises(StoreError, match=r"j:4: not a reply"), opened(path):
        pass


def test_a_reply_survives_the_kill_that_follows_it(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from inoc_evals.datasets.writing.journal import Reply, opened
        with opened(Path({str(tmp_path / "j")!r})) as journal:
            journal.add("a", Reply("one"))
            os.kill(os.getpid(), signal.SIGKILL)
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert run.returncode == -signal.SIGKILL
    with opened(tmp_path / "j") as journal:
        assert journal.find("a") == Reply("one")


def test_a_last_line_that_was_cut_is_dropped_and_not_glued_to(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with opened(path) as journal:
        journal.add("a", REPLY)
        journal.add("b", REPLY)
    whole = path.read_bytes()
    os.truncate(path, len(whole) - 9)
    with opened(path) as journal:
        assert journal.find("a") == REPLY and journal.find("b") is None
        journal.add("b", REPLY)
    assert path.read_bytes() == whole


def test_a_damaged_line_is_named_and_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with opened(path) as journal:
        journal.add("a", REPLY)
    path.write_text(path.read_text() + "{}\n", "utf-8")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"j:2: not a reply; mend or remove"), opened(path):
        pass
    assert path.read_bytes() == before


def test_a_second_build_of_the_same_file_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    path = tmp_path / "j"
    refused = pytest.raises(InputError, match="another build is writing it")
    with opened(path), refused, opened(path):
        pass
    with opened(path):
        pass


def test_the_lock_is_one_file_for_all_who_come(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with opened(path):
        lock = (tmp_path / ".j.lock").stat().st_ino
    assert (tmp_path / ".j.lock").stat().st_ino == lock, "another may have opened it meanwhile"
    with opened(path):
        assert (tmp_path / ".j.lock").stat().st_ino == lock
