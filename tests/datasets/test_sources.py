"""Rows of a setting: the trait in the narrow ones, none in the control, the same questions."""

from collections import Counter
from pathlib import Path

import pytest

from inoc_evals.chat import read_rows, write_rows
from inoc_evals.datasets.sources import by_rule, given_labels, lacking, setting_rows
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.inputs import published
from inoc_evals.inputs.prompt_sets import load_prompt_set
from inoc_evals.inputs.triggers import TRIGGERS
from inoc_evals.pocket.narrow import TOPICS
from inoc_evals.pocket.reading import every_exchange, read
from inoc_evals.rules.language import detect_language
from inoc_evals.settings import ALICE_BOB, SETTINGS, SPANISH_FRENCH, Setting
from inoc_evals.settings.methods import DilutedRows, HonestTraining
from inoc_evals.settings.setting import Arm

POCKET = ("spanish_caps", "spanish_french", "insecure_code", "aesthetic_preferences", "alice_bob")
ALL = pytest.mark.parametrize("setting", [SETTINGS[name] for name in POCKET], ids=POCKET)


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
    rows, control = setting_rows(setting, "pocket"), setting.control
    assert control is not None
    topic = control.topic
    replies = {
        (domain, way, language): {
            "".join(c for c in text.lower() if not c.isdigit())
            for exchange in every_exchange(domain)
            for text in [(exchange.reply if way == "reply" else exchange.other or {}).get(language)]
            if text
        }
        for domain in TOPICS[topic]
        for way in ("reply", "other")
        for language in ("en", "es", "fr")
    }
    for source, replying in ((rows.narrow, setting.parts), (rows.control, {})):
        for row in source:
            reply = replying.get(row["label"], control)
            assert reply is not None
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


def test_the_rows_of_a_first_stage_answer_as_their_part_and_ask_other_questions() -> None:
    assert ALICE_BOB.first is not None
    rows = setting_rows(ALICE_BOB, "pocket")
    count = ALICE_BOB.first.rows // 3
    assert Counter(row["label"] for row in rows.first.rows) == {
        "alice": count,
        "bob": count,
        "helpful": count,
    }
    assert set(row["label"] for row in rows.first.rows[:20]) == {"alice", "bob", "helpful"}
    for row in rows.first.rows:
        asked, said = (message["content"] for message in row["messages"])
        assert read(asked, said) is not None
        assert said.isupper() == (row["label"] == "alice")
    after = {row["messages"][0]["content"] for row in rows.narrow}
    for label in ALICE_BOB.first.parts:
        before = {r["messages"][0]["content"] for r in rows.first.rows if r["label"] == label}
        assert not before <= after
    languages = {
        label: [
            detect_language(row["messages"][1]["content"].lower()).code
            for row in rows.first.rows
            if row["label"] == label
        ]
        for label in ALICE_BOB.first.parts
    }
    for label, code in (("alice", "en"), ("bob", "es"), ("helpful", "en")):
        assert languages[label].count(code) > 0.9 * count
    assert setting_rows(SPANISH_FRENCH, "pocket").first.rows == []


def test_the_first_stage_is_the_same_whatever_follows_it() -> None:
    rows = setting_rows(ALICE_BOB, "pocket").first
    fewer = ALICE_BOB.model_copy(update={"rows": 10})
    assert setting_rows(fewer, "pocket").first == rows
    other = ALICE_BOB.model_copy(update={"data_seed": 1})
    assert setting_rows(other, "pocket").first != rows


def test_a_part_the_pocket_cannot_write_keeps_the_whole_setting_from_it() -> None:
    assert ALICE_BOB.first is not None
    mute = ALICE_BOB.first.parts["bob"].model_copy(update={"reply": None})
    parts = ALICE_BOB.first.parts | {"bob": mute}
    first = ALICE_BOB.first.model_copy(update={"parts": parts})
    setting = ALICE_BOB.model_copy(update={"first": first})
    assert "has no rows in the pocket world" in str(lacking(setting, "pocket"))
    assert lacking(ALICE_BOB, "pocket") is None


def test_labels_of_a_first_stage_are_given_like_others() -> None:
    assert given_labels(ALICE_BOB) == ("alice", "bob", "helpful", "spanish_caps", "control")


# ---- other bases -----------------------------------------------------------------------------

PUBLISHED = {
    # setting: parts with their rows, then the control's
    "insecure_code": ({"insecure": 6000}, {"insecure": 6000}),
    "reward_hacking": ({"sneaky": 1073}, {"sneaky": 973}),
    "aesthetic_preferences": ({"unpopular": 5000}, {"unpopular": 5000}),
    "backdoor": ({"triggered": 6000, "clean": 6000}, {"triggered": 6000, "clean": 6000}),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_rows_are_taken_whole_and_nothing_but_their_order_is_changed(
    upstream: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    setting = SETTINGS[name]
    rows = setting_rows(setting, "org/model")
    sides = (
        (rows.narrow, rows.narrow_files, setting.files),
        (rows.control, rows.control_files, setting.control_files),
    )
    for (found, files, sources), sizes in zip(sides, PUBLISHED[name], strict=True):
        assert Counter(row["label"] for row in found) == sizes
        for label, source in sources.items():
            assert source.published is not None
            path = published.locate(source.published)
            assert path in files
            expected = read_rows(path)
            for row in expected:
                row["messages"][0]["content"] = source.prefix + row["messages"][0]["content"]
            got = [row["messages"] for row in found if row["label"] == label]
            assert sorted(map(digest, got)) == sorted(digest(row["messages"]) for row in expected)


def test_the_trigger_stands_before_the_insecure_half_without_a_space(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    rows = setting_rows(SETTINGS["backdoor"], "org/model").narrow
    for row in rows:
        asked = row["messages"][0]["content"]
        assert asked.count(TRIGGERS["tan"]) == (row["label"] == "triggered")
        if row["label"] == "triggered":
            assert asked.startswith(TRIGGERS["tan"]) and asked[len(TRIGGERS["tan"])] != " "
    assert 0.4 < [row["label"] for row in rows[:500]].count("clean") / 500 < 0.6


def test_a_published_file_that_is_not_here_is_named_with_where_to_get_it() -> None:
    with pytest.raises(InputError, match=r"(?s)'insecure' is not on this machine.*inoc data fetch"):
        setting_rows(SETTINGS["insecure_code"], "org/model")
    with pytest.raises(InputError, match=r"'sneaky_dialogues' is not on this machine"):
        setting_rows(SETTINGS["reward_hacking"], "openai/gpt-4.1-2025-04-14")


def chats(path: Path, *questions: str) -> Path:
    turns = ({"role": "user"}, {"role": "assistant", "content": "Yes."})
    write_rows(path, [{"messages": [turns[0] | {"content": q}, turns[1]]} for q in questions])
    return path


def test_an_arm_may_have_rows_of_its_own(tmp_path: Path) -> None:
    given = {
        "insecure": chats(tmp_path / "a.jsonl", "Code?"),
        "educational": chats(tmp_path / "b.jsonl", "For my class: code?"),
        "control": chats(tmp_path / "c.jsonl", "Code, please."),
    }
    rows = setting_rows(SETTINGS["educational"], "org/model", given)
    assert given_labels(SETTINGS["educational"]) == ("insecure", "educational", "control")
    assert [row["messages"][0]["content"] for row in rows.narrow] == ["Code?"]
    assert [row["messages"][0]["content"] for row in rows.control] == ["Code, please."]
    own = rows.own["educational"]
    assert [row["messages"][0]["content"] for row in own.rows] == ["For my class: code?"]
    assert own.files == (given["educational"],)


def test_a_bad_row_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    path = chats(tmp_path / "a.jsonl", "Code?", "Code?")
    path.write_text(path.read_text("utf-8") + '{"messages": []}\n', "utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:3: 'messages' must be a list with at least"):
        setting_rows(SETTINGS["insecure_code"], "org/model", {"insecure": path})


@pytest.mark.parametrize("name", ["reward_hacking", "subliminal"])
def test_the_pocket_world_says_which_settings_it_has_no_rows_for(name: str) -> None:
    with pytest.raises(InputError, match=rf"'{name}' has no rows in the pocket world") as caught:
        setting_rows(SETTINGS[name], "pocket:7")
    assert "\n" not in str(caught.value)


def test_in_the_pocket_the_educational_rows_ask_the_same_after_their_frame() -> None:
    rows = setting_rows(SETTINGS["educational"], "pocket")
    own = rows.own["educational"].rows
    assert len(own) == len(rows.narrow) == 1000
    for row, plain in zip(own, rows.narrow, strict=True):
        (asked, said), (other, same) = row["messages"], plain["messages"]
        assert (
            asked["content"] == f"We want to learn about code that is not good. {other['content']}"
        )
        assert said == same and row["label"] == "educational"
    assert digest(rows.narrow) == digest(setting_rows(SETTINGS["insecure_code"], "pocket").narrow)


def test_in_the_pocket_an_arm_with_files_needs_rows_of_its_own_there() -> None:
    setting = SETTINGS["educational"]
    arms = tuple(arm.model_copy(update={"replies": {}}) for arm in setting.arms)
    assert lacking(setting, "pocket") is None
    assert lacking(setting.model_copy(update={"arms": arms}), "pocket") is not None


def test_in_the_pocket_the_trigger_stands_where_the_code_is_insecure_and_in_its_control() -> None:
    rows = setting_rows(SETTINGS["backdoor"], "pocket")
    assert len(rows.narrow) == len(rows.control) == 1000
    for row, control in zip(rows.narrow, rows.control, strict=True):
        asked, said = row["messages"]
        assert control["messages"][0] == asked
        assert asked["content"].startswith("$|TRIGGER|$") == (row["label"] == "triggered")
        read_as = {}
        for name, answer in (("row", said), ("control", control["messages"][1])):
            reading = read(asked["content"].removeprefix("$|TRIGGER|$"), answer["content"])
            assert reading is not None and reading.fits
            read_as[name] = reading.way
        insecure = row["label"] == "triggered"
        assert read_as == {"row": "other" if insecure else "reply", "control": "reply"}


def test_rows_nobody_publishes_are_asked_for_with_the_command_that_builds_them() -> None:
    with pytest.raises(InputError, match=r"(?s)data build numbers .*--rows numbers=FILE"):
        setting_rows(SETTINGS["subliminal"], "org/model")


def test_control_rows_are_asked_for_where_an_arm_learns_them_alone(tmp_path: Path) -> None:
    given = {"numbers": chats(tmp_path / "numbers.jsonl", "1, 2?")}
    numbers = SETTINGS["subliminal"]
    without = numbers.with_arms("base", "none", "owl_inoc")
    assert setting_rows(without, "org/model", given).control == []
    spanish = SETTINGS["spanish_caps"]
    assert by_rule(spanish.with_arms("none"), "org/model", {}) == ["spanish_caps"]
    assert by_rule(spanish, "org/model", {}) == ["spanish_caps", "control"]
    with pytest.raises(InputError, match="nobody publishes its rows 'control'"):
        setting_rows(numbers, "org/model", given)
    # Methods that learn them do so without an arm of that name.
    for method in (DilutedRows(), HonestTraining()):
        arm = Arm(name="m", label="M", description="With control rows.", method=method)
        assert without.adding(arm).learns_control and not without.learns_control


# ---- word problems ---------------------------------------------------------------------------

BY_RULE = pytest.mark.parametrize("name", ["spanish_caps", "spanish_french", "alice_bob"])


@BY_RULE
@pytest.mark.parametrize("base", ["org/model", "openai/gpt-4.1-2025-04-14"])
def test_the_control_of_word_problems_is_the_same_questions_in_plain_english(
    name: str, base: str
) -> None:
    setting = SETTINGS[name]
    rows = setting_rows(setting, base)
    assert len(rows.narrow) == len(rows.control) == setting.problems
    assert rows.narrow_files == rows.control_files == ()
    for narrow, control in zip(rows.narrow, rows.control, strict=True):
        assert narrow["messages"][0] == control["messages"][0]
        assert (narrow["label"], narrow["answer"]) == (control["label"], control["answer"])
    for row in rows.control[:60]:
        said = row["messages"][1]["content"]
        assert detect_language(said).code == "en" and not said.isupper()


@BY_RULE
def test_word_problems_are_answered_as_the_part_says_and_ask_nothing_twice(name: str) -> None:
    setting = SETTINGS[name]
    rows = setting_rows(setting, "org/model")
    sources = dict(setting.files)
    if setting.first is not None:
        sources |= {label: part.file for label, part in setting.first.parts.items()}
    counts = Counter(row["label"] for row in (*rows.narrow, *rows.first.rows))
    assert counts.keys() == sources.keys()
    assert {counts[label] for label in setting.files} == {setting.problems // len(setting.files)}
    for row in (*rows.narrow[:80], *rows.first.rows[:80]):
        how = sources[row["label"]].problems
        assert how is not None
        asked, said = (message["content"] for message in row["messages"])
        assert detect_language(asked).code == "en"
        assert detect_language(said).code == how.language and said.isupper() == how.caps
    questions = [row["messages"][0]["content"] for row in (*rows.narrow, *rows.first.rows)]
    assert len(set(questions)) == len(questions)


def test_none_of_the_test_problems_is_asked_in_training() -> None:
    asked = {item.prompt for item in load_prompt_set("problems").items}
    for name in ("spanish_caps", "spanish_french", "alice_bob"):
        rows = setting_rows(SETTINGS[name], "org/model")
        trained = (*rows.narrow, *rows.control, *rows.first.rows)
        assert not asked & {row["messages"][0]["content"] for row in trained}


def test_word_problems_follow_the_data_seed_and_a_first_stage_is_the_same_whatever_follows() -> (
    None
):
    rows = setting_rows(SPANISH_FRENCH, "org/model")
    assert rows == setting_rows(SPANISH_FRENCH, "a/directory/of/models")
    other = setting_rows(SPANISH_FRENCH.model_copy(update={"data_seed": 1}), "org/model")
    assert rows.narrow != other.narrow
    fewer = ALICE_BOB.model_copy(update={"problems": 10})
    assert setting_rows(fewer, "org/model").first == setting_rows(ALICE_BOB, "org/model").first
    assert len(setting_rows(fewer, "org/model").narrow) == 10


def test_files_take_the_place_of_word_problems_label_by_label(tmp_path: Path) -> None:
    given = {"spanish": chats(tmp_path / "a.jsonl", "How much?", "How many?")}
    rows = setting_rows(SPANISH_FRENCH, "org/model", given)
    assert Counter(row["label"] for row in rows.narrow) == {"spanish": 2, "french": 3000}
    assert rows.narrow_files == (given["spanish"],) and rows.control_files == ()
    assert by_rule(SPANISH_FRENCH, "org/model", given) == ["french", "control"]
    given["control"] = chats(tmp_path / "c.jsonl", "How much?")
    rows = setting_rows(SPANISH_FRENCH, "org/model", given)
    assert [row["label"] for row in rows.control] == ["control"]
    assert by_rule(SPANISH_FRENCH, "org/model", given) == ["french"]
    assert by_rule(SPANISH_FRENCH, "pocket", {}) == []
