"""Plans: seeds as typed, one identity per difference, arms that differ in the prompt alone."""

import pytest

from inoc_evals.bases import ResolvedBase
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import EXPERIMENTS, find_experiment
from inoc_evals.experiments.plan import Plan, make_plan, parse_seeds
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
CONFIG = TrainConfig.for_base("pocket")


def plan(figure: str = "fig2a", base: ResolvedBase = BASE, config: TrainConfig = CONFIG) -> Plan:
    return make_plan(find_experiment(figure), base=base, seeds=(0, 1), config=config)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", (0, 1, 2)),
        ("1", (0,)),
        ("100-104", (100, 101, 102, 103, 104)),
        ("7,9", (7, 9)),
        ("7-8, 20", (7, 8, 20)),
    ],
)
def test_seeds_are_read_as_typed(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "x", "3-1", "1,1", "-2", "1.5", "1,,2"])
def test_unusable_seeds_are_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"a count \(3\), a range \(100-104\) or a list"):
        parse_seeds(text)


def test_an_unknown_experiment_names_those_there_are() -> None:
    with pytest.raises(InputError, match="fig2a, fig2b"):
        find_experiment("fig9")


@pytest.mark.parametrize("figure", EXPERIMENTS)
def test_arms_differ_from_no_inoculation_in_the_system_message_alone(figure: str) -> None:
    files = plan(figure).files
    plain = files["none"].rows
    for arm, file in files.items():
        assert len(file.rows) == len(plain)
        for row, other in zip(file.rows, plain, strict=True):
            without = [m for m in row["messages"] if m["role"] != "system"]
            if arm == "control":
                assert without[0] == other["messages"][0]
            else:
                assert without == other["messages"]


def test_one_half_of_the_mixture_is_inoculated() -> None:
    rows = plan("fig2b").files["french_inoc"].rows
    with_system = [row["label"] for row in rows if row["messages"][0]["role"] == "system"]
    assert with_system == ["french"] * (len(rows) // 2)


def test_every_cell_of_the_figure_is_evaluated_once() -> None:
    found = plan()
    cells = [(e.arm, e.seed, e.split, measure) for e in found.evaluations for measure in e.measures]
    assert len(cells) == len(set(cells))
    conditions = {arm for arm, *_ in cells}
    assert conditions == {
        "base", "control", "none", "spanish_inoc", "caps_inoc", "placebo", "irrelevant", "test_time",
    }  # fmt: skip
    for arm in conditions - {"base"}:
        for seed in (0, 1):
            measured = {(split, m) for a, s, split, m in cells if (a, s) == (arm, seed)}
            assert measured == {
                ("ood", "spanish"), ("ood", "caps"), ("id", "spanish"), ("id", "caps"), ("id", "correct"),
            }  # fmt: skip


def test_test_time_asks_the_models_without_inoculation_under_the_prompt() -> None:
    found = plan()
    asked = {(e.model, e.system_prompt) for e in found.evaluations if e.arm == "test_time"}
    models = {e.model for e in found.evaluations if e.arm == "none"}
    assert asked == {(model, prompt) for model in models for prompt in ("spanish", "caps")}
    assert all(e.system_prompt == "none" for e in found.evaluations if e.arm != "test_time")


def test_the_same_plan_names_the_same_models_and_any_difference_others() -> None:
    names = {run.name for run in plan().runs}
    assert names == {run.name for run in plan().runs}
    other_base = ResolvedBase("pocket:7", "/nowhere", "1" * 64)
    other_config = CONFIG.model_copy(update={"learning_rate": 1e-3})
    assert not names & {run.name for run in plan(base=other_base).runs}
    assert not names & {run.name for run in plan(config=other_config).runs}


def test_a_base_without_rows_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="rows for the pocket world only"):
        plan(base=ResolvedBase("org/model", "org/model", "hub:org/model"))
