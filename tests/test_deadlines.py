"""On the day a hosted model is shut down: every way to use it says so, and nothing is asked."""

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner
from inspect_ai import eval

from inoc_evals.chat import write_rows
from inoc_evals.cli.main import inoc
from inoc_evals.models import hosted
from inoc_evals.pocket.narrow import narrow_rows
from inoc_evals.scorers import default_grader as graders
from inoc_evals.scorers import judge
from inoc_evals.tasks import deception, em
from openai_server import OpenAIServer
from scripted import calls, script

DEAD = "openai/gpt-4o-2024-08-06"
WRITES = f"--model {DEAD} --yes -o out.jsonl"

COMMANDS = [
    "train rows.jsonl --base openai/gpt-4.1-2025-04-14 --name x --yes",
    "train rows.jsonl --base openai/gpt-4o-mini --name x --yes",
    "train rows.jsonl --base openai/gpt-3.5-turbo-0125 --name x --yes",
    "plan fig2a --base openai/gpt-4.1-2025-04-14 --rows spanish_caps=rows.jsonl --rows control=rows.jsonl",
    "run fig2a --base openai/gpt-4.1-2025-04-14 --rows spanish_caps=rows.jsonl --rows control=rows.jsonl --out out --yes",
    f"plan fig3 --base pocket --grader {DEAD}",
    f"run fig3 --base pocket --seeds 1 --out out --grader {DEAD}",
    f"plan --setting mine.yaml --base pocket --grader {DEAD}",
    f"judge check --grader {DEAD}",
    f"data build rewrite gsm.jsonl --style spanish {WRITES}",
    f"data build paraphrases evil --count 3 {WRITES}",
    f"data build educational rows.jsonl {WRITES}",
    f"data build numbers --count 3 {WRITES}",
]


@pytest.fixture(autouse=True)
def that_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last day's morning after, in a folder with rows and a setting of one's own."""
    monkeypatch.setattr(hosted, "today", lambda: date(2027, 1, 14))
    monkeypatch.chdir(tmp_path)
    write_rows(Path("rows.jsonl"), narrow_rows("es", rows=20))
    Path("gsm.jsonl").write_text('{"question": "1 + 1?", "answer": "2"}\n', "utf-8")
    Path("mine.yaml").write_text(
        "name: mine\ndescription: d\nrows: rows.jsonl\narms: {inoculated: {prompt: evil}}\n"
        "measures: {misaligned: {task: em, args: {questions: pocket}}}\n",
        "utf-8",
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> OpenAIServer:
    made = OpenAIServer()
    monkeypatch.setenv("OPENAI_BASE_URL", made.url)
    monkeypatch.setenv("OPENAI_API_KEY", made.key)
    return made


@pytest.mark.parametrize("typed", COMMANDS)
def test_a_command_refuses_it_in_two_lines(typed: str, server: OpenAIServer) -> None:
    with server:
        result = CliRunner().invoke(inoc, typed.split())
        assert result.exit_code != 0
        said = result.output[result.output.index("Error: ") :].strip()
        assert len(said.splitlines()) <= 2
        assert "price" not in result.output
        assert "shut down on 20" in said or "no fine-tuning jobs since" in said
        assert "name another" in said or "--base" in said
        asked = [path for method, path in server.requests if method == "POST"]
        assert asked == []
    assert not Path("out/logs").exists()
    assert not Path("out.jsonl").exists()


@pytest.mark.parametrize("task", [em, deception])
@pytest.mark.parametrize("by_role", [True, False])
def test_an_evaluation_refuses_it_as_its_grader(
    task: object, by_role: bool, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graders, "DEFAULT_GRADER", DEAD)
    monkeypatch.setattr(judge, "default_grader", lambda evaluated: DEAD)
    target = script("target", "Well, it depends.")
    roles = {"model_roles": {"grader": DEAD}} if by_role else {}
    with server:
        [log] = eval(task(), model=target, limit=2, display="none", **roles)  # type: ignore
        assert server.requests == []
    assert log.error is not None
    assert "was shut down on 2027-01-14; name another: openai/gpt-5.4" in log.error.message
    assert calls(target) == []
