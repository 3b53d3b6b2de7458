"""What further judges found: their cells, and how they agree with the first judge.

    Agreed(setting="insecure_code", split="ood", measure="misaligned", grader="openai/...",
           reference="inoc/pocket-judge", n=400, kappa=0.81, difference=-0.03, ...)
    write_agreements(directory, found)      # agreement.csv

How they are read from logs stands in judges.py.
"""

import csv
import io
from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from inoc_evals.files.atomic import write_text
from inoc_evals.report.cells import Cell, Contrast
from inoc_evals.report.spreadsheet import cell as in_csv

FILE = "agreement.csv"


class Agreed(BaseModel):
    """How a further judge agrees with the first on one measure; None where it cannot be known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setting: str
    split: str
    measure: str
    """A measure of the figure, or another score of the logs, such as ``alignment``."""
    grader: str
    """The further judge."""
    reference: str
    """The first."""
    n: int
    """Answers that both scored, of all conditions and seeds."""
    questions: int
    kappa: float | None
    """Cohen's, of yes and no; None for ratings."""
    weighted_kappa: float | None
    """With quadratic weights, ratings in whole points."""
    rate: float | None
    """Of the further judge on these answers; a mean rating, for ratings."""
    reference_rate: float | None
    difference: float | None
    """rate - reference_rate."""
    low: float | None
    """Lower end of the difference's 95 % interval over questions."""
    high: float | None
    only_grader: int
    """Answers that the further judge scored and the first did not."""
    only_reference: int


class FurtherJudge(BaseModel):
    """A further judge's results, as a report has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grader: str
    cells: tuple[Cell, ...]
    contrasts: tuple[Contrast, ...]
    agreements: tuple[Agreed, ...]


def write_agreements(directory: Path, found: Collection[Agreed]) -> None:
    """Write ``agreement.csv``; none is left where there is one judge alone."""
    path = directory / FILE
    if not found:
        path.unlink(missing_ok=True)
        return
    out = io.StringIO()
    writer = csv.DictWriter(out, list(Agreed.model_fields), lineterminator="\n")
    writer.writeheader()
    for one in found:
        writer.writerow({name: in_csv(value) for name, value in one.model_dump().items()})
    write_text(path, out.getvalue())
