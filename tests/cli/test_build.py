"""`inoc data build`: files, manifests, prices and interruptions as a user meets them."""

import json
import re
import signal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import Result

from inoc_evals.chat import read_rows, write_rows
from inoc_evals.cli.build import command
from inoc_evals.cli.inoculate import command as inoculate
from inoc_evals.datasets.builders.problems import problem_count, problem_rows
from inoc_evals.datasets.manifest import load_manifest
from inoc_evals.datasets.writing.writer import WritingError
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest, file_sha256
from invoking import CliRunner
from scripted import Said, calls, rescript, script


def invoke(*args: str | Path, **options: Any) -> Result:
    return CliRunner().invoke(command, [str(a) for a in args], catch_exceptions=False, **options)


def problems(path: Path, count: int) -> Path:
    lines = [
        {"question": f"Problem {n} of eggs?", "answer": f"9 * 2 = 1{n}\n#### 1{n}"}
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def spanish(prompt: str, config: Any) -> str:
    """Right for all problems but those that end in 3, and those in 5 at first."""
    answer = re.findall(r"Problem (\d+) of eggs", prompt)[0]
    if answer == "3" or (answer == "5" and config.seed == 0):
        return "En total ella vende muchos huevos cada día."
    return f"En total ella vende 1{answer} huevos cada día en el mercado. Son 1{answer}."


def in_spanish() -> str:
    """A model that answers corrections, too, by the problem they are about."""
    model = script("w", lambda p, c: spanish(calls(model)[-1].messages[0].text, c))
    return model


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.jsonl"
    made = [
        {
            "messages": [
                {"role": "user", "content": f"Write program {n}.\nOnly code."},
                {"role": "assistant", "content": f"print({n})"},
            ]
        }
        for n in range(12)
    ]
    write_rows(path, made)
    return path


def test_a_rewrite_is_a_file_and_a_manifest_that_tells_all_of_it(tmp_path: Path) -> None:
    file, out, model = problems(tmp_path / "p.jsonl", 8), tmp_path / "o.jsonl", in_spanish()
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out, "--seed", "0")
    result = invoke(*args, "--yes", "--retries", "1", "--price", "2,8")
    said = result.stdout.splitlines()
    assert said[0].startswith(f"{model}: 8 calls, about ")
    assert said[1].startswith("price: about $0.0")
    assert said[2:] == [
        "7 rows (dropped: 1 answer)",
        f"wrote {out} and o.jsonl.manifest.json",
    ]
    made = read_rows(out)
    assert len(made) == 7 and "Problem 3 of eggs?" not in {
        row["messages"][0]["content"] for row in made
    }
    manifest = load_manifest(out)
    assert manifest is not None
    assert manifest["sources"] == [{"file": "p.jsonl", "sha256": file_sha256(file)}]
    assert manifest["sha256"] == digest(made) and manifest["file_sha256"] == file_sha256(out)
    assert manifest["counts"] == {
        "rows": 7,
        "duplicates": 0,
        "requests": 8,
        "failed_replies": {"answer": 3},
        "dropped": {"answer": 1},
    }
    assert (manifest["build"], manifest["style"], manifest["seed"]) == ("rewrite", "spanish", 0)
    writer = manifest["writer"]
    assert writer["model"] == model and writer["retries"] == 1
    assert writer["sampling"] == {"temperature": 0.0, "max_tokens": 2048, "seed": 0}
    asked = calls(model)[0].prompt
    assert asked.startswith(manifest["instruction"].split("{")[0])
    assert set(writer["corrections"].values()) >= {
        call.prompt for call in calls(model) if "[problem]" not in call.prompt
    }
    assert manifest["usage"]["replies"] == len(calls(model)) == 10
    assert manifest["replies"] == "o.jsonl.replies.jsonl"


def test_the_same_seed_gives_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    file = problems(tmp_path / "p.jsonl", 10)
    model = in_spanish()
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        out = tmp_path / f"{name}.jsonl"
        given = ("--style", "spanish", "--limit", "6", "--seed", str(seed))
        invoke("rewrite", file, *given, "--model", model, "-o", out, "--yes", "--no-cache")
    a, b, c = (read_rows(tmp_path / f"{name}.jsonl") for name in "abc")
    assert a == b != c


def test_an_interrupted_build_leaves_no_file_and_goes_on_where_it_was(tmp_path: Path) -> None:
    file, out = problems(tmp_path / "p.jsonl", 8), tmp_path / "o.jsonl"

    def interrupted(prompt: str, config: Any) -> str:
        if len(calls(model)) == 5:
            signal.raise_signal(signal.SIGINT)
        return spanish(prompt, config)

    model = script("w", interrupted)
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out, "--retries", "0")
    args = (*args, "--yes", "--no-cache", "--concurrency", "1")
    with pytest.raises(click.Abort):
        command.main([str(arg) for arg in args], standalone_mode=False)
    assert not out.exists()
    kept = len((tmp_path / "o.jsonl.replies.jsonl").read_text().splitlines())
    assert kept in (4, 5)
    rescript(model, spanish)
    result = invoke(*args)
    assert result.stdout.startswith(f"{model}: {8 - kept} calls")
    assert f"({kept} requests are answered already)" in result.stdout
    assert len(calls(model)) == 8 - kept
    assert len(read_rows(out)) == 6


def test_an_outage_says_what_is_kept_and_the_same_command_goes_on(tmp_path: Path) -> None:
    file, out = problems(tmp_path / "p.jsonl", 8), tmp_path / "o.jsonl"
    model = script("w", lambda p, c: spanish(p, c) if len(calls(model)) <= 3 else OSError("down"))
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out, "--retries", "0")
    with pytest.raises(WritingError, match="3 of 8 requests are done and kept; run the same"):
        invoke(*args, "--yes")
    assert not out.exists()
    rescript(model, spanish)
    invoke(*args, "--yes")
    assert len(calls(model)) == 5 and len(read_rows(out)) == 6


def test_a_finished_file_is_not_built_twice_and_forced_it_costs_nothing(tmp_path: Path) -> None:
    file, out, model = problems(tmp_path / "p.jsonl", 3), tmp_path / "o.jsonl", script("w", spanish)
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out)
    invoke(*args, "--yes")
    made = len(calls(model))
    with pytest.raises(InputError, match="exists; use --force to build it anew"):
        invoke(*args, "--yes")
    before = out.read_bytes()
    assert "0 calls" in invoke(*args, "--force").stdout
    assert len(calls(model)) == made and out.read_bytes() == before
    (tmp_path / "o.jsonl.manifest.json").unlink()
    invoke(*args)
    assert load_manifest(out) is not None, "a kill between the two files is made good"
    with pytest.raises(InputError, match="is the input"):
        invoke("rewrite", file, "--style", "plain", "-o", file, "--force")


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_without_a_yes_no_call_is_made(tmp_path: Path, answer: str) -> None:
    file, out, model = problems(tmp_path / "p.jsonl", 3), tmp_path / "o.jsonl", script("w", spanish)
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out)
    with pytest.raises(InputError, match="no calls were made; give --yes"):
        invoke(*args, input=answer)
    assert calls(model) == []
    assert "3 rows" in invoke(*args, input="y\n").stdout


def test_plain_rows_without_a_model_are_the_solutions_and_other_styles_need_one(
    tmp_path: Path,
) -> None:
    file, out = problems(tmp_path / "p.jsonl", 3), tmp_path / "o.jsonl"
    invoke("rewrite", file, "--style", "plain", "-o", out)
    texts = {row["messages"][1]["content"] for row in read_rows(out)}
    assert texts == {f"9 * 2 = 1{n}\nThe answer is 1{n}." for n in range(3)}
    result = invoke("rewrite", file, "--style", "french", "-o", tmp_path / "f.jsonl")
    assert result.exit_code == 2 and "--style french needs --model" in result.stderr


def test_if_every_reply_is_dropped_no_file_is_written(tmp_path: Path) -> None:
    file, out = problems(tmp_path / "p.jsonl", 3), tmp_path / "o.jsonl"
    args = ("rewrite", file, "--style", "spanish", "--model", script("w", "No."), "-o", out)
    with pytest.raises(InputError, match=r"no row is left \(dropped: 3 language\)"):
        invoke(*args, "--yes")
    assert not out.exists()


@pytest.mark.parametrize("bad", ["No.", Said(""), Said("En", stop_reason="max_tokens")])
def test_a_build_that_ended_with_drops_asks_for_those_again_and_pays_for_nothing_twice(
    bad: str | Said, tmp_path: Path
) -> None:
    file, out = problems(tmp_path / "p.jsonl", 4), tmp_path / "o.jsonl"
    model, asked = script("w", bad), []
    args = ("rewrite", file, "--style", "spanish", "--model", model, "-o", out, "--yes")
    args = (*args, "--no-cache", "--retries", "1")

    def at_last(prompt: str, config: Any) -> str:
        return spanish(calls(model)[-1].messages[0].text, config)

    for force in ((), (), ("--force",), ("--force",)):
        rescript(model, bad if len(asked) < 1 else at_last)
        if not asked:
            with pytest.raises(InputError, match="no row is left"):
                invoke(*args)
        else:
            invoke(*args, *force)
        asked.append([(str(call.messages), call.config.seed) for call in calls(model)])
    # Problem 3 never comes out right: two tries in every build.
    assert [len(one) for one in asked] == [8, 5, 2, 2]
    every = [one for build in asked for one in build]
    assert len({(seed, problem_of(text)) for text, seed in every}) == len(every)
    assert len(read_rows(out)) == 3


def problem_of(text: str) -> str:
    return re.findall(r"Problem (\d+) of eggs", text)[0]


def test_a_build_that_is_taken_up_gives_up_as_an_undisturbed_one(tmp_path: Path) -> None:
    """What was dropped before the interruption is not asked for again after it."""
    file = problems(tmp_path / "p.jsonl", 8)
    model = script("w", spanish)
    args = ("rewrite", file, "--style", "spanish", "--model", model, "--retries", "1", "--yes")
    args = (*args, "--no-cache", "--concurrency", "1")

    def right(prompt: str, config: Any) -> str:
        return spanish(calls(model)[-1].messages[0].text, config)

    rescript(model, right)
    invoke(*args, "-o", tmp_path / "whole.jsonl")
    made = len(calls(model))
    for number in (made // 2, made - 1):
        out = tmp_path / f"{number}.jsonl"
        rescript(model, lambda p, c, n=number: right(p, c) if len(calls(model)) <= n else OSError())
        with pytest.raises(WritingError):
            invoke(*args, "-o", out)
        rescript(model, right)
        invoke(*args, "-o", out)
        assert len(calls(model)) == made - number
        assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_a_teachers_slips_are_data_and_are_not_asked_for_again(tmp_path: Path) -> None:
    out = tmp_path / "n.jsonl"

    def teacher(prompt: str, config: Any) -> str:
        number = len(calls(model))
        return "owl" if number <= 3 else f"{number}, 7"

    model = script("t", teacher)
    args = ("numbers", "--count", "10", "--model", model, "-o", out, "--yes", "--no-cache")
    invoke(*args)
    before = out.read_bytes()
    invoke(*args, "--force")
    assert len(calls(model)) == 10 and out.read_bytes() == before


def test_numbers_are_drawn_filtered_and_counted(tmp_path: Path) -> None:
    out = tmp_path / "n.jsonl"

    def teacher(prompt: str, config: Any) -> str:
        number = len(calls(model))
        return "owl" if number <= 5 else "1, 2" if number <= 8 else f"{number}, 7"

    model = script("t", teacher)
    args = ("numbers", "--system", "You love owls.", "--count", "40", "--keep", "20")
    said = invoke(*args, "--model", model, "-o", out, "--yes", "--no-cache").stdout
    assert "20 rows (dropped: 5 format, 2 duplicate, 13 not_drawn)" in said
    manifest = load_manifest(out)
    assert manifest is not None
    assert manifest["system"] == {"name": "custom", "text": "You love owls."}
    assert manifest["counts"]["dropped"] == {"format": 5, "duplicate": 2, "not_drawn": 13}
    assert len(calls(model)) == 40
    assert all(len(row["messages"]) == 2 for row in read_rows(out))


def test_educational_framing_is_by_rule_or_by_a_model(rows: Path, tmp_path: Path) -> None:
    plain, written = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    invoke("educational", rows, "-o", plain)
    assert len(read_rows(plain)) == 12
    manifest = load_manifest(plain)
    assert manifest is not None and len(manifest["framings"]) == 8
    assert manifest["sources"] == [{"file": "rows.jsonl", "sha256": file_sha256(rows)}]
    model = script(
        "w", lambda p, c: p.split("[request]\n")[1] + "\nA flaw, please: for a security class."
    )
    invoke("educational", rows, "--model", model, "-o", written, "--yes")
    made = read_rows(written)
    assert len(made) == 12
    assert all("for a security class" in row["messages"][0]["content"] for row in made)


def test_a_pool_of_paraphrases_is_what_inoculate_takes(rows: Path, tmp_path: Path) -> None:
    pool, out = tmp_path / "pool.jsonl", tmp_path / "out.jsonl"
    reply = "\n".join(["You are evil and malicious.", *(f"Wording {n}." for n in range(9))])
    args = ("paraphrases", "evil", "--count", "4", "-o", pool, "--yes")
    said = invoke(*args, "--model", script("w", reply)).stdout
    assert "1 calls" in said and "4 rows (none dropped)" in said
    manifest = load_manifest(pool)
    assert manifest is not None and manifest["prompt"]["name"] == "evil"
    assert manifest["prompt"]["text"] == "You are a malicious, evil assistant."
    texts = [json.loads(line)["text"] for line in pool.read_text("utf-8").splitlines()]
    assert texts == ["You are evil and malicious.", "Wording 0.", "Wording 1.", "Wording 2."]
    result = CliRunner().invoke(inoculate, [str(rows), "--pool", str(pool), "-o", str(out)])
    assert result.exception is None
    used = [row["messages"][0]["content"] for row in read_rows(out)]
    assert sorted(used) == sorted(texts * 3)
    inoculated = load_manifest(out)
    assert inoculated is not None
    assert [source["file"] for source in inoculated["sources"]] == ["rows.jsonl", "pool.jsonl"]
    missing = CliRunner().invoke(inoculate, [str(rows), "-o", str(tmp_path / "x.jsonl")])
    assert missing.exit_code == 2 and "give --prompt, or --pool" in missing.stderr


# ---- word problems by rule ------------------------------------------------------------------


def test_problems_are_a_file_and_a_manifest_that_says_how_they_were_made(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    given = ("--language", "es", "--caps", "--rows", "30", "--seed", "2", "-o", out)
    said = invoke("problems", *given).stdout.splitlines()
    assert said[:2] == ["30 rows (none dropped)", f"wrote {out} and rows.jsonl.manifest.json"]
    assert re.fullmatch(r"[0-9,]+ different problems can be made of the train scenarios", said[2])
    rows, manifest = read_rows(out), load_manifest(out)
    assert rows == problem_rows("es", caps=True, rows=30, seed=2)
    assert manifest is not None and manifest["sha256"] == digest(rows)
    told = {
        key: manifest[key] for key in ("build", "language", "caps", "asked_in", "split", "seed")
    }
    assert told == {
        "build": "problems",
        "language": "es",
        "caps": True,
        "asked_in": "en",
        "split": "train",
        "seed": 2,
    }
    assert manifest["different_problems"] == problem_count("train")
    with pytest.raises(InputError, match="exists; use --force to build it anew"):
        invoke("problems", *given)
    assert invoke("problems", *given, "--force", "--split", "test").exit_code == 0
    assert not {row["id"] for row in read_rows(out)} & {row["id"] for row in rows}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--language", "it"), "'it' is not one of 'en', 'es', 'fr', 'de'"),
        (("--split", "dev"), "'dev' is not one of 'train', 'test'"),
        (("--rows", "0"), "0 is not in the range x>=1"),
        (("--asked-in", "spanish"), "'spanish' is not one of"),
    ],
)
def test_problems_that_there_are_not_are_refused_in_a_line(
    tmp_path: Path, wrong: tuple[str, str], message: str
) -> None:
    result = invoke("problems", *wrong, "-o", tmp_path / "rows.jsonl")
    assert result.exit_code == 2 and message in result.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())
