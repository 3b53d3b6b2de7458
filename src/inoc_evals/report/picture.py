"""Style and files of pictures: the same drawing gives the same bytes, whole or not at all.

    write_picture(Path("fig2a.png"), lambda: Figure(...))    # or .svg, .pdf
    svg = as_svg(lambda: Figure(...))                        # text, to stand inside an HTML page

Drawings are made inside the style, so what draws them is a function of no arguments.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from inoc_evals.files.atomic import write_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Drawing: TypeAlias = "Callable[[], Figure]"

# Okabe and Ito's colors, which stay apart under color blindness; grays are for references.
PALETTE = (
    "#7f7f7f",
    "#bdbdbd",
    "#d55e00",
    "#0072b2",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#f0e442",
    "#000000",
)

INK, FAINT, SOFT, GRID = "#222222", "#8a8a8a", "#555555", "#e6e6e6"
_STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same
    "font.size": 8.5,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.parse_math": False,  # a "$" in a label is a dollar
    "svg.hashsalt": "inoc-evals",
    "svg.fonttype": "path",
}


def write_picture(path: Path, draw: Drawing) -> None:
    """Draw into a file, whole or not at all; the suffix says the format."""
    write_bytes(path, _rendered(draw, path.suffix.removeprefix(".") or "png"))


def as_svg(draw: Drawing) -> str:
    """Draw as an ``<svg>`` element, without the XML header of a file."""
    text = _rendered(draw, "svg").decode("utf-8")
    return text[text.index("<svg") :]


def _rendered(draw: Drawing, format: str) -> bytes:
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]  # keys are a Literal of 300
        # Without date and version, so that equal drawings give equal files.
        metadata = {"svg": {"Date": None}, "png": {"Software": None}}.get(format)
        draw().savefig(out, format=format, dpi=200, metadata=metadata)
    return out.getvalue()
