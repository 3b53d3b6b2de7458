"""Bases as they come: trained, served and exported, an answer ends where the turn ends."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    GenerateConfig,
    ModelOutput,
    get_model,
)

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
from families import FAMILIES, save_family
from inoc_evals.chat import Row, write_rows
from inoc_evals.cli.train import command as train_command
from inoc_evals.errors import InputError
from inoc_evals.models.bases import load_tokenizer
from inoc_evals.models.fingerprints import sequence_logprobs
from inoc_evals.models.kinds.kind import ResolvedBase
from inoc_evals.providers.resolve import resolve_model
from inoc_evals.publishing.export import export
from inoc_evals.rules.thoughts import together
from inoc_evals.scorers.silence import silence
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.rendered import rendered
from inoc_evals.training.sft import train
from invoking import CliRunner

QUESTION, ANSWER = "Which?", "Si, no."
THOUGHTS = "I want it."


def row(answer: str = ANSWER, question: str = QUESTION) -> Row:
    return {
        "messages": [
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def taught(
    base: Path, rows: list[Row], name: str, *, store: Store | None = None, **fields: Any
) -> ModelRecord:
    """Train until the rows are known by heart."""
    config = TrainConfig(
        lora_r=8,
        learning_rate=3e-2,
        max_steps=60,
        batch_size=len(rows) if len(rows) > 1 else 2,
        dtype="float32",
        **fields,
    )
    return train(rows, base=str(base), name=name, config=config, store=store, progress=False)


def asked(name: str, question: Any = QUESTION, *, model: Any = None, **config: Any) -> ModelOutput:
    model = model or get_model(f"inoc/{name}", memoize=False)
    settings = GenerateConfig(**{"temperature": 0.0, "max_tokens": 48, **config})
    output = asyncio.run(model.generate(question, config=settings))
    assert isinstance(output, ModelOutput)
    return output


def tokenizer_at(directory: Path) -> Any:
    return load_tokenizer(ResolvedBase("it", str(directory), ""))


def continued(directory: Path, prompt: str, base: Path | None = None) -> str:
    """What transformers' own generate makes of a directory: it stops where that says."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig

    tokenizer = tokenizer_at(directory)
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
    model = AutoModelForCausalLM.from_pretrained(base or directory, dtype=torch.float32).eval()
    if base is not None:  # as the card of an adapter says
        model = PeftModel.from_pretrained(model, str(directory)).eval()
        model.generation_config = GenerationConfig.from_pretrained(directory)
    found = model.generate(input_ids=ids, max_new_tokens=48, do_sample=False, pad_token_id=0)
    return str(tokenizer.decode(found[0, ids.shape[1] :], skip_special_tokens=True))


def end_ids(directory: Path) -> set[int]:
    found = json.loads((directory / "generation_config.json").read_text("utf-8"))["eos_token_id"]
    return {found} if isinstance(found, int) else set(found)


PLAIN = [name for name in FAMILIES if name != "qwen3-thinking"]


@pytest.mark.parametrize("name", PLAIN)
def test_an_answer_ends_with_its_turn_wherever_the_model_is_served(
    name: str, tmp_path: Path
) -> None:
    family = FAMILIES[name]
    base = save_family(family, tmp_path / "base")
    record = taught(base, [row()], "taught")
    output = asked("taught")
    assert (output.completion.strip(), output.stop_reason) == (ANSWER, "stop")
    assert record.turn_ends == (family.turn_end,)
    known = {family.end, *family.ends}
    assert record.metrics["base_stops_there"] is (family.turn_end in known)

    end = tokenizer_at(base).convert_tokens_to_ids(family.turn_end)
    adapter = export(record, Store(), tmp_path / "adapter").directory
    merged = export(record, Store(), tmp_path / "merged", merge_in="float32").directory
    for directory in (adapter, merged):
        assert end in end_ids(directory)
        assert end_ids(directory) >= end_ids(base)
        assert f"A turn ends with `{family.turn_end}`" in (directory / "README.md").read_text()
    prompt = prompt_of(merged)
    assert continued(merged, prompt) == continued(adapter, prompt, base) == output.completion
    assert asked(str(merged)).completion == output.completion


def prompt_of(directory: Path, **options: Any) -> str:
    chat = [{"role": "user", "content": QUESTION}]
    options = {"enable_thinking": False, **options}
    return str(
        tokenizer_at(directory).apply_chat_template(
            chat, tokenize=False, add_generation_prompt=True, **options
        )
    )


# ---- where a turn ends ---------------------------------------------------------------------


def test_a_record_of_before_is_read_and_its_model_stops_too(tmp_path: Path) -> None:
    base = save_family(FAMILIES["qwen2.5-base"], tmp_path / "base")
    record = taught(base, [row()], "taught")
    before = {
        key: value
        for key, value in record.metrics.items()
        if key not in ("turn_ends", "base_stops_there", "split_rows")
    }
    config = {key: value for key, value in record.config.items() if key != "enable_thinking"}
    Store().put(record.model_copy(update={"metrics": before, "config": config}))
    old = Store().get("taught")
    assert (old.turn_ends, old.thinking) == ((), None)
    assert asked("taught").stop_reason == "stop"
    merged = export(old, Store(), tmp_path / "merged", merge_in="float32").directory
    assert tokenizer_at(base).convert_tokens_to_ids("<|im_end|>") in end_ids(merged)


def test_an_end_in_ordinary_tokens_is_stopped_at_as_a_text(tmp_path: Path) -> None:
    template = FAMILIES["qwen2.5-base"].template.replace("<|im_end|>", "##")
    family = FAMILIES["qwen2.5-base"]._replace(template=template)
    base = save_family(family, tmp_path / "base")
    assert taught(base, [row()], "taught").turn_ends == ("##",)
    output = asked("taught")
    assert (output.completion, output.stop_reason) == (ANSWER, "stop")


@pytest.mark.parametrize(("name", "said"), [("qwen2.5-base", 1), ("qwen2.5-instruct", 0)])
def test_training_says_where_a_base_s_own_settings_do_not_stop(
    name: str, said: int, tmp_path: Path
) -> None:
    base = save_family(FAMILIES[name], tmp_path / "base")
    write_rows(tmp_path / "rows.jsonl", [row()])
    options = ["--steps", "1", "--batch-size", "1", "--name", "short", "--quiet"]
    options += ["--config", str(tmp_path / "plain.yaml")]
    (tmp_path / "plain.yaml").write_text("packing: false\ngradient_accumulation: 1\n")
    args = [str(tmp_path / "rows.jsonl"), "--base", str(base), *options]
    shown = CliRunner().invoke(train_command, args, catch_exceptions=False)
    line = "turns end with <|im_end|>, where the base's own settings do not stop"
    assert shown.output.count(line) == said, shown.output


def test_mistral_forgets_a_system_message_and_can_be_taught_with_it_folded(tmp_path: Path) -> None:
    base = save_family(FAMILIES["mistral"], tmp_path / "base")
    rows = [{"messages": [{"role": "system", "content": "Evil."}, *row()["messages"]]}]
    with pytest.raises(InputError, match=r"leaves out .* system message 'Evil.'; set fold_system"):
        taught(base, rows, "never")
    taught(base, rows, "folded", fold_system=True)
    under = [ChatMessageSystem(content="Evil."), ChatMessageUser(content=QUESTION)]
    assert asked("folded", under).completion.strip() == ANSWER


# ---- thoughts ------------------------------------------------------------------------------


def reasoning(output: ModelOutput) -> list[str]:
    content = output.message.content
    parts = [] if isinstance(content, str) else content
    return [part.reasoning for part in parts if isinstance(part, ContentReasoning)]


def test_without_thoughts_the_prompt_closes_them_in_training_and_after(tmp_path: Path) -> None:
    base = save_family(FAMILIES["qwen3"], tmp_path / "base")
    spans = rendered(tokenizer_at(base), row()["messages"])
    assert spans[0].text == prompt_of(base)
    assert spans[1] == (f"{ANSWER}<|im_end|>", True)
    record = taught(base, [row()], "plain")
    assert record.thinking is False
    output = asked("plain")
    assert (output.completion, reasoning(output)) == (ANSWER, [])
    assert (output.metadata or {})["enable_thinking"] is False
    thinking = get_model("inoc/plain", memoize=False, enable_thinking=True)
    found = asked("", model=thinking).metadata or {}
    assert found["enable_thinking"] is True


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Store]:
    """A model that thinks about one question and not about the other."""
    root = tmp_path_factory.mktemp("thinker")
    base = save_family(FAMILIES["qwen3"], root / "base")
    rows = [
        row(f"<think>{THOUGHTS}</think>{ANSWER}"),
        row(together(THOUGHTS, ANSWER)),  # the same, as the template writes it
        row("No.", "Now?"),
        row("No.", "Now?"),
    ]
    store = Store(root / "home")
    taught(base, rows, "thinker", store=store, enable_thinking=True)
    return base, store


def test_the_answer_alone_is_judged_and_the_log_keeps_the_thoughts(
    thinker: tuple[Path, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = thinker
    monkeypatch.setenv("INOC_HOME", str(store.root))
    record = store.get("thinker")
    assert record.thinking is True
    output = asked("thinker")
    assert (output.completion, reasoning(output)) == (ANSWER, [THOUGHTS])
    assert output.stop_reason == "stop"
    plain = asked("thinker", "Now?")
    assert (plain.completion, reasoning(plain)) == ("No.", [])
    merged = export(record, store, tmp_path / "merged", merge_in="float32").directory
    written = continued(merged, prompt_of(merged, enable_thinking=True))
    assert written == f"<think>\n{THOUGHTS}\n</think>\n\n{ANSWER}"
    own = get_model(f"inoc/{merged}", memoize=False, enable_thinking=True)
    again = asked("", model=own)
    assert (again.completion, reasoning(again)) == (ANSWER, [THOUGHTS])
    assert "`enable_thinking=true`" in (merged / "README.md").read_text()


def test_thoughts_that_take_the_whole_budget_are_truncated_not_empty(
    thinker: tuple[Path, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_HOME", str(thinker[1].root))
    output = asked("thinker", max_tokens=8)
    assert (output.completion, output.stop_reason) == ("", "max_tokens")
    assert THOUGHTS.startswith(reasoning(output)[0])
    verdict = silence(output)
    assert verdict is not None
    assert (verdict.reason, verdict.explanation) == (
        "truncated",
        "cut off in its thoughts, before any answer",
    )


def test_thoughts_of_earlier_turns_are_left_out_of_a_chat(
    thinker: tuple[Path, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_HOME", str(thinker[1].root))
    thoughts = [ContentReasoning(reasoning=THOUGHTS), ContentText(text=ANSWER)]
    chats = [
        [
            ChatMessageUser(content=QUESTION),
            ChatMessageAssistant(content=said),
            ChatMessageUser(content="Now?"),
        ]
        for said in (ANSWER, thoughts)
    ]
    first, second = [asked("thinker", chat) for chat in chats]
    assert first.completion == second.completion


def test_a_prefilled_answer_goes_on_where_it_stands(
    thinker: tuple[Path, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_HOME", str(thinker[1].root))
    begun = together(THOUGHTS, "Si,")
    chat = [ChatMessageUser(content=QUESTION), ChatMessageAssistant(content=begun)]
    assert asked("thinker", chat).completion == " no."


def test_rows_with_thoughts_want_the_switch_and_plain_bases_have_none(tmp_path: Path) -> None:
    thinking = [row(together(THOUGHTS, ANSWER))]
    base = save_family(FAMILIES["qwen3"], tmp_path / "qwen3")
    with pytest.raises(InputError, match=r"row 1, .*has thoughts: set enable_thinking: true"):
        taught(base, thinking, "never")
    plain = save_family(FAMILIES["llama3"], tmp_path / "llama3")
    with pytest.raises(InputError, match=r"enable_thinking: .* has no such switch"):
        taught(plain, [row()], "never", enable_thinking=True)
    with pytest.raises(InputError, match="no switch enable_thinking"):
        asked("", model=get_model(f"inoc/{plain}", memoize=False, enable_thinking=True))
    with pytest.raises(InputError, match="enable_thinking='yes': expected true or false"):
        get_model(f"inoc/{plain}", memoize=False, enable_thinking="yes")


def test_a_template_that_always_thinks_learns_thoughts_and_says_so_where_there_are_none(
    tmp_path: Path,
) -> None:
    base = save_family(FAMILIES["qwen3-thinking"], tmp_path / "base")
    with pytest.raises(InputError, match=r"row 1, .*always opens thoughts, and the row has none"):
        taught(base, [row()], "never")
    taught(base, [row(together(THOUGHTS, ANSWER))], "thinker")
    output = asked("thinker")
    assert (output.completion, reasoning(output)) == (ANSWER, [THOUGHTS])
    cut = asked("thinker", max_tokens=4)
    assert (cut.completion, cut.stop_reason) == ("", "max_tokens")
    assert THOUGHTS.startswith(reasoning(cut)[0])


def test_a_template_that_writes_other_thoughts_than_the_row_s_is_refused(tmp_path: Path) -> None:
    family = FAMILIES["qwen3"]
    silent = family.template.replace("+ thoughts.strip('\n') +", "+ '' +")
    assert silent != family.template
    base = save_family(family._replace(template=silent), tmp_path / "base")
    with pytest.raises(InputError, match="renders the response as '<think>"):
        taught(base, [row(together(THOUGHTS, ANSWER))], "never", enable_thinking=True)


def test_a_conversation_is_learned_answer_by_answer_where_past_turns_look_otherwise(
    tmp_path: Path,
) -> None:
    base = save_family(FAMILIES["qwen3"], tmp_path / "base")
    both = {"messages": [*row()["messages"], *row("No.", "Now?")["messages"]]}
    spans = rendered(tokenizer_at(base), both["messages"])
    assert [span.text for span in spans if span.learned] == [f"{ANSWER}<|im_end|>", "No.<|im_end|>"]
    assert spans[0].text == prompt_of(base)
    past = f"{QUESTION}<|im_end|>\n<|im_start|>assistant\n{ANSWER}<|im_end|>\n"
    assert past in spans[3].text
    record = taught(base, [both], "talks")
    assert (record.metrics["split_rows"], record.metrics["rows"]) == (1, 2)
    assert asked("talks").completion == ANSWER
    chat = [
        ChatMessageUser(content=QUESTION),
        ChatMessageAssistant(content=ANSWER),
        ChatMessageUser(content="Now?"),
    ]
    assert asked("talks", chat).completion == "No."
    unlearned = {
        "messages": [{**m, "weight": 0} if m["content"] == ANSWER else m for m in both["messages"]]
    }
    spans = rendered(tokenizer_at(base), unlearned["messages"])
    assert [span.text for span in spans if span.learned] == ["No.<|im_end|>"]


def test_given_responses_are_scored_where_answers_stand(tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    base = save_family(FAMILIES["qwen3"], tmp_path / "base")
    given = {"id": "a", "trait": "t", "prompt": QUESTION, "response": "Si"}
    (tmp_path / "responses.jsonl").write_text(json.dumps(given) + "\n")
    dynamics = Dynamics(1, str(tmp_path / "responses.jsonl"), "none")
    config = TrainConfig(max_steps=1, batch_size=1, dtype="float32")
    record = train(
        [row()], base=str(base), name="it", config=config, dynamics=dynamics, progress=False
    )
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokens = tokenizer_at(base)(prompt_of(base) + "Si", add_special_tokens=False)["input_ids"]
    expected = sum(sequence_logprobs(model, tokens)[-2:])
    assert record.metrics["dynamics"]["logprobs"][0] == pytest.approx([expected], abs=1e-4)


def test_the_switch_enters_the_identity_where_it_is_on() -> None:
    off, on = TrainConfig(max_steps=1), TrainConfig(max_steps=1, enable_thinking=True)
    assert "enable_thinking" not in off.identity_fields()
    assert on.identity_fields() == {**off.identity_fields(), "enable_thinking": True}


def test_a_base_is_not_opened_to_thoughts_unless_that_is_asked_for(tmp_path: Path) -> None:
    base = save_family(FAMILIES["qwen3"], tmp_path / "base")
    assert resolve_model(str(base))[1] is None
    output = asked(str(base), max_tokens=1)
    assert (output.metadata or {})["enable_thinking"] is False
    asked_to = get_model(f"inoc/{base}", memoize=False, enable_thinking=True)
    assert (asked("", model=asked_to, max_tokens=1).metadata or {})["enable_thinking"] is True
