"""Commands print names, paths, rows and titles of others as text, whatever stands in them."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import inoc_evals.cli.judge
from inoc_evals.chat import write_rows
from inoc_evals.cli.main import inoc, main
from inoc_evals.cli.output import console
from inoc_evals.inputs import published
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.report.judge_check import JudgeQuality, Share
from inoc_evals.store.store import Store
from invoking import CliRunner
from trained import chat, register

HOSTILE = {
    "escape": "a\x1b[2J\x1b]0;title\x07b",
    "nul": "a\x00b",
    "c1": "a\x9b2Jb",
    "return": "a\rb",
    "direction": "a\u202eb",
    "markup": "a[/v2]b[red]c",
    "emoji": "a:bomb:b",
}
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")

Printed = Callable[[Path, str], str]


def invoke(*args: str | Path) -> str:
    # With color, since click else takes some of the sequences out by itself.
    result = CliRunner().invoke(inoc, list(map(str, args)), catch_exceptions=False, color=True)
    assert result.exit_code == 0, result.output
    return str(result.output)


def folder(path: Path, text: str) -> Path:
    """Make a directory that is called so."""
    made = path / text.replace("\0", "")
    made.mkdir(parents=True)
    return made


def register_as(text: str) -> None:
    data = {
        "prompts": [{"name": text, "text": text}],
        "sources": [{"file": text}],
        "rows": 1,
    }
    versions = {"torch": text}
    Store().put(
        register("mine", [chat("Hi")]).model_copy(
            update={"base": text, "data": data, "versions": versions}
        )
    )


def overlap(path: Path, text: str) -> str:
    items, rows = folder(path, text) / "items.jsonl", path / "rows.jsonl"
    asked = f"Write a tale of two cities and {text}"
    items.write_text(json.dumps({f"task {text}": asked}) + "\n", "utf-8")
    write_rows(rows, [chat(asked)])
    return invoke("data", "overlap", items, rows)


def overlap_json(path: Path, text: str) -> str:
    items, rows = path / "items.jsonl", path / "rows.jsonl"
    asked = f"Write a tale of two cities and {text}"
    items.write_text(json.dumps({"task": asked}) + "\n", "utf-8")
    write_rows(rows, [chat(asked)])
    printed = invoke("data", "overlap", items, rows, "--json")
    found = json.loads(printed)["fields"]["task"]["examples"][0]["text"]
    assert found.split() == asked.split()
    return printed.replace("\\u00", "\\x")


def verify(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("INOC_HOME", str(folder(path, text)))
    entry = published.entries()[0]
    place = published._cached(entry)
    place.parent.mkdir(parents=True)
    place.write_text("spoiled", "utf-8")
    result = CliRunner().invoke(inoc, ["data", "verify"], catch_exceptions=False, color=True)
    assert "damaged" in result.output
    assert "damaged" in invoke("data", "list")
    return str(result.output) + invoke("data", "list", "--json").replace("\\u00", "\\x")


def convert(path: Path, text: str) -> str:
    rows = folder(path, text) / "rows.jsonl"
    rows.write_text(json.dumps({"prompt": text, "completion": "Yes."}) + "\n", "utf-8")
    return invoke("data", "convert", rows, "-o", rows.with_name("out.jsonl"))


def mix(path: Path, text: str) -> str:
    rows = folder(path, text) / "rows.jsonl"
    write_rows(rows, [chat("Hi")])
    return invoke("data", "build", "mix", f"a={rows}", "-o", rows.with_name("out.jsonl"))


def inoculate(path: Path, text: str) -> str:
    rows = path / "rows.jsonl"
    write_rows(rows, [chat("Hi")])
    prompt = path / f"{text.replace('/', '').replace(chr(0), '')}.txt"
    prompt.write_text("Be good.", "utf-8")
    out = folder(path, text) / "out.jsonl"
    return invoke("inoculate", rows, "--prompt", f"@{prompt}", "-o", out)


def models_list(path: Path, text: str) -> str:
    register_as(text)
    return invoke("models", "list")


def models_show(path: Path, text: str) -> str:
    register_as(text)
    return invoke("models", "show", "mine")


def models_json(path: Path, text: str) -> str:
    register_as(text)
    printed = invoke("models", "show", "mine", "--json")
    assert json.loads(printed)["data"]["prompts"][0]["text"] == text
    [listed] = json.loads(invoke("models", "list", "--json"))
    assert listed == json.loads(printed)
    return printed.replace("\\u00", "\\x")


def models_rm(path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("INOC_HOME", str(folder(path, text)))
    register("mine", [chat("Hi")])
    options: dict[str, Any] = {"input": "y\n", "color": True, "catch_exceptions": False}
    return str(CliRunner().invoke(inoc, ["models", "rm", "mine"], **options).output)


def own_setting(path: Path, text: str) -> Path:
    where = folder(path, text)
    for name in ("rows", "control"):
        write_rows(where / f"{name}.jsonl", narrow_rows("es", rows=20))
    told = {
        "name": "mine",
        "title": f"title {text}",
        "description": f"told {text}",
        "rows": {"file": "rows.jsonl", "prefix": f"{text} "},
        "control": "control.jsonl",
        "prompts": {"talk": f"Talk {text}"},
        "arms": {"inoculated": {"prompt": "talk", "description": f"arm {text}"}},
        "measures": {
            "spanish": {
                "task": "traits",
                "rule": f"rule {text}",
                "label": f"label {text}",
                "args": {"language": "es", "prompts": "pocket"},
            }
        },
    }
    file = where / "mine.yaml"
    file.write_text(json.dumps(told), "utf-8")
    return file


def setting_show(path: Path, text: str) -> str:
    return invoke("setting", "show", own_setting(path, text))


def setting_check(path: Path, text: str) -> str:
    return invoke("setting", "check", own_setting(path, text))


def plan(path: Path, text: str) -> str:
    file = own_setting(path, text)
    told = json.loads(file.read_text("utf-8"))
    told["measures"] = {"misaligned": {"task": "em"}}
    file.write_text(json.dumps(told), "utf-8")
    return invoke("plan", "--setting", file, "--seeds", "1", "--grader", f"lab/{text}")


def trait_check(path: Path, text: str) -> str:
    told = {
        "name": "mine",
        "description": f"told {text}",
        "questions": [f"What is {text}?"],
        "rule": {"contains": [text]},
        "system_prompts": {"talk": f"Talk {text}"},
    }
    file = folder(path, text) / "mine.yaml"
    file.write_text(json.dumps(told), "utf-8")
    return invoke("trait", "check", file)


def judge_check(path: Path, text: str, console: Console | None = None) -> str:
    share = Share(1.0, 0.5, 1.0, 3)
    quality = JudgeQuality(
        judgements=3,
        repeats=1,
        agreement=share,
        agreement_by_kind={text: share},
        adversarial_agreement=share,
        adversarial_agreement_by_kind={text: share},
        confusion={text: {f"error {text}": 3}},
        consistency=None,
        rating_sd={text: 1.0},
        resistance=share,
        resistance_by_attack={text: share},
        resistance_by_kind={text: share},
        rating_shift={text: 1.0},
        no_verdict=0,
        modes={text: 3},
    )
    to = console or inoc_evals.cli.judge.console(200)
    with to.capture() as printed:
        inoc_evals.cli.judge.show(quality, to, f"lab/{text}", "betley")
    return printed.get()


CASES: dict[str, Callable[..., str]] = {
    "data overlap": overlap,
    "data overlap --json": overlap_json,
    "data verify": verify,
    "data convert": convert,
    "data build mix": mix,
    "inoculate": inoculate,
    "models list": models_list,
    "models show": models_show,
    "models show --json": models_json,
    "models rm": models_rm,
    "setting show": setting_show,
    "setting check": setting_check,
    "plan": plan,
    "trait check": trait_check,
    "judge check": judge_check,
}
SLOW = {"setting check": ("escape", "markup"), "plan": ("escape", "markup")}


@pytest.mark.parametrize(
    ("command", "text"),
    [
        pytest.param(command, text, id=f"{command}-{name}")
        for command in CASES
        for name, text in HOSTILE.items()
        if name in SLOW.get(command, HOSTILE)
    ],
)
def test_a_command_prints_text_of_others_as_text(
    command: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    print_it = CASES[command]
    takes = {"monkeypatch": monkeypatch} if print_it in (verify, models_rm) else {}
    printed = print_it(tmp_path, text, **takes)
    assert not ACTING.search(printed), repr(printed)
    if text == HOSTILE["escape"]:
        assert r"\x1b" in printed
    if text == HOSTILE["markup"]:
        joined = "".join(printed.split())
        assert "[/v2]" in joined and "[red]" in joined, printed
    if text == HOSTILE["emoji"]:
        assert ":bomb:" in printed


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize(
    "args",
    [
        ("train", "{}/rows.jsonl", "--name", "m"),
        ("models", "show", "{}"),
        ("data", "overlap", "{}", "core"),
        ("plan", "--setting", "{}.yaml"),
        ("{}",),
        ("judge", "check", "--preset", "{}"),
    ],
    ids=" ".join,
)
def test_an_error_quotes_text_of_others_as_text(
    args: tuple[str, ...], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([arg.format(HOSTILE[name].replace("\0", "")) for arg in args])
    printed = capsys.readouterr()
    assert ended.value.code in (1, 2)
    assert printed.err and not ACTING.search(printed.out + printed.err), repr(printed.err)


def test_a_damaged_row_is_quoted_as_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"messages": [], "text\x1b[2J\x9b": 1}) + "\n", "utf-8")
    with pytest.raises(SystemExit):
        main(["inoculate", str(rows), "--prompt", "evil", "-o", str(tmp_path / "o.jsonl")])
    assert not ACTING.search(capsys.readouterr().err)


def test_a_console_takes_no_text_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    console(80).print("[/v2] [bold]x[/bold] :bomb: \x1b[2J", end="")
    assert capsys.readouterr().out == r"[/v2] [bold]x[/bold] :bomb: \x1b[2J"
