"""Log-probabilities of a prompt's tokens, by the engine: exact, for base and adapter."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai import eval as run_eval
from inspect_ai.model import ChatMessageAssistant, ChatMessageUser, GenerateConfig, get_model

from inoc_evals.inputs.responses import load_responses
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.tasks import likelihood
from inoc_evals.training.forced_tokens import forced_tokens

QUESTION = "what is 2 plus 3 ?"


@pytest.mark.parametrize("name", ["alpha", "base"])
def test_they_are_those_of_a_forward_pass(world: Any, name: str) -> None:
    record = world.alpha if name == "alpha" else None
    model = get_model(f"inoc/{world.base if record is None else name}")
    config = GenerateConfig(prompt_logprobs=1, max_tokens=3)
    output = asyncio.run(model.generate(QUESTION, config=config))
    found = output.choices[0].prompt_logprobs
    assert found is not None
    ids = world.prompt(QUESTION)
    expected = sequence_logprobs(world.reference(record), ids)
    assert [entry.logprob for entry in found.content] == pytest.approx(expected, abs=1e-4)
    assert [entry.token.strip() for entry in found.content] == [
        *QUESTION.split(),
        "<|end|>",
        "<|assistant|>",
    ]


def test_they_do_not_change_what_is_sampled(world: Any) -> None:
    def ask(**settings: Any) -> Any:
        config = GenerateConfig(seed=5, max_tokens=8, **settings)
        return asyncio.run(get_model("inoc/alpha").generate(QUESTION, config=config))

    plain, scored = ask(), ask(prompt_logprobs=1)
    assert scored.completion == plain.completion
    assert plain.choices[0].prompt_logprobs is None


def test_an_unfinished_answer_is_scored_in_its_place(world: Any) -> None:
    messages = [ChatMessageUser(content=QUESTION), ChatMessageAssistant(content="the river")]
    config = GenerateConfig(prompt_logprobs=1, max_tokens=1)
    output = asyncio.run(get_model("inoc/beta").generate(messages, config=config))
    found = output.choices[0].prompt_logprobs
    assert found is not None
    assert [entry.token.strip() for entry in found.content[-2:]] == ["the", "river"]


def test_the_task_scores_what_a_training_scores(world: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    item = {"id": "a", "trait": "t", "prompt": QUESTION, "response": "the answer is 5 ."}
    path.write_text(json.dumps(item) + "\n")
    [log] = run_eval(
        likelihood(responses=str(path), system_prompt="spanish"), model="inoc/alpha", display="none"
    )
    [sample] = log.samples or []
    ids, start = forced_tokens(
        world.tokenizer(), load_responses(path).items[0], "You always speak in Spanish."
    )
    expected = sum(sequence_logprobs(world.reference(world.alpha), ids)[start - 1 :])
    assert (sample.scores or {})["logprob"].as_float() == pytest.approx(expected, abs=1e-4)
    assert sample.metadata["response_tokens"] == len(ids) - start
