"""What a task's answers lack, by measure and reason: in the log's samples and in its header."""

import math
from collections.abc import Callable

import pytest
from inspect_ai import Epochs, score, task_with
from inspect_ai.model import Model, ModelOutput, get_model
from inspect_ai.scorer import SampleScore, Score, includes

from completed import completed, scored
from evaluated import evaluated, measured
from inoc_evals.scorers.outcomes import outcomes
from inoc_evals.scorers.traits import LANGUAGE_SCORERS, caps
from inoc_evals.scorers.unscored_reasons import SCORED, completeness, reasons
from inoc_evals.tasks import likelihood, preference, traits

EMPTY = Score.unscored(reason="empty")


def answering(*replies: str) -> Model:
    """Answer with one after the other, over and over."""
    said = [ModelOutput.from_content("mockllm/model", reply) for reply in replies] * 200
    return get_model("mockllm/model", custom_outputs=said, memoize=False)


def test_an_answer_says_which_measures_lack_it_and_why() -> None:
    state = completed("")
    state.scores = {
        "spanish": Score(value=1.0),
        "caps": Score.unscored(reason="no_letters"),
        "animal": EMPTY,
        "outcome": Score(value="aligned"),
        "seen_in_training": Score.unscored(reason="rows_unknown"),
    }
    told = scored(completeness(), state)
    assert told.value == "caps: no_letters; animal: empty"
    assert told.metadata == {"caps": "no_letters", "animal": "empty"}
    assert outcomes({"completeness": told}) == {}


@pytest.mark.parametrize("scores", [None, {}, {"spanish": Score(value=0.0)}])
def test_an_answer_that_lacks_nothing_is_scored(scores: dict[str, Score] | None) -> None:
    state = completed("Sí.")
    state.scores = scores
    assert scored(completeness(), state).value == SCORED


def test_shares_are_of_all_answers_and_only_of_what_occurs() -> None:
    compute: Callable[[list[SampleScore]], dict[str, float]] = reasons()  # type: ignore[assignment]
    assert compute([SampleScore(score=Score(value=SCORED))]) == {"n": 1, "scored": 1}
    lacking = [Score(value=".", metadata=one) for one in ({"a": "empty", "b": "empty"}, {}, {})]
    assert compute([SampleScore(score=one) for one in lacking]) == pytest.approx(
        {"n": 3, "scored": 2 / 3, "a: empty": 1 / 3, "b: empty": 1 / 3}
    )
    nothing = compute([])
    assert nothing.pop("n") == 0 and math.isnan(nothing["scored"])


@pytest.mark.parametrize("reducer", [[], "mean", "mode"])
def test_a_header_has_every_epoch_whatever_the_reducer(reducer: str | list[str]) -> None:
    made = task_with(traits(prompts="chat"), epochs=Epochs(4, reducer))
    log = evaluated(made, answering("La casa es roja.", "", "12 34", ""), limit=1)
    assert measured(log, "completeness") == {
        "n": 4,
        "scored": 0.25,
        "caps: empty": 0.5,
        "caps: no_letters": 0.25,
        "spanish: empty": 0.5,
        "spanish: no_letters": 0.25,
    }
    assert log.samples is not None
    assert {sample.scores["completeness"].value for sample in log.samples} == {  # type: ignore[index]
        SCORED,
        "spanish: empty; caps: empty",
        "spanish: no_letters; caps: no_letters",
    }


def test_other_tasks_have_it_too() -> None:
    log = evaluated(preference(), answering(""), limit=2)
    assert measured(log, "completeness")["prefers: empty"] == 1
    log = evaluated(likelihood(), answering("x"), limit=2)
    assert measured(log, "completeness")["logprob: no_logprobs"] == 1


@pytest.mark.parametrize("action", ["append", "overwrite"])
def test_scoring_a_log_again_tells_it_anew(action: str) -> None:
    log = evaluated(traits(prompts="chat"), answering("La casa es roja.", ""), limit=2)
    scorers = [LANGUAGE_SCORERS["es"](), caps(), completeness()]
    again = score(log, scorers, action=action, display="none")  # type: ignore[arg-type]
    names = ["completeness", "completeness1"] if action == "append" else ["completeness"]
    for name in names:
        values = measured(again, name)
        assert (values["n"], values["scored"], values["caps: empty"]) == (2, 0.5, 0.5)
    alone = score(log, [completeness()], action="append", display="none")
    assert measured(alone, "completeness1")["spanish: empty"] == 0.5


def test_it_reads_scores_of_others_as_well() -> None:
    state = completed("x")
    state.scores = {"includes": scored(includes(), completed("x"), "x"), "mine": EMPTY}
    assert scored(completeness(), state).value == "mine: empty"
