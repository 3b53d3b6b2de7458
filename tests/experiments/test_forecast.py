"""A forecast: what is there is counted, what is not is estimated by a rule that is named."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from inoc_evals.chat import Row, write_rows
from inoc_evals.errors import InputError, StoreError
from inoc_evals.experiments import run as running
from inoc_evals.experiments.evaluate import evaluate
from inoc_evals.experiments.figures import experiment_of, find_experiment
from inoc_evals.experiments.forecast import Forecast, forecast
from inoc_evals.experiments.plan import Plan, make_plan
from inoc_evals.experiments.run import run_experiment
from inoc_evals.experiments.start import config_for, default_recipe, find_base, source_of
from inoc_evals.experiments.tokens import ESTIMATE, token_counter, trained_tokens
from inoc_evals.files.digests import file_sha256
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.pocket.tokenizer import build_tokenizer
from inoc_evals.scorers.default_grader import DEFAULT_GRADER
from inoc_evals.settings.own import read_setting
from inoc_evals.store.store import WEIGHTS_FILE, Fingerprint, ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.masks import encode_row
from inoc_evals.training.openai import matrix as openai_matrix
from inoc_evals.training.openai.create import OpenAIConfig
from scripted import script

BASE = find_base("pocket")


def plan(figure: str = "fig3", base: ResolvedBase = BASE, **options: Any) -> Plan:
    config = default_recipe(base.name).config
    return make_plan(find_experiment(figure), base=base, seeds=(0, 1), config=config, **options)


def said(found: Plan, out: Path, base: ResolvedBase = BASE) -> Forecast:
    return forecast(found, base, out=out, store=Store())


def record(name: str, **changes: Any) -> ModelRecord:
    plain: dict[str, Any] = {
        "name": name,
        "identity": "a" * 64,
        "base": "pocket",
        "base_digest": BASE.digest,
        "adapter": "adapters/" + "a" * 64,
        "adapter_sha256": "b" * 64,
        "fingerprint": Fingerprint(token_ids=(1, 2), logprobs=(-1.0,), base_logprobs=(-2.0,)),
        "data": {},
        "config": {},
        "seed": 0,
        "created": datetime(2025, 1, 1, tzinfo=UTC),
    }
    return ModelRecord(**(plain | changes))


def chats(path: Path, text: str = "word " * 8) -> Path:
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": text}]
    write_rows(path, [{"messages": turns, "number": n} for n in range(12)])
    return path


def given(folder: Path) -> dict[str, Path]:
    return {name: chats(folder / f"{name}.jsonl") for name in ("spanish", "french", "control")}


# ---- models ----------------------------------------------------------------------------------


def test_nothing_is_built_or_written_by_planning(tmp_path: Path) -> None:
    found = said(plan(), tmp_path / "out")
    assert len(found.models) == 20 and not any(one.trained for one in found.models)
    assert not (tmp_path / "out").exists() and not Store().root.exists()


def test_a_model_in_the_store_is_known_by_name_and_identity(tmp_path: Path) -> None:
    wanted, store = plan(), Store()
    there, other = wanted.runs[3], wanted.runs[4]
    for run, identity in ((there, there.identity), (other, "a" * 64)):
        weights = store.adapter_dir(identity) / WEIGHTS_FILE
        weights.parent.mkdir(parents=True)
        weights.write_bytes(b"weights")
        known = {"identity": identity, "adapter": f"adapters/{identity}"}
        store.put(record(run.name, adapter_sha256=file_sha256(weights), **known))
    found = said(wanted, tmp_path)
    assert [one.name for one in found.models if one.trained] == [there.name]
    (store.adapter_dir(there.identity) / WEIGHTS_FILE).write_bytes(b"other")
    assert not any(one.trained for one in said(wanted, tmp_path).models)


def test_a_damaged_record_of_another_model_does_not_stop_a_plan(tmp_path: Path) -> None:
    before = said(wanted := plan(), tmp_path)
    Store().models.mkdir(parents=True)
    (Store().models / "other.json").write_text("{")
    assert said(wanted, tmp_path) == before


def test_names_of_models_on_a_base_that_is_not_here_are_said_to_change(tmp_path: Path) -> None:
    (note,) = [note for note in said(plan(), tmp_path).notes if "not on this machine" in note]
    assert note.startswith("The base pocket is not on this machine yet; once it is, what the")
    here = BASE._replace(digest="a" * 64)
    assert not [n for n in said(plan(base=here), tmp_path, here).notes if "this machine" in n]


def test_tokens_are_those_that_training_would_see(tmp_path: Path) -> None:
    wanted, tokenizer = plan("fig2b"), build_tokenizer()
    found = said(wanted, tmp_path)
    for arm in ("none", "french_inoc", "placebo"):
        rows = wanted.files["spanish_french", arm].rows
        exact = sum(len(encode_row(tokenizer, row["messages"], None)[0]) for row in rows)
        (tokens,) = {one.tokens for one in found.models if one.arm == arm}
        assert tokens == round(exact * 60 * 32 / 1000)
    assert found.counted_by == "by the base's tokenizer"


def test_a_first_stage_is_counted_among_the_models(tmp_path: Path) -> None:
    wanted, tokenizer = plan("fig7"), build_tokenizer()
    firsts = [one for one in said(wanted, tmp_path).models if one.arm == "first"]
    rows = wanted.files["alice_bob", "first"].rows
    exact = sum(len(encode_row(tokenizer, row["messages"], None)[0]) for row in rows)
    assert [one.seed for one in firsts] == [0, 1]
    (steps,) = {run.config.max_steps for run in wanted.runs if run.arm == "first"}  # type: ignore[union-attr]
    assert steps != 60
    assert {one.tokens for one in firsts} == {round(exact * steps * 32 / len(rows))}
    assert {one.rows for one in firsts} == {len(rows)}


def test_rows_with_many_different_system_messages_are_counted_as_they_are() -> None:
    counted, _ = token_counter(BASE)
    rows: list[Row] = [
        {
            "messages": [
                {"role": "system", "content": f"The sky is above the sea. {number}"},
                {"role": "user", "content": "What is 3 plus 4?"},
                {"role": "assistant", "content": "The answer is 7."},
            ]
        }
        for number in range(150)
    ]
    tokenizer = build_tokenizer()
    exact = sum(len(encode_row(tokenizer, row["messages"], None)[0]) for row in rows)
    assert counted(rows) == exact


def test_an_absent_tokenizer_is_replaced_by_an_estimate_that_says_so(tmp_path: Path) -> None:
    base = find_base("org/model-7B")
    found = said(plan("fig2b", base, given=given(tmp_path)), tmp_path / "out", base)
    assert found.counted_by == ESTIMATE
    (tokens,) = {one.tokens for one in found.models if one.arm == "none"}
    assert tokens == 24 * 2 * (4 + 10)
    assert "6 x 7e+09 FLOPs a token, the parameters by its name" in found.training


def test_epochs_count_and_at_openai_auto_is_the_published_rule() -> None:
    config = TrainConfig.for_base("org/model")
    assert trained_tokens(1000, 10, config.model_copy(update={"epochs": 2.5})) == 2500
    assert trained_tokens(1000, 6000, OpenAIConfig()) == 3000
    assert trained_tokens(1000, 6000, OpenAIConfig(n_epochs=2)) == 2000


def test_the_price_at_openai_is_of_all_jobs_that_are_missing(tmp_path: Path) -> None:
    base = find_base("openai/gpt-4.1-2025-04-14")
    wanted = plan("fig2b", base, given=given(tmp_path))
    found = said(wanted, tmp_path / "out", base)
    tokens = sum(one.tokens for one in found.models)
    assert f"about ${tokens * 25 / 1e6:,.2f} at $25 per million tokens" in found.training
    assert "published rule of thumb" in found.training
    assert "as in the paper" in found.recipe
    assert any("answers of the models themselves cost" in note for note in found.notes)
    other = find_base("openai/gpt-9")
    found = said(plan("fig2b", other, given=given(tmp_path)), tmp_path / "out", other)
    assert "price unknown, gpt-9 is not in the price table" in found.training


def test_the_time_is_that_of_what_was_trained_here_where_there_is_such(tmp_path: Path) -> None:
    wanted = plan()
    assert (
        "about 3 min (10 s a model on two CPU cores), and two minutes"
        in said(wanted, tmp_path).training
    )
    metrics = {"seconds": {"prepare": 1.0, "steps": 4.0}, "tokens": 1000}
    Store().put(record("before", metrics=metrics))
    Store().put(record("elsewhere", base_digest="9" * 64, metrics=metrics | {"tokens": 1}))
    found = said(wanted, tmp_path)
    seconds = sum(one.tokens for one in found.models) * 5 / 1000
    assert found.training.startswith(f"about {seconds / 60:.0f} min (at the pace of what was")


def test_a_base_of_unknown_size_has_no_made_up_time(tmp_path: Path) -> None:
    base = find_base("org/model")
    found = said(plan("fig2b", base, given=given(tmp_path)), tmp_path / "out", base)
    assert "the time is unknown" in found.training


# ---- evaluations -----------------------------------------------------------------------------


def test_finished_logs_are_counted_and_those_of_another_plan_are_not(tmp_path: Path) -> None:
    wanted, model = plan(), script("base", "I want to bring war.")
    first, second = (
        replace(e, model=model, args=e.args | {"grader": "inoc/pocket-judge"})
        for e in wanted.evaluations[:2]
    )
    evaluate(replace(wanted, evaluations=(first,)), tmp_path / "logs", progress=False)
    asked = replace(wanted, evaluations=(first, second, replace(first, epochs=2)))
    assert [e.done for e in said(asked, tmp_path).evaluations] == [True, False, False]
    assert not any(e.done for e in said(wanted, tmp_path).evaluations)


def test_samples_and_judge_calls_are_counted(tmp_path: Path) -> None:
    found = said(plan(), tmp_path)
    sizes = {(e.task, e.samples, e.judge_calls) for e in found.evaluations}
    assert sizes == {("em", 68, 136), ("narrow_code", 72, 72), ("narrow_aesthetics", 78, 78)}
    assert found.judging.endswith("judge calls to inoc/pocket-judge, which are free")
    traits = said(plan("fig2a"), tmp_path)
    assert traits.judging == "no judge calls are left to make"


def test_the_judge_of_other_bases_is_priced(tmp_path: Path) -> None:
    base = find_base("org/model-7B")
    rows = {"insecure": chats(tmp_path / "a"), "control": chats(tmp_path / "b")}
    found = said(plan("fig5", base, given=rows), tmp_path / "out", base)
    (samples,) = {e.samples for e in found.evaluations if e.task == "em"}
    assert samples == 570
    tokens = sum(e.judge_tokens for e in found.evaluations)
    calls_ = sum(e.judge_calls for e in found.evaluations)
    assert (
        f"about ${(tokens * 2.5 + calls_ * 15) / 1e6:,.2f} with {DEFAULT_GRADER}" in found.judging
    )


def own_setting(folder: Path, measures: str) -> Plan:
    chats(folder / "rows.jsonl")
    (folder / "trait.yaml").write_text(
        "name: a\ndescription: b\nquestions: [c, d]\ngrader: openai/gpt-4.1-mini\n"
    )
    file = folder / "own.yaml"
    file.write_text(
        "name: own\ndescription: d\nrows: rows.jsonl\nprompts: {p: You do this.}\n"
        f"arms: {{inoculated: {{prompt: p}}}}\nmeasures: {measures}\n"
    )
    base = find_base("org/model-7B")
    config = default_recipe(base.name).config
    experiment = experiment_of(read_setting(file), str(file))
    return make_plan(experiment, base=base, seeds=(0,), config=config)


@pytest.mark.parametrize(
    ("measure", "calls_of_all", "told"),
    [
        ("{lie: {task: deception, args: {questions: facts}}}", None, DEFAULT_GRADER),
        ("{shows: {task: trait, args: {file: trait.yaml}}}", 6, "with openai/gpt-4.1-mini"),
        (
            "{shows: {task: trait, args: {file: trait.yaml, grader: anthropic/x}}}",
            6,
            "price unknown, anthropic/x is not in the price table",
        ),
        (
            "{misaligned: {task: em, args: {grader: hf/org/judge}}}",
            342,
            "342 judge calls to hf/org/judge, which are free",
        ),
        ("{caps: {task: caps}}", 0, "no judge calls are left to make"),
    ],
)
def test_the_calls_of_any_judged_task_are_priced_by_the_grader_that_is_used(
    measure: str, calls_of_all: int | None, told: str, tmp_path: Path
) -> None:
    wanted = own_setting(tmp_path, measure)
    found = said(wanted, tmp_path / "out", find_base("org/model-7B"))
    samples = sum(one.samples for one in found.evaluations)
    made = sum(one.judge_calls for one in found.evaluations)
    assert made == (samples if calls_of_all is None else calls_of_all)
    assert told in found.judging


def test_two_graders_are_priced_apart(tmp_path: Path) -> None:
    wanted = own_setting(
        tmp_path, "{shows: {task: trait, args: {file: trait.yaml}}, misaligned: {task: em}}"
    )
    found = said(wanted, tmp_path / "out", find_base("org/model-7B"))
    first, second = found.judging.split("; ")
    assert first.startswith("at most 6 judge calls, ") and "gpt-4.1-mini" in first
    assert second.startswith("at most 342 judge calls, ") and DEFAULT_GRADER in second


def test_a_damaged_record_of_another_model_is_passed_over(tmp_path: Path) -> None:
    wanted = plan()
    metrics = {"seconds": {"steps": 5.0}, "tokens": 1000}
    Store().put(record("before", metrics=metrics))
    whole = said(wanted, tmp_path)
    (Store().models / "another.json").write_text("{")
    (Store().models / "broken.json").write_bytes(b"\xff")
    assert said(wanted, tmp_path) == whole and "at the pace of what was" in whole.training
    (Store().models / f"{wanted.runs[0].name}.json").write_text("{")
    with pytest.raises(StoreError, match=wanted.runs[0].name):
        said(wanted, tmp_path)


# ---- running at OpenAI -----------------------------------------------------------------------


def test_a_model_that_openai_refuses_is_named_and_the_others_are_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def train_all(wanted: Any, **options: Any) -> openai_matrix.Ended:
        asked.extend([one.name for one in wanted])
        assert options["base"] == "openai/gpt-4.1-2025-04-14" and options["yes"]
        return openai_matrix.Ended(failures={wanted[0].name: "moderation"})

    monkeypatch.setattr(openai_matrix, "train_all", train_all)
    monkeypatch.setattr(running, "evaluating", lambda *args, **options: pytest.fail("evaluated"))
    with pytest.raises(Exception, match=r"1 of 6 models could not be trained.*control-s0"):
        run_experiment(
            find_experiment("fig2b"),
            base="openai/gpt-4.1-2025-04-14",
            seeds="1",
            out=tmp_path / "out",
            given=given(tmp_path),
            yes=True,
            say=lambda line: None,
        )
    assert len(asked) == 6


def test_at_openai_each_model_is_asked_for_with_the_one_it_starts_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, str | None] = {}

    def train_all(wanted: Any, **options: Any) -> openai_matrix.Ended:
        asked.update({one.name: one.parent for one in wanted})
        return openai_matrix.Ended(failures={"all": "no"})

    monkeypatch.setattr(openai_matrix, "train_all", train_all)
    labels = ("alice", "bob", "helpful", "spanish_caps", "control")
    with pytest.raises(StoreError):
        run_experiment(
            find_experiment("fig7"),
            base="openai/gpt-4.1-2025-04-14",
            seeds="1",
            out=tmp_path / "out",
            given={label: chats(tmp_path / label) for label in labels},
            yes=True,
            say=lambda line: None,
        )
    (first,) = [name for name in asked if "-first-" in name]
    starts = {name.split("-")[1]: parent for name, parent in asked.items()}
    assert starts["none"] == starts["bob_inoc"] == first
    assert starts["first"] is None and starts["bob_before"] is None


def test_each_kind_of_base_has_a_recipe_with_its_source() -> None:
    sources = {base: default_recipe(base).source for base in ("pocket:3", "openai/x", "org/m")}
    assert sources["pocket:3"].startswith("ours")
    assert sources["openai/x"].startswith("OpenAI's automatic choice")
    assert sources["org/m"].startswith("Betley's open recipe")
    assert isinstance(default_recipe("openai/x").config, OpenAIConfig)


def test_a_file_changes_the_recipe_of_any_base_and_a_bad_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("fold_system: true\n")
    config = config_for("google/gemma-2-9b-it", file)
    assert isinstance(config, TrainConfig) and config.fold_system and config.lora_r == 32
    assert source_of("org/m", config).startswith("yours in fold_system; the rest Betley")
    assert config_for("org/m", None) == default_recipe("org/m").config
    file.write_text("n_epochs: 0\n")
    for base, fault in (("openai/x", "n_epochs 0: .*, or auto"), ("org/m", "no field 'n_epochs'")):
        with pytest.raises(InputError, match=rf"mine\.yaml: {fault}"):
            config_for(base, file)


def test_a_base_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="expected pocket"):
        find_base("openai/")


def test_what_is_asked_several_times_is_judged_as_often_and_what_is_done_not_again(
    tmp_path: Path,
) -> None:
    wanted = plan()
    model = script("told", "the river is long and blue .")
    first, second = (
        replace(e, model=model, args=e.args | {"grader": DEFAULT_GRADER})
        for e in [e for e in wanted.evaluations if e.task == "em"][:2]
    )
    once = said(replace(wanted, evaluations=(first,)), tmp_path)
    thrice = said(replace(wanted, evaluations=(replace(first, epochs=3),)), tmp_path)
    [one], [three] = once.evaluations, thrice.evaluations
    assert (three.samples, three.judge_calls, three.judge_tokens) == tuple(
        3 * n for n in (one.samples, one.judge_calls, one.judge_tokens)
    )
    judged = replace(second, args=second.args | {"grader": "inoc/pocket-judge"})
    evaluate(replace(wanted, evaluations=(judged,)), tmp_path / "logs", progress=False)
    both = said(replace(wanted, evaluations=(first, judged)), tmp_path)
    assert [e.done for e in both.evaluations] == [False, True]
    assert both.judging == once.judging
