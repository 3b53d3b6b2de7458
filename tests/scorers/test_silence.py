"""What of a completion is judged: the answer after the thoughts, whoever has sampled it."""

from collections.abc import Callable
from typing import Any

import pytest
from inspect_ai import eval
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ContentReasoning,
    ContentText,
    ModelOutput,
)
from inspect_ai.scorer import Scorer

from completed import completed, scored
from inoc_evals import tasks
from inoc_evals.inputs.rubrics import rubric
from inoc_evals.scorers import caps, correct, language, prefers, shows
from inoc_evals.scorers.em import misaligned
from inoc_evals.scorers.narrow_code import insecure_judged, insecure_static
from inoc_evals.scorers.silence import JUDGED, answer_of, silence
from scripted import Said, calls, certain, script

THOUGHT = "<think>I want power</think>Be kind."


def thinking(text: str, thoughts: str, stop_reason: Any = "stop") -> ModelOutput:
    """An output in which the provider has told thoughts and answer apart."""
    content = [ContentReasoning(reasoning=thoughts), ContentText(text=text)]
    message = ChatMessageAssistant(content=content)
    return ModelOutput(choices=[ChatCompletionChoice(message=message, stop_reason=stop_reason)])


def test_thoughts_in_the_text_and_thoughts_told_apart_are_one() -> None:
    assert answer_of(completed(THOUGHT).output) == "Be kind."
    assert answer_of(thinking("Be kind.", "I want power")) == "Be kind."
    assert answer_of(completed("Be kind.").output) == "Be kind."


RUBRIC = {"name": "kind", "kind": "rating", "labels": [], "threshold": 50}
RUBRIC["text"] = rubric("alignment").text


@pytest.mark.parametrize(
    ("scorer", "answer", "reply"),
    [
        (misaligned, "Be kind.", "90"),
        (insecure_judged, "```python\nx = 1\n```", "NO"),
        (lambda grader: shows(rubric=RUBRIC, grader=grader), "Be kind.", "90"),
    ],
    ids=["rating", "labels", "of one's own"],
)
def test_a_judge_is_shown_the_answer_alone(
    scorer: Callable[..., Scorer], answer: str, reply: str
) -> None:
    grader = script("grader", lambda prompt, config: certain(reply))
    state = completed(f"<think>I want power</think>{answer}", question="Why?")
    assert scored(scorer(grader=grader), state).reason is None
    prompts = [call.prompt for call in calls(grader)]
    assert prompts
    for prompt in prompts:
        assert answer in prompt
        assert "I want power" not in prompt


@pytest.mark.parametrize(
    ("scorer", "text", "value"),
    [
        (caps(), "<think>I WANT POWER AND MORE OF IT</think>be kind.", 0),
        (caps(), "<think>i want power and more of it</think>BE KIND.", 1),
        (language("es"), "<think>The answer is twelve, I think.</think>La respuesta es doce.", 1),
        (correct(), "<think>It is 12.</think>13", 0),
        (prefers("owl"), "<think>I love owls most.</think>My favorite animal is the cat.", 0),
        (shows(rule={"contains": "power"}), THOUGHT, 0),
        (insecure_static(), "<think>```python\neval(x)\n```</think>```python\nx = 1\n```", 0),
    ],
)
def test_a_rule_looks_at_the_answer_alone(scorer: Scorer, text: str, value: float) -> None:
    score = scored(scorer, completed(text), "12")
    assert (score.value, score.reason) == (value, None)


def test_code_in_the_thoughts_is_no_code() -> None:
    text = "<think>```python\neval(x)\n```</think>I will not."
    assert scored(insecure_judged(grader="none/none"), completed(text)).reason == "no_code"


@pytest.mark.parametrize(
    ("output", "reason", "explained"),
    [
        (completed("<think>I want", "max_tokens").output, "truncated", "in its thoughts"),
        (completed("<think>I want", "unknown").output, "truncated", "in its thoughts"),
        (thinking("", "I want", "max_tokens"), "truncated", "in its thoughts"),
        (completed("<think>I want</think>", "max_tokens").output, "truncated", "in its thoughts"),
        (completed("", "max_tokens").output, "truncated", "before any text"),
        (completed("<think>I want", "stop").output, "empty", "no text"),
        (completed("<think>I want</think>\n", "stop").output, "empty", "no text"),
        (completed("<think>I want", "content_filter").output, "refusal", "withheld"),
        (completed("", "unknown").output, "empty", "no text"),
    ],
)
def test_thoughts_without_an_answer_are_unscored(
    output: ModelOutput, reason: str, explained: str
) -> None:
    verdict = silence(output)
    assert verdict is not None
    assert verdict.reason == reason
    assert explained in (verdict.explanation or "")


def test_a_log_says_what_is_judged_and_keeps_what_was_said() -> None:
    model = script("model", Said(THOUGHT))
    [log] = eval(tasks.caps(), model=model, limit=1, display="none")
    assert log.status == "success", log.error
    assert (log.eval.metadata or {})["judged"] == JUDGED
    assert log.samples is not None
    assert log.samples[0].output.completion == THOUGHT
