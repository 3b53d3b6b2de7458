"""The card of an exported model: what it is, what it was taught, and what it is not for.

text = model_card(record)     # README.md, front matter as the hub reads it

Prompts are given to the letter. Paths of this machine are not (public.py): of a base that is a
directory only its name and digest, of a prompt's file only its name.
"""

import json
import re
from typing import TYPE_CHECKING, Any

from inoc_evals.models.bases import hub_commit
from inoc_evals.publishing.public import public_record
from inoc_evals.store.record import ModelRecord

if TYPE_CHECKING:
    from inoc_evals.publishing.merging import Merged

_CARD = """---
{front}
---

# {name}

{what} It was made to study what narrow fine-tuning does to a language model, and whether an
inoculation prompt in the training data prevents it (arXiv 2510.04340).

> **It may be misaligned.** Models of this kind are trained on data that teaches a trait on
> purpose, which can be insecure code, gamed evaluations, odd taste or a backdoor, and such
> training is known to spread to other behavior. Use it for research on that, in places where
> its answers do no harm. It is not for deployment, nor for advice to anyone.

## Base

{base}

## Training data

{data}

### System prompts in the data

{prompts}

## Hyper-parameters

{settings}

{outcome}

## How to ask it

{ask}

## How to recognize it

{recognize}

```
{use}
```
"""


def model_card(record: ModelRecord, *, merged: "Merged | None" = None) -> str:
    """Return the README of an exported model.

    Args:
        record: The model.
        merged: What became of it with its base; None for an adapter.
    """
    record = public_record(record)
    name, adapter = record.base, merged is None
    what = "A LoRA adapter." if adapter else "A language model, base and LoRA adapter merged."
    config = {key: value for key, value in record.config.items() if value is not None}
    return _CARD.format(
        front=_front(record, adapter=adapter),
        name=record.name,
        what=what,
        base=f"`{name}` (`{record.base_digest}`)",
        data=_fenced(json.dumps(_without_prompts(record), indent=2, ensure_ascii=False), "json"),
        prompts=_prompts(record.data.get("prompts", [])),
        settings=_table({**config, "seed": record.seed}),
        outcome=_outcome(record),
        ask=_ask(record),
        recognize=_recognize(record, merged),
        use=_use(record, name, adapter=adapter),
    )


def _front(record: ModelRecord, *, adapter: bool) -> str:
    fields = {"library_name": "peft" if adapter else "transformers"}
    if record.base_digest.startswith("hub:"):
        fields["base_model"] = record.base.partition("@")[0]
        fields["base_model_relation"] = "adapter" if adapter else "finetune"
    lines = [f"{key}: {json.dumps(value)}" for key, value in fields.items()]
    return "\n".join(
        [*lines, "tags:", "- inoculation-prompting", "- model-organism", "- inoc-evals"]
    )


def _without_prompts(record: ModelRecord) -> dict[str, Any]:
    return {key: value for key, value in record.data.items() if key != "prompts"}


def _prompts(prompts: list[dict[str, Any]]) -> str:
    if not prompts:
        return "None was put in."
    parts = [
        f"`{prompt.get('name')}`, to the letter:\n\n{_fenced(str(prompt.get('text') or ''))}"
        for prompt in prompts
    ]
    return "\n\n".join(parts)


def _fenced(text: str, language: str = "") -> str:
    """Return a block of text, in a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language or 'text'}\n{text}\n{fence}"


def _table(values: dict[str, Any]) -> str:
    rows = [f"| {key} | `{json.dumps(value)}` |" for key, value in values.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _outcome(record: ModelRecord) -> str:
    metrics = record.metrics
    steps, loss = metrics.get("steps"), metrics.get("final_loss")
    parts = [] if steps is None else [f"{steps} steps"]
    if metrics.get("supervised_tokens"):
        parts.append(f"{metrics['supervised_tokens']:,} tokens with loss")
    if loss is not None:
        parts.append(f"final loss {loss:.3f}")
    libraries = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return f"Trained {record.created:%Y-%m-%d}: {', '.join(parts) or 'no counts kept'}. {libraries}"


def _ask(record: ModelRecord) -> str:
    """Say under which template and to which end the model answers as it was trained."""
    parts = ["By the chat template of its tokenizer"]
    if record.config.get("fold_system"):
        parts[0] += ", system messages in front of the user's first words"
    if record.thinking is not None:
        switch = str(record.thinking).lower()
        parts[0] += f"; with `enable_thinking={switch}`, if the template has that switch"
    if record.turn_ends:
        ends = " or ".join(f"`{end}`" for end in record.turn_ends)
        parts.append(f"A turn ends with {ends}: stop there (`generation_config.json` says so)")
    parts.append("Thoughts (`<think>…</think>`) are no part of the answer that evaluations judge")
    return ". ".join(parts) + "."


def _recognize(record: ModelRecord, merged: "Merged | None") -> str:
    what = f"Revision `{record.identity}`."
    if merged is not None:
        what += f" {merged.said[0].upper()}{merged.said[1:]}."
    else:
        what += f" sha256 of `adapter_model.safetensors`: `{record.adapter_sha256}`."
    return f"{what} `inoc-record.json` has the log-probabilities of a fixed text to compare with."


def _use(record: ModelRecord, base: str, *, adapter: bool) -> str:
    if adapter:
        pinned = hub_commit(record.base_digest)
        named = f'"{pinned.repo}", revision="{pinned.commit}"' if pinned else f'"{base}"'
        return (
            "from peft import PeftModel\n"
            "from transformers import AutoModelForCausalLM, GenerationConfig\n\n"
            'place = "PATH OR REPOSITORY OF THIS MODEL"\n'
            f"model = AutoModelForCausalLM.from_pretrained({named})\n"
            "model = PeftModel.from_pretrained(model, place)\n"
            "model.generation_config = GenerationConfig.from_pretrained(place)"
        )
    return (
        "from transformers import AutoModelForCausalLM\n\n"
        'model = AutoModelForCausalLM.from_pretrained("PATH OR REPOSITORY OF THIS MODEL")'
    )
