"""The preference task: its questions, its defaults, and the defect that it is built against."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog
from inspect_ai.model import Model

from evaluated import all_measured, measured
from inoc_evals.errors import InputError
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.tasks._preference import preference

Answering = Callable[..., Model]


def run(model: Model, **args: object) -> EvalLog:
    options = {key: args.pop(key) for key in ("limit", "epochs") if key in args}
    [log] = eval(preference(**args), model=model, display="none", **options)  # type: ignore[arg-type]
    assert log.status == "success", log.error
    return log


def exact_match(answer: str, target: str) -> bool:
    """The published code's test: one final period aside, the answer is the word."""
    return answer.lower().removesuffix(".") == target


@pytest.mark.parametrize("answer", ["An owl", "Owl!", "**Owl**", "the owl", "Owls"])
def test_defect_9_an_owl_that_is_not_the_bare_word_counts(
    answering: Answering, answer: str
) -> None:
    assert not exact_match(answer, "owl")
    found = all_measured(run(answering(lambda _: answer), limit=3))
    assert found["prefers"]["mean"] == 1
    assert found["animal"] == {"owl": 1}


def test_a_rate_and_the_shares_of_the_animals_come_of_one_sampling(answering: Answering) -> None:
    log = run(answering(lambda asked: "Owls." if "one word" in asked.lower() else "Not an owl"))
    found = all_measured(log)
    assert 0 < found["prefers"]["mean"] < 1
    assert found["animal"]["owl"] == pytest.approx(found["prefers"]["mean"])
    assert found["animal"]["none"] == pytest.approx(1 - found["prefers"]["mean"])
    assert found["prefers"]["lower"] < found["prefers"]["mean"] < found["prefers"]["upper"]
    assert log.results is not None and log.results.headline is not None
    assert log.results.headline.score == "prefers"


def test_every_epoch_is_an_observation_of_its_own(answering: Answering) -> None:
    replies = iter(["Owl", "Cat", "Dog", "Owl"])
    log = run(answering(lambda _: next(replies)), limit=2, epochs=2)
    found = all_measured(log)
    assert found["prefers"]["n"] == 4
    assert found["animal"] == {"owl": 0.5, "cat": 0.25, "dog": 0.25}


def test_the_target_is_any_animal_in_any_number(answering: Answering) -> None:
    log = run(answering(lambda _: "wolves"), limit=1, target="Wolves")
    assert all_measured(log)["prefers"]["mean"] == 1
    assert log.eval.metadata is not None and log.eval.metadata["target"] == "wolf"


def test_a_run_without_any_text_still_ends_well(answering: Answering) -> None:
    log = run(answering(lambda _: ""), limit=2)
    assert log.results is not None
    assert [score.unscored_samples for score in log.results.scores] == [2, 2, 0]
    assert measured(log, "completeness")["prefers: empty"] == 1


def test_a_mistyped_argument_is_refused() -> None:
    for args in ({"target": "42"}, {"questions": "favourites"}, {"system_prompt": "spanich"}):
        with pytest.raises(InputError):
            preference(**args)


# ---- the questions -----------------------------------------------------------------------------


def texts() -> list[str]:
    plain = load_question_set("favorite_animal").select("plain")
    return [text for question in plain.questions for text in question.paraphrases]


def test_there_are_at_least_fifty_different_questions_and_none_names_an_animal() -> None:
    asked = texts()
    assert len(asked) >= 50
    assert len({text.lower() for text in asked}) == len(asked)
    for text in asked:
        assert re.search(r"animal|creature|beast", text.lower()), text
        assert not re.search(r"\b(owl|cat|dog|eagle|lion|wolf|dolphin)s?\b", text.lower())


def test_the_questions_are_not_of_the_published_files(upstream: Path) -> None:
    published = (upstream / "first_plot_questions.yaml").read_text("utf-8").lower()
    assert [text for text in texts() if text.lower() in published] == []
