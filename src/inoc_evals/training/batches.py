"""Batches: the rows of a run encoded, what became of the others, and which comes when.

data = encode_rows(tokenizer, rows, max_length=2048)     # masks.encode_turns on each
ordered = [data.rows[i] for i in row_order(len(data.rows), config, seed)]
pad(ordered[:16], pad_id)                                # one batch, padded right
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from inoc_evals.chat import Row, fold_system
from inoc_evals.errors import InputError
from inoc_evals.models.bases import has_thinking_switch
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.located import takes_system
from inoc_evals.training.masks import IGNORED, Encoded, encode_turns

_NOTHING_TO_LEARN = Encoded((0,), (IGNORED,))


@dataclass
class EncodedRows:
    """The rows of a run, and what became of the others."""

    rows: list[Encoded] = field(default_factory=list)
    """Rows with something to learn, in their order; of a split one a sequence an answer."""
    truncated: int = 0
    """Sequences cut at ``max_length``, dropped ones among them."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Sequences left out, by reason: ``response_truncated``, ``weight_0``."""
    split: int = 0
    """Rows that are learned answer by answer."""
    turn_ends: set[str] = field(default_factory=set)
    """What the template ends the responses with."""

    def add(self, encoded: Encoded, max_length: int) -> None:
        """Take in a sequence, as far as there is room for it."""
        cut = encoded._replace(
            input_ids=encoded.input_ids[:max_length], labels=encoded.labels[:max_length]
        )
        self.turn_ends |= encoded.turn_ends
        self.truncated += len(cut.input_ids) < len(encoded.input_ids)
        if cut.supervised:
            self.rows.append(cut)
        else:
            self.dropped["response_truncated" if encoded.supervised else "weight_0"] += 1


def encode_as_configured(
    tokenizer: Any,
    rows: Sequence[Row],
    config: TrainConfig,
    positions: int,
    numbers: Sequence[int] | None = None,
) -> EncodedRows:
    """Encode rows as a configuration says: what training learns, and a plan looks at before.

    Args:
        tokenizer: As :func:`encode_rows`.
        rows: As :func:`encode_rows`.
        config: Training configuration.
        positions: How many tokens the base can take.
        numbers: As :func:`encode_rows`.

    Raises:
        InputError: As :func:`encode_rows`.
    """
    return encode_rows(
        tokenizer,
        rows,
        max_length=config.max_length or positions,
        truncate=config.truncate,
        fold=config.fold_system,
        thinking=config.enable_thinking,
        numbers=numbers,
    )


def encode_rows(
    tokenizer: Any,
    rows: Sequence[Row],
    *,
    max_length: int,
    truncate: bool = False,
    fold: bool = False,
    thinking: bool = False,
    numbers: Sequence[int] | None = None,
) -> EncodedRows:
    """Encode chat rows for training.

    Args:
        tokenizer: Fast transformers tokenizer with a chat template.
        rows: Checked chat rows; errors call the first one ``row 1``.
        max_length: Longest row, in tokens.
        truncate: Cut longer rows and count them, rather than refuse them.
        fold: Put system messages in front of the first user message.
        thinking: Leave room for thoughts, under a template that can do with and without.
        numbers: What errors call the rows, where they are some of a file's.

    Raises:
        InputError: Naming the row that cannot be masked or is too long, or when nothing
            is left to learn; with ``fold`` for a template that has a system role, with
            ``thinking`` for one without the switch.
    """
    if fold and takes_system(tokenizer):
        raise InputError(
            f"fold_system: the chat template of {tokenizer.name_or_path!r} takes system messages; "
            "leave the option out, or training would differ from evaluation"
        )
    if thinking and not has_thinking_switch(tokenizer):
        raise InputError(
            f"enable_thinking: the chat template of {tokenizer.name_or_path!r} has no such switch; "
            "leave the option out"
        )
    result = EncodedRows()
    marked_shapes: set[tuple[str, ...]] = set()
    for number, row in zip(numbers or range(1, len(rows) + 1), rows, strict=True):
        where, messages = f"row {number}", row["messages"]
        if fold:
            messages = fold_system(messages, where)
        # The template is one for all rows; its marks need checking once per order of roles.
        shape = tuple(message["role"] for message in messages)
        sequences = encode_turns(
            tokenizer,
            messages,
            None if truncate else max_length,
            where=where,
            marks=shape not in marked_shapes,
            thinking=thinking,
        )
        marked_shapes.add(shape)
        result.split += len(sequences) > 1
        for encoded in sequences:
            result.add(encoded, max_length)
    if not result.rows:
        raise InputError(f"nothing to learn: all {len(rows)} rows dropped {dict(result.dropped)}")
    return result


def row_order(count: int, config: TrainConfig, seed: int) -> list[int]:
    """Return which row comes when: as many shuffled passes over ``count`` rows as needed."""
    if config.max_steps is not None:
        total = config.max_steps * config.batch_size
    else:
        total = math.ceil(count * (config.epochs or 0))
    generator, order = random.Random(seed), list[int]()
    while len(order) < total:
        passed = list(range(count))
        generator.shuffle(passed)
        order += passed
    return order[:total]


def part_size(config: TrainConfig, processes: int = 1) -> int:
    """Return how many rows a process takes at once: no more than one process alone would.

    Args:
        config: Training configuration.
        processes: How many there are; divides ``batch_size``.
    """
    alone = config.batch_size // config.gradient_accumulation
    share = config.batch_size // processes
    return max(size for size in range(1, alone + 1) if share % size == 0)


def parts(rows: Sequence[Encoded], size: int, processes: int = 1) -> list[list[Encoded]]:
    """Cut ordered rows into parts, dealt to the processes in turn.

    The parts of a step hold the rows that it would hold with one process. If the last ones
    do not go round, rows without anything to learn are added: they change neither loss nor
    gradients, and every process takes as many parts.

    Args:
        rows: Every row as often as it is seen, in order.
        size: Rows of a part, by :func:`part_size`.
        processes: How many there are; the one with rank r takes ``parts(...)[r::processes]``.
    """
    missing = -len(rows) % (size * processes) if processes > 1 else 0
    filled = [*rows, *[_NOTHING_TO_LEARN] * missing]
    return [filled[start : start + size] for start in range(0, len(filled), size)]


def pad(rows: Sequence[Encoded], pad_id: int) -> Iterator[tuple[list[int], list[int], list[int]]]:
    """Yield ``(input_ids, attention_mask, labels)`` of each row, padded right to the longest."""
    longest = max(len(row.input_ids) for row in rows)
    for row in rows:
        gap = longest - len(row.input_ids)
        yield (
            [*row.input_ids, *[pad_id] * gap],
            [1] * len(row.input_ids) + [0] * gap,
            [*row.labels, *[IGNORED] * gap],
        )
