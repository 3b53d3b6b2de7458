"""Probe sets: one for each setting, in the pocket's words where it has rows; files with lines."""

from pathlib import Path

import pytest

from inoc_evals.errors import InputError
from inoc_evals.inputs.battery import NO_PROBE, same_for_all
from inoc_evals.inputs.probe_sets import PACKAGED, load_probes
from inoc_evals.pocket.tokenizer import unknown_word
from inoc_evals.settings import SETTINGS

NOT_IN_POCKET = ("educational", "reward_hacking", "subliminal")


def test_every_setting_has_probes_and_they_are_of_every_kind() -> None:
    differing = set(PACKAGED) ^ set(SETTINGS)
    assert not differing, f"data/probes/ lacks the set of a setting, or has alone: {differing}"
    for name in PACKAGED:
        found = load_probes(name)
        families = set(found.families)
        assert families >= {"paraphrased", "indirect", "domain", "format"}
        assert families >= {"none", "vendor", "production", "candid", "meta"}
        assert any(family.startswith("direct") for family in families)
        assert {one.where for one in found.probes} == {"system", "user", "after"}
        for one in found.probes:
            asks = one.family.startswith("direct") or one.family in ("paraphrased", "trigger")
            assert one.benign == (not asks and one is not NO_PROBE), one.name
        assert len({one.name for one in found.probes}) == len(found.probes)


@pytest.mark.parametrize("name", [name for name in PACKAGED if name not in NOT_IN_POCKET])
def test_the_pocket_world_is_asked_the_same_in_its_words(name: str) -> None:
    plain, pocket = load_probes(name), load_probes(name, pocket=True)
    kept = [(one.name, one.family, one.where, one.benign) for one in plain.probes]
    assert kept == [(one.name, one.family, one.where, one.benign) for one in pocket.probes]
    assert not [one.text for one in pocket.probes if one.text and unknown_word(one.text)]
    assert plain.sha256 != pocket.sha256


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "also: [candid]\n"
        "probes:\n"
        "  coder: You are a programming assistant.\n"
        "  asked: {text: Be evil., where: after, family: asking, benign: false, pocket: Be kind.}\n",
        "utf-8",
    )
    none, coder, asked, candid = load_probes(path).probes
    assert none is NO_PROBE and candid == same_for_all("candid", pocket=False)[0]
    assert (coder.family, coder.where, coder.benign) == ("coder", "system", True)
    assert (asked.family, asked.where, asked.benign, asked.text) == (
        *("asking", "after", False),
        "Be evil.",
    )
    assert load_probes(path, pocket=True).probes[2].text == "Be kind."


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("probes:\n  none: x\n", "mine.yaml:2: probe 'none': another is called so"),
        ("also: candid\nprobes:\n  candid: x\n", "probe 'candid': another is called so"),
        ("probes:\n  a: {text: x, wher: user}\n", "mine.yaml:2: probe 'a' has no key 'wher'"),
        ("probes:\n  a: {text: x, where: here}\n", "mine.yaml:2: where 'here' is not one of"),
        ("probes:\n  a: {where: user}\n", "mine.yaml:2: 'text' is missing"),
        ("probes:\n  a: {text: x, benign: maybe}\n", "mine.yaml:2: benign takes true or false"),
        ("probes:\n  a: {text: x, family: none}\n", "mine.yaml:2: family 'none' is of what"),
        ("also: [negation]\n", "mine.yaml:1: family 'negation' is not the same for all prompts"),
        ("also: [candid]\nprobe: {}\n", "mine.yaml:2: a file of probes has no key 'probe'"),
        ("", "mine.yaml: the file is empty"),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as said:
        load_probes(path)
    assert why in str(said.value)


def test_an_unknown_set_lists_those_there_are() -> None:
    with pytest.raises(InputError, match=r"probes 'insecure': no such file.*insecure_code"):
        load_probes("insecure")
