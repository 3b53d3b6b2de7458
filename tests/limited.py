"""A command that finds no more room on the disk than so many bytes a file.

limited(40_000, "train", "rows.jsonl", ...)      # the finished process
"""

import subprocess
import sys

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
from inoc_evals.cli.main import main
main(sys.argv[2:])
"""


def limited(size: int, *args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", LIMITED, str(size), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)
