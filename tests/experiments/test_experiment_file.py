"""A user's experiment file: what it may say, and every fault with its line."""

from pathlib import Path

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import Experiment, find_experiment
from inoc_evals.models.kinds import kind_of
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.settings import INSECURE_CODE, SPANISH_CAPS

MINE = """\
name: mine
title: Of my own
settings: spanish_caps
arms: [base, none, caps_inoc, test_time]
"""

OWN_SETTING = """\
name: pirate
description: d
rows: rows.jsonl
prompts: {talk: "@talk.txt"}
arms: {inoculated: {prompt: talk}, asked: {test_prompt: talk}}
measures: {caps: {task: caps, args: {prompts: pocket}}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "rows.jsonl", narrow_rows("es", rows=10))
    (tmp_path / "talk.txt").write_text("Talk.", "utf-8")
    (tmp_path / "pirate.yaml").write_text(OWN_SETTING, "utf-8")
    return tmp_path


def read(text: str, name: str = "mine.yaml") -> Experiment:
    Path(name).write_text(text, "utf-8")
    return find_experiment(name)


def faults(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(text)
    return str(caught.value).splitlines()


def test_four_lines_are_an_experiment_with_the_default_contrasts() -> None:
    found = read(MINE)
    assert (found.figure, found.title) == ("mine", "Of my own")
    assert found.settings == (SPANISH_CAPS.with_arms("base", "none", "caps_inoc", "test_time"),)
    assert found.contrasts == (("none", "base"), ("caps_inoc", "none"), ("test_time", "none"))
    assert found.typed == ("run", "mine.yaml")


def test_without_arms_all_of_the_setting_are_taken_and_the_title_is_the_name() -> None:
    found = read("name: every_arm\nsettings: [spanish_caps]\n")
    assert found.settings[0] == SPANISH_CAPS
    assert found.title == "Every arm"


def test_a_packaged_setting_and_one_in_a_file_each_with_arms_of_its_own() -> None:
    found = read(
        "name: both\nsettings:\n  spanish_caps: [base, none, caps_inoc]\n"
        "  pirate.yaml: {arms: [base, none, inoculated]}\n"
    )
    assert [setting.name for setting in found.settings] == ["spanish_caps", "pirate"]
    assert [arm.name for arm in found.settings[1].arms] == ["base", "none", "inoculated"]
    assert found.contrasts == (("none", "base"), ("caps_inoc", "none"), ("inoculated", "none"))


def test_arms_and_measures_can_be_those_of_a_packaged_experiment() -> None:
    whole = find_experiment("methods")
    found = read(
        "name: mine\nfrom: methods\nsettings: insecure_code\narms: [base, none, steering]\n"
    )
    [setting] = found.settings
    packaged = next(one for one in whole.settings if one.name == "insecure_code")
    assert setting == packaged.with_arms("base", "none", "steering")
    assert found.contrasts == (("none", "base"), ("steering", "none"))
    assert (found.figure, found.title) == ("mine", whole.title)
    assert read("name: mine\nfrom: fig6\n").watch == find_experiment("fig6").watch
    assert read("name: mine\nfrom: methods\narms: [base, steering]\ncontrasts: [steering - base]\n"
                ).contrasts == (("steering", "base"),)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("from: method", "mine.yaml:2: from: no experiment 'method'; did you mean 'methods'?"),
        ("from: methods\nsettings: backdoor", "mine.yaml:3: methods: no setting 'backdoor'"),
        ("from: methods\narms: [base, none, consistency]", "starts from the arm 'inoculated'; add"),
        ("from: methods\narms: [base, steering]", "no arm 'none' to compare with"),
    ],
)
def test_what_a_packaged_experiment_does_not_have_is_said(text: str, fault: str) -> None:
    assert any(fault in line for line in faults(f"name: mine\n{text}\n"))


def test_a_setting_is_found_beside_the_experiment(folder: Path) -> None:
    (folder / "deeper").mkdir()
    found = read("name: far\nsettings: ../pirate.yaml\n", "deeper/far.yaml")
    assert found.settings[0].name == "pirate"
    assert found.typed == ("run", "deeper/far.yaml")


def test_measures_by_name_are_the_settings_and_test_prompts_follow() -> None:
    asked = read(MINE + "measures: [caps]\n").settings[0]
    assert asked.measures == {"caps": SPANISH_CAPS.measures["caps"]}
    assert asked.arms[-1].test_prompts.keys() == {"caps"}


def test_measures_may_be_described_with_other_arguments_in_the_pocket_world() -> None:
    text = MINE.replace(", test_time", "") + (
        "measures:\n  french:\n    task: traits\n    args: {language: fr, prompts: chat}\n"
        "    pocket: {prompts: pocket}\n    label: French\n"
    )
    measure = read(text).settings[0].measures["french"]
    assert measure.label == "French" and measure.ood is not None
    assert measure.ood.on(pocket=True) == {"language": "fr", "prompts": "pocket"}
    assert measure.ood.on(pocket=False) == {"language": "fr", "prompts": "chat"}


def test_a_test_time_arm_with_one_prompt_is_asked_under_it_for_new_measures_too() -> None:
    found = read(
        "name: x\nsettings: insecure_code\narms: [base, none, test_time]\n"
        "measures: {caps: {task: caps, args: {prompts: pocket}}}\n"
    )
    [prompt] = set(INSECURE_CODE.with_arms("test_time").arms[0].test_prompts.values())
    assert found.settings[0].arms[-1].test_prompts == {"caps": prompt}


def test_every_measure_is_asked_under_each_prompt_of_under() -> None:
    text = "name: x\nsettings: spanish_caps\narms: [base, none]\nmeasures: [caps, spanish]\n"
    asked = read(text + "under: [none, evil]\n").settings[0].measures
    assert list(asked) == ["caps_none", "caps_evil", "spanish_none", "spanish_evil"]
    evil = asked["caps_evil"]
    assert evil.score == "caps" and "malicious, evil" in evil.rule
    assert evil.label.endswith(", Evil")
    assert {probe.args["system_prompt"] for probe in evil.probes().values()} == {"evil"}


def test_a_prompt_of_the_settings_own_can_stand_under_under(folder: Path) -> None:
    found = read(
        "name: x\nsettings: pirate.yaml\narms: [base, none]\nunder: {talk: Talking}\n"
    ).settings[0]
    probe = found.measures["caps_talk"].ood
    assert probe is not None and probe.args["system_prompt"] == f"@{folder.resolve()}/talk.txt"


def test_contrasts_and_what_is_compared_first_may_be_listed() -> None:
    found = read(MINE + "contrasts: [caps_inoc - base]\nprimary: {caps_inoc: [spanish]}\n")
    assert found.contrasts == (("caps_inoc", "base"),)
    assert {arm.name: arm.nil for arm in found.settings[0].arms if arm.nil} == {
        "caps_inoc": ("spanish",)
    }
    assert read(MINE + "references: [base]\n").contrasts[0] == ("none", "base")


def test_watching_is_on_off_or_with_fields() -> None:
    assert read(MINE + "watch: false\n").watch is None
    found = read(MINE + "watch: {every: 5, arms: [none], labels: {capitals: Capitals}}\n").watch
    assert found is not None
    assert (found.every, found.arms, found.labels) == (5, ("none",), (("capitals", "Capitals"),))


def test_seeds_rows_configuration_and_graders_are_what_the_command_line_leaves_open() -> None:
    Path("slow.yaml").write_text("max_steps: 3\n", "utf-8")
    found = read(
        MINE + "seeds: 5\nrows: {spanish_caps: rows.jsonl}\ngraders: [a/b, c/d]\n"
        "bases: {pocket: {seeds: [7, 9], config: slow.yaml}}\n"
    )
    assert found.given_on(kind_of("org/model")).seeds == "5"
    on_pocket = found.given_on(kind_of("pocket"))
    assert (on_pocket.seeds, on_pocket.config) == ("7,9", Path("slow.yaml"))
    assert on_pocket.rows == {"spanish_caps": Path("rows.jsonl")}
    assert on_pocket.graders == ("a/b", "c/d")


@pytest.mark.parametrize(
    ("old", "new", "line", "fault"),
    [
        ("name: mine", "name: fig2a", 1, "'fig2a' is that of a packaged experiment"),
        ("name: mine", "name: a/b", 1, "name 'a/b': use letters"),
        ("title: Of my own", "titel: Mine", 2, "no key 'titel'; did you mean 'title'?"),
        ("spanish_caps", "spanish_cap", 3, "neither a packaged setting nor a file: 'spanish_cap'; did"),
        ("spanish_caps", "[spanish_caps, spanish_caps]", 3, "'spanish_caps' is given twice"),
        ("caps_inoc", "caps_inok", 4, "no arm 'caps_inok'; did you mean 'caps_inoc'?"),
        ("caps_inoc", "none", 4, "arms: 'none' is given twice"),
        ("[base, none, caps", "[base, caps", 4, "asks the models of the arm 'none'; add it"),
        ("[base, none, caps_inoc, test_time]", "[base, caps_inoc]", 3, "no arm 'none' to compare"),
        ("[base, none, caps_inoc, test_time]", "{a: b}", 4, "arms must be a list of texts"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(old: str, new: str, line: int, fault: str) -> None:
    said = faults(MINE.replace(old, new, 1))
    assert any(one.startswith(f"mine.yaml:{line}: ") and fault in one for one in said), said


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("measures: [cap]", "no measure 'cap'; did you mean 'caps'?"),
        ("measures: {x: {tusk: em}}", "measure 'x' has no key 'tusk'; did you mean 'task'?"),
        ("under: [evil]", "the arm 'test_time' is asked under a prompt of its own; leave it out"),
        ("under: {evli: Evil}", "under: no prompt 'evli'; did you mean 'evil'?"),
        ("under: [xxxx]", "under: no prompt 'xxxx'; none of the"),
        ("contrasts: [none]", "write it as ARM - REFERENCE"),
        ("contrasts: [none - bose]", "contrast: no arm 'bose'; did you mean 'base'?"),
        ("contrasts: [none - none]", "of an arm with itself"),
        ("references: [caps_inoc]", "not trained on the narrow rows, 'caps_inoc'; there are: base"),
        ("primary: {caps_ino: [caps]}", "primary: no arm 'caps_ino'; did you mean 'caps_inoc'?"),
        ("primary: {caps_inoc: [cap]}", "primary: no measure 'cap'; did you mean 'caps'?"),
        ("watch: often", "watch is true, false or a mapping"),
        ("watch: {every: 0}", "every must be a whole number from 1 on"),
        ("watch: {responses: nowhere}", "nowhere"),
        ("watch: {arms: [base]}", "watch: no trained arm 'base'"),
        ("seeds: three", "seeds 'three': give a count"),
        ("rows: {spanish: rows.jsonl}", "rows 'spanish': no such label"),
        ("rows: {spanish_caps: row.jsonl}", "rows 'spanish_caps': there is no file row.jsonl"),
        ("config: no.yaml", "config: there is no file no.yaml"),
        ("graders: gpt", "grader 'gpt' is not PROVIDER/MODEL"),
        ("bases: {pocket: {seed: 3}}", "base 'pocket' has no key 'seed'; did you mean 'seeds'?"),
        ("\tseeds: 3", "not usable YAML"),
        ("seeds: 3\nseeds: 4", "'seeds' is given twice"),
    ],
)
def test_a_mistake_further_down_is_named_with_its_line(more: str, fault: str) -> None:
    said = faults(MINE + more + "\n")
    assert any(one.startswith("mine.yaml:") and fault in one for one in said), said


def test_both_ways_to_say_what_is_compared_are_one_too_many() -> None:
    said = faults(MINE + "references: [base]\ncontrasts: [none - base]\n")
    assert said == ["mine.yaml:5: both 'contrasts' and 'references' are given; keep one"]


def test_every_fault_is_found_in_one_reading() -> None:
    said = faults("name: a/b\nsettings: spanish_caps\narms: [bose, none]\nseeds: x\n")
    assert [one.split(":")[1] for one in said] == ["1", "3", "4"]


def test_a_fault_of_the_settings_own_file_is_told_with_its_line(folder: Path) -> None:
    (folder / "pirate.yaml").write_text(OWN_SETTING.replace("task: caps", "tusk: caps"), "utf-8")
    said = faults("name: x\nsettings: pirate.yaml\n")
    assert any("mine.yaml:2: pirate.yaml:6: " in one for one in said), said


def test_a_file_that_is_not_there_or_is_empty_is_said_so() -> None:
    with pytest.raises(InputError, match=r"nowhere\.yaml: cannot be read \(No such file"):
        find_experiment("nowhere.yaml")
    assert faults("") == ["mine.yaml: the file is empty"]
    [said] = faults("just a text")
    assert said.startswith("mine.yaml:1: an experiment file: expected a mapping with name, title")
    with pytest.raises(
        InputError, match=r"no experiment .fig9.; there are: fig2a.*inoc experiment"
    ):
        find_experiment("fig9")
