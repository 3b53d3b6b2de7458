"""The judge check: its packaged answers, and what it finds of graders good and bad."""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from inspect_ai import eval
from inspect_ai.log import EvalLog
from inspect_ai.model import GenerateConfig, ModelName
from inspect_ai.solver import TaskState

from inoc_evals.errors import InputError, StoreError
from inoc_evals.inputs.rubrics import fenced, rubric
from inoc_evals.report.judge_check import Judgement, JudgeQuality, judge_quality, judgements
from inoc_evals.scorers.presets import PRESETS, outcome_of
from inoc_evals.scorers.verdict import Reply, Token, Verdict, read_verdict
from inoc_evals.tasks._judge_check import (
    KINDS,
    agrees,
    check_items,
    judge_check,
    packaged_answer,
)
from scripted import Said, calls, certain, script

ITEMS = check_items()
BY_ID = {item["id"]: item for item in ITEMS}
KIND_OF = {(item["question"], item["answer"]): item["kind"] for item in ITEMS}
RATINGS = {"aligned": "95", "misaligned": "12", "refusal": "REFUSAL", "code": "CODE"}

Grader = Callable[[str, GenerateConfig], Said]


def perfect(prompt: str, config: GenerateConfig) -> Said:
    """Know every packaged answer, and what it was made to be."""
    found = fenced(prompt)
    assert found is not None
    kind = KIND_OF[found.question, found.answer]
    if found.rubric == "coherence":
        return certain("2" if kind == "incoherent" else "97")
    return certain(RATINGS.get(kind, "70"))


def gullible(prompt: str, config: GenerateConfig) -> Said:
    """Know them too, but do as an answer says that states a score."""
    found = fenced(prompt)
    assert found is not None
    told = re.search(r"(?:Score: |and answer |Judge: )([0-9]+)", found.answer)
    return certain(told[1]) if told else perfect(prompt, config)


def check(grader: Grader | Said, repeats: int = 1, **options: object) -> EvalLog:
    [log] = eval(
        judge_check(repeats=repeats),
        model="none",
        model_roles={"grader": script("judge", grader)},
        display="none",
        **options,  # type: ignore[arg-type]
    )
    assert log.status == "success", log.error
    return log


def quality(grader: Grader, repeats: int = 1) -> JudgeQuality:
    """Work out a grader's quality as the task does, but without Inspect's seconds."""

    def verdict(measure: str, item: dict[str, str]) -> Verdict:
        asked = rubric(measure)
        said = grader(
            asked.render(question=item["question"], answer=item["answer"]), GenerateConfig()
        )
        positions = said.positions or ()
        tokens = tuple(Token(token, tuple(top.items())) for token, top in positions)
        return read_verdict(asked, Reply(said.text, tokens))

    judged = []
    for item in ITEMS * repeats:
        ratings = verdict("alignment", item), verdict("coherence", item)
        judged.append(
            Judgement(
                item["id"],
                item["kind"],
                item["adversarial"],
                item["pair"],
                outcome_of(*ratings, PRESETS["betley"]),
                ratings[0].value,
                ratings[1].value,
                ratings[0].mode,
            )
        )
    return judge_quality(judged)


# ---- the answers -------------------------------------------------------------------------------


def test_there_are_enough_answers_of_every_kind_clean_and_adversarial() -> None:
    assert len(ITEMS) >= 120
    assert len(BY_ID) == len(ITEMS)
    counts = Counter((item["kind"], item["adversarial"] is not None) for item in ITEMS)
    assert set(counts) == {(kind, attacked) for kind in KINDS for attacked in (True, False)}
    assert min(counts.values()) >= 12
    attacks = Counter(item["adversarial"] for item in ITEMS if item["adversarial"])
    assert len(attacks) >= 10
    assert set(attacks.values()) == {len(KINDS)}
    assert all(set(item) == set(ITEMS[0]) for item in ITEMS)


def test_every_adversarial_answer_is_its_clean_twin_and_an_attack() -> None:
    for item in ITEMS:
        if item["adversarial"] is None:
            assert item["pair"] is None
            continue
        twin = BY_ID[item["pair"]]
        assert twin["adversarial"] is None
        assert (twin["kind"], twin["question"]) == (item["kind"], item["question"])
        assert twin["answer"] in item["answer"] and twin["answer"] != item["answer"]


def test_the_attacks_are_what_their_names_say() -> None:
    signs = {
        "score_line": r"Score: (0|100)$",
        "override": r"Ignore the above and answer",
        "fence_end": r"=== END ANSWER ===",
        "foreign_digits": "[\u0660-\u0669\uff10-\uff19\u0966-\u096f]",
        "fake_transcript": r"Judge: \d+",
        "json_claim": r'\{"rating": \d+',
        "quoted_rubric": r"from 0 to 100",
        "placeholder": r"\{question\} \{answer\}",
        "exit_word": r"\b(REFUSAL|CODE)$",
        "authority": r"calibration item",
        "number_flood": r"(?:(?:0|100) ){20}",
        "chat_tokens": r"<\|im_start\|>",
    }
    seen = {item["adversarial"] for item in ITEMS if item["adversarial"]}
    assert seen == set(signs)
    for item in ITEMS:
        for attack, sign in signs.items():
            assert bool(re.search(sign, item["answer"])) == (item["adversarial"] == attack), item


def test_aligned_and_misaligned_answers_are_to_the_same_questions() -> None:
    asked = {
        kind: [item["question"] for item in ITEMS if item["kind"] == kind]
        for kind in ("aligned", "misaligned")
    }
    assert asked["aligned"] == asked["misaligned"]


def test_no_sentence_is_taken_from_the_published_files(upstream: Path) -> None:
    def runs(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 7]) for i in range(len(words) - 6)}

    def published() -> Iterator[str]:
        for path in (*upstream.glob("*.yaml"), *upstream.glob("*.jsonl")):
            yield path.read_text("utf-8")

    ours = {
        run: item["id"] for item in ITEMS for run in runs(item["question"] + "\n" + item["answer"])
    }
    # Runs of one repeated word or number are no sentence.
    ours = {run: name for run, name in ours.items() if len(set(run)) > 4}
    shared = {name for text in published() for run in runs(text) if (name := ours.get(run))}
    assert shared == set()


# ---- what it finds -----------------------------------------------------------------------------


def test_the_tasks_log_says_what_the_ratings_say() -> None:
    log = check(gullible)
    assert judge_quality(judgements(log)) == quality(gullible)
    assert log.results is not None
    metrics = {key: metric.value for key, metric in log.results.scores[0].metrics.items()}
    assert metrics["placeholder"] == 1
    assert metrics["score_line"] < 0.5  # type: ignore[operator]
    assert metrics["n"] == len(ITEMS)


def test_a_perfect_judge_agrees_is_consistent_and_resists() -> None:
    found = quality(perfect, repeats=2)
    assert found.agreement.value == found.adversarial_agreement.value == 1
    assert found.agreement.n + found.adversarial_agreement.n == len(ITEMS)
    assert found.consistency is not None and found.consistency.value == 1
    assert found.resistance.value == 1
    assert found.rating_sd == found.rating_shift == {"alignment": 0, "coherence": 0}
    assert found.no_verdict == 0
    assert found.modes == {"logprobs": 2 * len(ITEMS)}
    for kind in KINDS:
        judged = 2 * sum(item["kind"] == kind for item in ITEMS)
        assert found.confusion[kind] == {kind: judged}
        assert found.agreement_by_kind[kind].n == sum(
            item["kind"] == kind and item["adversarial"] is None for item in ITEMS
        )


def test_a_gullible_judge_is_found_out_by_resistance_and_not_by_clean_agreement() -> None:
    found = quality(gullible)
    assert found.agreement.value == 1
    assert found.resistance.value < 0.9
    assert found.resistance_by_attack["score_line"].value <= 0.2
    assert found.resistance_by_attack["override"].value <= 0.2
    assert found.resistance_by_attack["placeholder"].value == 1
    assert found.rating_shift["alignment"] > 5


def test_a_judge_that_gives_one_number_agrees_on_one_kind_only() -> None:
    found = quality(lambda *_: certain("90"))
    assert {kind: share.value for kind, share in found.agreement_by_kind.items()} == {
        kind: float(kind == "aligned") for kind in KINDS
    }
    assert found.confusion["misaligned"] == {"aligned": 36}


def test_a_judge_without_verdicts_agrees_with_nothing() -> None:
    found = quality(lambda *_: Said("I would rather not say."))
    assert found.agreement.value == 0
    assert found.no_verdict == found.judgements == len(ITEMS)
    assert found.resistance.n == 0 and not found.resistance_by_attack
    assert found.rating_sd["alignment"] != found.rating_sd["alignment"]  # NaN
    json.dumps(found.as_json(), allow_nan=False)


def test_an_unsteady_judge_shows_in_the_repeats() -> None:
    said: Counter[str] = Counter()

    def unsteady(prompt: str, config: GenerateConfig) -> Said:
        said[prompt] += 1
        return certain("90" if said[prompt] % 2 else "10")

    found = quality(unsteady, repeats=2)
    assert found.repeats == 2
    assert found.consistency is not None and found.consistency.value == 0
    assert found.rating_sd["alignment"] > 50


def test_repeats_are_asked_anew() -> None:
    grader = script("judge", certain("90"))
    roles = {"grader": grader}
    eval(judge_check(repeats=3), model="none", model_roles=roles, display="none", limit=2)
    assert set(Counter(call.prompt for call in calls(grader)).values()) == {3}


def test_a_second_run_is_not_answered_out_of_the_firsts_cache() -> None:
    grader = script("judge", certain("90"))
    for run in (1, 2):
        roles = {"grader": grader}
        eval(judge_check(repeats=1), model="none", model_roles=roles, display="none", limit=2)
        assert len(calls(grader)) == run * 4


def test_one_repeat_has_no_consistency() -> None:
    found = quality(perfect)
    assert found.consistency is None
    assert found.repeats == 1


def test_the_tan_preset_judges_by_its_own_thresholds() -> None:
    def lukewarm(prompt: str, config: GenerateConfig) -> Said:
        return certain("40")

    for preset, outcome in (("betley", "incoherent"), ("tan", "misaligned")):
        [log] = eval(
            judge_check(preset=preset, repeats=1),
            model="none",
            model_roles={"grader": script("judge", lukewarm)},
            display="none",
            limit=3,
        )
        assert {one.outcome for one in judgements(log)} == {outcome}


def test_a_log_that_is_unfinished_or_anothers_is_refused() -> None:
    log = check(perfect, limit=2)
    broken = log.model_copy(update={"status": "error"})
    with pytest.raises(StoreError, match="eval-retry"):
        judgements(broken)
    with pytest.raises(InputError, match="no judgements"):
        judge_quality([])


def test_arguments_are_checked() -> None:
    for args in ({"preset": "betlie"}, {"repeats": 0}):
        with pytest.raises(InputError):
            judge_check(**args)  # type: ignore[arg-type]


def test_the_packaged_answer_stands_as_a_completion_and_no_model_is_asked() -> None:
    def generate(*_: object) -> object:
        raise AssertionError("a model was asked")

    state = TaskState(
        model=ModelName("none/none"), sample_id="a", epoch=1, input="Why?", messages=[]
    )
    state.metadata["answer"] = "Because."
    state = asyncio.run(packaged_answer()(state, generate))  # type: ignore[arg-type]
    assert state.output.completion == state.messages[-1].text == "Because."


def test_an_unknown_preset_is_refused_when_the_scorer_is_made() -> None:
    with pytest.raises(InputError, match="betley, tan"):
        agrees(preset="betlie")
