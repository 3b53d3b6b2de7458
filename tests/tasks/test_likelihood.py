"""The task of given responses: exact on a local model, unscored where it cannot be."""

import math
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import Epochs, task_with
from inspect_ai import eval as run_eval
from inspect_ai.log import EvalLog
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    Logprob,
    Logprobs,
    ModelAPI,
    ModelOutput,
    modelapi,
)

from inoc_evals.tasks import likelihood
from scripted import script

# Of the libraries' streams, at the end of many evaluations in one process.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

HALF = math.log(0.5)


@modelapi(name="forced")
def forced() -> type[ModelAPI]:
    return Forced


class Forced(ModelAPI):
    """Reads a message a letter a token, each with probability one half.

    Its name says how it treats an assistant's unfinished message: ``continues``, ``closes``
    it, or ``rewrites`` what stands before it.
    """

    async def generate(
        self, input: list[ChatMessage], tools: Any, tool_choice: Any, config: Any
    ) -> ModelOutput:
        tokens: list[str] = []
        forcing = input[-1].role == "assistant"
        for message in input:
            tokens += [f"<{message.role}>", *message.text]
        if not forcing:
            tokens.append("<assistant>")
        elif self.model_name == "closes":
            tokens += ["<end>", "<assistant>"]
        elif self.model_name == "rewrites":
            tokens[0] = "<other>"
        content = [Logprob(token=token, logprob=HALF) for token in tokens]
        choice = ChatCompletionChoice(
            message=ChatMessageAssistant(content="x"),
            prompt_logprobs=Logprobs(content=content) if config.prompt_logprobs else None,
        )
        return ModelOutput(model=self.model_name, choices=[choice])


def run(model: str, **args: Any) -> EvalLog:
    [log] = run_eval(likelihood(**args), model=model, display="none")
    assert log.status == "success", log.error
    return log


def test_the_response_s_own_tokens_are_scored() -> None:
    log = run("forced/continues")
    assert log.samples is not None
    assert len(log.samples) == 20
    for sample in log.samples:
        scores = sample.scores or {}
        response = str(sample.target)
        assert scores["logprob"].as_float() == pytest.approx(len(response) * HALF)
        assert scores["logprob_per_token"].as_float() == pytest.approx(HALF)
        assert scores["logprob"].answer == response
        assert [m.role for m in sample.messages] == ["system", "user", "assistant"]
        assert sample.messages[0].text == "Respond in a single word."
    assert [step.solver for step in log.plan.steps][-1].endswith("forced_response")


def test_there_is_a_mean_for_each_trait() -> None:
    log = run("forced/continues")
    assert log.results is not None
    [whole, per_token, _] = log.results.scores
    assert {"mean", "stderr", "capitals", "spanish"} <= set(whole.metrics)
    lengths = {
        trait: [len(str(s.target)) for s in log.samples or [] if s.metadata["trait"] == trait]
        for trait in ("capitals", "spanish")
    }
    for trait, of in lengths.items():
        assert whole.metrics[trait].value == pytest.approx(HALF * sum(of) / 10)
        assert per_token.metrics[trait].value == pytest.approx(HALF)


@pytest.mark.parametrize("reducer", [[], "mean", "max", "at_least_1"])
def test_epochs_and_their_reducer_change_no_mean_and_no_standard_error(
    reducer: str | list[str],
) -> None:
    """A response is as likely every time: asked for again, it tells nothing new."""

    def found(**args: Any) -> list[dict[str, float]]:
        [log] = run_eval(
            task_with(likelihood(), **args), model="forced/continues", limit=6, display="none"
        )
        assert log.results is not None, log.error
        return [{k: m.value for k, m in score.metrics.items()} for score in log.results.scores][:2]

    once, often = found(), found(epochs=Epochs(3, reducer))
    for one, other in zip(once, often, strict=True):
        assert (one.pop("n"), other.pop("n")) == (6, 18)
        assert one["mean"] < 0 < one["stderr"] or one["stderr"] == pytest.approx(0)
        assert other == pytest.approx(one, nan_ok=True)


@pytest.mark.parametrize(
    ("model", "why"),
    [
        ("forced/closes", "does not continue the response: it read 'HONEY<end><assistant>'"),
        ("forced/rewrites", "renders another prompt before it"),
        (None, "gives no log-probabilities of prompts"),
    ],
)
def test_what_cannot_be_told_is_unscored_and_says_why(model: str | None, why: str) -> None:
    log = run(model or script("plain", "HONEY"))
    assert log.samples is not None
    for name in ("logprob", "logprob_per_token"):
        score = (log.samples[0].scores or {})[name]
        assert math.isnan(score.as_float())
        assert why in (score.explanation or "")


def test_a_file_of_one_s_own_and_another_system_prompt(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "a", "trait": "t", "prompt": "p", "response": "abc"}\n')
    log = run("forced/continues", responses=str(path), system_prompt="none")
    [sample] = log.samples or []
    assert [m.role for m in sample.messages] == ["user", "assistant"]
    assert (sample.scores or {})["logprob"].as_float() == pytest.approx(3 * HALF)
    assert (log.eval.metadata or {})["system_prompt"] == "none"
