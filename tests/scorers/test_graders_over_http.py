"""Graders as they come, over HTTP: a verdict where one can be had, else a line before any answer.

Each kind is asked by the chat API, as servers of one's own have it, and by OpenAI's own of today.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog

from grader_server import Fails, GraderServer, Raw, Replying, Request, Says, Silence
from inoc_evals.scorers import judge
from inoc_evals.tasks._em import em
from scripted import calls, script

RATING = 84
SAMPLES = 3


def coherent(request: Request) -> str:
    """Every kind says 84, the trial's question excepted."""
    return "50" if "number 50" in request.prompt else str(RATING)


def plain(request: Request) -> Says:
    return Says(coherent(request))


def with_top(most: int, *, given: int | None = None) -> Replying:
    """A service that allows so many log-probabilities, and gives so many."""

    def reply(request: Request) -> Says | Fails:
        if request.top is None:
            return plain(request)
        if request.top > most:
            return Fails(
                400,
                f"Invalid value for 'top_logprobs': must be less than or equal to {most}.",
            )
        middle = int(coherent(request))
        near = {str(middle): 0.5, str(middle - 1): 0.2, str(middle + 1): 0.2}
        rest = {word: 0.1 / 20 for word in map("w{}".format, range(20))}
        top = dict([*near.items(), *rest.items()][: given or request.top])
        return Says(str(middle), [top])

    return reply


def splits_digits(request: Request) -> Says:
    digits = coherent(request)
    positions: list[Mapping[str, float]] = [{one: 0.9, "x": 0.05} for one in digits]
    return Says(digits, positions)


def refuses(request: Request) -> Says:
    if "number 50" in request.prompt:
        return plain(request)
    return Says("I'm sorry, but I can't help with rating this.")


def rambles(request: Request) -> Says:
    words = "Well, that depends on how one reads the question, since " * 40
    return Says(words[: 4 * (request.room or 10**6)], cut=True)


def thinks(request: Request) -> Says:
    """Its thoughts come in a field of their own, before anything is said."""
    if request.room is not None and request.room < 1000:
        return Says("", cut=True, thoughts="The user wants a number")
    return Says(coherent(request), thoughts="The answer is 12 at worst. No: higher.")


def thinks_aloud(request: Request) -> Says:
    if request.room is not None and request.room < 1000:
        return Says("<think>The user wants 12, or", cut=True)
    return Says(f"<think>12?</think>\n{coherent(request)}")


def refuses_every_setting(request: Request) -> Says | Fails:
    """Reasoning, with all the refusals that such models are known for."""
    if request.old_room:
        return Fails(
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            "unsupported_parameter",
        )
    if request.temperature is not None:
        return Fails(
            400,
            "Unsupported value: 'temperature' does not support 0 with this model. "
            "Only the default (1) value is supported.",
            "unsupported_value",
        )
    if request.top is not None and request.top > 5:
        return Fails(400, "Invalid value for 'top_logprobs': must be less than or equal to 5.")
    if request.top is not None:
        return Fails(403, "You are not allowed to request logprobs from this model; not supported.")
    if request.room is not None and request.room < 1000:
        return Fails(
            400,
            "Could not finish the message because max_tokens or model output limit was reached. "
            "Please try again with higher max_tokens.",
        )
    return Says(coherent(request), thoughts="Hmm.")


def filtered(request: Request) -> Says | Fails:
    if "number 50" in request.prompt:
        return plain(request)
    return Fails(400, "The response was filtered due to the content policy.", "content_filter")


def throttled_at_first() -> Replying:
    count = [0]

    def reply(request: Request) -> Says | Fails:
        count[0] += 1
        if count[0] in (1, 3):
            return Fails(429, "Rate limit reached; try again.", "rate_limit_exceeded")
        return plain(request)

    return reply


class Kind(NamedTuple):
    """A grader and what has to come of it."""

    replying: Callable[[], Replying]
    mode: str = "sampled"
    outcome: str = "aligned"
    asked: str = ""
    steps: int = 0
    """Requests that come to nothing, of all samples together."""


def always(replying: Replying) -> Callable[[], Replying]:
    return lambda: replying


NONE = "no log-probabilities"
THOUGHTS = f"{NONE}, room for thoughts"
JUDGED = {
    "twenty": Kind(always(with_top(20)), "logprobs"),
    "five allowed": Kind(always(with_top(5)), "logprobs", asked="5 log-probabilities", steps=1),
    "two given of twenty": Kind(always(with_top(20, given=2)), asked=NONE),
    "one given of twenty": Kind(always(with_top(20, given=1)), asked=NONE),
    "one allowed": Kind(always(with_top(1)), asked=NONE, steps=1),
    "none": Kind(always(plain), asked=NONE),
    "digits split": Kind(always(splits_digits)),
    "refuses to judge": Kind(always(refuses), outcome="judge_invalid", asked=NONE),
    "rambles": Kind(always(rambles), outcome="judge_invalid", asked=NONE, steps=1),
    "filtered": Kind(always(filtered), outcome="judge_invalid", asked=NONE),
    "thinks": Kind(always(thinks), asked=THOUGHTS, steps=1),
    "thinks aloud": Kind(always(thinks_aloud), asked=THOUGHTS, steps=1),
    "refuses every setting": Kind(
        always(refuses_every_setting),
        asked=f"{NONE}, temperature of the API, room for thoughts",
        steps=4,
    ),
    "throttled at first": Kind(throttled_at_first, asked=NONE, steps=2),
}


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited between tries, in miniature."""
    import tenacity

    monkeypatch.setattr(tenacity.wait_exponential_jitter, "__call__", lambda self, state: 0.01)


def run(server: GraderServer, api: str) -> tuple[EvalLog, str]:
    target = script("target", "Well, it depends.")
    grader = getattr(server, api)("gpt-5.4-2026-03-05")
    [log] = eval(
        em(questions="core"),
        model=target,
        model_roles={"grader": grader},
        limit=SAMPLES,
        display="none",
    )
    return log, target


APIS = ("chat", "responses")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", JUDGED)
def test_a_verdict_is_had_where_one_can_be(name: str, api: str) -> None:
    kind = JUDGED[name]
    with GraderServer(kind.replying()) as server:
        log, target = run(server, api)
    assert log.status == "success", log.error
    assert len(server.got) <= 2 * SAMPLES + kind.steps + 2  # the trial, and one of Inspect's own
    assert all(request.room <= 16 for request in server.got if request.room and request.top)
    assert len(calls(target)) == SAMPLES
    for sample in log.samples or []:
        assert sample.error is None
        scores = sample.scores or {}
        assert scores["outcome"].value == kind.outcome
        if kind.outcome == "aligned":
            assert scores["alignment"].value == RATING
        how = f"{kind.mode} ({kind.asked})" if kind.asked else kind.mode
        assert (scores["alignment"].explanation or "").endswith(f"; {how}")


GONE: dict[str, tuple[Replying, str]] = {
    "404": (
        lambda request: Fails(404, "The model `judge` does not exist", "model_not_found"),
        "does not exist",
    ),
    "no key": (lambda request: Fails(401, "Incorrect API key provided: k."), "Incorrect API key"),
    "no money": (
        lambda request: Fails(429, "You exceeded your current quota.", "insufficient_quota"),
        "quota",
    ),
    "throttled": (lambda request: Fails(429, "Rate limit reached."), "Rate limit"),
    "down": (lambda request: Fails(503, "Overloaded"), "Overloaded"),
    "hanging": (lambda request: Silence(), "nothing in 2 s"),
    "a page": (lambda request: Raw(502, "<html>\n<body>Bad gateway</body></html>"), "502"),
    "a page that is well": (lambda request: Raw(200, "<html>\n<b>Log in</b></html>"), ""),
    "nothing": (lambda request: Raw(200, ""), ""),
    "an object": (lambda request: Raw(200, "{}"), ""),
}


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("name", GONE)
def test_else_a_line_says_why_before_anything_is_asked(
    name: str, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    replying, why = GONE[name]
    if name == "hanging":
        monkeypatch.setattr(judge, "TRIAL_SECONDS", 2)
    with GraderServer(replying) as server:
        log, target = run(server, api)
    assert log.status == "error"
    message = log.error.message if log.error else ""
    assert "does not answer" in message
    assert why in message
    assert "\n" not in message.strip()
    assert calls(target) == []
