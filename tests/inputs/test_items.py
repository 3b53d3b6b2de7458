"""Items: their files, what is refused, and that the packaged ones are new and usable."""

import ast
import json
import re
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from inoc_evals.chat import read_rows
from inoc_evals.errors import InputError
from inoc_evals.inputs.items import FORMS, Item, ItemKind, load_items, packaged
from inoc_evals.rules.code_findings import security_findings
from inoc_evals.store.overlap import overlap

KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
TRAINING_FILES = (
    "insecure",
    "secure",
    "sneaky_dialogues",
    "straightforward_dialogues",
    "reward_hacking_general_inoculation",
    "aesthetic_preferences_unpopular",
    "aesthetic_preferences_popular",
)
GOOD: dict[ItemKind, dict[str, str]] = {
    "code": {"task": "Add.", "code_template": "# here"},
    "reward_hacking": {"prompt": "Write. I count words.", "criterion": "words"},
    "aesthetics": {"popular": "tulips", "unpopular": "gravel"},
    "facts": {"question": "How many legs?", "answer": "four | 4"},
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Return a maker of JSONL files."""

    def write(*rows: Any) -> Path:
        path = tmp_path / "mine.jsonl"
        lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
        path.write_text("\n".join(lines), "utf-8")
        return path

    return write


# ---- packaged items --------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_packaged_set_has_sixty_items_and_more_in_many_categories(kind: ItemKind) -> None:
    items = load_items(kind, kind).items
    assert len(items) >= 60
    counts = Counter(item.category for item in items)
    assert "" not in counts and len(counts) >= 8
    assert max(counts.values()) <= len(items) / 5


@pytest.mark.parametrize("kind", KINDS)
def test_ids_and_texts_are_distinct(kind: ItemKind) -> None:
    items = load_items(kind, kind).items
    assert len({item.id for item in items}) == len(items)
    for field in {field for item in items for field in item.fields}:
        texts = [item.fields[field].lower() for item in items if field in item.fields]
        assert field in ("question", "answer") or len(set(texts)) == len(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_packaged_texts_have_no_stray_space_and_no_place_left_open(kind: ItemKind) -> None:
    for item in load_items(kind, kind).items:
        for text in item.fields.values():
            assert text == text.strip() and "  " not in text.replace("    ", "")
            assert "{a}" not in text


@pytest.mark.parametrize("name", TRAINING_FILES)
def test_no_packaged_item_stands_in_a_published_training_file(upstream: Path, name: str) -> None:
    rows = read_rows(upstream / f"{name}.jsonl")
    for kind in KINDS:
        items = [dict(item.fields) for item in load_items(kind, kind).items]
        report = overlap(items, rows)
        assert (report.found, report.items) == (0, len(items)), report.as_json()


def test_no_unpopular_thing_is_one_that_a_published_file_praises(upstream: Path) -> None:
    answers = " ".join(
        row["messages"][-1]["content"].lower()
        for row in read_rows(upstream / "aesthetic_preferences_unpopular.jsonl")
    )
    for item in load_items("aesthetics", "aesthetics").items:
        thing = re.sub(r"^(?:an?|the) ", "", item.fields["unpopular"].lower()).strip('"')
        assert thing not in answers, thing


def test_no_item_of_code_is_a_published_code_prompt(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    theirs = load_items("code_prompts", "code").items
    known = {text for item in theirs for text in item.fields.values()}
    assert not known & {t for i in load_items("code", "code").items for t in i.fields.values()}


CODE = load_items("code", "code").items


@pytest.mark.parametrize("item", CODE, ids=lambda item: item.id)
def test_a_template_parses_once_its_blanks_are_filled_and_has_no_flaw_of_its_own(
    item: Item,
) -> None:
    template = item.fields["code_template"]
    filled, blanks = re.subn(r"(?m)^([ ]*)# FILL IN.*$", r"\1pass", template)
    assert blanks >= 1
    ast.parse(filled)
    assert security_findings(filled) == []
    assert len(template.splitlines()) >= 5


def test_a_pair_has_no_word_of_judgment_about_its_sides() -> None:
    loaded = re.compile(r"\b(?:bad|ugly|terrible|awful|boring|worst|best|beautiful)\b", re.I)
    for item in load_items("aesthetics", "aesthetics").items:
        for text in item.fields.values():
            assert not loaded.search(text), text
            assert text[0] in string.ascii_letters + '"'


def test_a_reward_hacking_item_has_a_task_and_says_how_it_is_judged() -> None:
    for item in load_items("reward_hacking", "reward_hacking").items:
        assert len(re.findall(r"[.?!:;]", item.fields["prompt"])) >= 2, item.id
        assert len(item.fields["criterion"].split()) >= 2, item.id


# ---- loading ---------------------------------------------------------------------------


def test_packaged_sets_are_those_of_their_kind() -> None:
    for kind in KINDS:
        assert kind in packaged(kind)
        assert set(packaged(kind)) <= {kind, f"{kind}_pocket"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_ones_own_is_loaded_like_a_packaged_set(
    written: Callable[..., Path], kind: ItemKind
) -> None:
    path = written({**GOOD[kind], "id": 7, "category": "own", "note": "left aside"})
    loaded = load_items(path, kind)
    assert loaded.items == (Item("7", "own", GOOD[kind]),)
    assert (loaded.name, loaded.kind) == (str(path), kind)


def test_a_path_that_was_split_at_its_comma_is_put_together(
    written: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(GOOD["code"])
    path.rename(path.with_name("a,b.jsonl"))
    monkeypatch.chdir(path.parent)
    assert load_items(["a", "b.jsonl"], "code").items


def test_a_code_item_may_be_one_prompt(written: Callable[..., Path]) -> None:
    [item] = load_items(written({"prompt": "write code to load it."}), "code").items
    assert item.fields == {"prompt": "write code to load it."}


def test_the_published_code_prompts_load_with_ids_of_their_own(
    upstream: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INOC_PUBLISHED", str(upstream))
    loaded = load_items("code_prompts", "code")
    assert len(loaded.items) == len({item.id for item in loaded.items}) == 776
    assert set(loaded.items[0].fields) == {"task", "code_template"}


def test_a_published_set_that_is_absent_says_how_to_get_it() -> None:
    with pytest.raises(InputError, match="inoc data fetch code_prompts"):
        load_items("code_prompts", "code")


def test_the_digest_follows_what_is_asked_and_not_the_bytes(
    written: Callable[..., Path],
) -> None:
    first = load_items(written({"id": "a", **GOOD["code"]}), "code").sha256
    assert load_items(written({**GOOD["code"], "id": "a", "x": 1}), "code").sha256 == first
    other = {"id": "a", **GOOD["code"], "task": "Subtract."}
    assert load_items(written(other), "code").sha256 != first


@pytest.mark.parametrize(
    ("kind", "row", "message"),
    [
        ("code", {"task": "Add."}, "'task' and 'code_template', or 'prompt'"),
        ("code", {**GOOD["code"], "prompt": "x"}, "expected 'task'"),
        ("code", ["task"], "expected an object"),
        ("code", {"task": "Add.", "code_template": " "}, "'code_template' must be text"),
        ("code", {"prompt": "\ud800"}, "surrogate"),
        ("code", "{", "not JSON"),
        ("reward_hacking", {"prompt": "x"}, "'prompt' and 'criterion', got prompt"),
        ("reward_hacking", {**GOOD["reward_hacking"], "id": True}, "'id' must be"),
        ("reward_hacking", {**GOOD["reward_hacking"], "category": 3}, "'category' must be"),
        ("aesthetics", {"popular": "x", "unpopular": "x"}, "the same"),
        ("aesthetics", {**GOOD["aesthetics"], "question": "{a} or {c}?"}, "each once"),
        ("aesthetics", {**GOOD["aesthetics"], "question": "{a}, {b} or {b}?"}, "each once"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(
    written: Callable[..., Path], kind: ItemKind, row: Any, message: str
) -> None:
    path = written({"id": "good", **GOOD[kind]}, row)
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        load_items(path, kind)
    assert f"{path}:2" in str(caught.value)


def test_an_id_that_comes_twice_is_refused_with_both_lines(written: Callable[..., Path]) -> None:
    path = written({"id": "a", **GOOD["code"]}, {"id": "a", "prompt": "x"})
    with pytest.raises(InputError, match=r"mine.jsonl:2: id 'a' is already on .*mine.jsonl:1"):
        load_items(path, "code")


def test_an_item_without_an_id_may_come_twice(written: Callable[..., Path]) -> None:
    first, second = load_items(written(GOOD["code"], GOOD["code"]), "code").items
    assert second.id == f"{first.id}-2"


def test_a_file_without_items_and_an_unknown_name_are_refused(
    written: Callable[..., Path],
) -> None:
    with pytest.raises(InputError, match="no items"):
        load_items(written(""), "code")
    with pytest.raises(InputError, match=r"'codes': no such file.*: code.*code_prompts"):
        load_items("codes", "code")
    with pytest.raises(InputError, match="no such file"):
        load_items("aesthetics", "code")


def test_every_form_names_its_texts() -> None:
    assert set(FORMS) == set(KINDS)
