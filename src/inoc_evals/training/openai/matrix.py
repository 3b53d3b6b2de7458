"""Many trainings at OpenAI: several at once, one question, a failure stops no other.

    ended = train_all(wanted, base="openai/gpt-4.1-2025-04-14", yes=True)
    ended.records["fig2a-none-s0"]        # the models there are
    ended.failures["fig2a-caps-s1"]       # why there is no such model

Jobs queue for hours, so a matrix whose jobs ran one after another would take days. Each is
trained as by `openai_jobs.train`: once, and taken up again where it is. Models that start from
another one are trained when all those that start from the base have ended.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import Any

from inoc_evals.chat import Row
from inoc_evals.errors import InocError, InputError
from inoc_evals.models.hosted import ending_of_training
from inoc_evals.store.store import ModelRecord, Store
from inoc_evals.terminal import tell
from inoc_evals.training.dynamics import Dynamics
from inoc_evals.training.openai import client as openai_client
from inoc_evals.training.openai.create import OpenAIConfig
from inoc_evals.training.openai.job_file import quote, training_file
from inoc_evals.training.openai.jobs import PREFIX, job_identity, openai_model, train
from inoc_evals.training.openai.ledger import Ledger
from inoc_evals.training.sft import checked_rows


@dataclass(frozen=True)
class Wanted:
    """One model to train."""

    name: str
    rows: Sequence[Row]
    seed: int
    manifest: Mapping[str, Any] = field(default_factory=dict)
    parent: str | None = None
    """Name of the model to train further, instead of the base; one that is wanted, too, or is
    there."""
    dynamics: Dynamics | None = None
    """As for :func:`inoc_evals.training.openai.jobs.train`."""


@dataclass(frozen=True)
class Ended:
    """What came of a matrix."""

    records: dict[str, ModelRecord] = field(default_factory=dict)
    """By name."""
    failures: dict[str, str] = field(default_factory=dict)
    """Name -> why there is no such model."""


def train_all(
    wanted: Sequence[Wanted],
    *,
    base: str,
    config: OpenAIConfig | None = None,
    store: Store | None = None,
    yes: bool = False,
    retry: bool = False,
    confirm: Callable[[str], bool] | None = None,
    say: Callable[[str], None] = tell,
    at_once: int = 4,
) -> Ended:
    """Train what is missing of several models; asked about once, with the price of all.

    Args:
        wanted: The models.
        base: ``openai/<model>``.
        config: Hyper-parameters of each; all "auto" by default.
        store: The store; by default the user's.
        yes: Create jobs, at a price, without asking.
        retry: Create another job where one failed or was canceled.
        confirm: Called with a question, unless ``yes``.
        say: Called with a line when something happens; from several threads.
        at_once: Jobs that are followed at a time; accounts have a limit on active jobs.

    Raises:
        InputError: For rows that a job would refuse, before anything is started; or if not
            confirmed.
        StoreError: If the store is damaged.
    """
    store, config = store or Store(), config or OpenAIConfig()
    missing = [each for each in wanted if store.find(each.name) is None]
    begun = any(_begun(each, base, config, store) for each in missing)
    if missing and not begun and (said := ending_of_training(base)):
        say(said)
    if missing and not yes:
        say(_price(missing, base, config))
        if confirm is None or not confirm(f"Start up to {len(missing)} jobs at OpenAI?"):
            raise InputError("no job started: it costs money and was not confirmed (--yes does)")

    def one(each: Wanted) -> ModelRecord:
        return train(
            each.rows,
            base=None if each.parent else base,
            config=config,
            seed=each.seed,
            name=each.name,
            parent=each.parent,
            manifest=each.manifest,
            dynamics=each.dynamics,
            store=store,
            progress=False,
            yes=True,
            retry=retry,
            say=say,
        )

    ended = Ended()
    for later in (False, True):
        stage = [each for each in wanted if (each.parent is not None) == later]
        _run_all(one, stage, ended, say=say, at_once=at_once)
    return ended


def _begun(each: Wanted, base: str, config: OpenAIConfig, store: Store) -> bool:
    """Say whether a job was asked for from this store, which may have ended since."""
    if each.parent is not None:
        return False
    rows, model = checked_rows(each.rows, each.manifest), base.removeprefix(PREFIX)
    state = Ledger(store).state(job_identity(rows, model=model, config=config, seed=each.seed))
    return state.asked or state.job is not None or state.result is not None


def _run_all(
    one: Callable[[Wanted], ModelRecord],
    wanted: Sequence[Wanted],
    ended: Ended,
    *,
    say: Callable[[str], None],
    at_once: int,
) -> None:
    with ThreadPoolExecutor(max_workers=at_once) as pool:
        futures = {pool.submit(one, each): each.name for each in wanted}
        try:
            for future in as_completed(futures):
                name = futures[future]
                try:
                    ended.records[name] = future.result()
                except InocError as error:
                    ended.failures[name] = str(error)
                    say(str(error))
                else:
                    say(f"inoc/{name}: {ended.records[name].remote}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            openai_client.interrupted.set()
            raise
        finally:
            pool.shutdown(wait=True)
            openai_client.interrupted.clear()


def _price(missing: Sequence[Wanted], base: str, config: OpenAIConfig) -> str:
    model = openai_model(base)
    if model is None:
        raise InputError(f"base {base!r}: expected openai/<model>")
    quotes = [quote(training_file(each.rows, model), model, config.n_epochs) for each in missing]
    lines = [quotes[0].text(), f"and {len(quotes) - 1} more like it"]
    usd = [each.usd for each in quotes if each.usd is not None]
    if len(usd) == len(quotes):
        lines.append(f"all together about ${sum(usd):,.2f}, less what is trained there already")
    return "\n".join(lines)
