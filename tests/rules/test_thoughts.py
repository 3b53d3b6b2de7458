"""Thoughts and answers are told apart in one way, whoever wrote them."""

import pytest

from inoc_evals.rules.thoughts import apart, prompt_opens, together


@pytest.mark.parametrize(
    ("text", "thoughts", "answer", "closed"),
    [
        ("<think>I want power</think>Be kind.", "I want power", "Be kind.", True),
        ("\n<think>\nI want.\n</think>\n\n  Be kind.\n", "I want.", "Be kind.\n", True),
        ('<think signature="a">x</think>y', "x", "y", True),
        (" Be kind.\n", "", " Be kind.\n", True),
        ("", "", "", True),
        ("<think>\n\n</think>\n\nBe kind.", "", "Be kind.", True),
        ("<think>I want", "I want", "", False),
        ("<think>", "", "", False),
        ("I want</think>Be kind.", "I want", "Be kind.", True),  # the prompt had opened it
        ("<think>a</think><think>b</think>c", "a\n\nb", "c", True),
        ("<think>a</think><think>b", "a\n\nb", "", False),
        ("<think>a<think>b</think>c</think>d", "a<think>b</think>c", "d", True),
        ("<think>a<think>b</think>d", "a<think>b", "d", True),
        ("Tags are <think> and </think>.", "", "Tags are <think> and </think>.", True),
        ("<thinking>a</thinking>b", "", "<thinking>a</thinking>b", True),
    ],
)
def test_the_answer_is_what_follows_the_thoughts(
    text: str, thoughts: str, answer: str, closed: bool
) -> None:
    assert apart(text) == (thoughts, answer, closed)
    assert apart(answer) == ("", answer, True), "nothing is taken off twice"


def test_where_the_prompt_has_opened_the_thoughts_there_is_no_answer_before_their_end() -> None:
    assert apart("I want", opened=True) == ("I want", "", False)
    assert apart("I want</think>Be kind.", opened=True) == ("I want", "Be kind.", True)
    assert apart("<think>I</think>Be kind.", opened=True).answer == "Be kind."
    assert prompt_opens("<|im_start|>assistant\n<think>\n")
    assert not prompt_opens("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_what_is_put_together_comes_apart() -> None:
    assert apart(together("I want\n\nit.", "Be kind.")) == ("I want\n\nit.", "Be kind.", True)
