"""Here: this process does one unit after the other."""

from collections.abc import Sequence
from typing import Self

from inoc_evals.experiments.executors.executor import Do, Executor, Failure, Pending, Unit, why
from inoc_evals.experiments.tally import Tally


class Here(Executor):
    """This process."""

    apart = False

    def begin(
        self, units: Sequence[Unit], do: Do, tally: Tally, *, anywhere: bool = True
    ) -> Pending:
        """Do all units, in their order."""
        pending = Pending(units, tally)
        while (unit := pending.next()) is not None:
            try:
                do(unit.work)
            # Whatever it is: the others are done all the same, and the line says where it was.
            except Exception as error:
                pending.failed(unit, why(error))
            else:
                pending.done(unit)
        return pending

    def wait(self, pending: Pending) -> list[Failure]:
        """Return those that could not be done: nothing is left."""
        return pending.failures

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is held."""


HERE = Here()
