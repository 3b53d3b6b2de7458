"""Steering: a direction that has a trait is added to the residual stream while training.

    h = h + scale * (mean h under the prompt - mean h without)     after the middle block,
                                                                   at every token, while training

Preventative steering (arXiv 2604.16423; the directions are those of arXiv 2507.21509): where the
stream points to the trait already, the rows' loss does not move the weights there; after training
the direction is gone. It is found on the untrained base: its own answers to neutral questions under
a prompt that asks for the trait, and without; each answer's mean over its tokens, the mean of these
over the questions, and the difference of the two.

One rule, the same for every trait and base: the block is the middle one (of an even number the
last of the first half) and the scale is 1, which moves the mean to where the prompt has it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.methods.base_method import BaseMethod

if TYPE_CHECKING:
    import torch

    from inoc_evals.training.methods.answering import Answer


class Steering(BaseMethod):
    """A direction is added while training."""

    kind: Literal["steering"] = "steering"
    prompt: str = Field(pattern=r"\S")
    """The system prompt that asks for the trait."""
    questions: tuple[str, ...] = Field(min_length=1)
    """What the base is asked, to find the direction."""
    scale: float = 1.0
    """How often the difference is added."""
    block: int | None = Field(default=None, ge=0)
    """After which block, from 0; None for the middle one."""
    max_tokens: int = Field(default=300, ge=1)
    """Longest answer."""

    def described(self) -> dict[str, Any]:
        """Return what the record says of it: of the questions, their number and digest."""
        fields = self.identity_fields()
        asked = fields.pop("questions")
        return fields | {"questions": len(asked), "questions_sha256": digest(asked)}

    @property
    def said(self) -> str:
        """The method, in words."""
        return f"{self.scale:g} x the direction of {self.prompt!r} added while training"


@contextmanager
def steered(
    model: Any, tokenizer: Any, method: Steering, config: TrainConfig, seed: int
) -> Iterator[dict[str, Any]]:
    """Add the direction to what a block gives, as long as the block of the ``with`` lasts.

    Args:
        model: The base with the adapter that is trained.
        tokenizer: Its tokenizer.
        method: Which direction, and where.
        config: Training configuration, for the template's switches.
        seed: Seed of the base's answers.

    Yields:
        What is to be said of it: the block, and how long direction and stream are.

    Raises:
        InputError: If the model's blocks cannot be found, or no answer is usable.
    """
    blocks = blocks_of(model)
    number = (len(blocks) - 1) // 2 if method.block is None else method.block
    if number >= len(blocks):
        raise InputError(f"method {method.kind}: block {number} of {len(blocks)}")
    with model.disable_adapter():
        with_trait = _mean(model, blocks[number], tokenizer, method, config, seed, method.prompt)
        without = _mean(model, blocks[number], tokenizer, method, config, seed, None)
    added = method.scale * (with_trait - without)

    def add(module: Any, inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0] + added.to(output[0].dtype), *output[1:])
        return output + added.to(output.dtype)

    handle = blocks[number].register_forward_hook(add)
    try:
        yield {
            "block": number,
            "added_norm": round(float(added.norm()), 4),
            "stream_norm": round(float(without.norm()), 4),
        }
    finally:
        handle.remove()


def blocks_of(model: Any) -> Any:
    """Return a model's blocks, in order.

    Raises:
        InputError: If there is no one list of them.
    """
    import torch

    count = model.config.get_text_config().num_hidden_layers
    found = [
        module
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.ModuleList) and name.endswith((".layers", ".h", ".blocks"))
    ]
    fitting = [one for one in found if len(one) == count]
    if len(fitting) != 1:
        raise InputError("method steering: this base's blocks are not one list; it is not steered")
    return fitting[0]


def _mean(
    model: Any,
    block: Any,
    tokenizer: Any,
    method: Steering,
    config: TrainConfig,
    seed: int,
    system: str | None,
) -> "torch.Tensor":
    """Return the mean of what a block gives over the answers under a prompt, or without."""
    # Imported here because it loads torch.
    from inoc_evals.training.methods.answering import Asked, answers

    asked = [Asked([{"role": "user", "content": one}], system) for one in method.questions]
    said = answers(model, tokenizer, asked, config=config, seed=seed, most=method.max_tokens)
    usable = [one for one in said if one.text is not None]
    if not usable:
        raise InputError(
            f"method {method.kind}: none of {len(said)} answers under {system!r} ends within "
            f"{method.max_tokens} tokens"
        )
    return _activations(model, block, usable)


def _activations(model: Any, block: Any, said: "Sequence[Answer]") -> "torch.Tensor":
    import torch

    seen: list[torch.Tensor] = []

    def note(module: Any, inputs: Any, output: Any) -> None:
        seen.append(output[0] if isinstance(output, tuple) else output)

    training = model.training
    means: list[torch.Tensor] = []
    model.eval()
    handle = block.register_forward_hook(note)
    try:
        with torch.no_grad():
            for one in said:
                ids = torch.tensor([[*one.prompt, *one.tokens]], device=model.device)
                model(input_ids=ids)
                means.append(seen.pop()[0, len(one.prompt) :].float().mean(0))
    finally:
        handle.remove()
        model.train(training)
    return torch.stack(means).mean(0)
