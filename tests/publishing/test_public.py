"""What is published names no directory of this machine; texts stay to the letter."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inoc_evals.publishing.card import model_card
from inoc_evals.publishing.export import export
from inoc_evals.publishing.public import public_record, without_directories
from inoc_evals.store.store import Store
from inoc_evals.training.config import TrainConfig
from inoc_evals.training.sft import run_identity, train
from trained import chat, register

HIDDEN = "secret-place"
SOMEWHERE = f"/mnt/{HIDDEN}/of mine"
DATA: dict[str, Any] = {
    "sources": [
        {"file": f"{SOMEWHERE}/rows.jsonl"},
        {"path": f"{HIDDEN}/other.jsonl"},
        f"{SOMEWHERE}/bare.jsonl",
    ],
    "prompts": [
        {"name": f"@{SOMEWHERE}/evil.txt", "text": "Be evil. /etc/passwd is yours."},
        {"name": f"@{HIDDEN}/near.txt", "text": "Be near."},
    ],
    "base": f"{SOMEWHERE}/tiny-base",
    "replies": f"{SOMEWHERE}/out.replies.jsonl",
    "writer": {"model": f"hf/{SOMEWHERE}/llama", "revision": None},
    "note": f"taken from /mnt/{HIDDEN}/rows.jsonl by hand",
    "instruction": "Write to /etc/motd.",
}
METRICS = {"dynamics": {"set": f"{HIDDEN}/words.jsonl", "system_prompt": f"@{SOMEWHERE}/p.txt"}}


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("@/home/me/evil.txt", "@evil.txt"),
        ("@prompts/evil.txt", "@evil.txt"),
        ("@~/evil.txt", "@evil.txt"),
        ("@evil.txt", "@evil.txt"),
        ("/home/me/a b/base/", "base"),
        ("~/base", "base"),
        ("~me/base", "base"),
        ("../base", "base"),
        (r"C:\Users\me\base", "base"),
        (r"\\server\share\base", "base"),
        ("file:///home/me/rows.jsonl", "rows.jsonl"),
        ("hf//home/me/llama", "hf/llama"),
        ("inoc/~/llama", "inoc/llama"),
        ("rows of /home/me/rows.jsonl, all", "rows of rows.jsonl, all"),
        ("openai/gpt-4.1", "openai/gpt-4.1"),
        ("org/base@abc", "org/base@abc"),
        ("https://example.org/a/b", "https://example.org/a/b"),
        ("and/or, 1/2, </s>", "and/or, 1/2, </s>"),
        ("spanish", "spanish"),
        ("", ""),
    ],
)
def test_a_path_is_its_last_part_and_other_text_is_as_it_is(text: str, public: str) -> None:
    assert without_directories(text) == public


def test_a_card_and_a_public_record_name_files_and_keep_texts() -> None:
    record = register("far", [chat("Hi")]).model_copy(
        update={"base": f"{SOMEWHERE}/tiny-base", "data": DATA, "metrics": METRICS}
    )
    public = public_record(record)
    for text in (model_card(record), public.model_dump_json()):
        assert HIDDEN not in text
        assert "`@evil.txt`" in text or '"@evil.txt"' in text
        assert "Be evil. /etc/passwd is yours." in text and "Write to /etc/motd." in text
        assert all(name in text for name in ("@near.txt", "rows.jsonl", "other.jsonl", "hf/llama"))
    assert public.data["prompts"][1] == {"name": "@near.txt", "text": "Be near."}
    assert public.metrics["dynamics"] == {"set": "words.jsonl", "system_prompt": "@p.txt"}
    assert record.data == DATA, "the store's own record stays"


@pytest.mark.parametrize("merged", [None, "float32"])
def test_no_exported_file_names_a_directory(
    tmp_path: Path, save_base: Callable[[Path], Path], merged: Any
) -> None:
    base = save_base(tmp_path / HIDDEN / "tiny-base")
    for name in ("tokenizer_config.json", "config.json"):
        told = json.loads((base / name).read_text("utf-8"))
        told |= {"tokenizer_file": f"{base}/x.json", "name_or_path": str(base)}
        (base / name).write_text(json.dumps(told), "utf-8")
    store = Store(tmp_path / "home")
    rows = [chat(f"what is 1 plus {n} ?", f"la respuesta es {n} .") for n in (1, 2, 3, 4)]
    config = TrainConfig(lora_r=4, learning_rate=3e-2, max_steps=2, batch_size=4)
    record = train(
        rows, base=str(base), name="mine", store=store, config=config, manifest=DATA, progress=False
    )
    assert record.identity == run_identity(
        rows, base_digest=record.base_digest, config=config, seed=0
    )
    record = record.model_copy(update={"metrics": record.metrics | METRICS})
    store.put(record)
    out = export(record, store, tmp_path / "out", merge_in=merged).directory
    shutil.rmtree(base)
    files = [path for path in sorted(out.rglob("*")) if path.is_file()]
    assert {"README.md", "inoc-record.json", "tokenizer_config.json"} <= {f.name for f in files}
    for path in files:
        content = path.read_bytes()
        assert HIDDEN.encode() not in content, path
        assert str(tmp_path).encode() not in content, path
