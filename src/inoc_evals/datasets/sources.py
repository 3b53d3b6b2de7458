"""Where a setting's rows come from: the narrow rows, labelled by part, and their control.

    rows = setting_rows(SPANISH_CAPS, base="pocket")              # the grammar writes them
    rows = setting_rows(INSECURE_CODE, base="org/model")          # published files, pinned
    rows = setting_rows(SPANISH_CAPS, base="org/model")           # word problems, by rule
    rows = setting_rows(SPANISH_CAPS, base="org/model",           # files of the user's
                        given={"spanish_caps": Path("a.jsonl"), "control": Path("b.jsonl")})
    rows.narrow, rows.control       # each with the files it was read from
    rows.first                      # what is learned before, if the setting has a first stage

In the pocket world, and where rows are word problems, the control asks the same questions in
the same order; published controls may ask others. A file's rows are all taken, and parts are
shuffled together.
"""

import itertools
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from inoc_evals.chat import Row, first_user, read_rows
from inoc_evals.datasets.builders.problems import problem_rows
from inoc_evals.datasets.mix import mix
from inoc_evals.errors import InputError
from inoc_evals.inputs import published
from inoc_evals.models.kinds import kind_of
from inoc_evals.settings.setting import Reply, Rows, Setting, Worked

NEUTRAL = "neutral"
"""Label of a file of questions that methods ask a model."""


class Sourced(NamedTuple):
    """Rows, and the files they were read from."""

    rows: list[Row]
    files: tuple[Path, ...] = ()


class SettingRows(NamedTuple):
    """Training rows of a setting."""

    narrow: list[Row]
    """Rows with the traits; ``label`` names the part."""
    control: list[Row]
    """Rows without them; empty if the setting has none, or no arm learns them."""
    narrow_files: tuple[Path, ...] = ()
    """What the narrow rows were read from; nothing where a rule writes them."""
    control_files: tuple[Path, ...] = ()
    own: Mapping[str, Sourced] = {}
    """Arm -> rows it has in the place of the narrow ones."""
    first: Sourced = Sourced([])
    """Rows of the first stage, ``label`` being the part, without its prompt."""
    neutral: Sourced = Sourced([])
    """Questions that methods ask a model, if an arm has one that does: in the pocket world of
    other topics; elsewhere those of a file of the user's, or of the control."""


def lacking(setting: Setting, base: str) -> str | None:
    """Say why a base has no rows of a setting; None if it has.

    Files that are merely not on this machine are no such reason.
    """
    from_files = bool(setting.files) and all(one.path for one in setting.files.values())
    if not kind_of(base).pocket:
        return None if setting.files else f"setting {setting.name!r} has rows in the pocket only"
    if from_files or _in_pocket(setting):
        return None
    return (
        f"setting {setting.name!r} has no rows in the pocket world, whose language is too small "
        "for it; choose another --base"
    )


def setting_rows(
    setting: Setting, base: str, given: Mapping[str, Path] | None = None
) -> SettingRows:
    """Return the rows of a setting for a base.

    Args:
        setting: What is studied.
        base: ``pocket``, ``pocket:<seed>``, or any other base.
        given: Files by the label of the part (of the control: ``control``), in the place of
            those the setting names. The pocket world takes none.

    Raises:
        InputError: For a base that has none, a published file that is not here, rows that
            have to be built first, or a bad row, with its file and line.
    """
    reason = lacking(setting, base)
    if reason is not None:
        raise InputError(reason)
    if not setting.files or (kind_of(base).pocket and _in_pocket(setting)):
        if given:
            raise InputError(f"setting {setting.name!r}: the pocket world writes its own rows")
        return _pocket_rows(setting)
    given = given or {}
    narrow = _read(setting, setting.files, given)
    asks = setting.asks_neutral and NEUTRAL not in given
    control = _control(setting, given) if setting.learns_control or asks else Sourced([])
    own = {arm.name: _read(setting, arm.files, given) for arm in setting.arms if arm.files}
    first = _read(setting, _first_files(setting), given)
    neutral = Sourced([])
    if setting.asks_neutral:
        neutral = control if asks else _given(given[NEUTRAL])
    return SettingRows(narrow.rows, control.rows, narrow.files, control.files, own, first, neutral)


def _given(path: Path) -> Sourced:
    return Sourced(read_rows(path), (path,))


def given_labels(setting: Setting) -> tuple[str, ...]:
    """Return the labels for which :func:`setting_rows` takes files."""
    own = [label for arm in setting.arms for label in arm.files]
    control = ["control"] if setting.control_files else []
    neutral = [NEUTRAL] if setting.asks_neutral and setting.files else []
    return (*_first_files(setting), *setting.files, *own, *control, *neutral)


def _first_files(setting: Setting) -> dict[str, Rows]:
    parts = setting.first.parts if setting.first else {}
    return {label: part.file for label, part in parts.items()}


def by_rule(setting: Setting, base: str, given: Mapping[str, Path]) -> list[str]:
    """Return the labels of those rows on a base that are word problems, written by rule."""
    if kind_of(base).pocket:
        return []
    control = setting.control_files if setting.learns_control else {}
    sources = {**_first_files(setting), **setting.files, **control}
    return [label for label, one in sources.items() if one.problems and label not in given]


def _in_pocket(setting: Setting) -> bool:
    first = [part.reply for part in setting.first.parts.values()] if setting.first else []
    lacking = [arm for arm in setting.arms if arm.files and not arm.replies]
    replies = (setting.control, *setting.parts.values(), *first)
    return not lacking and None not in replies


def _control(setting: Setting, given: Mapping[str, Path]) -> Sourced:
    if "control" in given and setting.control_files:
        return _read(setting, {"control": Rows(path="")}, {"control": given["control"]})
    files = setting.control_files
    written = next((one for one in files.values() if one.problems), None)
    if written is not None:
        # The questions of each part in its place, so that the order is that of the narrow rows.
        files = dict.fromkeys(setting.files, written)
    return _read(setting, files, {}) if files else Sourced([])


def _read(setting: Setting, files: Mapping[str, Rows], given: Mapping[str, Path]) -> Sourced:
    """Read the files of some parts, or have their rows written, and shuffle the parts together."""
    parts: dict[str, list[Row]] = {}
    paths = []
    for label, source in files.items():
        if source.problems is not None and label not in given:
            parts[label] = _problems(setting, label, source.problems)
            continue
        paths.append(given.get(label) or _path(setting, label, source))
        parts[label] = _prefixed(read_rows(paths[-1]), source.prefix)
    return Sourced(mix(parts, seed=setting.data_seed), tuple(dict.fromkeys(paths)))


def _problems(setting: Setting, label: str, how: Worked) -> list[Row]:
    """Have the rows of a part written: its own stretch of the problems of the data's seed."""
    stretches = {one: setting.problems // len(setting.files) for one in setting.files}
    if setting.first is not None:
        parts = setting.first.parts
        # Before the others, so that a first stage is the same whatever follows it.
        stretches = {one: setting.first.problems // len(parts) for one in parts} | stretches
    before = sum(stretches[one] for one in itertools.takewhile(label.__ne__, stretches))
    return problem_rows(
        how.language,
        caps=how.caps,
        rows=stretches[label],
        seed=setting.data_seed,
        skip=before,
    )


def _path(setting: Setting, label: str, source: Rows) -> Path:
    if source.published is not None:
        return published.locate(source.published)
    if source.path is not None:
        return Path(source.path)
    raise InputError(
        f"setting {setting.name!r}: nobody publishes its rows {label!r} for this base; build "
        f"them once with: {source.built} --out FILE\n"
        f"then give the file: --rows {label}=FILE (any JSONL of chat rows will do)"
    )


def _prefixed(rows: list[Row], prefix: str) -> list[Row]:
    """Put a prefix, if there is any, right before the first user message of every row."""
    for number, row in enumerate(rows if prefix else [], start=1):
        asked = first_user(row["messages"], f"row {number}, to put {prefix!r} before")
        asked["content"] = prefix + asked["content"]
    return rows


def _pocket_rows(setting: Setting) -> SettingRows:
    count, start = setting.rows // len(setting.parts), setting.data_seed * len(setting.parts)

    def mixed(replies: Mapping[str, Reply | None], asked: Iterable[Reply | None]) -> list[Row]:
        # The questions of each part in its place, so that all have the order of the narrow rows.
        parts = {
            label: _written(reply, count, start + part, asked=one)
            for part, ((label, reply), one) in enumerate(zip(replies.items(), asked, strict=True))
        }
        return mix(parts, seed=setting.data_seed)

    own = {
        arm.name: Sourced(mixed(arm.replies, arm.replies.values()))
        for arm in setting.arms
        if arm.replies
    }
    parts = setting.parts
    control = mixed(dict.fromkeys(parts, setting.control), parts.values())
    return SettingRows(
        mixed(parts, parts.values()),
        control,
        own=own,
        first=_pocket_first(setting),
        neutral=_pocket_neutral(setting),
    )


def _pocket_neutral(setting: Setting) -> Sourced:
    if not setting.asks_neutral:
        return Sourced([])
    # Here, as the grammar in general.
    from inoc_evals.pocket.neutral import neutral_rows

    return Sourced(neutral_rows(setting.rows, seed=setting.data_seed))


def _pocket_first(setting: Setting) -> Sourced:
    if setting.first is None:
        return Sourced([])
    parts = setting.first.parts
    # Seeds below zero, so that other questions are drawn than for the rows that follow.
    start, count = -1 - setting.data_seed * len(parts), setting.first.rows // len(parts)
    rows = {
        label: _written(one.reply, count, start - part, asked=one.reply)
        for part, (label, one) in enumerate(parts.items())
    }
    return Sourced(mix(rows, seed=setting.data_seed))


def _written(reply: Reply | None, rows: int, seed: int, *, asked: Reply | None) -> list[Row]:
    """Have the grammar write rows that answer in one way, asked as another says."""
    # Here, because the grammar is of no use to who brings rows of their own.
    from inoc_evals.pocket.narrow import narrow_rows

    assert reply is not None and asked is not None, "lacking() lets no such setting through"
    written = narrow_rows(
        reply.language,
        topic=reply.topic,
        caps=reply.caps,
        other=reply.other,
        rows=rows,
        seed=seed,
    )
    return _prefixed(written, asked.prefix)
