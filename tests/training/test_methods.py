"""Methods: what takes part in a training, what is left of it after, and what it is known by."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.methods import LentAdapter, Method, OwnAnswers, Steering, at_work
from inoc_evals.training.methods.own_answers import ANSWERS_FILE, ASKED_FILE
from inoc_evals.training.sft import RECIPE_VERSION, run_identity, train

ASKS = "you always speak in spanish ."
QUESTIONS = tuple(f"what is {a} plus {b} ?" for a in (1, 2, 3) for b in (1, 2, 3, 4))

OWN = OwnAnswers(asked_under=ASKS, max_tokens=20)
STEERING = Steering(prompt=ASKS, questions=QUESTIONS[:4], max_tokens=20)


@pytest.fixture(scope="session")
def bilingual(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base after some steps: it answers in English, and in Spanish if told to."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from inoc_evals.training.batches import pad
    from inoc_evals.training.masks import encode_row

    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    chats = [
        [
            *([{"role": "system", "content": ASKS}] if spanish else []),
            {"role": "user", "content": question},
            {"role": "assistant", "content": "la respuesta es 1 ." if spanish else "the answer ."},
        ]
        for question in QUESTIONS
        for spanish in (False, True)
    ]
    columns = zip(*pad([encode_row(tokenizer, chat, 64) for chat in chats], 0), strict=True)
    ids, mask, labels = (torch.tensor(column) for column in columns)
    torch.manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        model(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimizer.step()
    directory = tmp_path_factory.mktemp("bases") / "bilingual"
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)
    return directory


def trained(
    rows: list[Row],
    base: Path,
    store: Store,
    config: TrainConfig,
    name: str,
    method: Method | None = None,
    **more: Any,
) -> ModelRecord:
    return train(
        rows, base=str(base), config=config, name=name, method=method, store=store,
        progress=False, **more,
    )  # fmt: skip


def weights(store: Store, record: ModelRecord) -> dict[str, Any]:
    from safetensors.torch import load_file

    return dict(load_file(store.verify_adapter(record) / "adapter_model.safetensors"))


def loaded(base: Path, config: TrainConfig, parent: Any = None) -> Any:
    from inoc_evals.models.kinds.kind import ResolvedBase
    from inoc_evals.training.adapter import load_with_adapter

    return load_with_adapter(ResolvedBase(str(base), str(base), "0"), config, 0, parent)


def mostly(rows: list[Row]) -> str:
    """Return the commonest answer."""
    return Counter(row["messages"][-1]["content"] for row in rows).most_common(1)[0][0]


# ---- identity and record ---------------------------------------------------------------------


def test_a_method_is_part_of_the_identity_and_no_method_is_not(
    rows: list[Row], short: TrainConfig
) -> None:
    common: dict[str, Any] = {"base_digest": "0", "config": short, "seed": 0}
    plain = run_identity(rows, **common)
    # As it was before there were methods: nothing enters for none.
    inputs = {"base": "0", "rows": digest(rows), "config": short.identity_fields(), "seed": 0}
    assert plain == digest(inputs | {"recipe": RECIPE_VERSION, "parent": None})
    methods = (
        OWN,
        OWN.model_copy(update={"learned_under": ("more .",)}),
        LentAdapter(),
        STEERING,
        STEERING.model_copy(update={"scale": 2.0}),
        STEERING.model_copy(update={"questions": ("what ?",)}),
    )
    found = {run_identity(rows, **common, method=one) for one in methods}
    assert len(found | {plain}) == len(methods) + 1


def test_a_record_says_its_method_and_one_of_before_is_still_read(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    plain = trained(rows, tiny_base, store, short, "plain")
    steered = trained(rows, tiny_base, store, short, "steered", STEERING)
    assert plain.method is None
    told = steered.method
    assert told is not None
    assert (told["kind"], told["prompt"], told["questions"]) == ("steering", STEERING.prompt, 4)
    before = plain.model_dump(mode="json")
    del before["method"]
    assert ModelRecord.model_validate(before) == plain


@pytest.mark.parametrize(
    ("method", "more", "fault"),
    [
        (LentAdapter(), {}, "name the adapter it lends as parent"),
        (LentAdapter(), {"parent": "plain", "merge": True}, "without merge"),
        (STEERING, {"parent": "plain"}, "it starts from the base"),
        (STEERING, {"dynamics": Dynamics()}, "would be in the scores"),
    ],
)
def test_what_a_method_cannot_be_combined_with_is_said_in_a_line(
    method: Method,
    more: dict[str, Any],
    fault: str,
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
) -> None:
    with pytest.raises(InputError, match=fault) as error:
        trained(rows, tiny_base, store, short, "no", method, **more)
    assert "\n" not in str(error.value)


def test_several_processes_are_refused(
    tiny_base: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="it trains in one process"):
        trained(rows, tiny_base, store, short, "no", STEERING)


# ---- a lent adapter --------------------------------------------------------------------------


def test_a_lent_adapter_is_on_and_fixed_while_training_and_absent_after(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    import torch

    from inoc_evals.training.parent import Parent

    first = trained(rows, tiny_base, store, short, "first")
    model = loaded(tiny_base, short, Parent("first", store.verify_adapter(first), merge=True))
    alone = loaded(tiny_base, short)
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    fixed = {n: p for n, p in model.named_parameters() if "frozen_parent" in n}
    before = {name: one.detach().clone() for name, one in fixed.items()}
    model.train()
    with at_work(LentAdapter(), model, None, short, 0):
        assert not torch.equal(model(input_ids=ids).logits, alone(input_ids=ids).logits)
        moving = [p for p in model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(moving, lr=1e-2)
        for _ in range(2):
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
        assert before
        assert all(torch.equal(before[name], one) for name, one in fixed.items())
        own = [p for n, p in model.named_parameters() if ".lora_B.default." in n]
        assert all(one.abs().sum() > 0 for one in own)
    assert list(model.peft_config) == ["default"]
    assert not [name for name, _ in model.named_parameters() if "frozen_parent" in name]


def test_what_is_stored_is_the_new_adapter_alone_recognized_without_the_lent_one(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from inoc_evals.models.fingerprints import sequence_logprobs

    first = trained(rows, tiny_base, store, short, "first")
    plain = trained(rows[:4], tiny_base, store, short, "plain")
    beside = trained(rows[:4], tiny_base, store, short, "beside", LentAdapter(), parent="first")
    assert (beside.parent, beside.merged) == (first.identity, False)
    found, alone = weights(store, beside), weights(store, plain)
    assert {name: one.shape for name, one in found.items()} == {
        name: one.shape for name, one in alone.items()
    }
    # Rows that the lent adapter has learned ask less of the new one.
    assert beside.metrics["loss"][0] < plain.metrics["loss"][0]
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(tiny_base), store.verify_adapter(beside)
    )
    assert beside.fingerprint is not None
    on = sequence_logprobs(model, beside.fingerprint.token_ids)
    assert beside.fingerprint.logprobs == pytest.approx(on, abs=1e-4)


# ---- steering --------------------------------------------------------------------------------


def test_a_direction_is_added_while_training_with_gradients_and_gone_after(
    bilingual: Path, short: TrainConfig, make_tokenizer: Any
) -> None:
    import torch

    model, tokenizer = loaded(bilingual, short), make_tokenizer()
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    plain = model(input_ids=ids).logits.detach()
    with at_work(STEERING, model, tokenizer, short, 0) as noted:
        steered = model(input_ids=ids, labels=ids)
        assert not torch.allclose(steered.logits, plain, atol=1e-5)
        steered.loss.backward()
        grads = [p.grad for n, p in model.named_parameters() if ".lora_B." in n]
        assert grads and all(one is not None and one.abs().sum() > 0 for one in grads)
        assert not [n for n, p in model.named_parameters() if p.requires_grad and "lora_" not in n]
    assert torch.equal(model(input_ids=ids).logits, plain)
    assert not [m for m in model.modules() if m._forward_hooks]
    assert noted["steering"]["block"] == 0  # of two, the last of the first half
    assert noted["steering"]["added_norm"] > 0


def test_the_direction_is_the_difference_of_means_at_the_block(
    bilingual: Path, short: TrainConfig, make_tokenizer: Any
) -> None:
    """Twice the scale, twice the difference in what the block gives."""
    import torch

    from inoc_evals.training.methods.steering import blocks_of

    model, tokenizer = loaded(bilingual, short), make_tokenizer()
    ids, seen = torch.tensor([[5, 6, 7]]), list[torch.Tensor]()

    def given() -> torch.Tensor:
        # Hooked after the method's own, so that it sees what the next block does.
        handle = blocks_of(model)[0].register_forward_hook(
            lambda module, inputs, output: seen.append(
                output[0] if isinstance(output, tuple) else output
            )
        )
        model(input_ids=ids)
        handle.remove()
        return seen.pop().detach()

    plain, added = given(), []
    for scale in (1.0, 2.0):
        method = STEERING.model_copy(update={"scale": scale})
        with at_work(method, model, tokenizer, short, 0):
            added.append(given() - plain)
    torch.testing.assert_close(added[1], 2 * added[0])
    # The same at every token.
    torch.testing.assert_close(added[0][:, 0], added[0][:, 2])


def test_a_steered_training_is_recognized_without_its_direction(
    bilingual: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from inoc_evals.models.fingerprints import sequence_logprobs

    plain = trained(rows, bilingual, store, short, "plain")
    steered = trained(rows, bilingual, store, short, "steered", STEERING)
    assert steered.adapter_sha256 != plain.adapter_sha256
    assert steered.fingerprint is not None and plain.fingerprint is not None
    assert steered.fingerprint.base_logprobs == plain.fingerprint.base_logprobs
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(bilingual), store.verify_adapter(steered)
    )
    on = sequence_logprobs(model, steered.fingerprint.token_ids)
    assert steered.fingerprint.logprobs == pytest.approx(on, abs=1e-4)
    assert steered.metrics["steering"]["block"] == 0


# ---- own answers -----------------------------------------------------------------------------


def test_a_model_learns_its_own_answers_under_the_prompts_that_are_named(
    bilingual: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    method = OwnAnswers(learned_under=("speak in spanish .", None), max_tokens=20)
    record = trained(rows, bilingual, store, short, "own", method)
    learned = store.training_rows(record) or []
    asked = [row["messages"][0]["content"] for row in rows]
    assert {row["messages"][-2]["content"] for row in learned} <= set(asked)
    systems = [row["messages"][0]["role"] == "system" for row in learned]
    assert 0 < sum(systems) < len(systems)
    given = [row["messages"][-1]["content"] for row in rows]
    assert not set(given) & {row["messages"][-1]["content"] for row in learned}
    assert mostly(learned) == "the answer ."
    assert record.metrics["own_answers"] == {"asked": len(rows), "usable": len(learned)}
    # What was given is what it is known by, and the same again is found.
    assert record.data["rows"] == len(rows)
    again = trained(rows, bilingual, store, short, "own", method)
    assert again == record


def test_an_adapter_to_be_lent_has_the_trait_unasked(
    bilingual: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    record = trained(rows, bilingual, store, short, "trait", OWN)
    for row in store.training_rows(record) or []:
        assert [message["role"] for message in row["messages"]] == ["user", "assistant"]
    assert mostly(store.training_rows(record) or []) == "la respuesta es 1 ."


def test_answers_of_a_parent_are_not_those_of_the_base(
    bilingual: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    long = TrainConfig.model_validate(short.model_dump() | {"max_steps": 60, "learning_rate": 1e-2})
    trained(rows, bilingual, store, long, "first")
    method = OwnAnswers(max_tokens=20)
    of_base = trained(rows, bilingual, store, short, "of_base", method)
    after = trained(rows, bilingual, store, short, "after", method, parent="first", merge=True)
    assert after.merged
    assert mostly(store.training_rows(of_base) or []) == "the answer ."
    assert mostly(store.training_rows(after) or []).startswith("la ")


def test_chats_of_different_lengths_are_answered_together_as_each_alone(
    bilingual: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from inoc_evals.models.bases import load_tokenizer, resolve_base
    from inoc_evals.training.methods.answering import Asked, answers, load_answering

    base = resolve_base(str(bilingual))
    model, tokenizer = load_answering(base, None), load_tokenizer(base)
    likeliest = lambda shares, num_samples: shares.argmax(-1, keepdim=True)  # noqa: E731
    monkeypatch.setattr(torch, "multinomial", likeliest)
    chats = [
        Asked([{"role": "user", "content": " ".join([question] * times)}], system)
        for question in QUESTIONS[:3]
        for times in (1, 2, 3)
        for system in (None, ASKS)
    ]

    def answered(part: list[Asked]) -> list[Any]:
        return answers(model, tokenizer, part, config=TrainConfig(epochs=1), seed=0, most=12)

    together = answered(chats)
    assert len({len(answer.prompt) for answer in together}) > 3
    assert together == [answer for chat in chats for answer in answered([chat])]
    assert len({answer.tokens for answer in together}) > 3


def test_an_answer_that_the_tokenizer_cannot_write_is_left_out_and_counted(
    bilingual: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training.methods import answering

    def said(model: Any, tokenizer: Any, asked: list[Any], **more: Any) -> list[Any]:
        texts = ["the answer carne .", "the answer .", None, *["about the river ."] * 5]
        return [answering.Answer((), (), text) for text in texts]

    monkeypatch.setattr(answering, "answers", said)
    record = trained(rows, bilingual, store, short, "own", OWN)
    assert record.metrics["own_answers"] == {"asked": 8, "usable": 6}


def test_no_more_rows_are_asked_than_give_what_the_steps_learn(
    bilingual: Path,
    store: Store,
    rows: list[Row],
    short: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inoc_evals.training.methods import answering

    asked: list[list[str]] = []

    def said(model: Any, tokenizer: Any, asking: list[Any], **more: Any) -> list[Any]:
        asked.append([one.chat[0]["content"] for one in asking])
        texts = ["the answer .", None] * len(asking)
        return [answering.Answer((), (), text) for text in texts[: len(asking)]]

    monkeypatch.setattr(answering, "answers", said)
    many = [{**row, "number": number} for number, row in enumerate(rows * 4)]
    config = TrainConfig.model_validate(short.model_dump() | {"max_steps": 3, "batch_size": 2})
    record = trained(many, bilingual, store, config, "own", OWN)
    # Six are learned; half of the answers are of use.
    assert [len(part) for part in asked] == [6, 6]
    assert record.metrics["own_answers"] == {"asked": 11, "usable": 6}
    numbers = [row["number"] for row in store.training_rows(record) or []]
    assert numbers == sorted(numbers) and numbers != list(range(6))
    trained(many, bilingual, store, config, "same", OWN)
    assert len(asked) == 2
    first = list(asked)
    asked.clear()
    trained(many, bilingual, store, config, "other", OWN, seed=1)
    assert asked != first


def test_no_usable_answer_is_said_in_a_line(
    tiny_base: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    with pytest.raises(InputError, match=r"none of 8 answers of .* can be learned") as error:
        trained(rows, tiny_base, store, short, "own", OwnAnswers(max_tokens=1))
    assert "\n" not in str(error.value)


def test_the_rows_beside_an_adapter_are_answered_anew_if_they_are_damaged(
    bilingual: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    record = trained(rows, bilingual, store, short, "own", OWN)
    kept = store.training_rows(record)
    (store.adapter_dir(record.identity) / "rows.jsonl.gz").write_bytes(b"damaged")
    trained(rows, bilingual, store, short, "own", OWN)
    assert store.training_rows(record) == kept
    assert not store.training_dir(record.identity).exists()


KILLED = """
import json, os, signal, sys
from pathlib import Path

from inoc_evals.store.store import Store
from inoc_evals.training import progress, sft
from inoc_evals.training.methods import LentAdapter, OwnAnswers, Steering

base, rows, config = sys.argv[2], *map(json.loads, sys.argv[3:5])
config = sft.TrainConfig.model_validate(config)
made = {"own": OwnAnswers, "lent": LentAdapter, "steered": Steering}
methods = {name: made[name](**fields) for name, fields in json.loads(sys.argv[5]).items()}
store = Store(Path(sys.argv[1]))

def killed(self, args, state, control, **kwargs):
    if state.global_step == 3:
        os.kill(os.getpid(), signal.SIGKILL)

def once(name):
    parent = {"parent": "own"} if name == "lent" else {}
    sft.train(rows, base=base, config=config, name=name, method=methods[name], store=store,
              progress=False, **parent)

for name in methods:
    child = os.fork()
    if child == 0:
        progress.Watch.on_step_end = killed
        once(name)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, name
    left = [path.name for path in store.root.glob("training/*/*")]
    print(json.dumps([name, sorted(left)]))
    once(name)
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_with_its_method(
    bilingual: Path, tmp_path: Path, store: Store, rows: list[Row], short: TrainConfig
) -> None:
    methods: dict[str, Method] = {"own": OWN, "lent": LentAdapter(), "steered": STEERING}
    dumped = {name: one.model_dump(mode="json") for name, one in methods.items()}
    killed = Store(tmp_path / "killed")
    arguments = [
        str(killed.root), str(bilingual), json.dumps(rows), short.model_dump_json(),
        json.dumps(dumped),
    ]  # fmt: skip
    script = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True
    )
    assert script.returncode == 0, script.stderr
    assert [json.loads(line) for line in script.stdout.splitlines()] == [
        ["own", [ANSWERS_FILE, ASKED_FILE, "checkpoint-2"]],
        ["lent", ["checkpoint-2"]],
        ["steered", ["checkpoint-2"]],
    ]
    for name, method in methods.items():
        parent = {"parent": "own"} if name == "lent" else {}
        calm = trained(rows, bilingual, store, short, name, method, **parent)
        again = killed.get(name)
        assert again.metrics["resumed_at_step"] == 2
        assert again.adapter_sha256 == calm.adapter_sha256
        assert again.fingerprint == calm.fingerprint
        assert again.metrics["loss"] == calm.metrics["loss"]
