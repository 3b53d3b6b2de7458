"""What builders with a model share: options, the price before, progress, the file.

@writing_options()
def command(..., **options): ...
with writing(out, WritingOptions(**options), sampling) as session:
written = session.written(requests, check)
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from inoc_evals.chat import Row
from inoc_evals.cli.output import confirm, say
from inoc_evals.datasets.manifest import load_manifest, manifest_path, write_dataset
from inoc_evals.datasets.writing.cost import Estimate
from inoc_evals.datasets.writing.journal import journal_path, opened
from inoc_evals.datasets.writing.requests import (
    Check,
    Request,
    Sampling,
    Written,
    dropped,
    failures,
)
from inoc_evals.datasets.writing.writer import Writer
from inoc_evals.errors import InputError
from inoc_evals.files.digests import digest
from inoc_evals.files.json_lines import read_jsonl
from inoc_evals.models.costs import Price, price_of, read_price
from inoc_evals.models.hosted import ending

out_option = click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="File to write."
)
seed_option = click.option("--seed", type=int, default=0, show_default=True)
force_option = click.option("--force", is_flag=True, help="Build OUT anew if it exists.")

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class WritingOptions:
    """The options of :func:`writing_options`, as given."""

    model: str | None
    retries: int
    temperature: float | None
    max_tokens: int
    concurrency: int
    price: str | None
    cache: bool
    drop_errors: bool
    yes: bool


def writing_options(*, needed: bool = True, retries: int = 2) -> Callable[[Function], Function]:
    """Return a decorator that adds the options of a builder which uses a model.

    Args:
        needed: Whether the model must be given.
        retries: Default of ``--retries``.
    """
    options = (
        click.option("--model", required=needed, help="Model that writes, as provider/name."),
        click.option(
            "--retries",
            type=click.IntRange(0),
            default=retries,
            show_default=True,
            help="How often a reply that fails its check is asked for again.",
        ),
        click.option("--temperature", type=click.FloatRange(0), help="Instead of the builder's."),
        click.option("--max-tokens", type=click.IntRange(1), default=2048, show_default=True),
        click.option(
            "--concurrency",
            type=click.IntRange(1),
            default=20,
            show_default=True,
            help="Calls in flight at once.",
        ),
        click.option("--price", metavar="IN,OUT", help="Dollars per million tokens."),
        click.option(
            "--cache/--no-cache",
            default=True,
            help="Whether Inspect's cache may answer. The replies beside OUT are always used.",
        ),
        click.option(
            "--drop-errors", is_flag=True, help="Drop requests that the provider answers by errors."
        ),
        click.option("--yes", is_flag=True, help="Do not ask before calls are made."),
    )

    def decorate(function: Function) -> Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class Session:
    """A build in progress: its writer, and what it says to the user. Use :func:`writing`."""

    def __init__(self, writer: Writer, price: Price | None, options: WritingOptions) -> None:
        self.writer = writer
        self._price = price
        self._options = options
        self._to_give_up: list[Written] = []

    def confirm(self, estimate: Estimate) -> None:
        """Show what the build takes, and ask whether to go on.

        Raises:
            InputError: If the answer is no.
        """
        name, price = self.writer.name, self._price
        end = ending(name, "writer") if estimate.calls else None
        say(
            f"{name}: {estimate.calls:,} calls, about {estimate.input_tokens:,} tokens in and "
            f"{estimate.output_tokens:,} out ({estimate.answered:,} requests are answered already)"
        )
        say(f"price: {self._price_text(estimate)}; retries come on top")
        if end is not None:
            say(end)
        if not estimate.calls or self._options.yes or price == Price(0, 0):
            return
        try:
            agreed = confirm("make these calls?")
        except click.Abort:
            agreed = False
        if not agreed:
            raise InputError("no calls were made; give --yes to make them without being asked")

    def written(
        self, requests: Sequence[Request], check: Check, *, again: bool = True
    ) -> list[Written]:
        """Confirm, then write, with a progress bar.

        Args:
            requests: What to ask for.
            check: The rule a reply must pass.
            again: Whether the next build asks again for what this one drops.
        """
        self.confirm(self.writer.estimate(requests, check))
        with self.progress(len(requests)) as advance:
            lost = 0

            def done(one: Written) -> None:
                nonlocal lost
                lost += one.text is None
                advance(1, f"{lost} dropped")

            written = self.writer.write(
                requests, check, progress=done, drop_errors=self._options.drop_errors
            )
        self._to_give_up += written if again else []
        return written

    def end(self) -> None:
        """Note what was dropped: the build has ended, with a file or with none."""
        self.writer.give_up(self._to_give_up)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int, str], None]]:
        """Show a bar on standard error; advance it by a number, with a remark."""
        console = Console(stderr=True)
        bar = Progress(
            TextColumn("writing"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        task = bar.add_task("", total=total)

        def advance(by: int, remark: str) -> None:
            bar.update(task, advance=by, description=f"{remark}{self._spent()}")

        with bar:
            yield advance

    def manifest(self, written: Sequence[Written]) -> dict[str, Any]:
        """Return the part of the manifest that tells of model, replies and drops."""
        usage = self.writer.usage(written)
        return {
            "writer": self.writer.describe(),
            "usage": asdict(usage),
            "replies": self.writer.journal.path.name,
            "counts": {
                "requests": len(written),
                "failed_replies": failures(written),
                "dropped": dropped(written),
            },
        }

    def _price_text(self, estimate: Estimate) -> str:
        dollars = estimate.dollars(self._price)
        if self._price is None or dollars is None:
            return "not known for this model; --price IN,OUT computes it"
        if self._price == Price(0, 0):
            return "none, the model runs here"
        each = f"{self._price.input:g} in, {self._price.output:g} out per million tokens"
        return f"about {money(dollars)} ({each})"

    def _spent(self) -> str:
        made = self.writer.made
        if not self._price or self._price == Price(0, 0):
            return f", {made.replies:,} calls"
        spent = self._price.dollars(made.input_tokens, made.output_tokens)
        return f", {made.replies:,} calls, {money(spent)}"


def money(dollars: float) -> str:
    """Return dollars and cents, rounded up."""
    return f"${math.ceil(round(dollars * 100, 6)) / 100:,.2f}"


@contextmanager
def writing(
    out: Path,
    options: WritingOptions,
    sampling: Sampling,
    corrections: dict[str, str] | None = None,
) -> Iterator[Session]:
    """Open the journal beside ``out`` and set the model up.

    Args:
        out: The file that is being built.
        options: As the user gave them.
        sampling: The builder's own; the user's temperature and length replace its.
        corrections: What the model is told after a reply that failed.
    """
    if options.model is None:
        raise InputError("--model: none given")
    temperature = sampling.temperature if options.temperature is None else options.temperature
    sampling = replace(sampling, temperature=temperature, max_tokens=options.max_tokens)
    price = price_of(options.model) if options.price is None else read_price(options.price)
    with (
        opened(journal_path(out)) as journal,
        Writer(
            options.model,
            journal,
            sampling=sampling,
            retries=options.retries,
            corrections=corrections,
            concurrency=options.concurrency,
            cache=options.cache,
        ) as writer,
    ):
        session = Session(writer, price, options)
        try:
            yield session
        except InputError:  # no row is left, or the file is there
            session.end()
            raise
        session.end()


# ---- the file ----------------------------------------------------------------------------


def refuse_overwriting(out: Path, sources: Sequence[Path], *, force: bool) -> None:
    """Refuse before anything is paid for to write over a source, or a finished file.

    Raises:
        InputError: Saying which, and what to do.
    """
    if any(out.resolve() == source.resolve() for source in sources):
        raise InputError(f"{out}: is the input; choose another file with -o")
    if not out.exists() or force:
        return
    interrupted = journal_path(out).exists() and not manifest_path(out).exists()
    if not interrupted:
        raise InputError(f"{out}: exists; use --force to build it anew")


def refuse_other_rows(out: Path, rows: Sequence[Row], *, force: bool) -> None:
    """Refuse to overwrite, except by the very same rows, which a killed run may have left.

    Raises:
        InputError: Saying what to do.
    """
    if out.exists() and not force and not _holds(out, rows):
        raise InputError(f"{out}: exists and holds other rows; use --force to overwrite it")


def finish(
    out: Path, rows: Sequence[Row], manifest: dict[str, Any], *, force: bool
) -> dict[str, Any]:
    """Write the file and its manifest, say so, and return the manifest.

    Raises:
        InputError: If nothing is left to write, or other rows are there.
    """
    if not rows:
        raise InputError(f"{out}: not written, since no row is left ({_drops(manifest)})")
    refuse_other_rows(out, rows, force=force)
    written = write_dataset(out, rows, manifest)
    assert load_manifest(out) is not None
    say(f"{len(rows):,} rows ({_drops(manifest)})")
    say(f"wrote {out} and {manifest_path(out).name}")
    return written


def _drops(manifest: dict[str, Any]) -> str:
    drops = manifest["counts"].get("dropped", {})
    told = ", ".join(f"{count:,} {reason}" for reason, count in drops.items() if count)
    return f"dropped: {told}" if told else "none dropped"


def _holds(path: Path, rows: Sequence[Row]) -> bool:
    try:
        return digest([row for _, row in read_jsonl(path)]) == digest(list(rows))
    except InputError:
        return False
