"""`inoc`: a quick help, commands loaded when called, and errors without tracebacks."""

import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

import inoc_evals
from inoc_evals.cli.main import COMMANDS, main
from inoc_evals.errors import InputError, MissingExtraError, StoreError

INOC = [sys.executable, "-c", "from inoc_evals.cli.main import main; main()"]


def inoc(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*INOC, *args], capture_output=True, text=True, timeout=60)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Stands in for `inoc report`; a test gives it its `command`."""
    module = ModuleType("inoc_evals.cli.report")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def raising(module: ModuleType, error: BaseException) -> None:
    @click.command()
    def command() -> None:
        raise error

    module.__dict__["command"] = command


def status_of(*args: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(args)
    return caught.value.code


# ---- help ----------------------------------------------------------------------------------


def test_help_lists_every_command_with_a_line_and_imports_none() -> None:
    script = (
        "import sys\n"
        "from inoc_evals.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in\n"
        "            ('torch', 'inspect_ai', 'transformers', 'matplotlib')]\n"
        "assert not [name for name in sys.modules if name.startswith('inoc_evals.cli.')\n"
        "            and name != 'inoc_evals.cli.main']\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for name, line in COMMANDS.items():
        assert any(shown.split() == [name, *line.split()] for shown in run.stdout.splitlines())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_loads_and_has_a_help_text(name: str) -> None:
    command = import_module(f"inoc_evals.cli.{name.replace('-', '_')}").command
    assert isinstance(command, click.Command)
    assert command.help


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("--version") == 0
    assert capsys.readouterr().out == f"inoc-evals, version {inoc_evals.__version__}\n"


def test_an_unknown_command_or_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of("nope") == 2
    assert "No such command 'nope'" in capsys.readouterr().err
    assert status_of("--nope") == 2


# ---- how it ends ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [InputError, StoreError, MissingExtraError])
def test_an_error_of_ours_is_one_line_and_status_1(
    command: ModuleType, capsys: pytest.CaptureFixture[str], kind: type[Exception]
) -> None:
    raising(command, kind("rows.jsonl:7: what is wrong"))
    assert status_of("report") == 1
    assert capsys.readouterr() == ("", "error: rows.jsonl:7: what is wrong\n")


def test_a_file_that_cannot_be_written_is_one_line_too(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(command, PermissionError(13, "Permission denied", "/out/rows.jsonl"))
    assert status_of("report") == 1
    assert capsys.readouterr().err == "error: /out/rows.jsonl: Permission denied\n"


def test_a_bug_keeps_its_traceback(command: ModuleType) -> None:
    raising(command, KeyError("bug"))
    with pytest.raises(KeyError):
        main(["report"])
    raising(command, OSError("no file is to blame"))
    with pytest.raises(OSError, match="no file"):
        main(["report"])


def test_an_interrupt_says_so_and_has_the_shells_status(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    raising(command, KeyboardInterrupt())
    assert status_of("report") == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_ctrl_c_in_a_running_command_leaves_no_traceback(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    os.mkfifo(rows)
    command = [*INOC, "inoculate", str(rows), "--prompt", "caps", "-o", str(tmp_path / "out")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_interrupts
    ) as process:
        pipe = opened_once_read(rows, process)
        process.send_signal(signal.SIGINT)
        try:
            _, errors = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            # It came after Python last looked for a signal and before the read that blocks.
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        os.close(pipe)
    assert process.returncode == 130
    assert errors.strip() == "interrupted"
    assert not (tmp_path / "out").exists()


def heed_interrupts() -> None:
    # Whoever is started in the background of a script inherits that Ctrl-C is ignored.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def opened_once_read(fifo: Path, reader: subprocess.Popen[str]) -> int:
    """Open a pipe for writing as soon as the process reads from it."""
    while reader.poll() is None:
        try:
            return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.01)
    raise AssertionError(f"ended before it read: {reader.communicate()[1]}")


BUFFERED = """
import click, sys, types
module = types.ModuleType("inoc_evals.cli.report")
module.command = click.command()(lambda: print("not flushed"))
sys.modules[module.__name__] = module
from inoc_evals.cli.main import main
main(["report"])
"""


@pytest.mark.parametrize(
    "command", [[*INOC, "--help"], [sys.executable, "-c", BUFFERED]], ids=["echoed", "buffered"]
)
def test_a_reader_that_goes_away_is_no_error_to_report(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody:
        run = subprocess.run(command, stdout=nobody, stderr=subprocess.PIPE, timeout=60)
    assert run.stderr == b""
    assert run.returncode == 1


def test_a_command_returns_status_0(command: ModuleType) -> None:
    command.__dict__["command"] = click.command()(lambda: None)
    assert status_of("report") == 0


def test_the_installed_program_starts_the_same_main() -> None:
    assert inoc("--version").stdout == f"inoc-evals, version {inoc_evals.__version__}\n"
    program = Path(sys.executable).with_name("inoc")
    if not program.exists():
        pytest.skip("the package's scripts are not installed beside this python")
    run = subprocess.run([program, "--version"], capture_output=True, text=True)
    assert run.stdout == inoc("--version").stdout
