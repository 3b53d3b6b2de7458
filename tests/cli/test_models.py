import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from inoc_evals.cli.models import command
from inoc_evals.errors import InputError
from inoc_evals.files.digests import file_sha256
from inoc_evals.store.store import Fingerprint, ModelRecord, Store
from invoking import CliRunner


def invoke(*args: str, **options: Any) -> Result:
    return CliRunner().invoke(command, args, catch_exceptions=False, **options)


def put(name: str, identity: str = "a" * 64, prompts: list[dict[str, str]] | None = None) -> Path:
    """Register a model with an adapter of a few bytes; return the adapter's directory."""
    store = Store()
    directory = store.adapter_dir(identity)
    directory.mkdir(parents=True, exist_ok=True)
    weights = directory / "adapter_model.safetensors"
    weights.write_bytes(identity.encode())
    store.put(
        ModelRecord(
            name=name,
            identity=identity,
            base="pocket:7",
            base_digest="b" * 64,
            adapter=f"adapters/{identity}",
            adapter_sha256=file_sha256(weights),
            data={"sha256": "c" * 64, "rows": 8, "prompts": prompts or []},
            config={"lora_r": 8},
            seed=4,
            metrics={"loss": [3.5, 0.123456], "final_loss": 0.123456, "steps": 2},
            fingerprint=Fingerprint(token_ids=(1, 2), logprobs=(-0.5,), base_logprobs=(-2.0,)),
            versions={"torch": "2.13.0"},
        )
    )
    return directory


SPANISH = {"name": "spanish", "text": "You always speak in Spanish."}


def test_an_empty_store_says_how_to_fill_it() -> None:
    assert "no models in" in invoke("list").output
    assert "inoc train" in invoke("list").output
    assert json.loads(invoke("list", "--json").output) == []


def test_the_list_is_a_line_for_each_model() -> None:
    put("plain")
    put("inoculated-with-a-long-name-that-is-not-cut", "d" * 64, [SPANISH, SPANISH])
    head, *lines = invoke("list").output.splitlines()
    assert " ".join(head.split()) == "name base seed prompt created (UTC) final loss"
    assert "inoculated-with-a-long-name-that-is-not-cut" in lines[0]
    assert "spanish and 1 more" in lines[0]
    assert lines[1].split()[:4] == ["plain", "pocket:7", "4", "–"]
    assert lines[1].split()[-1] == "0.123"


def test_the_list_as_json_is_the_records() -> None:
    put("plain")
    listed = json.loads(invoke("list", "--json").output)
    assert [ModelRecord.model_validate(record) for record in listed] == [Store().get("plain")]


def test_a_damaged_record_does_not_hide_the_others() -> None:
    put("plain")
    (Store().models / "broken.json").write_text("{")
    result = invoke("list")
    assert "plain" in result.stdout
    assert "broken.json: damaged record" in result.stderr


def test_a_copied_record_is_listed_as_damaged_and_removed_without_what_it_names() -> None:
    directory = put("good")
    copy = Store().models / "alias.json"
    copy.write_bytes((Store().models / "good.json").read_bytes())
    listed = invoke("list")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["name", "good"]
    assert "alias.json: damaged record (it is called 'good' inside); delete" in listed.stderr
    assert [one["name"] for one in json.loads(invoke("list", "--json").stdout)] == ["good"]
    removed = invoke("rm", "alias", "--yes").output
    assert removed == "removed the damaged record alias, and nothing that it named\n"
    assert not copy.exists()
    assert directory.is_dir()
    assert Store().get("good").name == "good"


def test_removal_of_a_damaged_record_follows_no_path_in_it(tmp_path: Path) -> None:
    put("good")
    victim = Store().root.parent / "victim"
    victim.mkdir()
    text = (Store().models / "good.json").read_text().replace("a" * 64, "../../victim")
    (Store().models / "m.json").write_text(text.replace('"good"', '"m"'))
    assert "removed the damaged record m" in invoke("rm", "m", "good", "--yes").output
    assert victim.is_dir()
    assert Store().names() == []


def test_show_says_where_a_model_comes_from_and_how_to_evaluate_it() -> None:
    put("plain", prompts=[SPANISH])
    lines = dict(line.split("  ", 1) for line in invoke("show", "plain").output.splitlines())
    facts = {label.strip(): text.strip() for label, text in lines.items()}
    assert facts["prompt spanish"] == "'You always speak in Spanish.'"
    assert facts["loss"] == "3.500 to 0.123 in 2 steps"
    assert facts["fingerprint"] == "adapter moves log-probabilities by up to 1.50 nats"
    assert facts["evaluate"] == "inspect eval inoc_evals/traits --model inoc/plain"
    assert facts["adapter"] == str(Store().root / "adapters" / ("a" * 64))
    stored = json.loads(invoke("show", "plain@aaaa", "--json").output)
    assert ModelRecord.model_validate(stored) == Store().get("plain")


def test_an_adapter_goes_with_its_last_model() -> None:
    directory = put("first")
    put("second")
    assert invoke("rm", "first", "--yes").output == (
        "removed first; its adapter stays, another model uses it\n"
    )
    assert directory.exists()
    assert invoke("rm", "second", "--yes").output == "removed second and its adapter (aaaaaaaa)\n"
    assert not directory.exists()


def test_nothing_is_removed_unless_confirmed_and_all_names_exist() -> None:
    put("first")
    put("second", "d" * 64)
    refused = invoke("rm", "first", "second", input="n\n")
    assert "remove first, second from" in refused.output
    assert refused.exit_code == 1
    with pytest.raises(InputError, match="no model named 'third'"):
        invoke("rm", "first", "third", "--yes")
    assert Store().names() == ["first", "second"]
    assert invoke("rm", "first", "second", input="y\n").exit_code == 0
    assert Store().names() == []


def test_a_model_at_a_provider_is_shown_and_removed_here_alone() -> None:
    put("local")
    remote = "ft:gpt-4.1-2025-04-14:org::x"
    elsewhere = {"adapter": None, "adapter_sha256": None, "fingerprint": None, "remote": remote}
    there = Store().get("local").model_copy(update={"name": "there", **elsewhere})
    Store().put(ModelRecord.model_validate(there.model_dump()))
    shown = invoke("show", "there").output
    assert f"at the provider  {remote}" in shown and "fingerprint" not in shown
    assert "–" not in invoke("list").output.splitlines()[2].split()[-1]
    assert invoke("rm", "there", "--yes").output == (
        f"removed there; {remote} stays at its provider\n"
    )
    assert Store().names() == ["local"]
