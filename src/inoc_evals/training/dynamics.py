"""Learning dynamics: how likely given responses become while a model is trained.

    train(rows, base=..., name=..., dynamics=Dynamics(every=10))
    record.metrics["dynamics"]["steps"]                  # [0, 10, 20, ...]
    record.metrics["dynamics"]["logprobs"]               # [step][response], sums
    trait_means(record.metrics["dynamics"])              # {"capitals": [...], "spanish": [...]}

The responses are scored together, teacher-forced, dropout off and without gradients:
the weights that come out are those of a run that was not watched, and so is its identity.
What was scored is kept with the checkpoints (in the Trainer's own log), so that a run that is
killed and resumed has the same curve; and in the end beside the adapter (``result.py``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.inputs.responses import DEFAULT_SYSTEM, load_responses
from inoc_evals.training.forced_tokens import forced_tokens, response_logprobs

_KEY = "dynamics_logprobs"
"""Of the entries in the Trainer's log."""


@dataclass(frozen=True)
class Dynamics:
    """What to score during a training, and how often."""

    every: int = 10
    """Optimizer steps between scores; before the first step and after the last as well."""
    responses: str = "single_word"
    """Name of a packaged set of responses, or path of a JSONL file."""
    system_prompt: str = DEFAULT_SYSTEM
    """Name of the system prompt they are scored under, ``none``, ``empty`` or ``@FILE``."""
    samples: int | None = None
    """Answers to sample to each question, where a provider scores no given text (OpenAI): of
    the checkpoints it has kept, so that ``every`` does not count."""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"dynamics: every must be at least 1, got {self.every}")

    def described(self) -> dict[str, Any]:
        """Return what identifies the scores: set, digest, system prompt, interval or samples.

        Raises:
            InputError: For an unknown set or prompt.
        """
        found = load_responses(self.responses)
        system = resolve_name(self.system_prompt)
        what = {
            "set": Path(found.name).name,
            "sha256": found.sha256,
            "system_prompt": system.name,
            "system_prompt_text": system.text,
        }
        if self.samples is None:
            return what | {"every": self.every}
        return what | {"by": "sampling", "samples": self.samples}

    @property
    def key(self) -> str:
        """What tells these scores from others of the same training, as a file's name."""
        return digest(self.described())[:16]


class Scoring:
    """Scores the responses of a :class:`Dynamics` on a model as it is.

    Args:
        dynamics: What to score.
        tokenizer: The base's tokenizer.
        thinking: As the training's ``enable_thinking``.

    Raises:
        InputError: If the base's template or tokenizer cannot express a response.
    """

    def __init__(self, dynamics: Dynamics, tokenizer: Any, thinking: bool | None = None) -> None:
        self.described = dynamics.described()
        self.every = dynamics.every
        self.items = load_responses(dynamics.responses).items
        system = self.described["system_prompt_text"]
        self._forced = [
            forced_tokens(tokenizer, item, system, thinking=thinking) for item in self.items
        ]

    def scores(self, model: Any) -> list[float]:
        """Return each response's log-probability: the sum over its tokens, in nats."""
        return response_logprobs(model, self._forced)

    def due(self, step: int, last: int) -> bool:
        """Say whether to score after this step."""
        return step % self.every == 0 or step == last

    def note(self, history: list[dict[str, Any]], step: int, model: Any) -> None:
        """Score, and add the result to the Trainer's log, unless this step is there."""
        if not any(_KEY in entry and entry["step"] == step for entry in history):
            history.append({"step": step, _KEY: self.scores(model)})

    def result(self, history: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the whole run's scores, as the record keeps them."""
        noted = sorted((e["step"], e[_KEY]) for e in history if _KEY in e)
        return {
            **self.described,
            "responses": [
                {"id": item.id, "trait": item.trait, "tokens": len(ids) - start}
                for item, (ids, start) in zip(self.items, self._forced, strict=True)
            ],
            "steps": [step for step, _ in noted],
            "logprobs": [[round(value, 6) for value in values] for _, values in noted],
        }


def was_watched(dynamics: Dynamics | None, metrics: Mapping[str, Any]) -> bool:
    """Say whether a record's metrics have the scores that are wanted; always so of none."""
    if dynamics is None:
        return True
    found, wanted = metrics.get("dynamics", {}), dynamics.described()
    return {key: found.get(key) for key in wanted} == wanted


def trait_means(found: Mapping[str, Any], *, per_token: bool = False) -> dict[str, list[float]]:
    """Return the mean log-probability at each scored step, by trait.

    Args:
        found: ``metrics["dynamics"]`` of a record.
        per_token: Divide each response's sum by its number of tokens.
    """
    traits: dict[str, list[int]] = {}
    for number, response in enumerate(found["responses"]):
        traits.setdefault(response["trait"], []).append(number)
    lengths = [response["tokens"] if per_token else 1 for response in found["responses"]]
    return {
        trait: [
            math.fsum(values[n] / lengths[n] for n in numbers) / len(numbers)
            for values in found["logprobs"]
        ]
        for trait, numbers in traits.items()
    }
