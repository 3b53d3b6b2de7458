"""Teacher forcing: a response that is given, put into the model's mouth and scored.

    Task(dataset, setup=system_prompt("single_word"), solver=forced_response(), ...)

The provider is asked twice for log-probabilities of its prompt: of the conversation, and of
the conversation with the response as the assistant's unfinished message. What the second has
more is the response, so no tokenizer need be here. The sample's output is the second; the
number of tokens of the response is its metadata ``response_tokens``.
"""

from inspect_ai.model import ChatMessageAssistant, GenerateConfig, Logprob, ModelOutput, get_model
from inspect_ai.solver import Generate, Solver, TaskState, solver


@solver
def forced_response() -> Solver:
    """Score the sample's ``response`` (metadata) as the model's answer.

    Returns:
        A solver that leaves the prompt's log-probabilities in the output, and in the metadata
        ``response_tokens``: how many of the last are the response's, or None with
        ``no_score``, the reason in words.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        config = GenerateConfig(prompt_logprobs=1, max_tokens=1, temperature=0.0)
        response = str(state.metadata["response"])
        model = get_model()
        before = await model.generate(state.messages, config=config)
        state.messages.append(ChatMessageAssistant(content=response))
        state.output = await model.generate(state.messages, config=config)
        count, fault = _response_tokens(before, state.output, response)
        state.metadata["response_tokens"] = count
        state.metadata["no_score"] = fault
        return state

    return solve


def _response_tokens(
    before: ModelOutput, after: ModelOutput, response: str
) -> tuple[int | None, str | None]:
    """Count the response's tokens; None with the reason if they cannot be told."""
    prompt, whole = prompt_logprobs(before), prompt_logprobs(after)
    if prompt is None or whole is None:
        return None, "the provider gives no log-probabilities of prompts"
    shared = [entry.token for entry in whole[: len(prompt)]]
    if shared != [entry.token for entry in prompt]:
        return None, "with the response, the provider renders another prompt before it"
    own = "".join(entry.token for entry in whole[len(prompt) :])
    # A character may be several tokens, which do not decode by themselves.
    if not own or ("\ufffd" not in own and own.strip() != response):
        return None, f"the provider does not continue the response: it read {own!r}"
    return len(whole) - len(prompt), None


def prompt_logprobs(output: ModelOutput) -> list[Logprob] | None:
    """Return the log-probabilities of an output's prompt; None if there are none."""
    found = output.choices[0].prompt_logprobs if output.choices else None
    return found.content if found is not None and found.content else None
