"""Packing: rows laid end to end in one sequence, each seen by itself alone.

    row a  a a a a           positions   0 1 2 3 | 0 1 | 0 1 2
    row b  b b          ->   tokens      a a a a | b b | c c c
    row c  c c c             attention   none across a bar

transformers reads the bars off positions that begin anew (5.23: only without an attention
mask and without a cache) and masks accordingly; flash attention takes them as separate
sequences. A model that does not is found out before training by :func:`check_isolation`.
The rows of a step stay those of the unpacked run, and so do loss and gradients.
"""

from collections.abc import Sequence
from typing import Any

import torch

from inoc_evals.errors import InputError
from inoc_evals.training.masks import IGNORED, Encoded

_PROBE = 6
_GAPS = 0.05
_EVEN = 1024
"""Places of a sequence whose attention costs about what its linear layers do: measured on 2 cores
with 135 million parameters in bfloat16; with more, later."""


def bins(rows: Sequence[Encoded], *, single: bool = False) -> list[list[Encoded]]:
    """Divide rows into sequences of about equal length, with hardly a gap at their ends.

    Of the numbers of sequences that leave at most 5 % of the places to gaps (one leaves none), that
    is taken which costs least: a place costs as much as a linear layer's row, and attention's part
    grows with its sequence. A row goes to the shortest sequence, long rows first.

    Args:
        rows: At least one row.
        single: Lay all rows into one sequence: flash attention asks for it, and its cost
            does not grow.
    """
    lengths = [len(row.input_ids) for row in rows]
    total = sum(lengths)
    best, least = [list(range(len(rows)))], _cost(1, total)
    for count in range(2, 1 if single else total // max(lengths) + 1):
        filled = _divided(lengths, count)
        longest = max(sum(lengths[i] for i in sequence) for sequence in filled)
        if total >= (1 - _GAPS) * count * longest and _cost(count, longest) < least:
            best, least = filled, _cost(count, longest)
    return [[rows[i] for i in sequence] for sequence in best]


def _cost(count: int, longest: int) -> float:
    return count * longest * (1 + longest / _EVEN)


def _divided(lengths: Sequence[int], count: int) -> list[list[int]]:
    """Deal positions to ``count`` sequences, each to the shortest one so far."""
    sequences: list[list[int]] = [[] for _ in range(count)]
    sizes = [0] * count
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        shortest = sizes.index(min(sizes))
        sequences[shortest].append(index)
        sizes[shortest] += lengths[index]
    return sequences


def pack(rows: Sequence[Encoded], pad_id: int, *, single: bool = False) -> dict[str, torch.Tensor]:
    """Return one batch of packed rows for a model of transformers.

    Args:
        rows: The rows of the batch.
        pad_id: Token that fills shorter sequences; it is a row of its own there.
        single: As in :func:`bins`.

    Returns:
        ``input_ids``, ``position_ids`` and ``labels``, each [sequences, longest sequence].
    """
    ids, positions, labels = [], [], []
    for sequence in bins(rows, single=single):
        ids.append([token for row in sequence for token in row.input_ids])
        positions.append([place for row in sequence for place in range(len(row.input_ids))])
        # The model shifts labels by one: a row's first would be predicted from another row.
        labels.append([label for row in sequence for label in (IGNORED, *row.labels[1:])])
    longest = max(map(len, ids))
    for index in range(len(ids)):
        gap = longest - len(ids[index])
        ids[index] += [pad_id] * gap
        positions[index] += range(gap)
        labels[index] += [IGNORED] * gap
    return {
        "input_ids": torch.tensor(ids),
        "position_ids": torch.tensor(positions),
        "labels": torch.tensor(labels),
    }


def places(rows: Sequence[Encoded], *, packing: bool, single: bool = False) -> int:
    """Return how many tokens a batch of these rows has, padding included."""
    sequences = bins(rows, single=single) if packing else [[row] for row in rows]
    return len(sequences) * max(sum(len(row.input_ids) for row in rows) for rows in sequences)


def check_isolation(model: Any) -> None:
    """Change one of two packed rows: nothing may change in the other.

    Raises:
        InputError: If the model lets packed rows see each other.
    """
    vocabulary = int(model.get_input_embeddings().weight.shape[0])

    def second_rows_logits(offset: int) -> torch.Tensor:
        first, second = ([(i + start) % vocabulary for i in range(_PROBE)] for start in (offset, 1))
        rows = [Encoded(tuple(ids), tuple(ids)) for ids in (first, second)]
        batch = pack(rows, 0, single=True)
        logits = model(
            input_ids=batch["input_ids"].to(model.device),
            position_ids=batch["position_ids"].to(model.device),
            use_cache=False,
        ).logits
        return torch.as_tensor(logits[0, _PROBE:]).float()

    was_training = model.training
    model.eval()
    with torch.no_grad():
        one, other = second_rows_logits(_PROBE), second_rows_logits(2 * _PROBE)
    model.train(was_training)
    if not torch.allclose(one, other, rtol=1e-4, atol=1e-4):
        named = type(getattr(model, "base_model", model)).__name__
        attention = getattr(model.config, "_attn_implementation", "its own")
        raise InputError(
            f"packing: rows of one sequence see each other in this model ({named}, attention "
            f"{attention}: logits move by {(one - other).abs().max():.2g}); set packing: false"
        )
