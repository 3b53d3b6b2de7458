"""Cells of CSV files: texts that a spreadsheet takes for texts, never for formulas.

cell("=HYPERLINK(...)")    # "'=HYPERLINK(...)"
cell(-0.5)                 # -0.5
"""

from typing import Any

from inoc_evals.terminal import shown

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(value: Any) -> Any:
    """Return a number as it is, a text with an apostrophe where it would be computed."""
    if not isinstance(value, str):
        return value
    before = "'" if value.startswith(_FORMULA) else ""
    return f"{before}{shown(value)}"
