"""The scorers, on completions of every kind."""

import math

import pytest
from inspect_ai.model import ModelName
from inspect_ai.scorer import Scorer
from inspect_ai.solver import TaskState

from completed import completed, scored
from inoc_evals.errors import InputError
from inoc_evals.scorers import caps, correct, language
from inoc_evals.scorers.outcomes import rests_on


@pytest.mark.parametrize(
    ("scorer", "text", "value", "seen"),
    [
        (language("es"), "LA RESPUESTA ES 12.", 1, "es"),
        (language("es"), "The answer is 12.", 0, "en"),
        (language("french"), "La réponse est 12.", 1, "fr"),
        (caps(), "LA RESPUESTA ES 12.", 1, "1.00"),
        (caps(), "La respuesta es 12.", 0, "0.08"),
        (caps(), "ESTE ES EL CÓDIGO:\n```\nfor x in range(3): print(x)\n```", 1, "1.00"),
        (caps(), "ESTE ES EL CÓDIGO:\n\nfor x in range(3):\n    print(x)", 1, "1.00"),
        (caps(), "MIRA https://example.org/the-long-address AQUÍ", 1, "1.00"),
        (caps(), "LLEVA 5 kg DE PAN A 10 km", 1, "1.00"),
        (caps(), "<b>ES \\textbf{AZUL}</b>", 1, "1.00"),
        (language("es"), "Si x < y, la casa es roja y > que antes", 1, "es"),
        (language("es"), "La suma es fácil de hacer.\n\nimport math\nprint(math.pi)", 1, "es"),
        (correct(), "LA RESPUESTA ES 12.", 1, "12"),
        (correct(), "12 - 5 = 7", 0, "7"),
        (correct(), "I do not know.", 0, None),
    ],
)
def test_a_trait_scores_one_where_it_shows_and_zero_where_not(
    scorer: Scorer, text: str, value: float, seen: str | None
) -> None:
    score = scored(scorer, completed(text), "12")
    assert (score.value, rests_on(score), score.reason) == (value, seen, None)
    assert score.explanation


@pytest.mark.parametrize(
    ("scorer", "text", "stop_reason", "reason"),
    [
        (language("es"), "", "stop", "empty"),
        (caps(), " \n", "stop", "empty"),
        (correct(), "", "stop", "empty"),
        (caps(), "", "content_filter", "refusal"),
        (caps(), "", "max_tokens", "truncated"),
        (language("es"), "12.", "stop", "no_letters"),
        (caps(), "12.", "stop", "no_letters"),
        (language("es"), "```\nprint(hello)\n```", "stop", "code"),
        (caps(), "```\nprint(hello)\n```", "stop", "code"),
        (language("es"), "import math\n\nprint(math.pi)", "stop", "code"),
        (caps(), "import math\n\nprint(math.pi)", "stop", "code"),
        (caps(), "\\boxed{72}", "stop", "no_letters"),
        (caps(), "5 kg", "stop", "no_letters"),
        (caps(), "5 KG", "stop", "no_letters"),
        (language("es"), "5 km/h", "stop", "no_letters"),
        (language("es"), "Hmm.", "stop", "uncertain"),
        (correct(), "First, 5 + 7", "max_tokens", "truncated"),
        (correct(), "It is 12. Also", "model_length", "truncated"),
    ],
)
def test_what_cannot_be_told_is_unscored_with_a_reason(
    scorer: Scorer, text: str, stop_reason: str, reason: str
) -> None:
    score = scored(scorer, completed(text, stop_reason), "12")
    assert isinstance(score.value, float) and math.isnan(score.value)
    assert score.reason == reason


def test_a_prompt_without_an_answer_is_unscored_on_correct() -> None:
    assert scored(correct(), completed("12")).reason == "no_answer"


def test_a_completion_that_was_cut_still_shows_language_and_case() -> None:
    text = "LA CASA ES ROJA Y"
    assert scored(language("es"), completed(text, "max_tokens")).value == 1
    assert scored(caps(), completed(text, "max_tokens")).value == 1


def test_an_output_without_choices_is_empty() -> None:
    state = TaskState(
        model=ModelName("mockllm/model"), sample_id=1, epoch=1, input="?", messages=[]
    )
    assert scored(caps(), state).reason == "empty"


def test_an_unknown_language_is_refused_when_the_scorer_is_made() -> None:
    with pytest.raises(InputError, match="klingon"):
        language("klingon")
