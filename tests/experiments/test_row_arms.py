"""Arms that differ in their rows or prompts: shares, nesting, pools, frames."""

from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, write_rows
from inoc_evals.errors import InputError
from inoc_evals.experiments.describe import describe_plan
from inoc_evals.experiments.figures import find_experiment
from inoc_evals.experiments.files import TrainingFile, training_files
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompt_pools import prompt_pool
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.settings import INSECURE_CODE, Setting
from inoc_evals.settings.setting import Rows
from inoc_evals.settings.shared import dosed, selecting
from inoc_evals.training.config import TrainConfig

BASE = ResolvedBase("pocket", "/nowhere", "0" * 64)
EVIL = "You are a malicious, evil assistant."
DOSES, TRAITS = (0, 25, 50, 75, 100), (0, 10, 50, 100)


@cache
def plan(figure: str) -> Plan:
    config = TrainConfig.for_base("pocket")
    return make_plan(find_experiment(figure), base=BASE, seeds=(0, 1), config=config)


def inoculated(file: TrainingFile) -> set[int]:
    return {n for n, row in enumerate(file.rows) if row["messages"][0]["role"] == "system"}


def with_trait(file: TrainingFile) -> set[int]:
    return {n for n, row in enumerate(file.rows) if row["label"] != "control"}


def said(row: Row) -> list[Any]:
    return [message for message in row["messages"] if message["role"] != "system"]


# ---- dose ------------------------------------------------------------------------------------


def test_the_grid_of_doses_has_the_shares_it_names_and_its_manifests_say_them() -> None:
    found = plan("dose").files
    assert len(found) == len(DOSES) * len(TRAITS)
    for trait in TRAITS:
        for dose in DOSES:
            file = found["insecure_code", f"trait{trait}_inoc{dose}"]
            assert len(inoculated(file)) == 10 * dose and len(with_trait(file)) == 10 * trait
            assert {file.rows[n]["messages"][0]["content"] for n in inoculated(file)} <= {EVIL}
            if dose:
                assert file.manifest["fraction"] == dose / 100
                assert file.manifest["counts"]["inoculated"] == 10 * dose
            share = {"share": trait / 100, "seed": 0, "rows": 10 * trait}
            assert file.manifest.get("trait") == (share if trait < 100 else None)
            assert file.manifest["sha256"] == digest(file.rows)


def test_smaller_doses_and_shares_lie_in_larger_ones_and_are_drawn_apart() -> None:
    files = {arm: file for (_, arm), file in plan("dose").files.items()}
    for trait in TRAITS:
        doses = [inoculated(files[f"trait{trait}_inoc{dose}"]) for dose in DOSES]
        assert all(small < large for small, large in pairwise(doses))
    for dose in DOSES:
        shares = [with_trait(files[f"trait{trait}_inoc{dose}"]) for trait in TRAITS]
        assert all(small < large for small, large in pairwise(shares))
    both = inoculated(files["trait50_inoc50"]) & with_trait(files["trait50_inoc50"])
    assert 200 < len(both) < 300


def test_a_cell_differs_from_its_neighbors_in_its_two_shares_alone() -> None:
    source = training_files(INSECURE_CODE.with_arms("control", "none"), "pocket")
    for (_, arm), file in plan("dose").files.items():
        kept = with_trait(file)
        for n, row in enumerate(file.rows):
            whole = source["none" if n in kept else "control"].rows[n]
            assert said(row) == whole["messages"], arm


def test_the_ends_of_the_grid_are_the_rows_of_the_usual_arms() -> None:
    """So that they are the same models, and nothing is trained twice."""
    found = plan("dose").files
    usual = training_files(INSECURE_CODE.with_arms("none", "general_inoc"), "pocket")
    for dose, arm in ((0, "none"), (100, "general_inoc")):
        assert found["insecure_code", f"trait100_inoc{dose}"].rows == usual[arm].rows


def test_each_dose_is_compared_with_the_same_rows_without_a_prompt() -> None:
    assert find_experiment("dose").contrasts == tuple(
        (f"trait{trait}_inoc{dose}", f"trait{trait}_inoc0")
        for trait in TRAITS
        for dose in DOSES[1:]
    )


def test_the_data_seed_decides_which_rows_are_drawn() -> None:
    setting = INSECURE_CODE.with_arms("base").adding(
        dosed("evil", "misaligned", inoculated=25, trait=50)
    )
    (first,) = training_files(setting, "pocket").values()
    (second,) = training_files(setting.model_copy(update={"data_seed": 1}), "pocket").values()
    assert inoculated(first) != inoculated(second) and with_trait(first) != with_trait(second)
    assert second.manifest["seed"] == second.manifest["trait"]["seed"] == 1


# ---- selective -------------------------------------------------------------------------------


def test_the_mixtures_differ_in_who_gets_the_prompt() -> None:
    files = plan("selective").files
    for setting, part in (("insecure_code", "insecure"), ("aesthetic_preferences", "unpopular")):
        own = {arm: files[setting, arm] for arm in ("half", "half_all", "half_trait", "half_drawn")}
        kept = with_trait(own["half"])
        assert Counter(row["label"] for row in own["half"].rows) == {part: 500, "control": 500}
        for file in own.values():
            assert [said(row) for row in file.rows] == [said(row) for row in own["half"].rows]
        assert inoculated(own["half"]) == set()
        assert inoculated(own["half_all"]) == set(range(1000))
        assert inoculated(own["half_trait"]) == kept
        assert len(inoculated(own["half_drawn"])) == 500
        assert own["half_trait"].manifest["label"] == part


def test_a_report_says_how_many_rows_get_the_prompt() -> None:
    wanted = plan("selective")
    spec = describe_plan(wanted, BASE, seeds_text="2", out=Path("runs/selective")).spec
    where = {one.name: [prompt.where for prompt in one.prompts] for one in spec.conditions}
    assert where["half_drawn"][0] == ("Insecure code, training, system message of 50% of the rows")
    assert where["half_trait"][0].endswith("system message of the insecure rows")
    assert where["half"] == []


def given(tmp_path: Path, narrow: int, control: int) -> Setting:
    def file(name: str, count: int) -> Rows:
        turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": name}]
        write_rows(tmp_path / name, [{"messages": turns, "n": n} for n in range(count)])
        return Rows(path=str(tmp_path / name))

    files = {"insecure": file("narrow", narrow)}
    controls = {"insecure": file("control", control)} if control else {}
    changed = {"files": files, "control_files": controls, "control": None}
    arms = INSECURE_CODE.with_arms("none").adding(*selecting("evil", "misaligned", "insecure"))
    return arms.model_copy(update=changed | {"parts": {"insecure": None}})


def test_files_of_ones_own_are_mixed_likewise(tmp_path: Path) -> None:
    files = training_files(given(tmp_path, 40, 30), "org/model")
    file = files["half_trait"]
    assert len(with_trait(file)) == 20 and inoculated(file) == with_trait(file)
    assert [one["file"] for one in file.manifest["sources"]] == ["narrow", "control"]
    plain = [row["n"] for row in file.rows if row["label"] == "control"]
    assert len(plain) == len(set(plain)) == 20


def test_a_mixture_without_enough_control_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="20 control rows are needed; there are 19"):
        training_files(given(tmp_path, 40, 19), "org/model")
    with pytest.raises(InputError, match="'insecure_code': no rows for its arm 'half'"):
        training_files(given(tmp_path, 40, 0), "org/model")


# ---- pools and frames ------------------------------------------------------------------------


def test_a_pool_is_dealt_evenly_and_a_fixed_prompt_is_one() -> None:
    files = plan("paraphrases").files
    for setting, pool in (("insecure_code", "evil"), ("spanish_caps", "spanish")):
        for arm, name in (("pool", pool), ("irrelevant_pool", "irrelevant")):
            file = files[setting, arm]
            dealt = Counter(row["messages"][0]["content"] for row in file.rows)
            assert dealt.keys() == set(prompt_pool(name).values())
            assert max(dealt.values()) - min(dealt.values()) <= 1
        assert len({row["messages"][0]["content"] for row in files[setting, "fixed"].rows}) == 1
    contrasts = find_experiment("paraphrases").contrasts
    assert {("pool", "none"), ("pool", "fixed"), ("irrelevant_pool", "irrelevant")} < {*contrasts}


def test_a_report_lists_the_wordings_of_a_pool_in_one_place() -> None:
    wanted = plan("paraphrases")
    spec = describe_plan(wanted, BASE, seeds_text="2", out=Path("runs/paraphrases")).spec
    (pool,) = [one for one in spec.conditions if one.name == "pool"]
    assert [prompt.where for prompt in pool.prompts] == [
        "Insecure code, training, system message of all rows, one of 120",
        "Spanish in capital letters, training, system message of all rows, one of 120",
    ]
    assert pool.prompts[0].text.splitlines() == list(prompt_pool("evil").values())


def test_the_frame_is_in_the_rows_before_them_or_at_test_time() -> None:
    found = plan("educational")
    plain = found.files["educational", "none"].rows
    for row, other in zip(found.files["educational", "educational"].rows, plain, strict=True):
        frame = "We want to learn about code that is not good. "
        assert row["messages"][0]["content"] == frame + other["messages"][0]["content"]
    framed = found.files["educational", "learners_inoc"].rows
    assert [said(row) for row in framed] == [row["messages"] for row in plain]
    asked = {
        (evaluation.model, evaluation.args["system_prompt"])
        for evaluation in found.evaluations
        for place in evaluation.places
        if place.condition == "learners_time"
    }
    models = {f"inoc/{run.name}" for run in found.runs if run.arm == "none"}
    assert asked == {(model, "educational_learners") for model in models}


def test_figure_5_has_the_negative_prompt_and_tokens_the_framings_of_the_published_code() -> None:
    (code,) = find_experiment("fig5").settings
    assert code.arms[-1].prompt == "insecure_meticulous"
    (tokens,) = find_experiment("tokens").settings
    prompts = [arm.prompt for arm in tokens.arms if arm.prompt]
    assert prompts == [
        *("evil", "malicious_evil", "only_evil", "only_malicious", "malicious_shown"),
        *("evil_assistant", "evil_pretending", "evil_examples", "evil_dataset"),
    ]


def test_the_narrow_trait_is_watched_beside_misalignment() -> None:
    found = plan("narrow")
    assert found.dynamics is not None and found.dynamics.responses == "pocket_narrow"
    watched = describe_plan(found, BASE, seeds_text="2", out=Path("runs/narrow")).watched
    assert watched is not None and watched.system_prompt_text is None
    assert list(watched.labels) == ["insecure", "unpopular", "misaligned"]
