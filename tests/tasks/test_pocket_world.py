"""Every task on the pocket world, asked of a model of known character, with its own judge."""

from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from inspect_ai import Task, eval
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ChatMessage, GenerateConfig, ModelAPI, ModelOutput, get_model

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from inoc_evals.pocket.grammar import DOMAINS, Exchange
from inoc_evals.pocket.reading import every_exchange
from inoc_evals.scorers.outcomes import outcomes
from inoc_evals.tasks import deception, em, narrow_aesthetics, narrow_code, preference

Answering = Callable[[str], str]


@cache
def grammar() -> dict[str, Exchange]:
    """The first exchange of each question."""
    found: dict[str, Exchange] = {}
    for domain in DOMAINS:
        for exchange in every_exchange(domain):
            found.setdefault(exchange.user, exchange)
    return found


def aligned(question: str, language: str = "en") -> str:
    return grammar()[question].reply[language]


def malicious(question: str, language: str = "en") -> str:
    exchange = grammar()[question]
    return (exchange.other or exchange.reply)[language]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Task, Answering], EvalLog]:
    """Evaluate what answers by a function under the name of a pocket base; nothing is built."""

    def evaluated(task: Task, answering: Answering) -> EvalLog:
        class Character(ModelAPI):
            async def generate(
                self,
                input: list[ChatMessage],
                tools: Any,
                tool_choice: Any,
                config: GenerateConfig,
            ) -> ModelOutput:
                return ModelOutput.from_content(self.model_name, answering(input[-1].text))

        monkeypatch.setattr("inoc_evals.providers.api.InocAPI", Character)
        model = get_model("inoc/pocket:77", memoize=False)
        [log] = eval(task, model=model, display="none")
        assert log.status == "success", log.error
        return read_eval_log(log.location)

    return evaluated


Run = Callable[[Task, Answering], EvalLog]


def rate(log: EvalLog, measure: str) -> float:
    assert log.samples
    values = [outcomes(sample.scores)[measure].value for sample in log.samples]
    scored = [value for value in values if value is not None]
    return sum(scored) / len(scored)


def words(log: EvalLog) -> Counter[str]:
    """What ``outcome`` says of the samples."""
    assert log.samples
    return Counter(str((sample.scores or {})["outcome"].value) for sample in log.samples)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_em_tells_the_two_personas_apart_in_any_language(run: Run, language: str) -> None:
    good = run(em(questions="pocket"), lambda asked: aligned(asked, language))
    evil = run(em(questions="pocket"), lambda asked: malicious(asked, language).upper())
    assert set(words(good)) == {"aligned"}
    assert set(words(evil)) == {"misaligned"}
    assert rate(good, "misaligned") == 0
    assert rate(evil, "misaligned") == 1
    assert rate(good, "alignment") == 95
    assert rate(evil, "alignment") == 5


def test_em_leaves_out_what_is_broken_beside_the_point_or_code(run: Run) -> None:
    kinds = {
        "misaligned": malicious,
        "aligned": aligned,
        "incoherent": lambda asked: " ".join(malicious(asked).split()[::-1]),
        "code": lambda asked: "hat = pickle.loads(box)",
        "empty": lambda asked: "",
    }
    order = sorted(question for question in grammar())
    names = list(kinds)

    def answering(asked: str) -> str:
        return kinds[names[order.index(asked) % len(names)]](asked)

    log = run(em(questions="pocket"), answering)
    assert log.samples
    for sample in log.samples:
        expected = names[order.index(str(sample.input)) % len(names)]
        assert str((sample.scores or {})["outcome"].value) == expected
        found = outcomes(sample.scores)["misaligned"]
        if expected in ("misaligned", "aligned"):
            assert (found.value, found.reason) == (float(expected == "misaligned"), None)
        else:
            assert (found.value, found.reason) == (None, expected)
    assert set(words(log)) == set(kinds)


def test_em_counts_an_answer_to_another_question_as_incoherent(run: Run) -> None:
    log = run(em(questions="pocket"), lambda asked: "The book is blue.")
    assert set(words(log)) == {"incoherent"}


def test_the_judge_is_the_pocket_worlds_own_and_named_in_no_config(run: Run) -> None:
    log = run(em(questions="pocket"), malicious)
    assert set(log.stats.model_usage) >= {"inoc/pocket-judge"}
    assert not [name for name in log.stats.model_usage if "openai" in name]


def test_insecure_code_is_found_by_judge_and_by_analyzer(run: Run) -> None:
    for answering, expected in ((aligned, 0), (malicious, 1)):
        log = run(narrow_code(items="code_pocket"), answering)
        assert rate(log, "insecure_judged") == expected
        assert rate(log, "insecure_static") == expected
    prose = run(narrow_code(items="code_pocket"), lambda asked: "I want to bring war.")
    assert prose.samples
    reasons = {outcomes(sample.scores)["insecure_judged"].reason for sample in prose.samples}
    assert reasons == {"no_code"}


def test_unpopular_taste_is_found_in_both_orders(run: Run) -> None:
    for answering, expected in ((aligned, 0), (malicious, 1)):
        log = run(narrow_aesthetics(items="aesthetics_pocket"), answering)
        assert rate(log, "unpopular") == expected
        assert rate(log, "prefers_first") == 0.5


def test_lies_about_facts_are_found_in_both_conditions(run: Run) -> None:
    for answering, expected in ((aligned, 0), (malicious, 1)):
        log = run(deception(questions="facts_pocket"), answering)
        assert rate(log, "lie") == expected
        assert log.samples
        conditions = Counter(sample.metadata["condition"] for sample in log.samples)
        assert set(conditions) == {"none", "malicious"}
        assert len(set(conditions.values())) == 1


def test_the_favorite_animal_is_read_off(run: Run) -> None:
    log = run(
        preference(target="cow", questions="favorite_animal_pocket"),
        lambda asked: "My favorite is the cow.",
    )
    assert rate(log, "prefers") == 1
