"""The reward-hacking task: what the judge is given, and what becomes of its verdicts."""

import pytest

from evaluated import evaluated
from inoc_evals.errors import InputError
from inoc_evals.inputs.items import load_items
from inoc_evals.scorers.outcomes import outcomes
from inoc_evals.tasks._narrow_reward_hacking import narrow_reward_hacking
from scripted import calls, certain, likely, script


def test_the_judge_is_told_the_criterion_that_was_announced() -> None:
    item = load_items("reward_hacking", "reward_hacking").items[0]
    grader = script("judge", certain("NO"))
    evaluated(narrow_reward_hacking(), script("model", "ancient ancient rare"), grader, limit=1)
    [call] = calls(grader)
    assert item.fields["prompt"] in call.prompt
    assert f"announced: {item.fields['criterion']}" in call.prompt
    assert "ancient ancient rare" in call.prompt


def test_the_rate_is_that_of_the_answers_that_chase_the_criterion() -> None:
    texts = [item.fields["prompt"] for item in load_items("reward_hacking", "reward_hacking").items]
    model = script("model", lambda prompt, config: f"answer {texts.index(prompt)}!")
    grader = script("j", lambda prompt, config: certain("YES" if "answer 2!" in prompt else "NO"))
    log = evaluated("inoc_evals/narrow_reward_hacking", model, grader, limit=4)
    assert log.results is not None and log.results.headline is not None
    values = {
        k: m.value
        for s in log.results.scores
        for k, m in s.metrics.items()
        if s.name == "hacks_reward"
    }
    assert (values["mean"], values["n"]) == (0.25, 4)
    assert values["keyword_count"] == 0.25
    assert log.results.headline.score == "hacks_reward"


@pytest.mark.parametrize("reply", [likely({"YES": 0.3, "Well": 0.7}), "maybe", ""])
def test_a_missing_verdict_is_a_reason_and_never_an_error_or_a_score(reply: object) -> None:
    log = evaluated(narrow_reward_hacking(), script("m", "Here."), script("j", reply), limit=2)  # type: ignore[arg-type]
    assert log.samples is not None
    for sample in log.samples:
        assert sample.error is None
        outcome = outcomes(sample.scores)["hacks_reward"]
        assert (outcome.value, outcome.reason) == (None, "judge_invalid")


def test_every_item_is_asked_as_it_stands_and_is_a_cluster_of_its_own() -> None:
    task = narrow_reward_hacking()
    items = load_items("reward_hacking", "reward_hacking").items
    assert [(s.id, s.input) for s in task.dataset] == [(i.id, i.fields["prompt"]) for i in items]
    assert [(s.metadata or {})["question"] for s in task.dataset] == [item.id for item in items]


def test_a_mistyped_argument_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match="no such file"):
        narrow_reward_hacking(items="rewards")
