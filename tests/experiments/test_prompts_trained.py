"""One arm for each candidate, whatever the candidates are typed as."""

from pathlib import Path
from typing import Any

import pytest

from inoc_evals.cli import prompts as commands
from inoc_evals.cli.main import inoc
from inoc_evals.errors import InputError
from inoc_evals.experiments.plan import make_plan
from inoc_evals.experiments.prompts_trained import candidates, prompts_trained
from inoc_evals.settings import INSECURE_CODE, SPANISH_CAPS
from inoc_evals.training.config import TrainConfig
from invoking import CliRunner
from small_plan import BASE


def test_the_catalogue_is_what_the_base_can_be_told(tmp_path: Path) -> None:
    whole, notes = candidates("catalogue", SPANISH_CAPS, pocket=False, folder=tmp_path)
    said, left = candidates("catalogue", SPANISH_CAPS, pocket=True, folder=tmp_path)
    assert not notes and set(said) < set(whole) and len(said) >= 12
    assert left == [
        "left out, as the pocket world lacks words: spanish_paraphrase_2, caps_paraphrase_2"
    ]


def test_texts_of_a_file_become_files_of_their_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("evil: You are a malicious, evil assistant.\ntalk: You talk.\n", "utf-8")
    given, _ = candidates(str(mine), INSECURE_CODE, pocket=True, folder=tmp_path / "p")
    assert given == ["evil", f"file:{tmp_path / 'p' / 'talk.txt'}"]
    assert (tmp_path / "p" / "talk.txt").read_text("utf-8") == "You talk.\n"
    assert candidates("evil, hhh", INSECURE_CODE, pocket=True, folder=tmp_path)[0] == [
        "evil",
        "hhh",
    ]


def test_each_prompt_is_put_before_all_rows_of_an_arm(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("You talk.\n", "utf-8")
    given = ["spanish", f"file:{tmp_path / 'talk.txt'}"]
    tried = prompts_trained(SPANISH_CAPS, given, ("prompts", "train", "spanish_caps"))
    config = TrainConfig.for_base("pocket")
    plan = make_plan(tried, base=BASE, seeds=(0,), config=config)
    assert [run.arm for run in plan.runs] == ["none", "spanish", "talk"]
    first = plan.files["spanish_caps", "talk"].rows[0]["messages"][0]
    assert first == {"role": "system", "content": "You talk."}
    assert {place.split for one in plan.evaluations for place in one.places} == {"ood"}
    assert plan.experiment.contrasts == (("none", "base"), ("spanish", "none"), ("talk", "none"))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("nowhere.yaml", "nowhere.yaml"),
        (" , ", "catalogue, a file, or names"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, typed: str, why: str) -> None:
    with pytest.raises(InputError, match=why) as said:
        candidates(typed, SPANISH_CAPS, pocket=True, folder=tmp_path)
    assert len(str(said.value).splitlines()) == 1


def test_a_prompt_cannot_be_called_as_another_condition(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("You talk.\n", "utf-8")
    with pytest.raises(InputError, match="'none': so another condition is called"):
        prompts_trained(SPANISH_CAPS, [f"file:{tmp_path / 'none.txt'}"])


def test_the_command_trains_with_several_processes_and_asks_few_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def run(tried: Any, **how: Any) -> Any:
        given.append((tried.limit, how["executor"].jobs))

    monkeypatch.setattr(commands, "run_experiment", run)
    monkeypatch.setattr(commands, "show_run", lambda *_: None)
    typed = ["prompts", "train", "spanish_caps", "--candidates", "spanish", "--out", str(tmp_path)]
    assert CliRunner().invoke(inoc, [*typed, "--limit", "40", "--jobs", "2"]).exit_code == 0
    assert given == [(40, 2)]
    refused = CliRunner().invoke(inoc, [*typed, "--base", "openai/gpt-4.1", "--jobs", "2"])
    assert "leave --jobs and --engine out" in str(refused.exception)
