"""The tables of docs/performance.md: what a benchmark found, in the place marked with its name.

write("real_model chats", [["", "tokens/s"], ["plain `generate`", "208"]])

<!-- measured: real_model chats -->
| | tokens/s |
|---|---|
| plain `generate` | 208 |
<!-- end of table -->
"""

import re
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"


def write(name: str, rows: Sequence[Sequence[str]], page: Path = PAGE) -> None:
    """Put a table, its head the first row, where the page has one of this name.

    Raises:
        SystemExit: If the page has none.
    """
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    block = re.compile(
        rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end of table -->)", re.DOTALL
    )
    table = "\n".join(lines)
    text, found = block.subn(
        lambda match: f"{match[1]}{table}\n{match[2]}", page.read_text("utf-8")
    )
    if found != 1:
        raise SystemExit(f"{page.name} has {found} places <!-- measured: {name} -->; it takes one")
    page.write_text(text, "utf-8")
