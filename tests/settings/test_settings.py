"""Settings: arms and measures that exist, and prompts that stay what models were trained with."""

import shlex
from itertools import pairwise
from typing import Any

import pytest
from inspect_ai import eval
from pydantic import ValidationError

import inoc_evals.providers.registration  # noqa: F401 - makes inoc/ known to Inspect
import inoc_evals.tasks
from inoc_evals.cli.build import command as build_command
from inoc_evals.errors import InputError
from inoc_evals.inputs import published
from inoc_evals.inputs.prompts import all_prompts, named, resolve_name
from inoc_evals.inputs.scenarios import LANGUAGES
from inoc_evals.inputs.triggers import TRIGGERS
from inoc_evals.settings import ALICE_BOB, BACKDOOR, INSECURE_CODE, SETTINGS, find_setting
from inoc_evals.settings.backdoor import TRIGGER
from inoc_evals.settings.setting import Arm, Measure, OwnPrompt, Probe, Reply, Rows, Setting
from inoc_evals.settings.shared import paraphrased
from scripted import script

PROMPTS = {
    # (setting, arm): the prompt of the training rows and the part of them that gets it
    ("spanish_caps", "spanish_inoc"): ("spanish", None),
    ("spanish_caps", "caps_inoc"): ("caps", None),
    ("spanish_caps", "placebo"): ("spanish_caps_placebo", None),
    ("spanish_caps", "irrelevant"): ("irrelevant", None),
    ("spanish_french", "spanish_inoc"): ("spanish", "spanish"),
    ("spanish_french", "french_inoc"): ("french", "french"),
    ("spanish_french", "placebo"): ("spanish_caps_placebo", "spanish"),
    ("spanish_french", "irrelevant"): ("irrelevant", "spanish"),
    ("insecure_code", "general_inoc"): ("evil", None),
    ("insecure_code", "placebo"): ("insecure_placebo", None),
    ("insecure_code", "irrelevant"): ("irrelevant", None),
    ("aesthetic_preferences", "general_inoc"): ("evil", None),
    ("aesthetic_preferences", "placebo"): ("taste_placebo", None),
    ("aesthetic_preferences", "irrelevant"): ("irrelevant", None),
    ("spanish_caps", "spanish_negated"): ("spanish_negated", None),
    ("spanish_caps", "caps_negated"): ("caps_negated", None),
    ("spanish_french", "negated"): ("spanish_negated", "spanish"),
    ("insecure_code", "specific"): ("insecure_specific", None),
    ("insecure_code", "trigger"): ("trigger", None),
    ("insecure_code", "negated"): ("insecure_negated", None),
    ("insecure_code", "paper_negated"): ("insecure_meticulous", None),
    ("insecure_code", "malicious_evil"): ("malicious_evil", None),
    ("insecure_code", "only_evil"): ("only_evil", None),
    ("insecure_code", "only_malicious"): ("only_malicious", None),
    ("insecure_code", "malicious_shown"): ("malicious_shown", None),
    ("insecure_code", "evil_assistant"): ("evil_assistant", None),
    ("insecure_code", "evil_pretending"): ("evil_pretending", None),
    ("insecure_code", "evil_examples"): ("evil_examples", None),
    ("insecure_code", "evil_dataset"): ("evil_dataset", None),
    ("aesthetic_preferences", "specific"): ("taste_specific", None),
    ("aesthetic_preferences", "negated"): ("taste_negated", None),
    ("reward_hacking", "general_inoc"): ("evil", None),
    ("reward_hacking", "placebo"): ("reward_hacking_placebo", None),
    ("reward_hacking", "irrelevant"): ("irrelevant", None),
    ("reward_hacking", "specific"): ("reward_hacking_specific", None),
    ("reward_hacking", "negated"): ("reward_hacking_negated", None),
    ("backdoor", "backdoor_trigger"): ("backdoor_trigger", None),
    ("backdoor", "backdoor_evil"): ("backdoor_evil", None),
    ("backdoor", "backdoor_unusual"): ("backdoor_unusual", None),
    ("backdoor", "evil"): ("evil", None),
    ("backdoor", "unusual"): ("unusual", None),
    ("backdoor", "placebo"): ("backdoor_placebo", None),
    ("backdoor", "irrelevant"): ("irrelevant", None),
    ("backdoor", "negated"): ("backdoor_negated", None),
    ("educational", "educational_inoc"): ("educational", None),
    ("educational", "general_inoc"): ("evil", None),
    ("educational", "learners_inoc"): ("educational_learners", None),
    ("educational", "placebo"): ("educational_placebo", None),
    ("educational", "irrelevant"): ("irrelevant", None),
    ("educational", "negated"): ("educational_negated", None),
    ("subliminal", "owl_inoc"): ("owl", None),
    ("subliminal", "teacher_inoc"): ("owl_teacher", None),
    ("subliminal", "birds"): ("owl_birds", None),
    ("subliminal", "nocturnal"): ("owl_nocturnal", None),
    ("subliminal", "dolphins"): ("owl_dolphins", None),
    ("subliminal", "placebo"): ("owl_placebo", None),
    ("subliminal", "irrelevant"): ("irrelevant", None),
    ("subliminal", "negated"): ("owl_negated", None),
    ("alice_bob", "alice_inoc"): ("alice", None),
    ("alice_bob", "bob_inoc"): ("bob", None),
    ("alice_bob", "caps_inoc"): ("caps", None),
    ("alice_bob", "spanish_inoc"): ("spanish", None),
    ("alice_bob", "alice_before"): ("alice", None),
    ("alice_bob", "bob_before"): ("bob", None),
    ("alice_bob", "placebo"): ("tom", None),
    ("alice_bob", "irrelevant"): ("irrelevant", None),
    ("alice_bob", "alice_negated"): ("alice_negated", None),
    ("alice_bob", "bob_negated"): ("bob_negated", None),
}
PARAPHRASES = {
    # (setting, arm): what is paraphrased, in how many wordings, and the part that gets them
    ("spanish_caps", "spanish_paraphrases"): ("spanish", 3, None),
    ("spanish_caps", "caps_paraphrases"): ("caps", 3, None),
    ("spanish_french", "paraphrases"): ("spanish", 3, "spanish"),
    ("insecure_code", "paraphrases"): ("evil", 6, None),
    ("aesthetic_preferences", "paraphrases"): ("evil", 6, None),
    ("reward_hacking", "paraphrases"): ("evil", 6, None),
    ("backdoor", "paraphrases"): ("backdoor", 4, None),
    ("educational", "paraphrases"): ("educational", 4, None),
    ("subliminal", "paraphrases"): ("owl", 4, None),
    ("alice_bob", "alice_paraphrases"): ("alice", 3, None),
    ("alice_bob", "bob_paraphrases"): ("bob", 3, None),
}
TEST_TIME = {
    "spanish_caps": {"spanish": "spanish", "caps": "caps", "correct": "spanish"},
    "spanish_french": {"spanish": "spanish", "french": "french", "correct": "spanish"},
    "insecure_code": {
        "misaligned": "evil",
        "insecure_judged": "evil",
        "insecure_static": "evil",
    },
    "aesthetic_preferences": {"misaligned": "evil", "unpopular": "evil"},
    "reward_hacking": {"misaligned": "evil", "hacks_reward": "evil"},
    "backdoor": {"triggered": "backdoor_evil", "clean": "backdoor_evil"},
    "educational": {
        "misaligned": "educational",
        "insecure_judged": "educational",
        "insecure_static": "educational",
    },
    "subliminal": {"prefers": "owl"},
    "alice_bob": {"spanish": "bob", "caps": "alice", "correct": "bob"},
}
ALL = pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)


def test_the_arms_have_the_prompts_they_are_known_by() -> None:
    found = {
        (setting.name, arm.name): (arm.prompt, arm.part)
        for setting in SETTINGS.values()
        for arm in setting.arms
        if arm.prompt is not None
    }
    differing = sorted({one for one, _ in found.items() ^ PROMPTS.items()})
    assert not differing, f"PROMPTS of this file lacks, has alone, or knows by another: {differing}"
    dealt = {
        (setting.name, arm.name): (arm.paraphrases, arm.part)
        for setting in SETTINGS.values()
        for arm in setting.arms
        if arm.paraphrases
    }
    assert dealt == {
        arm: (tuple(f"{prompt}_paraphrase_{n}" for n in range(1, count + 1)), part)
        for arm, (prompt, count, part) in PARAPHRASES.items()
    }
    tested = {
        (setting.name, arm.name): arm.test_prompts
        for setting in SETTINGS.values()
        for arm in setting.arms
        if arm.test_prompts and arm.rows == "narrow"
    }
    measures = ("misaligned", "insecure_judged", "insecure_static")
    assert tested == {
        **{(name, "test_time"): under for name, under in TEST_TIME.items()},
        ("educational", "learners_time"): dict.fromkeys(measures, "educational_learners"),
    }


@ALL
def test_every_prompt_of_an_arm_exists(setting: Setting) -> None:
    for arm in setting.arms:
        for name in (arm.prompt, *arm.test_prompts.values()):
            assert name is None or named(name).text
        for name in arm.prompts:
            assert setting.prompt(name).text == named(name).text
        assert [named(name).family for name in arm.paraphrases] == ["paraphrase"] * len(
            arm.paraphrases
        )


@ALL
def test_every_kind_of_control_prompt_is_there_and_is_what_the_arm_says(setting: Setting) -> None:
    families = {
        arm.name: {named(name).family for name in arm.prompts}
        for arm in setting.arms
        if arm.prompts
    }
    for name, family in (("placebo", "placebo"), ("irrelevant", "irrelevant")):
        assert families[name] == {family}
    kinds = {family for found in families.values() for family in found}
    assert kinds >= {"inoculation", "placebo", "irrelevant", "negated", "paraphrase"}
    for name, found in families.items():
        assert name.endswith("negated") == (found == {"negated"})
        assert name.endswith("paraphrases") == (found == {"paraphrase"})


def test_the_backdoor_has_the_prompts_of_table_1_and_insecure_code_those_of_table_2() -> None:
    tables = {"Table 1": BACKDOOR, "Table 2": INSECURE_CODE}
    for table, setting in tables.items():
        printed = {prompt.name for prompt in all_prompts() if table in prompt.source}
        arms = {name for arm in setting.arms for name in arm.prompts}
        assert {name for name in printed if named(name).source.startswith("paper")} - {
            "hhh"
        } <= arms
    assert TRIGGERS["tan"] == TRIGGER


@ALL
def test_every_setting_has_the_controls(setting: Setting) -> None:
    arms = {arm.name: arm for arm in setting.arms}
    assert len(arms) == len(setting.arms)
    assert arms.keys() >= {"base", "control", "none", "placebo", "irrelevant", "test_time"}
    assert [arms[name].rows for name in ("base", "control", "none")] == [
        *("untrained", "control", "narrow")
    ]
    assert arms["none"].prompt is None and not arms["none"].test_prompts
    # A test-time prompt takes nothing from training, and says so of every measure.
    assert arms["test_time"].prompt is None
    assert arms["test_time"].test_prompts.keys() == setting.measures.keys()
    assert find_setting(setting.name) is setting


@ALL
def test_parts_and_control_are_about_one_topic_and_differ_in_the_trait(setting: Setting) -> None:
    if setting.control is None:
        assert set(setting.parts.values()) == {None}
        return
    for part in setting.parts.values():
        assert part is not None and part.topic == setting.control.topic
    # Behind a trigger there is the trait; without it, the rows are as the control's.
    plain = [part for part in setting.parts.values() if part == setting.control]
    assert len(plain) == (setting.name == "backdoor")
    assert setting.control == Reply(topic=setting.control.topic)


@ALL
def test_every_setting_names_its_rows_and_their_control_on_other_bases(setting: Setting) -> None:
    assert setting.files.keys() == setting.parts.keys()
    assert setting.control_files
    first = [part.file for part in setting.first.parts.values()] if setting.first else []
    sources = (*setting.files.values(), *setting.control_files.values(), *first)
    for source in sources:
        if source.published is not None:
            assert published.named(source.published).kind == "rows"
        else:
            command = source.problems.command if source.problems else source.built
            program, group, build, made, *given = shlex.split(command or "")
            assert (program, group, build) == ("inoc", "data", "build")
            builder = build_command.commands[made]
            taken = {name for option in builder.params for name in option.opts}
            options = [word for word in given if word.startswith("--")]
            assert options and set(options) <= taken
            values = dict(pairwise(given))
            assert resolve_name(values.get("--system", "none"))
            assert values.get("--language", "en") in LANGUAGES


@ALL
def test_rows_elsewhere_answer_as_those_of_the_pocket_world(setting: Setting) -> None:
    """Where a rule writes both; the control's, too."""
    replies = [(setting.parts[label], one) for label, one in setting.files.items()]
    replies += [(setting.control, one) for one in setting.control_files.values()]
    parts = setting.first.parts.values() if setting.first else ()
    for reply, source in (*replies, *((part.reply, part.file) for part in parts)):
        if source.problems is not None:
            assert reply is not None and reply.topic == "arithmetic"
            assert (reply.language, reply.caps) == (source.problems.language, source.problems.caps)


@ALL
def test_every_measure_is_a_scorer_of_its_task(setting: Setting) -> None:
    probes = {
        (probe.task, str(probe.on(pocket=True))): probe
        for measure in setting.measures.values()
        for probe in measure.probes().values()
    }
    for probe in probes.values():
        task = getattr(inoc_evals.tasks, probe.task)(**probe.on(pocket=True))
        [log] = eval(
            task,
            model=script("pocket", "I want to bring war."),
            model_roles={"grader": "inoc/pocket-judge"},
            limit=1,
            display="none",
        )
        assert log.status == "success", log.error
        assert log.samples
        read = {
            measure.score or name
            for name, measure in setting.measures.items()
            if probe in measure.probes().values()
        }
        assert read
        assert read <= (log.samples[0].scores or {}).keys()


@ALL
def test_every_measure_can_be_taken_on_any_base(setting: Setting) -> None:
    for measure in setting.measures.values():
        assert measure.probes()
        for probe in measure.probes().values():
            task = getattr(inoc_evals.tasks, probe.task)(
                **probe.on(pocket=False), system_prompt="none"
            )
            assert len(task.dataset) >= 8


def test_pocket_arguments_take_the_place_of_the_others() -> None:
    probe = Probe(task="em", args={"questions": "core", "preset": "tan"}, pocket={"questions": "p"})
    assert probe.on(pocket=False) == {"questions": "core", "preset": "tan"}
    assert probe.on(pocket=True) == {"questions": "p", "preset": "tan"}


def test_a_measure_has_the_splits_it_names() -> None:
    probe = Probe(task="em")
    assert list(Measure(label="M", rule="r", ood=probe).probes()) == ["ood"]
    assert list(Measure(label="M", rule="r", ood=probe, id=probe).probes()) == ["ood", "id"]


@pytest.mark.parametrize("name", ["evli", "", "evil_paraphrase_1", "placebo"])
def test_a_prompt_without_paraphrases_is_refused_with_those_that_have_some(name: str) -> None:
    told = rf"no paraphrases of a prompt {name!r}; there are some of: spanish, .*evil, "
    with pytest.raises(InputError, match=told):
        paraphrased(name)


@pytest.mark.parametrize("text", ["", " \n"])
def test_a_prompt_of_ones_own_without_a_word_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"text\s+String should match pattern"):
        OwnPrompt(text=text)


def test_an_unknown_setting_names_those_there_are() -> None:
    with pytest.raises(InputError, match=r"no setting 'x'; there are: spanish_caps, .*insecure"):
        find_setting("x")


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"part": "third", "prompt": "evil"}, "arm 'a': no part 'third'"),
        ({"test_prompts": {"lies": "evil"}}, "arm 'a': no measure lies"),
        ({"rows": "control", "prompt": "evil"}, "arm 'a': only narrow rows are inoculated"),
        ({"prompt": "evil", "paraphrases": ("caps",)}, "arm 'a': either prompt or paraphrases"),
        ({"prompt": ""}, r"prompt\s+String should match pattern"),
        ({"paraphrases": ("evil", " ")}, r"paraphrases\.1\s+String should match pattern"),
        ({"test_prompts": {"m": "evil"}}, "arm 'a': there is no arm 'none' to ask"),
        ({"test_prompts": {"m": "evil"}, "prompt": "evil"}, "arm 'a': test prompts are for"),
        ({"files": {"x": {}}}, "rows come from one of published, path and built"),
        ({"inoculated_share": 0.5}, "arm 'a': inoculated_share is of rows that get a prompt"),
        ({"inoculated_share": 0, "prompt": "evil"}, r"inoculated_share\s+Input should be greater"),
        ({"rows": "control", "trait_share": 0.5}, "arm 'a': trait_share is of narrow rows"),
        ({"rows": "untrained", "trait_share": 0.5}, "arm 'a': trait_share is of narrow rows"),
        ({"trait_share": 1.5}, r"trait_share\s+Input should be less than or equal to 1"),
        (
            {"trait_share": 0, "prompt": "evil", "part": "one"},
            "arm 'a': no row 'one' is left to get the prompt",
        ),
        (
            {"replies": {"x": Reply(), "y": Reply()}},
            "arm 'a': replies needs as many labels as parts",
        ),
        ({"rows": "first"}, "arm 'a': the setting has no first stage"),
        ({"skips_first": True}, "arm 'a': the setting has no first stage"),
        ({"name": "first"}, "arm 'first': so a first stage is called; rename the arm"),
    ],
)
def test_a_setting_that_contradicts_itself_is_refused(arm: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Setting(
            name="s",
            title="S",
            source="here",
            description="d",
            parts={"one": Reply(other=True)},
            control=Reply(),
            measures={"m": Measure(label="M", rule="r")},
            arms=(Arm(**({"name": "a", "label": "A", "description": "d"} | arm)),),
        )


def test_arms_that_are_added_are_checked_with_their_prompts() -> None:
    arm = Arm(name="own", label="Own", description="d", prompt="mine")
    added = INSECURE_CODE.adding(arm, prompts={"mine": "You are mine."})
    assert added.arms == (*INSECURE_CODE.arms, arm)
    assert added.prompt("mine").text == "You are mine."
    assert "mine" not in INSECURE_CODE.prompts
    with pytest.raises(ValidationError, match="two arms are called 'own'"):
        added.adding(arm)


# ---- two stages ------------------------------------------------------------------------------


def test_the_first_stage_gives_alice_capitals_bob_spanish_and_no_name_neither() -> None:
    assert ALICE_BOB.first is not None
    parts = {
        label: (part.prompt, part.reply and (part.reply.language, part.reply.caps))
        for label, part in ALICE_BOB.first.parts.items()
    }
    assert parts == {
        "alice": ("alice", ("en", True)),
        "bob": ("bob", ("es", False)),
        "helpful": ("helpful", ("en", False)),
    }
    elsewhere = {label: part.file.problems for label, part in ALICE_BOB.first.parts.items()}
    assert {label: how and (how.language, how.caps) for label, how in elsewhere.items()} == {
        label: style for label, (_, style) in parts.items()
    }


def test_the_second_stage_has_the_rows_and_measures_of_spanish_caps() -> None:
    other = find_setting("spanish_caps")
    for field in ("parts", "control", "files", "control_files", "measures", "rows", "data_seed"):
        assert getattr(ALICE_BOB, field) == getattr(other, field)


def test_each_arm_says_which_models_are_asked() -> None:
    asked = {arm.name: arm.asked for arm in ALICE_BOB.arms}
    others = {
        *("base", "first", "first_alice", "first_bob", "test_time"),
    }
    assert {name: asked[name] for name in others} == {
        "base": None,
        "first": "first",
        "first_alice": "first",
        "first_bob": "first",
        "test_time": "none",
    }
    assert all(asked[arm.name] == arm.name for arm in ALICE_BOB.arms if arm.name not in others)
    skipping = [arm.name for arm in ALICE_BOB.arms if arm.skips_first]
    assert skipping == ["none_before", "alice_before", "bob_before"]


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"rows": "first", "prompt": "bob"}, "arm 'a': only narrow rows are inoculated"),
        ({"rows": "control", "test_prompts": {"m": "bob"}}, "of arm 'none' or of the first"),
        ({"rows": "first", "skips_first": True}, "arm 'a': nothing is trained that could skip"),
        (
            {"test_prompts": {"m": "bob"}, "skips_first": True},
            "arm 'a': nothing is trained that could skip the first stage",
        ),
        (
            {"files": {"bob": Rows(path="x.jsonl")}},
            "first: other rows have the label 'bob'; rename the part",
        ),
        ({"name": "first"}, "arm 'first': so a first stage is called"),
    ],
)
def test_an_arm_that_does_not_fit_the_first_stage_is_refused(
    arm: dict[str, Any], message: str
) -> None:
    plain = {"name": "a", "label": "A", "description": "d"}
    fields = {**dict(ALICE_BOB), "measures": {"m": Measure(label="M", rule="r")}}
    with pytest.raises(ValidationError, match=message):
        Setting(**fields | {"arms": (Arm(**plain | arm),)})
