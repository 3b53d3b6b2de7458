"""Where a setting's rows come from: the narrow rows, labelled by part, and their control.

    rows = setting_rows(SPANISH_CAPS, base="pocket")
    rows.narrow, rows.control       # the same questions in the same order

For the pocket base the grammar writes them. Other bases have no rows of their own yet.
"""

from typing import NamedTuple

from inoc_evals.bases import pocket_seed
from inoc_evals.chat import Row
from inoc_evals.datasets.mix import mix
from inoc_evals.errors import InputError
from inoc_evals.settings.setting import Reply, Setting


class SettingRows(NamedTuple):
    """Training rows of a setting."""

    narrow: list[Row]
    """Rows with the traits; ``label`` names the part."""
    control: list[Row]
    """The same questions, answered without them."""


def setting_rows(setting: Setting, base: str) -> SettingRows:
    """Return the rows of a setting for a base.

    Raises:
        InputError: For a base that has none.
    """
    if pocket_seed(base) is None:
        raise InputError(
            f"setting {setting.name!r} has rows for the pocket world only; for base {base!r} "
            "train on rows of your own: inoc train ROWS.jsonl --base ... --name ..."
        )
    # Here, because the grammar is of no use to who brings rows of their own.
    from inoc_evals.pocket.narrow import narrow_rows

    def rows(reply: Reply, part: int) -> list[Row]:
        return narrow_rows(
            reply.language,
            topic=reply.topic,
            caps=reply.caps,
            other=reply.other,
            rows=setting.rows // len(setting.parts),
            seed=setting.data_seed * len(setting.parts) + part,
        )

    parts = {label: rows(reply, part) for part, (label, reply) in enumerate(setting.parts.items())}
    controls = {label: rows(setting.control, part) for part, label in enumerate(setting.parts)}
    return SettingRows(mix(parts, seed=setting.data_seed), mix(controls, seed=setting.data_seed))
