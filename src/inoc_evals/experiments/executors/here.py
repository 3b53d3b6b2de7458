"""Here: this process does one unit after the other."""

from collections.abc import Sequence
from typing import Self

from inoc_evals.experiments.executors.executor import Do, Failure, Pending, Unit, why
from inoc_evals.experiments.tally import Tally


class Here:
    """This process."""

    apart = False

    def run(self, units: Sequence[Unit], do: Do, tally: Tally) -> list[Failure]:
        """Do all units, in their order."""
        return _done(Pending(units, tally), do).failures

    def later(self, unit: Unit, do: Do, tally: Tally) -> Pending:
        """Do a unit now."""
        return _done(Pending([unit], tally), do)

    def settle(self) -> None:
        """Nothing is left."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is held."""


def _done(pending: Pending, do: Do) -> Pending:
    while (unit := pending.next()) is not None:
        try:
            do(unit.work)
        # Whatever it is: the others are done all the same, and the line says where it was.
        except Exception as error:
            pending.failed(unit, why(error))
        else:
            pending.done(unit)
    return pending


HERE = Here()
