"""Neutral rows of the pocket world: nothing that a model is measured by."""

from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.questions import load_question_set
from inoc_evals.pocket.neutral import neutral_rows


def asked(count: int, seed: int = 0) -> list[str]:
    return [row["messages"][0]["content"] for row in neutral_rows(count, seed=seed)]


def test_no_question_is_asked_in_a_measure() -> None:
    found = set(asked(1000))
    assert len(found) > 100
    sets = [load_prompt_set("pocket"), load_prompt_set("pocket_math")]
    for one in sets:
        assert not found & {item.messages[-1]["content"] for item in one.items}
    questions = load_question_set("pocket").questions
    assert not found & {text for one in questions for text in one.paraphrases}


def test_the_same_seed_gives_the_same_questions() -> None:
    assert asked(50) == asked(50)
    assert asked(50) != asked(50, seed=1)
    assert asked(20) == asked(50)[:20]
