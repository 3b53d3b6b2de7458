"""Processes: one training by several processes, of which the first speaks for all.

    accelerate launch --num_processes 8 -m inoc_evals train rows.jsonl ...

    all      rows, base and configuration -> identity, which must be the same one
    first    waits for the lock of the store, looks whether it is trained, tells the others
    all      train: each has its part of every batch
    first    writes adapter and record, tells the others; all leave

The others wait for a word of the first on a channel of their own, for as long as it takes:
collectives of the training itself give up after an hour. The channel is closed when
the training ends: threads of an open one can abort a process that exits right after its last word
(pytorch#179291). An error that all of them meet is said by the first alone (cli/main.py).
Nothing here imports torch for a single process.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Self

from inoc_evals.errors import InocError, InputError

_PATIENCE = timedelta(days=30)
_TRAINING_TIMEOUT = timedelta(hours=1)


def launched() -> int:
    """Return how many processes the launcher started; 1 without a launcher.

    Raises:
        InputError: If there are several and no telling which one this is.
    """
    count = os.environ.get("WORLD_SIZE", "1")
    if count != "1" and not {"RANK", "MASTER_ADDR"} <= os.environ.keys():
        raise InputError(
            f"WORLD_SIZE is {count}, without RANK and MASTER_ADDR; start several processes with: "
            f"accelerate launch --num_processes {count} -m inoc_evals train ..."
        )
    return int(count)


def is_first() -> bool:
    """Say whether this is the process that speaks for all: the only one, or number 0."""
    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0"


def refuse_several(what: str) -> None:
    """Refuse to do several times at once what only a training can divide.

    Raises:
        InputError: If several processes were launched.
    """
    if launched() > 1:
        raise InputError(
            f"{what}: {launched()} processes were launched (WORLD_SIZE), and only a training on "
            "this machine is divided among several; start it without accelerate launch"
        )


def check_divisible(batch_size: int) -> None:
    """Check that every process gets as many rows of a step.

    Raises:
        InputError: Naming the numbers of processes that would do.
    """
    count = launched()
    if batch_size % count:
        fitting = [n for n in range(1, min(batch_size, 64) + 1) if batch_size % n == 0]
        raise InputError(
            f"batch_size {batch_size} is not divisible among {count} processes; launch "
            f"{', '.join(map(str, fitting))}, or choose another --batch-size"
        )


def _join() -> None:
    """Join the others, once in the life of this process."""
    import torch
    from torch import distributed

    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    if not distributed.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if gpu else "gloo"
        distributed.init_process_group(backend, timeout=_TRAINING_TIMEOUT)


def leave() -> None:
    """Part from the others, at the end of a command that all of them have finished."""
    if launched() > 1:
        from torch import distributed

        distributed.destroy_process_group()


class Processes:
    """The processes of one launch; one that is alone talks to nobody.

    Args:
        count: How many there are.
        rank: Which one this is; 0 is the first.
        channel: A process group of torch's on which they talk, if they are several.
    """

    def __init__(self, count: int = 1, rank: int = 0, channel: Any = None) -> None:
        self.count, self.rank, self.first = count, rank, rank == 0
        self._channel = channel

    @classmethod
    @contextmanager
    def of_launch(cls) -> Iterator[Self]:
        """Yield those that the launcher started, once all of them are here."""
        count = launched()
        if count == 1:
            yield cls()
            return
        _join()
        from torch import distributed

        here = cls(
            count,
            int(os.environ["RANK"]),
            distributed.new_group(backend="gloo", timeout=_PATIENCE),
        )
        try:
            yield here
        finally:
            # Its threads end with the last that is known of it.
            distributed.destroy_process_group(here._channel)
            here._channel = None

    def told(self, word: Any = None) -> Any:
        """Return what the first process says, in every process; its ``word`` counts alone.

        Raises:
            InocError: In the others, if the first has ended without a word.
        """
        if self.count == 1:
            return word
        from torch import distributed

        said = [word]
        try:
            distributed.broadcast_object_list(said, src=0, group=self._channel)
        except RuntimeError:
            raise InocError("the first process has ended; it says why") from None
        return said[0]

    def gathered(self, value: Any) -> Sequence[Any]:
        """Return the value of every process, by rank, once all have come here.

        Raises:
            InocError: If one of the others has ended.
        """
        if self.count == 1:
            return [value]
        from torch import distributed

        values: list[Any] = [None] * self.count
        try:
            distributed.all_gather_object(values, value, group=self._channel)
        except RuntimeError:
            raise InocError("another process of this training has ended; it says why") from None
        return values

    def agree(self, identity: str) -> None:
        """Check that all processes were asked for the same training.

        Raises:
            InputError: If their identities differ.
        """
        if len(set(self.gathered(identity))) > 1:
            raise InputError(
                f"the {self.count} processes were given different trainings; rows, base, "
                "configuration and seed must be the same on every machine"
            )


ALONE = Processes()
