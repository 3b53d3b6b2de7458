"""The package's front: every public name is there, and none is imported before it is asked."""

import subprocess
import sys

import pytest

import inoc_evals


@pytest.mark.parametrize("name", inoc_evals.__all__)
def test_a_public_name_can_be_had_from_the_root(name: str) -> None:
    assert getattr(inoc_evals, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nosuch'"):
        _ = inoc_evals.nosuch


def test_importing_the_package_imports_no_heavy_library() -> None:
    code = "import sys, inoc_evals; print({'torch', 'inspect_ai', 'pydantic'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "set()"
