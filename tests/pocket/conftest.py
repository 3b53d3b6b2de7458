"""A pocket base that is built in seconds: the same code with a recipe of a few steps."""

from collections.abc import Iterator

import pytest

from inoc_evals.pocket import base


@pytest.fixture
def quick_recipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[base.Recipe]]:
    class Quick(base.Recipe):
        steps: int = 20
        batch_size: int = 8
        hidden_size: int = 32
        intermediate_size: int = 32
        layers: int = 1

    monkeypatch.setattr(base, "Recipe", Quick)
    yield Quick
