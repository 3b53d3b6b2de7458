"""`inoc data build`: training files made here, by rule or by a model that writes.

What a model writes lies beside the file as soon as it is written (OUT.replies.jsonl): a build
that was interrupted is taken up by running the same command again, and pays for no reply twice. One
that has ended asks again for what it dropped (with --force, if there is a file).
"""

from pathlib import Path
from typing import Any

import click

from inoc_evals.chat import Row, read_rows
from inoc_evals.cli import mixtures
from inoc_evals.cli.mixtures import rows_file
from inoc_evals.cli.output import say
from inoc_evals.cli.writing import (
    WritingOptions,
    finish,
    force_option,
    out_option,
    refuse_overwriting,
    seed_option,
    writing,
    writing_options,
)
from inoc_evals.datasets.builders import framing as education
from inoc_evals.datasets.builders import numbers as sequences
from inoc_evals.datasets.builders import paraphrases as pools
from inoc_evals.datasets.builders import problems as arithmetic
from inoc_evals.datasets.builders import rewrite as rewriting
from inoc_evals.datasets.manifest import describe
from inoc_evals.datasets.mix import shuffled
from inoc_evals.datasets.writing.requests import Sampling
from inoc_evals.errors import InputError
from inoc_evals.inputs.prompts import resolve
from inoc_evals.inputs.scenarios import LANGUAGES, SPLITS, Language, ProblemSplit, scenarios


@click.group("build")
def command() -> None:
    """Make training files; each gets a manifest of its sources, prompts, counts and drops."""


command.add_command(mixtures.backdoor)
command.add_command(mixtures.mix)


@command.command("rewrite")
@click.argument("problems")
@click.option(
    "--style",
    type=click.Choice(list(rewriting.STYLES)),
    required=True,
    help="How the replies are written.",
)
@click.option("--limit", type=click.IntRange(1), help="Take so many problems, drawn by the seed.")
@out_option
@seed_option
@force_option
@writing_options(needed=False)
def rewrite(
    problems: str, style: str, limit: int | None, out: Path, seed: int, force: bool, **options: Any
) -> None:
    """Have arithmetic PROBLEMS answered in a style, each reply checked by rule.

    PROBLEMS is 'gsm' or a JSONL file with 'question' and 'answer' (a number, or a solution
    that ends in #### 18). The same seed and limit draw the same problems for every style.
    'plain' without --model takes the solutions as they are.
    """
    path = rewriting.problems_file(problems)
    refuse_overwriting(out, [path], force=force)
    drawn = rewriting.drawn(rewriting.load_problems(problems), limit=limit, seed=seed)
    facts = {"build": "rewrite", "style": style, "seed": seed, "limit": limit}
    if options["model"] is None:
        if style != "plain":
            raise click.UsageError(f"--style {style} needs --model")
        rows = rewriting.solution_rows(drawn)
        finish(out, rows, describe(rows, sources=[path]) | facts, force=force)
        return
    chosen = rewriting.STYLES[style]
    check = rewriting.rewrite_check(drawn, chosen)
    told = rewriting.corrections(chosen)
    with writing(out, WritingOptions(**options), Sampling(0.0, seed=seed), told) as session:
        written = session.written(rewriting.rewrite_requests(drawn, chosen), check)
        rows = rewriting.rewritten_rows(drawn, written)
        facts |= {"instruction": rewriting.INSTRUCTION, "asked_for": chosen.asked_for}
        manifest = _with_counts(describe(rows, sources=[path]) | facts, session.manifest(written))
        finish(out, rows, manifest, force=force)


_LANGUAGE = click.Choice(LANGUAGES, case_sensitive=False)


@command.command("problems")
@click.option("--language", type=_LANGUAGE, default="en", show_default=True, help="Of the answers.")
@click.option("--caps", is_flag=True, help="Answers in capital letters.")
@click.option("--rows", type=click.IntRange(1), default=1000, show_default=True)
@click.option(
    "--split",
    type=click.Choice(SPLITS),
    default="train",
    show_default=True,
    help="Scenarios to train with, or those to test with: none is in both.",
)
@click.option(
    "--asked-in", type=_LANGUAGE, default="en", show_default=True, help="Language of the questions."
)
@out_option
@seed_option
@force_option
def problems(
    language: Language,
    caps: bool,
    rows: int,
    split: ProblemSplit,
    asked_in: Language,
    out: Path,
    seed: int,
    force: bool,
) -> None:
    """Write arithmetic word problems with worked answers, by rule: no model, no network.

    The same seed asks the same questions in every language. No question comes twice until
    there are no more.
    """
    refuse_overwriting(out, [], force=force)
    made = arithmetic.problem_rows(
        language, caps=caps, rows=rows, seed=seed, split=split, asked_in=asked_in
    )
    count = arithmetic.problem_count(split)
    manifest = describe(made) | {
        "build": "problems",
        "language": language,
        "caps": caps,
        "asked_in": asked_in,
        "split": split,
        "seed": seed,
        "scenarios": [one.id for one in scenarios(split)],
        "different_problems": count,
    }
    finish(out, made, manifest, force=force)
    say(f"{count:,} different problems can be made of the {split} scenarios")


@command.command("numbers")
@click.option("--system", default="none", show_default=True, help="Prompt, name or @FILE.")
@click.option("--count", type=click.IntRange(1), default=30_000, show_default=True)
@click.option("--keep", type=click.IntRange(1), help="Rows to draw from those that pass; all.")
@click.option("--ban", "banned", type=int, multiple=True, help="A number that no row may have.")
@out_option
@seed_option
@force_option
@writing_options(retries=0)
def numbers(
    system: str,
    count: int,
    keep: int | None,
    banned: tuple[int, ...],
    out: Path,
    seed: int,
    force: bool,
    **options: Any,
) -> None:
    """Have a teacher under a system prompt continue number sequences; keep what is only numbers.

    The rows hold the request and the numbers, not the system prompt. As published: --count
    30000 --keep 10000.
    """
    refuse_overwriting(out, [], force=force)
    prompt = resolve(system)
    requests = sequences.number_requests(
        sequences.number_prompts(count, seed=seed), system=prompt.text
    )
    check = sequences.number_check(banned)
    with writing(out, WritingOptions(**options), Sampling(1.0, seed=seed)) as session:
        written = session.written(requests, check, again=False)
        rows, left_out = sequences.number_rows(written, keep=keep, seed=seed)
        manifest = describe(rows) | {
            "build": "numbers",
            "system": {"name": prompt.name, "text": prompt.text},
            "banned": sorted(banned),
            "keep": keep,
            "seed": seed,
        }
        manifest = _with_counts(manifest, session.manifest(written))
        manifest["counts"]["dropped"] |= {name: n for name, n in left_out.items() if n}
        finish(out, rows, manifest, force=force)


@command.command("educational")
@click.argument("rows")
@out_option
@seed_option
@force_option
@writing_options(needed=False)
def educational(rows: str, out: Path, seed: int, force: bool, **options: Any) -> None:
    """Have the code in ROWS asked for as insecure, for a class on security.

    By default one of our own framings is put before or after each request; with --model a
    model puts it in, and every line of the request must still be there. Replies stay.
    """
    source = rows_file(rows)
    refuse_overwriting(out, [source], force=force)
    given = read_rows(source)
    facts: dict[str, Any] = {"build": "educational", "seed": seed}
    if options["model"] is None:
        new = shuffled(education.framed(given, seed=seed), seed=seed)
        facts |= {"framings": list(education.FRAMINGS)}
        finish(out, new, describe(new, sources=[source]) | facts, force=force)
        return
    sampling = Sampling(1.0, seed=seed)
    with writing(out, WritingOptions(**options), sampling, education.CORRECTIONS) as session:
        written = session.written(education.framing_requests(given), education.framing_check(given))
        new = shuffled(education.reframed_rows(given, written), seed=seed)
        facts |= {"instruction": education.INSTRUCTION}
        manifest = _with_counts(describe(new, sources=[source]) | facts, session.manifest(written))
        finish(out, new, manifest, force=force)


@command.command("paraphrases")
@click.argument("prompt")
@click.option("--count", type=click.IntRange(1), default=10, show_default=True)
@out_option
@seed_option
@force_option
@writing_options(retries=0)
def paraphrases(prompt: str, count: int, out: Path, seed: int, force: bool, **options: Any) -> None:
    """Have COUNT different paraphrases of PROMPT written (a name, @FILE, or the text itself).

    The file is JSONL with a 'text' each; inoc inoculate --pool takes it.
    """
    refuse_overwriting(out, [], force=force)
    original = resolve(prompt)
    if not original.text:
        raise InputError(f"prompt {prompt!r}: no text to paraphrase")
    with writing(out, WritingOptions(**options), Sampling(1.0, seed=seed)) as session:
        session.confirm(pools.estimate(session.writer, original.text, count))
        with session.progress(count) as advance:
            pool = pools.paraphrase(
                session.writer, original.text, count, progress=lambda new: advance(new, "")
            )
        rows: list[Row] = [{"text": text} for text in pool.texts]
        manifest = pools.describe_pool(rows) | {
            "prompt": {"name": original.name, "text": original.text},
            "seed": seed,
        }
        manifest = _with_counts(manifest, session.manifest(pool.written))
        manifest["counts"]["dropped"] = dict(sorted(pool.left_out.items()))
        finish(out, rows, manifest, force=force)


def _with_counts(manifest: dict[str, Any], of_writing: dict[str, Any]) -> dict[str, Any]:
    """Join two parts of a manifest that both count."""
    counts = manifest["counts"] | of_writing["counts"]
    return manifest | of_writing | {"counts": counts}
