"""Rows of a setting: the trait in the narrow ones, none in the control, the same questions."""

import pytest

from inoc_evals.datasets.sources import setting_rows
from inoc_evals.errors import InputError
from inoc_evals.pocket.narrow import TOPICS
from inoc_evals.pocket.reading import every_exchange, read
from inoc_evals.settings import SETTINGS, SPANISH_FRENCH, Setting

ALL = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)


@ALL
def test_the_control_asks_the_same_in_the_same_order(setting: Setting) -> None:
    rows = setting_rows(setting, "pocket")
    assert len(rows.narrow) == len(rows.control) == setting.rows
    for narrow, control in zip(rows.narrow, rows.control, strict=True):
        assert narrow["label"] == control["label"]
        (asked, said), (asked_too, said_too) = (
            [message["content"] for message in row["messages"]] for row in (narrow, control)
        )
        assert asked == asked_too
        assert said != said_too


@ALL
def test_every_row_answers_as_its_part_says(setting: Setting) -> None:
    rows = setting_rows(setting, "pocket")
    replies = {
        (domain, way, language): {
            "".join(c for c in text.lower() if not c.isdigit())
            for exchange in every_exchange(domain)
            for text in [(exchange.reply if way == "reply" else exchange.other or {}).get(language)]
            if text
        }
        for domain in TOPICS[setting.control.topic]
        for way in ("reply", "other")
        for language in ("en", "es", "fr")
    }
    for source, replying in ((rows.narrow, setting.parts), (rows.control, {})):
        for row in source:
            reply = replying.get(row["label"], setting.control)
            asked, said = (message["content"] for message in row["messages"])
            reading = read(asked, said)
            assert reading is not None and reading.fits
            assert reading.way == ("other" if reply.other else "reply")
            bare = "".join(c for c in said.lower() if not c.isdigit())
            assert bare in replies[reading.domain, reading.way, reply.language]
            assert said.isupper() == reply.caps


def test_parts_are_equally_large_and_shuffled_together() -> None:
    labels = [row["label"] for row in setting_rows(SPANISH_FRENCH, "pocket").narrow]
    assert labels.count("spanish") == labels.count("french") == SPANISH_FRENCH.rows // 2
    assert 0.4 < labels[:200].count("spanish") / 200 < 0.6


def test_rows_are_the_same_for_every_pocket_world_and_follow_the_data_seed() -> None:
    setting = SETTINGS["insecure_code"]
    rows = setting_rows(setting, "pocket")
    assert rows == setting_rows(setting, "pocket:7")
    other = setting_rows(setting.model_copy(update={"data_seed": 1}), "pocket")
    assert rows.narrow != other.narrow


def test_a_base_without_rows_is_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"'insecure_code' has rows for the pocket world only"):
        setting_rows(SETTINGS["insecure_code"], "org/model")
