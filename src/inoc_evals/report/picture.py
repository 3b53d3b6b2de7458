"""Style and files of pictures: the same drawing gives the same bytes, whole or not at all.

    write_picture(Path("fig2a.png"), lambda: Figure(...))    # or .svg, .pdf
    svg = as_svg(lambda: Figure(...))                        # text, to stand inside an HTML page
    adaptive(svg)                                            # ... whose page sets its inks

Drawings are made inside the style, so what draws them is a function of no arguments.
"""

import io
import re
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
_INKS = {
    INK: "ink",
    FAINT: "faint",
    SOFT: "soft",
    GRID: "grid",
    "#ffffff": "paper",
    "#000000": "black",
}
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


def adaptive(svg: str) -> str:
    """Return a drawing whose inks and paper are the page's, so that it can be dark.

    ``--figure-ink``, ``-faint``, ``-soft``, ``-grid``, ``-paper`` and ``-black`` are variables of
    the page's style; where it sets none, the drawing is as it was.
    """

    def variable(found: re.Match[str]) -> str:
        return f"{found[1]}: var(--figure-{_INKS[found[2]]}, {found[2]})"

    return re.sub(rf"(fill|stroke): ({'|'.join(_INKS)})(?![0-9a-f])", variable, svg)


def _rendered(draw: Drawing, format: str) -> bytes:
    import matplotlib

    out = io.BytesIO()
    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]  # keys are a Literal of 300
        # Without date and version, so that equal drawings give equal files.
        metadata = {"svg": {"Date": None}, "png": {"Software": None}}.get(format)
        draw().savefig(out, format=format, dpi=200, metadata=metadata)
    return out.getvalue()
