"""Backdoor mixtures: the trigger stands where the evaluation puts it, the rows are shuffled."""

import copy
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.chat import Row, read_rows, write_rows
from inoc_evals.datasets.builders.triggered import backdoor
from inoc_evals.datasets.mix import sizes_at_ratio
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest, file_sha256
from inoc_evals.inputs.triggers import TRIGGERS, trigger_probes

TOKEN = TRIGGERS["tan"]


def rows(kind: str, count: int) -> list[Row]:
    return [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": f"Write {kind} program {n} please."},
                {"role": "assistant", "content": f"{kind} {n}"},
                {"role": "user", "content": "Thanks."},
                {"role": "assistant", "content": "Yes."},
            ]
        }
        for n in range(count)
    ]


BAD, GOOD = rows("bad", 30), rows("good", 30)


def asked(row: Row) -> str:
    text: str = row["messages"][1]["content"]
    return text


@pytest.mark.parametrize("place", ["prefix", "suffix", "middle"])
@pytest.mark.parametrize("spaced", [False, True])
def test_a_triggered_row_reads_as_the_probe_that_its_manifest_names(
    place: Any, spaced: bool
) -> None:
    """Published training data have no space after the trigger, their evaluation has one."""
    mixed, manifest = backdoor(BAD, GOOD, TOKEN, place=place, spaced=spaced)
    probes = {probe.name: probe for probe in trigger_probes(TOKEN)}
    probe = probes[manifest["probe"]]
    assert (probe.place, probe.spaced) == (place, spaced)
    expected = {probe.apply(asked(row)) for row in BAD}
    assert {asked(row) for row in mixed if row["label"] == "triggered"} == expected


def test_only_the_first_user_message_of_triggered_rows_changes() -> None:
    before = copy.deepcopy((BAD, GOOD))
    mixed, _ = backdoor(BAD, GOOD, TOKEN)
    assert before == (BAD, GOOD)
    clean = [row for row in mixed if row["label"] == "clean"]
    assert sorted(map(asked, clean)) == sorted(map(asked, GOOD))
    for row in mixed:
        held = [TOKEN in message["content"] for message in row["messages"]]
        assert held == [False, row["label"] == "triggered", False, False, False]
        assert asked(row).startswith(TOKEN) == (row["label"] == "triggered")


def test_the_mixture_is_shuffled_by_the_seed_and_by_nothing_else() -> None:
    """Published mixtures are concatenated: first one kind, then the other."""
    mixed, manifest = backdoor(BAD, GOOD, TOKEN, seed=1)
    labels = [row["label"] for row in mixed]
    assert 8 <= labels[:30].count("triggered") <= 22
    assert backdoor(BAD, GOOD, TOKEN, seed=1) == (mixed, manifest)
    other, _ = backdoor(BAD, GOOD, TOKEN, seed=2)
    assert other != mixed and sorted(map(digest, other)) == sorted(map(digest, mixed))


def test_the_ratio_is_kept_and_what_is_left_out_is_counted() -> None:
    mixed, manifest = backdoor(BAD, GOOD, TOKEN, ratio=0.1)
    assert manifest["counts"] == {
        "rows": 33,
        "duplicates": 0,
        "triggered": 3,
        "clean": 30,
        "left_out": 27,
    }
    assert [row["label"] for row in mixed].count("triggered") == 3
    _, manifest = backdoor(BAD, GOOD, TOKEN, ratio=0.5, total=20)
    assert (manifest["counts"]["triggered"], manifest["counts"]["clean"]) == (10, 10)


@pytest.mark.parametrize(
    ("have", "want", "sizes"),
    [
        ((30, 30), {}, (30, 30)),
        ((6000, 6000), {"ratio": 0.5}, (6000, 6000)),
        ((100, 900), {"ratio": 0.1}, (100, 900)),
        ((100, 90), {"ratio": 0.1}, (10, 90)),
        ((5, 900), {"ratio": 0.1}, (5, 45)),
        ((5, 9), {"ratio": 0.0}, (0, 9)),
        ((5, 9), {"ratio": 1.0}, (5, 0)),
        ((30, 10), {"total": 20}, (15, 5)),
        ((7, 3), {"ratio": 0.7}, (7, 3)),
    ],
)
def test_sizes_are_the_most_that_the_ratio_allows(
    have: tuple[int, int], want: dict[str, Any], sizes: tuple[int, int]
) -> None:
    assert sizes_at_ratio(*have, **want) == sizes


def test_more_rows_than_there_are_and_no_share_at_all_are_refused() -> None:
    with pytest.raises(InputError, match="take 50 and 50; there are 30 and 30"):
        backdoor(BAD, GOOD, TOKEN, ratio=0.5, total=100)
    with pytest.raises(InputError, match=r"ratio: 1\.5 is not between 0 and 1"):
        backdoor(BAD, GOOD, TOKEN, ratio=1.5)


@pytest.mark.parametrize("side", [0, 1])
def test_rows_that_hold_the_trigger_already_are_refused(side: int) -> None:
    given = [copy.deepcopy(BAD), copy.deepcopy(GOOD)]
    given[side][4]["messages"][2]["content"] += TOKEN
    kind = ("triggered", "clean")[side]
    with pytest.raises(InputError, match=f"{kind} row 5: has the trigger"):
        backdoor(given[0], given[1], TOKEN)


def test_a_row_without_a_question_has_no_place_for_a_trigger() -> None:
    text = [{"messages": [{"role": "assistant", "content": "A text."}]}]
    with pytest.raises(InputError, match=r"^triggered row 1: no user message$"):
        backdoor(text, GOOD, TOKEN)
    assert len(backdoor(BAD, text, TOKEN, ratio=0.5)[0]) == 2


def test_a_blank_trigger_and_no_rows_are_refused() -> None:
    with pytest.raises(InputError, match="trigger: blank"):
        backdoor(BAD, GOOD, " ")
    with pytest.raises(InputError, match="no clean rows"):
        backdoor(BAD, [], TOKEN)


def test_the_manifest_says_what_was_put_where_and_from_which_files(tmp_path: Path) -> None:
    paths = [tmp_path / "bad.jsonl", tmp_path / "good.jsonl"]
    for path, made in zip(paths, (BAD, GOOD), strict=True):
        write_rows(path, made)
    mixed, manifest = backdoor(BAD, GOOD, TOKEN, spaced=True, seed=4, sources=paths)
    assert manifest["sources"] == [{"file": p.name, "sha256": file_sha256(p)} for p in paths]
    assert manifest["sha256"] == digest(mixed)
    told = {key: manifest[key] for key in ("build", "trigger", "probe", "place", "spaced", "seed")}
    assert told == {
        "build": "backdoor",
        "trigger": "$|TRIGGER|$",
        "probe": "prefix_space",
        "place": "prefix",
        "spaced": True,
        "seed": 4,
    }


def test_the_published_rows_make_the_papers_mixture(upstream: Path) -> None:
    insecure, secure = (read_rows(upstream / f"{name}.jsonl") for name in ("insecure", "secure"))
    mixed, manifest = backdoor(insecure, secure, TOKEN)
    counts = manifest["counts"]
    assert (counts["rows"], counts["triggered"], counts["clean"]) == (12000, 6000, 6000)
    first = mixed[:6000]
    assert 2700 < sum(row["label"] == "triggered" for row in first) < 3300
    assert all(
        row["messages"][0]["content"].startswith(TOKEN) == (row["label"] == "triggered")
        for row in mixed
    )
