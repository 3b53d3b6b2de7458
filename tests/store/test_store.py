"""The store: names, records, adapters, and what a kill or two processes at once can do."""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.digests import file_sha256
from inoc_evals.store.store import Fingerprint, ModelRecord, Store, check_name, inoc_home


def record(name: str = "m", **changes: Any) -> ModelRecord:
    fields: dict[str, Any] = {
        "name": name,
        "identity": "a1" * 32,
        "base": "pocket",
        "base_digest": "b" * 64,
        "adapter_sha256": "c" * 64,
        "data": {"sha256": "d" * 64},
        "config": {"learning_rate": 0.005, "rank": 8},
        "seed": 0,
        "fingerprint": Fingerprint(token_ids=(1, 2), logprobs=(-0.5,), base_logprobs=(-1.5,)),
    }
    fields |= changes
    return ModelRecord(**({"adapter": f"adapters/{fields['identity']}"} | fields))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def with_adapter(store: Store, made: ModelRecord) -> ModelRecord:
    """Put an adapter's weights in the store and return the record that fits them."""
    weights = store.root / made.adapter / "adapter_model.safetensors"
    weights.parent.mkdir(parents=True, exist_ok=True)
    weights.write_bytes(b"weights")
    return made.model_copy(update={"adapter_sha256": file_sha256(weights)})


# ---- where, and what may be a name ---------------------------------------------------------


def test_the_store_lies_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("INOC_HOME", str(tmp_path / "here"))
    assert Store().root == inoc_home() == tmp_path / "here"
    monkeypatch.setenv("INOC_HOME", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert inoc_home().name == "inoc-evals"


@pytest.mark.parametrize("name", ["m", "fig2a-none-0", "A.b_c-1", "9", "pocket-caps", "x" * 128])
def test_a_plain_name_is_a_model_name(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".hidden", "-x", "a/b", "../up", "a b", "a,b", "a:7", "a@b", "ñ", "a\n", "x" * 129]
)
def test_a_name_that_is_no_file_name_or_no_model_argument_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="use letters, digits"):
        check_name(name)


@pytest.mark.parametrize("name", ["pocket", "pocket-judge"])
def test_the_pocket_worlds_own_names_are_reserved(name: str, store: Store) -> None:
    with pytest.raises(InputError, match="reserved"):
        store.put(record(name))


@pytest.mark.parametrize("name", ["x.", "CON", "nul.v2", "Com1", "lpt9", "aux.", "PRN", "com0"])
def test_a_name_that_another_system_has_no_file_for_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no file's name on Windows"):
        check_name(name)
    assert check_name("console") == "console"


def test_a_name_that_differs_from_another_in_case_alone_is_refused(store: Store) -> None:
    store.put(record("Run-1"))
    with pytest.raises(StoreError, match="'Run-1' exists, and 'run-1' differs from it in case"):
        store.put(record("run-1"))
    store.put(record("Run-1"))
    assert store.names() == ["Run-1"]


def test_models_of_an_older_store_with_such_names_are_read_and_put_again(store: Store) -> None:
    store.put(record("m"))
    for name in ("M", "CON"):
        (store.models / f"{name}.json").write_text(record(name).model_dump_json(), "utf-8")
    assert [store.get(name).name for name in store.names()] == ["CON", "M", "m"]
    store.put(record("M"))
    store.put(record("m"))
    store.remove("CON")
    assert store.names() == ["M", "m"]


def test_where_m_and_M_are_one_file_only_the_one_that_was_put_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put(record("m"))
    (store.models / "M.json").write_bytes((store.models / "m.json").read_bytes())
    monkeypatch.setattr(Store, "names", lambda self: ["m"])
    assert store.get("m").name == "m"
    with pytest.raises(InputError, match="no model named 'M'"):
        store.get("M")


# ---- records -------------------------------------------------------------------------------


def test_a_record_lies_here_or_at_a_provider_and_nowhere_else(store: Store) -> None:
    local = {"adapter": None, "adapter_sha256": None, "fingerprint": None}
    remote = record(remote="ft:gpt-4.1-2025-04-14:org::x", **local)
    store.put(remote)
    assert store.get("m") == remote
    with pytest.raises(StoreError, match=r"model 'm' is ft:gpt-4\.1-2025-04-14:org::x at its"):
        store.verify_adapter(remote)
    with pytest.raises(ValidationError, match="neither a remote model nor adapter"):
        record(adapter=None)
    with pytest.raises(ValidationError, match="a remote model has no adapter"):
        record(remote="ft:x")


def test_a_record_from_before_there_were_remote_models_is_read(store: Store) -> None:
    store.put(record())
    path = store.models / "m.json"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line for line in lines if '"remote"' not in line))
    assert store.get("m").remote is None


def test_a_record_comes_back_as_it_was_put(store: Store) -> None:
    made = record(metrics={"loss": [1.5, 0.25]}, parent="e" * 64, versions={"torch": "2"})
    store.put(made)
    assert store.find("m") == store.get("m") == made
    assert list(Store(store.root).readable()) == [made]


def test_a_record_is_fixed_and_knows_its_fields() -> None:
    with pytest.raises(ValidationError):
        record().seed = 1
    with pytest.raises(ValidationError, match="extra"):
        record(sede=1)


def test_names_are_sorted_and_may_hold_dots(store: Store) -> None:
    assert store.names() == []
    for name in ("b", "a.v2", "a"):
        store.put(record(name))
    assert store.names() == ["a", "a.v2", "b"]


def test_an_unknown_name_says_which_there_are(store: Store) -> None:
    with pytest.raises(InputError, match="there are none yet; train one with: inoc train"):
        store.get("m")
    store.put(record("spanish"))
    store.put(record("caps"))
    with pytest.raises(InputError, match=r"no model named 'spanihs' in .*there are: caps, spanish"):
        store.get("spanihs")


def test_of_many_models_those_with_a_like_name_are_listed(store: Store) -> None:
    for number in range(10):
        store.put(record(f"run-{number}"))
    with pytest.raises(InputError, match=r"like it: run-.*; all 10: inoc models list") as error:
        store.get("run-")
    assert len(str(error.value).partition("like it:")[2].split(",")) <= 6
    with pytest.raises(InputError, match=r"; all 10: inoc models list"):
        store.get("something-else")


def test_a_name_cannot_lead_out_of_the_store(store: Store) -> None:
    store.put(record())
    (store.root / "outside.json").write_text(record("outside").model_dump_json())
    with pytest.raises(InputError, match="no model named"):
        store.get("../outside")


def test_a_revision_is_a_prefix_of_the_identity(store: Store) -> None:
    store.put(record())
    assert store.get("m@a1a1") == store.get("m")
    with pytest.raises(StoreError, match="is revision a1a1a1a1, not 'beef'"):
        store.get("m@beef")


@pytest.mark.parametrize("piece", ["23456789", "9abcdef", "0123456789abcdefX", "ABCDEF", "f"])
def test_a_piece_of_the_identity_that_is_not_its_beginning_is_no_revision(
    store: Store, piece: str
) -> None:
    made = record(identity="0123456789abcdef" * 4)
    store.put(made)
    with pytest.raises(StoreError, match=f"is revision 01234567, not '{piece}'"):
        store.get(f"m@{piece}")
    for prefix in ("0", "01234567", made.identity):
        assert store.get(f"m@{prefix}") == made


def test_an_at_without_a_revision_is_refused(store: Store) -> None:
    store.put(record())
    with pytest.raises(InputError, match=f"after the @ comes a revision, .* {'a1' * 32}"):
        store.get("m@")


def test_putting_the_same_training_again_is_allowed(store: Store) -> None:
    store.put(record(metrics={"seconds": 1}))
    store.put(record(metrics={"seconds": 2}))
    assert store.get("m").metrics == {"seconds": 2}


def test_a_taken_name_is_refused_and_the_difference_is_named(store: Store) -> None:
    store.put(record())
    other = record(
        identity="f" * 64,
        seed=1,
        data={"sha256": "e" * 64},
        config={"learning_rate": 0.1, "rank": 8},
    )
    with pytest.raises(StoreError) as caught:
        store.put(other)
    assert "other seed, learning_rate, training rows; choose another --name" in str(caught.value)
    assert "inoc models rm m" in str(caught.value)
    assert store.get("m") == record(created=store.get("m").created)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Invalid JSON"),
        ('{"name": "m"', "Invalid JSON"),
        ('{"name": "m"}', "identity: Field required"),
        (record().model_dump_json()[:-1] + ', "x": 1}', "x: Extra inputs"),
    ],
)
def test_a_damaged_record_is_named_not_taken_for_missing(
    store: Store, text: str, fault: str
) -> None:
    store.models.mkdir(parents=True)
    (store.models / "m.json").write_text(text)
    with pytest.raises(StoreError, match=rf"m\.json: damaged record \(.*{fault}"):
        store.find("m")


def test_a_damaged_record_of_another_model_does_not_stop_a_removal(store: Store) -> None:
    store.put(record("a"))
    (store.models / "b.json").write_bytes(b"\xff not a record")
    store.remove("a")
    assert store.names() == ["b"]


# ---- records that name what is not theirs --------------------------------------------------


def copied(store: Store, stem: str, **changes: Any) -> Path:
    """Write a record's file by hand, as a copy that somebody changed."""
    fields = json.loads(record().model_dump_json()) | changes
    path = store.models / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))
    return path


def test_a_copy_of_a_record_is_damaged_and_its_removal_removes_nothing_else(store: Store) -> None:
    made = with_adapter(store, record("good"))
    store.put(made)
    copy = copied(store, "alias", name="good")
    with pytest.raises(StoreError, match=r"alias\.json: damaged record \(it is called 'good'"):
        store.get("alias")
    assert store.remove("alias") is None
    assert not copy.exists()
    assert store.get("good") == made
    assert store.verify_adapter(made).is_dir()


@pytest.mark.parametrize(
    "fields",
    [
        {"identity": "../../victim"},
        {"identity": "../../victim", "adapter": "adapters/../../victim"},
        {"identity": "a1" * 31 + "a"},
        {"identity": ("a1" * 32).upper()},
        {"adapter": "../victim"},
        {"adapter": "adapters/" + "b2" * 32},
        {"adapter": "adapters/../adapters/" + "a1" * 32},
    ],
)
def test_a_record_that_leads_elsewhere_is_damaged_and_removed_alone(
    store: Store, fields: dict[str, str]
) -> None:
    others = [store.root.parent / "victim", store.root.parent.parent / "victim"]
    others += [store.adapter_dir(identity) for identity in ("a1" * 32, "b2" * 32)]
    for directory in others:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "adapter_model.safetensors").write_bytes(b"theirs")
    path = copied(store, "m", **fields)
    for use in (store.find, store.get):
        with pytest.raises(StoreError, match=r"m\.json: damaged record .*; delete that file, or"):
            use("m")
    assert list(store.readable()) == []
    assert store.remove("m") is None
    assert not path.exists()
    assert all((directory / "adapter_model.safetensors").is_file() for directory in others)


def test_an_absolute_adapter_is_damaged(store: Store, tmp_path: Path) -> None:
    copied(store, "m", adapter=str(tmp_path))
    with pytest.raises(StoreError, match="its adapter is not adapters/<identity>"):
        store.get("m")


def test_what_is_no_record_at_all_is_named_and_does_not_stop_the_others(store: Store) -> None:
    store.put(record())
    (store.models / "folder.json").mkdir()
    copied(store, ".hidden", name=".hidden")
    copied(store, "a b", name="a b")
    assert [made.name for made in store.readable()] == ["m"]
    with pytest.raises(StoreError, match=r"folder\.json: damaged record \(cannot be read"):
        store.get("folder")
    with pytest.raises(StoreError, match=r"folder\.json: a directory; look into it"):
        store.remove("folder")
    with pytest.raises(StoreError, match=r"\.hidden\.json: damaged .*name is not one of a model"):
        store.find(".hidden")
    with pytest.raises(InputError, match="no model named"):
        store.remove("../m")
    store.remove("m")
    assert store.names() == [".hidden", "a b", "folder"]


# ---- adapters ------------------------------------------------------------------------------


def test_an_adapter_that_is_a_link_is_neither_read_nor_followed(
    store: Store, tmp_path: Path
) -> None:
    made = with_adapter(store, record())
    store.put(made)
    store.adapter_dir(made.identity).rename(tmp_path / "elsewhere")
    store.adapter_dir(made.identity).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link, which may lead out of the store"):
        store.verify_adapter(made)
    store.remove("m")
    assert (tmp_path / "elsewhere" / "adapter_model.safetensors").is_file()


def test_a_damaged_directory_is_replaced_and_a_link_is_not_followed(
    store: Store, tmp_path: Path
) -> None:
    final = store.adapter_dir("a1" * 32)
    for make in (final.mkdir, lambda: final.symlink_to(tmp_path / "elsewhere")):
        final.parent.mkdir(parents=True, exist_ok=True)
        make()
        (final.resolve() if final.is_symlink() else final).mkdir(exist_ok=True)
        (final / "old").write_text("")
        with store.staged(final, replace=True) as directory:
            (directory / "new").write_text("")
        assert [path.name for path in final.iterdir()] == ["new"]
        assert list(final.parent.iterdir()) == [final]
        (final / "new").unlink()
        final.rmdir()
    assert (tmp_path / "elsewhere" / "old").is_file()


def test_a_staged_directory_has_the_mode_of_an_ordinary_one(store: Store) -> None:
    before = os.umask(0o027)
    try:
        with store.staged(store.adapter_dir("x")):
            pass
    finally:
        assert os.umask(before) == 0o027
    assert stat.S_IMODE(store.adapter_dir("x").stat().st_mode) == 0o750


def test_an_adapter_stays_until_its_last_record_is_removed(store: Store) -> None:
    made = with_adapter(store, record("a"))
    store.put(made)
    store.put(made.model_copy(update={"name": "b"}))
    store.remove("a")
    assert store.names() == ["b"]
    assert store.verify_adapter(store.get("b")).is_dir()
    store.remove("b")
    assert not store.adapter_dir(made.identity).exists()
    with pytest.raises(InputError, match="no model named 'b'"):
        store.remove("b")


def test_weights_that_are_missing_or_changed_are_refused(store: Store) -> None:
    made = with_adapter(store, record())
    assert store.verify_adapter(made) == store.root / made.adapter
    weights = store.root / made.adapter / "adapter_model.safetensors"
    weights.write_bytes(b"other weights")
    with pytest.raises(StoreError, match="is not the file that was trained"):
        store.verify_adapter(made)
    weights.unlink()
    with pytest.raises(StoreError, match="is missing; give the command that trained it once more"):
        store.verify_adapter(made)


def test_a_staged_directory_appears_whole_or_not_at_all(store: Store) -> None:
    final = store.adapter_dir("x")
    with pytest.raises(ValueError, match="stop"), store.staged(final) as directory:
        (directory / "half").write_text("")
        assert not final.exists()
        raise ValueError("stop")
    assert list(final.parent.iterdir()) == []
    with store.staged(final) as directory:
        (directory / "whole").write_text("")
    assert [path.name for path in final.iterdir()] == ["whole"]
    assert list(final.parent.iterdir()) == [final]


# ---- kills, and processes at once ----------------------------------------------------------

PUT = """
import os, signal, sys
from pathlib import Path
from inoc_evals.store.store import ModelRecord, Store

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

moment = sys.argv[3]
if moment == "while writing":
    os.fsync = die
if moment == "before the rename":
    os.replace = die
if moment == "after the rename":
    rename = os.replace
    os.replace = lambda *args: (rename(*args), die())
record = ModelRecord.model_validate_json(Path(sys.argv[2]).read_text())
store = Store(Path(sys.argv[1]))
store.put(record)
n = 0
while moment == "any":
    n += 1
    store.put(record.model_copy(update={"metrics": record.metrics | {"n": n}}))
"""

# Large, so that writing it takes long enough to be cut in two.
LOSSES = {"loss": [0.125] * 200_000}


def putting(store: Store, made: ModelRecord, moment: str) -> subprocess.Popen[str]:
    source = store.root / f"{made.name}-{made.seed}.source"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(made.model_dump_json())
    command = [sys.executable, "-c", PUT, str(store.root), str(source), moment]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("moment", "survivor"),
    [("while writing", "old"), ("before the rename", "old"), ("after the rename", "new")],
)
def test_a_kill_while_a_record_is_written_leaves_the_old_or_the_new(
    store: Store, moment: str, survivor: str
) -> None:
    store.put(record(metrics={"which": "old"}))
    with putting(store, record(metrics={"which": "new"} | LOSSES), moment) as killed:
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert store.names() == ["m"]
    assert store.get("m").metrics["which"] == survivor
    store.put(record(metrics={"which": "after"}))
    assert store.get("m").metrics == {"which": "after"}


def test_a_first_record_is_there_or_not_after_a_kill(store: Store) -> None:
    with putting(store, record(metrics=LOSSES), "before the rename") as killed:
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert store.names() == [] and store.find("m") is None
    store.put(record())
    assert store.names() == ["m"]


def test_a_kill_at_any_moment_leaves_a_store_that_reads(store: Store) -> None:
    made = record(metrics=LOSSES)
    store.put(made)
    delays = random.Random(0)
    for _ in range(3):
        before = (store.models / "m.json").stat().st_ino
        with putting(store, made, "any") as killed:
            while (store.models / "m.json").stat().st_ino == before:
                assert killed.poll() is None
                time.sleep(0.001)
            time.sleep(delays.uniform(0, 0.1))
            killed.kill()
        assert store.get("m").metrics["loss"] == LOSSES["loss"]
        assert store.names() == ["m"]


def test_processes_that_put_at_once_lose_nothing(store: Store) -> None:
    running = [putting(store, record(f"m{n}", seed=n), "once") for n in range(4)]
    for process in running:
        assert process.communicate()[1] == ""
    assert [(made.name, made.seed) for made in store.readable()] == [(f"m{n}", n) for n in range(4)]


def test_of_two_trainings_put_at_once_under_one_name_one_is_refused(store: Store) -> None:
    running = [
        putting(store, record(seed=seed, identity=str(seed) * 64), "once") for seed in (1, 2)
    ]
    errors = [process.communicate()[1] for process in running]
    kept = store.get("m").seed
    assert errors[kept - 1] == ""
    assert "trained with other seed" in errors[2 - kept]


def test_a_lock_keeps_a_second_process_out_until_it_is_freed(store: Store) -> None:
    with store.lock("models"):
        waiting = putting(store, record(), "once")
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.communicate(timeout=1)
        assert store.find("m") is None
    waiting.communicate(timeout=60)
    assert store.get("m") == record(created=store.get("m").created)
