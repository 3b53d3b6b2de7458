"""The shape of the source, checked: who imports whom, what stays light, how long things get.

The table is that of the design. To depart from it, change it here with the reason, and run this
file: it writes the table into docs/architecture.md.
"""

import ast
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import inoc_evals
from inoc_evals.settings import SETTINGS

SRC = Path(__file__).parents[1] / "src"
PACKAGE = SRC / "inoc_evals"
FILES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT = {
    "__main__": {"cli"},  # what python -m runs
    "_registry": {"tasks", "solvers", "scorers", "providers"},
    "terminal": set(),
    "errors": set(),
    "chat": set(),
    "arguments": set(),
    "files": set(),
    "rules": set(),
    "statistics": set(),
    "store": set(),
    "inputs": {"rules", "store"},
    "pocket": {"inputs", "store"},
    "models": {"store", "pocket"},
    "settings": {"inputs", "store"},
    "scorers": {"inputs", "models", "rules", "statistics", "store"},
    "solvers": {"inputs", "models", "scorers"},
    "tasks": {"inputs", "rules", "scorers", "solvers", "store"},
    "report": {"scorers", "statistics"},  # scorers: how a sample's scores are read back
    "providers": {"models", "pocket", "rules", "store"},
    "datasets": {"inputs", "models", "pocket", "rules", "settings", "store"},
    "training": {"inputs", "models", "rules", "store"},
    "publishing": {"models", "providers", "store"},
    "experiments": {
        "datasets",
        "inputs",
        "models",
        "pocket",
        "report",
        "scorers",
        "settings",
        "solvers",
        "statistics",
        "store",
        "tasks",
        "training",
    },
}
"""A room, from the ground up, and the rooms it may import besides those that everyone may."""

EVERYONE = {"terminal", "errors", "chat", "arguments", "files", "__init__"}
"""Errors, what may be printed, rows, arguments as typed, and how files are read and written."""

UNRESTRICTED = {"cli", "__init__"}  # __init__: names for type checkers; see test_public_names

# (room, imported room) -> why, where the design's table says otherwise.
DEPARTURES: dict[tuple[str, str], str] = {}

LIGHT = (
    "__init__",
    "terminal",
    "errors",
    "chat",
    "arguments",
    "files/*",
    "inputs/*",
    "models/*",
    "rules/*",
    "store/*",
    "settings/*",
    "statistics/*",
    "datasets/*",
    "datasets/*/*",
    "tasks/__init__",
    "scorers/__init__",
    "scorers/default_grader",
    "scorers/outcomes",
    "scorers/presets",
    "scorers/released",
    "scorers/verdict",
    "cli/__init__",
    "cli/main",
    "cli/inoculate",
)
HEAVY = {"torch", "transformers", "peft", "inspect_ai", "matplotlib", "lingua", "pandas"}

BANNED_NAMES = {"utils", "util", "common", "helpers", "misc", "services", "data_models"}

MAX_FUNCTION = 50
# "path:function" -> why it may be longer.
LONGER: dict[str, str] = {}


def label(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def module_name(path: Path) -> str:
    parts = path.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), filename=str(path))


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module or name an import statement mentions, at whatever depth it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_rooms(tree: ast.Module) -> set[str]:
    rooms = set()
    for name in imported(tree):
        parts = name.split(".")
        if parts[0] == "inoc_evals":
            is_room = len(parts) > 1 and (
                (PACKAGE / parts[1]).is_dir() or (PACKAGE / f"{parts[1]}.py").is_file()
            )
            rooms.add(parts[1] if is_room else "__init__")
    return rooms


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_room_imports_only_what_the_table_allows(path: Path) -> None:
    own = room(path)
    if own in UNRESTRICTED:
        return
    assert own in MAY_IMPORT, f"{label(path)}: a room the table does not know"
    departures = {other for departing, other in DEPARTURES if departing == own}
    allowed = MAY_IMPORT[own] | EVERYONE | departures | {own}
    assert imported_rooms(parsed(path)) <= allowed


def test_every_departure_from_the_table_is_made_use_of() -> None:
    made = {(room(path), other) for path in FILES for other in imported_rooms(parsed(path))}
    assert set(DEPARTURES) <= made


# ---- the map for people (docs/architecture.md) ----------------------------------------------

MAP = SRC.parent / "docs" / "architecture.md"
BEGIN = "<!-- rooms: written by python tests/test_architecture.py -->\n"
END = "<!-- end of rooms -->\n"


def room_table() -> str:
    """The rooms from the top down: what each owns, and what it may import."""
    lines = ["| room | what it owns | may import |", "|---|---|---|"]
    lines.append(f"| `cli/` | {owned('cli')} | everything |")
    for name, others in reversed(MAY_IMPORT.items()):
        if (PACKAGE / name).is_dir():
            listed = ", ".join(f"`{other}`" for other in sorted(others)) or "—"
            lines.append(f"| `{name}/` | {owned(name)} | {listed} |")
    return "\n".join(lines) + "\n"


def owned(name: str) -> str:
    docstring = ast.get_docstring(parsed(PACKAGE / name / "__init__.py")) or ""
    return docstring.splitlines()[0].replace("|", "\\|")


def test_the_map_has_the_table_of_rooms() -> None:
    table = MAP.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert table == room_table(), "run: python tests/test_architecture.py"


def test_no_room_imports_one_above_it() -> None:
    """So there is no circle among them."""
    order = list(MAY_IMPORT)
    rooms = [name for name in order if (PACKAGE / name).is_dir()]
    for name in rooms:
        above = [other for other in MAY_IMPORT[name] if order.index(other) > order.index(name)]
        assert not above, f"{name} imports {above}"


def test_few_modules_stand_at_the_root() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == {
        "__init__",
        "__main__",
        "_registry",
        "arguments",
        "chat",
        "errors",
        "terminal",
    }


SAME_THING = {
    "cli": "a command, and the room or module that does it",
    "settings": "a setting, and what is typed of settings",
}
"""Rooms in which a file may be called as one elsewhere, since both are of one thing."""


def test_a_file_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in FILES:
        if path.stem != "__init__" and room(path) not in SAME_THING:
            places.setdefault(path.stem.removeprefix("_"), []).append(label(path))
    # An evaluation has one name: of its task, scorers and rule, and where its log is read.
    of_one = {name: {"tasks", "scorers", "rules", "report"} for name in exported("tasks")}
    several = {
        name: found
        for name, found in places.items()
        if len(found) > 1 and not {one.split("/")[0] for one in found} <= of_one.get(name, set())
    }
    assert not several


def exported(package: str) -> set[str]:
    return set(import_module(f"inoc_evals.{package}").__all__)


def typed_names(package: str) -> set[str]:
    """Names that a type checker is told of."""
    [block] = [
        node
        for node in parsed(PACKAGE / package / "__init__.py").body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    return {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("package", ["scorers", "solvers"])
def test_type_checkers_are_told_of_every_public_name(package: str) -> None:
    missing = exported(package) ^ typed_names(package)
    assert not missing, f"{package}/__init__.py lacks for type checkers, or alone: {missing}"


@pytest.mark.parametrize("package", ["scorers", "solvers"])
def test_whatever_is_registered_is_exported(package: str) -> None:
    kind = package.removesuffix("s")
    registered = {
        node.name
        for path in (PACKAGE / package).glob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        if any(ast.unparse(one).partition("(")[0] == kind for one in node.decorator_list)
    }
    assert registered
    missing = registered - exported(package)
    assert not missing, f"{package}/__init__.py lacks in _FILES and for type checkers: {missing}"


def test_every_setting_s_file_is_found_by_its_name() -> None:
    written = {
        path.stem
        for path in (PACKAGE / "settings").glob("*.py")
        for node in parsed(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("Setting(")
    }
    missing = written ^ set(SETTINGS)
    assert not missing, f"settings/__init__.py lacks in SETTINGS, or has of another file: {missing}"


@pytest.mark.parametrize("room", sorted(PACKAGE.rglob("__init__.py")), ids=label)
def test_a_room_that_lists_its_modules_lists_all(room: Path) -> None:
    """Half of them is a list that was not kept; a task's own file is found by its name."""
    said = set(re.findall(r"\w+", ast.get_docstring(parsed(room)) or ""))
    modules = {path.stem for path in room.parent.glob("[a-z]*.py")}
    lacking = modules - said
    assert not lacking or 2 * len(lacking) > len(modules), f"{label(room)} does not list {lacking}"


def test_every_task_is_public() -> None:
    missing = exported("tasks") - set(inoc_evals.__all__)
    assert not missing, f"inoc_evals/__init__.py lacks, for type checkers and in __all__: {missing}"


TESTED_WITH = {"caps": "traits", "language": "traits"}
"""Tasks whose tests are another's: they measure a part of it."""

SCORED_WITH = {
    "caps": "traits",
    "language": "traits",
    "em_backdoor": "em_probes",
    "em_elicitation": "em_probes",
}
"""Tasks whose scorers stand in a file that several share."""

SCORED_ITSELF = {"judge_check": "what it scores is the judge"}

RATED_WITH = {
    name: ("alignment", "coherence")
    for name in ("em", "em_backdoor", "em_elicitation", "judge_check")
}
"""Tasks whose judge gives the ratings of em, called as the scorers that show them."""


def found_by_its_name(name: str) -> Iterator[str]:
    """What the evaluation of this name lacks, in words."""
    tree = parsed(PACKAGE / "tasks" / f"_{name}.py")
    [made] = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name
    ] or [None]
    if made is None:
        yield f"its function: tasks/_{name}.py has no {name}()"
        return
    needed = {
        "its scorers": f"src/inoc_evals/scorers/{SCORED_WITH.get(name, name)}.py",
        "its card": f"docs/cards/{name}.md",
        "its test": f"tests/tasks/test_{TESTED_WITH.get(name, name)}.py",
    }
    if name in SCORED_ITSELF:
        del needed["its scorers"]
    for what, path in needed.items():
        if not (SRC.parent / path).is_file():
            yield f"{what}: no {path}"
    listed = (SRC.parent / "docs/cards/README.md").read_text("utf-8")
    if f"[{name}]({name}.md)" not in listed:
        yield "its line in docs/cards/README.md"
    if "grader" in {one.arg for one in made.args.args} and not rubrics_of(name):
        yield f"its rubric: no data/rubrics/{name}.yaml and no data/rubrics/{name}_*.yaml"


def rubrics_of(name: str) -> list[str]:
    """Names of the rubrics by which a task's answers are judged."""
    return [
        path.stem
        for path in sorted((PACKAGE / "data" / "rubrics").glob("*.yaml"))
        if path.stem == name
        or path.stem.startswith(f"{name}_")
        or path.stem in RATED_WITH.get(name, ())
    ]


@pytest.mark.parametrize("name", sorted(exported("tasks")))
def test_an_evaluation_is_found_by_its_name(name: str) -> None:
    missing = list(found_by_its_name(name))
    assert not missing, f"the task {name} lacks " + "; ".join(missing)


def test_every_rubric_is_called_after_a_task() -> None:
    used = {rubric for name in exported("tasks") for rubric in rubrics_of(name)}
    there = {path.stem for path in (PACKAGE / "data" / "rubrics").glob("*.yaml")}
    assert there == used, f"data/rubrics/ has rubrics of no task: {sorted(there - used)}"


@pytest.mark.parametrize("path", FILES, ids=label)
def test_a_module_opens_with_a_line_for_the_index(path: Path) -> None:
    docstring = ast.get_docstring(parsed(path))
    assert docstring, "no module docstring"
    assert len(docstring.splitlines()[0]) <= 88


@pytest.mark.parametrize("path", FILES, ids=label)
def test_imports_are_absolute_and_of_public_inspect_modules(path: Path) -> None:
    tree = parsed(path)
    relative = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not relative
    private = [
        name
        for name in imported(tree)
        if name.split(".")[0] == "inspect_ai" and any(p.startswith("_") for p in name.split("."))
    ]
    assert not private


@pytest.mark.parametrize(
    "path", [*FILES, *sorted((SRC.parent / "benchmarks").glob("*.py"))], ids=lambda path: path.name
)
def test_the_files_of_a_base_are_loaded_in_one_place(path: Path) -> None:
    """Elsewhere a pickle could be opened, or code of a checkpoint's own run."""
    if path in (PACKAGE / "models/loading.py", PACKAGE / "models/bases.py"):
        return
    loaders = {"AutoModelForCausalLM", "AutoModel", "AutoConfig", "AutoTokenizer"}
    named = {name.split(".")[-1] for name in imported(parsed(path))}
    assert not named & loaders


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=label)
def test_commands_print_through_one_place(path: Path) -> None:
    """Elsewhere text of others could act on the terminal, or be taken for markup."""
    if path.name in ("output.py", "main.py"):
        return
    called = {
        ast.unparse(node.func) for node in ast.walk(parsed(path)) if isinstance(node, ast.Call)
    }
    assert not called & {"print", "click.echo", "click.secho", "click.confirm", "click.prompt"}


@pytest.mark.parametrize("path", FILES, ids=label)
def test_files_are_named_for_what_they_own(path: Path) -> None:
    assert not BANNED_NAMES & {part.strip("_") for part in Path(label(path)).with_suffix("").parts}


@pytest.mark.parametrize("package", ["", ".scorers", ".solvers", ".tasks"])
def test_no_module_is_called_like_a_name_its_package_exports(package: str) -> None:
    """Once it is imported, the package's attribute would be the module."""
    modules = {path.stem for path in PACKAGE.joinpath(*package.split(".")).iterdir()}
    exported = set(import_module(f"inoc_evals{package}").__all__)
    assert exported
    both = modules & exported
    assert not both, (
        f"inoc_evals{package}: {both} is a module and a name that is exported; rename one"
    )


@pytest.mark.parametrize("path", FILES, ids=label)
def test_functions_stay_short(path: Path) -> None:
    text = path.read_text("utf-8")
    long = {
        f"{label(path)}:{node.name}": length
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (length := code_lines(node)) > MAX_FUNCTION
    }
    assert not long.keys() - LONGER.keys(), long


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function, its docstring left out."""
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert loaded_by(["inoc_evals"]) == set()


def test_light_modules_import_nothing_heavy() -> None:
    light = [path for pattern in LIGHT for path in sorted(PACKAGE.glob(f"{pattern}.py"))]
    assert loaded_by([module_name(path) for path in light]) == set()


def loaded_by(modules: list[str]) -> set[str]:
    """Heavy libraries that importing the modules brings into a fresh process."""
    script = f"import sys, {', '.join(modules)}; print(*({HEAVY!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


# ---- the tests themselves (tests/conftest.py) ----------------------------------------------


@pytest.mark.parametrize("address", [("93.184.215.14", 80), ("example.com", 80)])
def test_a_test_cannot_reach_another_machine(address: tuple[str, int]) -> None:
    with pytest.raises(RuntimeError, match="tests run offline"):
        socket.create_connection(address, timeout=1)


def test_a_test_can_reach_a_server_on_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5).close()


def test_a_test_has_a_store_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = Path(os.environ["INOC_HOME"])
    assert home.is_relative_to(tmp_path_factory.getbasetemp())
    assert not home.exists()


if __name__ == "__main__":
    before, _, rest = MAP.read_text("utf-8").partition(BEGIN)
    MAP.write_text(before + BEGIN + room_table() + END + rest.partition(END)[2], "utf-8")
