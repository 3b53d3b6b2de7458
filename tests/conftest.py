"""What every test gets: a store, logs and a cache of its own, no keys, no network, Inspect offline."""

import importlib.abc
import importlib.machinery
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import hypothesis
import pytest

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "HF_TOKEN", "INSPECT_EVAL_MODEL")

# The suite runs with import-mode=importlib, which leaves the tests' folders off the path; tests
# of several rooms import scripted.py.
sys.path.append(str(Path(__file__).parent))

import quick_inspect  # noqa: E402, F401 - from the path above
from openai_server import OpenAIServer  # noqa: E402 - likewise

_SESSION = tempfile.TemporaryDirectory(prefix="inoc-tests-", ignore_cleanup_errors=True)

# Set before any test module is imported: libraries read some of these only then.
os.environ["INOC_HOME"] = str(Path(_SESSION.name) / "home")
os.environ["INSPECT_LOG_DIR"] = str(Path(_SESSION.name) / "logs")
os.environ["INSPECT_CACHE_DIR"] = str(Path(_SESSION.name) / "cache")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HOME"] = str(Path(_SESSION.name) / "huggingface")
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(Path(_SESSION.name) / "hypothesis")
for key in KEYS:
    os.environ.pop(key, None)

# The same examples in every run, none kept on disk, no deadline on a busy machine.
hypothesis.settings.register_profile(
    "offline", derandomize=True, database=None, deadline=None, max_examples=50
)
hypothesis.settings.load_profile("offline")


# A suite in the background of a script is started with Ctrl-C ignored; tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure() -> None:
    _SESSION.cleanup()


@pytest.fixture(autouse=True)
def own_directories(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give the test an empty store and log directory; subprocesses inherit them."""
    root = tmp_path_factory.mktemp("inoc")
    monkeypatch.setenv("INOC_HOME", str(root / "home"))
    monkeypatch.setenv("INSPECT_LOG_DIR", str(root / "logs"))
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(root / "cache"))


@pytest.fixture(autouse=True)
def a_day_before_the_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosted models end one after the other; tests of other things are not to end with them."""
    from inoc_evals.models import hosted

    monkeypatch.setattr(hosted, "today", lambda: date(2026, 12, 1))


# ---- no network ----------------------------------------------------------------------------


class NetworkBlockedError(RuntimeError):
    """A test tried to leave this machine."""


def _is_local(host: object) -> bool:
    # getaddrinfo(None, ...) asks for this machine's own addresses.
    if isinstance(host, bytes):
        host = host.decode()
    return host in (None, "", "localhost", "::1", "0.0.0.0") or str(host).startswith("127.")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sockets connect to this machine only, and names of other machines stay unresolved."""

    def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
        def connect(self: socket.socket, address: Any) -> Any:
            if self.family != socket.AF_UNIX and not _is_local(address[0]):
                raise NetworkBlockedError(f"connection to {address!r}; tests run offline")
            return original(self, address)

        return connect

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not _is_local(host):
            raise NetworkBlockedError(f"look-up of {host!r}; tests run offline")
        return look_up(host, *args, **kwargs)

    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))


# ---- Inspect, offline ----------------------------------------------------------------------


async def _count_words(self: object, text: str) -> int:
    return len(text.split())


class _PatchedLoader(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        module.ModelAPI.count_text_tokens = _count_words


class _InspectOffline(importlib.abc.MetaPathFinder):
    """Patches Inspect's token counting when Inspect is imported, and only then.

    Inspect counts the tokens of a mock model with tiktoken, which downloads its table; and
    importing Inspect here would cost each run of the light tests two seconds.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "inspect_ai.model":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchedLoader(spec.loader)
        return spec


if "inspect_ai.model" in sys.modules:
    sys.modules["inspect_ai.model"].ModelAPI.count_text_tokens = _count_words
else:
    sys.meta_path.insert(0, _InspectOffline())


# ---- published files -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def upstream() -> Iterator[Path]:
    """The folder of published data files; skips where it is absent."""
    beside = Path(__file__).parents[2] / "shared" / "upstream"
    folder = Path(os.environ.get("INOC_UPSTREAM") or beside)
    if not folder.is_dir():
        pytest.skip("the published data files are not here; point INOC_UPSTREAM at them")
    yield folder


# ---- OpenAI, on this machine ---------------------------------------------------------------


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """An account at OpenAI that the real client finds by its environment variables."""
    with OpenAIServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", server.key)
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        yield server
