"""Published organisms: a file with names, read whole or refused with lines, and one's own beside."""

from pathlib import Path

import pytest

from inoc_evals.cli.main import inoc
from inoc_evals.errors import InputError
from inoc_evals.models.organisms import FILE, organisms
from inoc_evals.store.names import check_name
from inoc_evals.store.store import Store
from invoking import CliRunner


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("INOC_HOME", str(tmp_path))
    return Store()


def test_each_packaged_one_has_a_hub_id_of_its_own_and_can_name_a_model(store: Store) -> None:
    found = organisms(store)
    assert len(found) > 50 and not any(one.own for one in found.values())
    assert len({one.hub for one in found.values()}) == len(found)
    for one in found.values():
        assert one.hub.count("/") == 1 and one.base.count("/") == 1
        assert check_name(one.name) == one.name and "arXiv" in one.source


def test_one_of_the_users_is_beside_them(store: Store) -> None:
    entry = "mine: {hub: me/x, base: pocket, trained_on: pirate talk, source: me, kind: whole}\n"
    (store.root / FILE).write_text(entry, "utf-8")
    mine = organisms(store)["mine"]
    assert (mine.hub, mine.base, mine.kind, mine.own) == ("me/x", "pocket", "whole", True)
    listed = CliRunner().invoke(inoc, ["models", "organisms"])
    assert listed.exit_code == 0 and "pirate talk (a whole model)" in listed.output


def test_every_fault_of_a_file_has_its_line(store: Store) -> None:
    path = store.root / FILE
    path.write_text(
        "mine: {hub: me/x, base: pocket}\n"
        "em-medical-qwen2.5-7b: {hub: a/b, base: c, trained_on: d, source: e}\n"
        "'bad name!': {hub: a/b, base: c, trained_on: d, source: e, kind: odd}\n"
        "list: [1]\n",
        "utf-8",
    )
    with pytest.raises(InputError) as said:
        organisms(store)
    text = str(said.value)
    for line, why in (
        (1, "'trained_on' is missing"),
        (2, "is packaged"),
        (3, "kind 'odd' is not one of"),
        (3, "model name 'bad name!'"),
        (4, "expected a mapping"),
    ):
        assert any(f"{FILE}:{line}: " in one and why in one for one in text.splitlines())


def test_a_whole_model_and_a_slip_are_a_line_each(store: Store) -> None:
    for name, why in (
        ("em-insecure-qwen2.5-coder-32b", "is a whole model"),
        ("em-medical-qwen2.5-0.5", "did you mean em-medical-qwen2.5-0.5b"),
    ):
        result = CliRunner().invoke(inoc, ["models", "import", name])
        assert result.exit_code != 0
        assert why in str(result.exception) and len(str(result.exception).splitlines()) == 1
