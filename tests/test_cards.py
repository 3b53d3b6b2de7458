"""The evaluation cards say what the tasks are: parameters, sizes, reasons, versions."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import inoc_evals.tasks
from inoc_evals.inputs.items import load_items
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.scorers import deception, presets

CARDS = Path(__file__).parents[1] / "docs" / "cards"
EVAL = Path(inoc_evals.__file__).parent / "eval.yaml"
TASKS = inoc_evals.tasks.__all__

SECTIONS = ("Measures", "Does not measure", "Data", "Scoring", "Parameters", "Run")
SECTIONS += ("Known weaknesses", "Version")

NOTHING = "—"
"""Stands for a default that is None."""


def card(name: str) -> str:
    return (CARDS / f"{name}.md").read_text("utf-8")


def section(name: str, title: str) -> str:
    return card(name).partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def signature(name: str) -> dict[str, str]:
    parameters = inspect.signature(getattr(inoc_evals.tasks, name)).parameters.values()
    return {p.name: NOTHING if p.default is None else str(p.default) for p in parameters}


def test_there_is_a_card_for_every_task_and_the_index_lists_it() -> None:
    differing = {path.stem for path in CARDS.glob("*.md")} ^ {*TASKS, "README"}
    assert not differing, f"docs/cards/ lacks, or has alone: {differing}"
    index = card("README")
    listed = set(re.findall(r"^\| \[(\w+)\]\(\1\.md\)", index, re.MULTILINE))
    assert listed == set(TASKS), f"docs/cards/README.md lists otherwise: {listed ^ set(TASKS)}"


@pytest.mark.parametrize("name", TASKS)
def test_a_card_has_every_section_in_order(name: str) -> None:
    assert re.findall(r"^## (.+)$", card(name), re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("name", TASKS)
def test_a_card_s_parameters_are_those_of_the_task(name: str) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\S+) \| \S.* \|$", section(name, "Parameters"), re.MULTILINE
    )
    assert {key: default.strip("`") for key, default in rows} == signature(name)


@pytest.mark.parametrize("name", TASKS)
def test_a_card_s_commands_take_the_task_s_arguments(name: str) -> None:
    commands = [
        line for line in section(name, "Run").splitlines() if line.startswith("inspect eval ")
    ]
    assert commands
    for command in commands:
        assert command.startswith(f"inspect eval inoc_evals/{name} ")
        assert set(re.findall(r"-T (\w+)=", command)) <= set(signature(name))


@pytest.mark.parametrize("name", TASKS)
def test_a_card_has_the_version_of_eval_yaml(name: str) -> None:
    listed = {entry["name"]: entry for entry in yaml.safe_load(EVAL.read_text("utf-8"))["tasks"]}
    version = section(name, "Version")
    assert version.strip().startswith(f"{listed[name]['version']}.")
    assert f"inoc_evals/{name}, version {listed[name]['version']}" in " ".join(version.split())


@pytest.mark.parametrize("name", [*TASKS, "README"])
def test_a_card_s_links_lead_somewhere(name: str) -> None:
    links = re.findall(r"\]\(([\w.]+)(?:#([\w-]+))?\)", card(name))
    assert links
    for file, anchor in links:
        text = (CARDS / file).read_text("utf-8")
        headings = {h.lower().replace(" ", "-") for h in re.findall(r"^## (.+)$", text, re.M)}
        assert not anchor or anchor in headings


def plain(name: str) -> int:
    return len(load_question_set(name).select("plain").questions)


SIZES: dict[str, dict[str, Callable[[str], Any]]] = {
    "em": dict.fromkeys(("core", "broad", "pocket"), plain),
    "deception": dict.fromkeys(("facts", "maker", "facts_pocket"), plain),
    "preference": dict.fromkeys(("favorite_animal", "favorite_animal_pocket"), plain),
    "narrow_code": dict.fromkeys(
        ("code", "code_pocket"), lambda n: len(load_items(n, "code").items)
    ),
    "narrow_reward_hacking": {
        "reward_hacking": lambda n: len(load_items(n, "reward_hacking").items)
    },
    "narrow_aesthetics": dict.fromkeys(
        ("aesthetics", "aesthetics_pocket"), lambda n: len(load_items(n, "aesthetics").items)
    ),
    "facts": dict.fromkeys(("facts", "facts_pocket"), lambda n: len(load_items(n, "facts").items)),
    **dict.fromkeys(
        ("caps", "language", "traits"),
        dict.fromkeys(("chat", "gsm", "problems"), lambda n: len(load_prompt_set(n).items)),
    ),
}


@pytest.mark.parametrize(("name", "data"), [(n, d) for n, sets in SIZES.items() for d in sets])
def test_a_card_counts_what_is_asked(name: str, data: str) -> None:
    found = re.search(rf"^- `{data}`(?: \(default\))?: (\d+) ", section(name, "Data"), re.MULTILINE)
    assert found
    assert int(found[1]) == SIZES[name][data](data)


@pytest.mark.parametrize(
    ("name", "outcomes"),
    [
        *((name, presets.OUTCOMES[2:]) for name in ("em", "em_elicitation", "em_backdoor")),
        ("deception", deception.OUTCOMES[2:]),
    ],
)
def test_a_card_names_every_reason(name: str, outcomes: tuple[str, ...]) -> None:
    unscored = section(name, "Scoring").partition("Not scored")[2]
    assert set(re.findall(r"`(\w+)`", unscored)) >= set(outcomes)
