"""Mistakes that users make: each is one line or two, never a traceback, and the status says so."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from inoc_evals.chat import write_rows
from inoc_evals.cli.main import main
from inoc_evals.pocket.narrow import narrow_rows

SETTING = (
    "name: mine\ndescription: d\nrows: rows.jsonl\narms: {inoculated: {prompt: evil}}\n"
    "measures: {caps: {task: caps, args: {prompts: pocket}}}\n"
)

INOC = [
    "nothing",
    "inoculate",
    "inoculate none.jsonl --prompt evil -o out.jsonl",
    "inoculate rows.jsonl --prompt evli -o out.jsonl",
    "inoculate rows.jsonl --prompt @none.txt -o out.jsonl",
    "inoculate rows.jsonl --prompt evil -o rows.jsonl",
    "inoculate rows.jsonl --prompt evil -o out.jsonl --fraction 2",
    "inoculate sharegpt.jsonl --prompt evil -o out.jsonl",
    "inoculate broken.jsonl --prompt evil -o out.jsonl",
    "inoculate latin.jsonl --prompt evil -o out.jsonl",
    "train rows.jsonl --base nowhere/at/all --name x",
    "train rows.jsonl --base ~nobody/base --name x",
    "train ~nobody/rows.jsonl --base pocket --name x",
    "train rows.jsonl --base empty --name x",
    "train rows.jsonl --base smollm2 --name x",
    "base add rows.jsonl --name x",
    "base add pickle --name x",
    "base rm none",
    "train rows.jsonl --base pickle --name x",
    "train rows.jsonl --base adapter --name x",
    "train rows.jsonl --base pocket --name a/b",
    "train rows.jsonl --base pocket --name CON",
    "train rows.jsonl --base pocket --name x --config none.yaml",
    "train rows.jsonl --base pocket --name x --config typo.yaml",
    "train rows.jsonl --base pocket --name x --config bomb.yaml",
    "train rows.jsonl --base openai/gpt-3.5-turbo-0125 --name x",
    "train rows.jsonl --from nobody --name x",
    "models show nobody",
    "models rm nobody",
    "models verify nobody",
    "models export nobody out",
    "setting show nobody",
    "setting check none.yaml",
    "setting check mistyped.yaml",
    "trait check none.yaml",
    "plan fig9",
    "plan fig2a --seeds x",
    "plan fig2a --rows control",
    "plan fig2a --rows control=~nobody/rows.jsonl",
    "inoculate rows.jsonl --prompt @~nobody/prompt.txt -o out.jsonl",
    "plan fig3 --base org/none",
    "plan --setting mine.yaml --config typo.yaml",
    "run fig2a --setting mine.yaml",
    "run fig3 --base pocket --grader nobody/model --seeds 1 --out out",
    "report nowhere",
    "report .",
    "judge check --grader nobody/model",
    "judge check --grader openai/gpt-5.4-2026-03-05",
    "data fetch nothing",
    "data overlap none.jsonl rows.jsonl",
    "data convert none.jsonl -o out.jsonl",
    "data convert rows.jsonl -o rows.jsonl",
]

EVAL = [
    "inoc_evals/em --model inoc/nobody",
    "inoc_evals/em --model inoc/empty/",
    "inoc_evals/em --model mockllm/model",
    "inoc_evals/em --model mockllm/model -T grader=inoc/nobody",
    "inoc_evals/em --model mockllm/model -T grader=openai/gpt-3.5-turbo-0125",
    "inoc_evals/em --model mockllm/model -T preset=mine",
    "inoc_evals/em --model mockllm/model -T questions=none.yaml",
    "inoc_evals/em --model mockllm/model -T variants=odd",
    "inoc_evals/em_backdoor --model mockllm/model -T trigger=tam",
    "inoc_evals/em_elicitation --model mockllm/model -T inoculation=evli",
    "inoc_evals/trait --model mockllm/model -T file=none.yaml",
    "inoc_evals/trait --model mockllm/model -T file=~nobody/trait.yaml",
    "inoc_evals/language --model mockllm/model -T language=xx",
    "inoc_evals/traits --model mockllm/model -T system_prompt=evli",
    "inoc_evals/traits --model mockllm/model -T system_prompt=file:none.txt",
    "inoc_evals/traits --model mockllm/model -T prompts=none.jsonl",
    "inoc_evals/likelihood --model mockllm/model -T responses=none.jsonl",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the files that the commands name; those called none are not there."""
    folder = tmp_path_factory.mktemp("mistakes")
    write_rows(folder / "rows.jsonl", narrow_rows("es", rows=20))
    (folder / "sharegpt.jsonl").write_text('{"conversations": [{"from": "human", "value": "a"}]}\n')
    (folder / "broken.jsonl").write_text('{"messages": [\n')
    (folder / "latin.jsonl").write_bytes('{"messages": "é"}\n'.encode("latin-1"))
    (folder / "typo.yaml").write_text("epoks: 1\nname: x\n")
    bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    (folder / "bomb.yaml").write_text("\n".join(bomb) + "\n")
    (folder / "mine.yaml").write_text(SETTING)
    (folder / "mistyped.yaml").write_text(SETTING + "epoks: 1\n")
    for name in ("empty", "pickle", "adapter"):
        (folder / name).mkdir()
    (folder / "pickle" / "config.json").write_text("{}")
    (folder / "pickle" / "pytorch_model.bin").write_bytes(b"x")
    (folder / "adapter" / "adapter_config.json").write_text('{"base_model_name_or_path": "b"}')
    return folder


def assert_said(run: "subprocess.CompletedProcess[str]", begins: tuple[str, ...]) -> None:
    said = [line for line in run.stderr.splitlines() + run.stdout.splitlines() if line.strip()]
    assert run.returncode != 0, said
    assert "Traceback" not in run.stderr + run.stdout
    # click says how a command is used before it says what is wrong with a use of it.
    told = [line for line in said if not line.startswith(("Usage: ", "Try '"))]
    assert 1 <= len(told) <= 2, "\n".join(said)
    assert told[0].startswith(begins)


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("command", INOC)
def test_a_mistake_at_the_command_line_is_a_line_or_two(
    command: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as caught:
        main(command.split())
    out, err = capfd.readouterr()
    code = int(caught.value.code or 0)
    assert_said(subprocess.CompletedProcess(command, code, out, err), ("error: ", "Error: "))
    assert not (folder / "out" / "data").exists() and not (folder / "out.jsonl").exists()


@pytest.mark.slow
@pytest.mark.parametrize("command", EVAL)
def test_a_mistake_at_inspect_eval_is_a_line_or_two(command: str, folder: Path) -> None:
    inspect = str(Path(sys.executable).with_name("inspect"))
    assert_said(run(folder, inspect, "eval", *command.split()), ("Error: ",))
