"""Fine-tuning at OpenAI: rows become a model there once, paid for once.

    identity = digest(base or parent, rows, hyper-parameters, seed)  # also in the job's metadata
    known here?  ->  known there?  ->  ask, upload, create  ->  follow  ->  record
    openai_ledger    openai_create     openai_file              openai_follow

However it is interrupted, the same call goes on where the job then is. A job that failed is
shown with OpenAI's reason, again and again; another is created only with ``retry``.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any

import openai
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

from inoc_evals import __version__
from inoc_evals.chat import Row
from inoc_evals.errors import InputError, StoreError
from inoc_evals.files.digests import digest
from inoc_evals.models.hosted import ending_of_training
from inoc_evals.store.store import ModelRecord, Store, check_name
from inoc_evals.terminal import tell
from inoc_evals.training.dynamics import Dynamics, was_watched
from inoc_evals.training.openai.client import connect, patiently, shutdown_date
from inoc_evals.training.openai.create import (
    JobRequest,
    OpenAIConfig,
    created_job,
    give_up_failed,
    known_job,
)
from inoc_evals.training.openai.follow import failure, follow, loss_history, steps_done
from inoc_evals.training.openai.job_file import quote, training_file
from inoc_evals.training.openai.ledger import JobResult, Ledger
from inoc_evals.training.openai.sampled_dynamics import (
    by_sampling,
    kept_checkpoints,
    sampled_dynamics,
)
from inoc_evals.training.result import keep_rows
from inoc_evals.training.sft import checked_rows, refuse_taken_name

PREFIX = "openai/"

_CHECKPOINT_ATTEMPTS = 4
"""Of finding what a failed job left; its reason is not held back for that."""


def openai_model(base: str) -> str | None:
    """Return the model of a base at OpenAI (``openai/<model>``), None for another base."""
    return base.removeprefix(PREFIX) if base.startswith(PREFIX) and base != PREFIX else None


def job_identity(
    rows: Sequence[Row],
    *,
    model: str,
    config: OpenAIConfig,
    seed: int,
    parent: str | None = None,
) -> str:
    """Return the sha256 (hex) of everything a job is asked for.

    With the identity of a parent it stands in the place of the model, whose name at OpenAI is
    known only once it is trained.
    """
    return digest(
        {
            **({"parent": parent} if parent else {"base": f"openai:{model}"}),
            "rows": digest(list(rows)),
            "config": config.model_dump(mode="json"),
            "seed": seed,
        }
    )


def train(
    rows: Sequence[Row],
    *,
    base: str | None = None,
    config: OpenAIConfig | None = None,
    seed: int = 0,
    name: str,
    parent: str | None = None,
    dynamics: Dynamics | None = None,
    manifest: Mapping[str, Any] | None = None,
    store: Store | None = None,
    progress: bool = True,
    yes: bool = False,
    retry: bool = False,
    confirm: Callable[[str], bool] | None = None,
    say: Callable[[str], None] = tell,
) -> ModelRecord:
    """Fine-tune a model at OpenAI and register it as ``inoc/<name>``.

    With inputs that were trained before, here or by another store with the same account, no
    job is created. Interrupted in any way, the same call goes on where the job then is.

    Args:
        rows: Chat rows to learn from, at least 10.
        base: ``openai/<model>``; by default the parent's model.
        config: Hyper-parameters; all "auto" by default.
        seed: The job's seed.
        name: Name of the record.
        parent: Record of a model at OpenAI to train further.
        dynamics: Responses to look for in samples of the base and the job's checkpoints, for
            ``metrics["dynamics"]``; also of a model that was trained before.
        manifest: Where the rows come from; kept in the record.
        store: The store; by default the user's.
        progress: Show a progress bar on standard error.
        yes: Create a job, at a price, without asking.
        retry: If the job failed or was canceled, create another.
        confirm: Called with a question before a job is created, unless ``yes``.
        say: Called with the quote and with what is going on, a line or two at a time.

    Raises:
        InputError: For rows the API would refuse, unknown dynamics, a missing key, a base that
            can no longer be fine-tuned, or if not confirmed.
        StoreError: If the name is taken, or the job failed, was canceled or was refused by
            moderation; with OpenAI's reason.
    """
    check_name(name)
    store, config = store or Store(), config or OpenAIConfig()
    store.refuse_twin(name)
    base, model, before = _start(base, parent, store)
    if not 0 <= seed < 2**31:
        raise InputError(f"seed {seed}: OpenAI takes 0 to {2**31 - 1}")
    if dynamics is not None:
        dynamics = by_sampling(dynamics)
        dynamics.described()  # an unknown set shows before anything is paid for
    rows = checked_rows(rows, manifest)
    request = JobRequest(
        file=training_file(rows, model),
        model=model,
        config=config,
        seed=seed,
        name=name,
        identity=job_identity(rows, model=model, config=config, seed=seed, parent=before),
        ledger=Ledger(store),
        say=say,
    )
    refuse_taken_name(store, name, request.identity, f"openai:{model}")
    with store.lock(f"train-{request.identity}"):
        known = store.find(name)
        if known is not None and was_watched(dynamics, known.metrics):
            return known
        approval = _Approval(yes=yes, confirm=confirm)
        result = request.state().result or _result(request, approval, retry=retry, shown=progress)
        if dynamics is not None:
            result = _watched(request, result, dynamics)
        record = _record(request, base, rows, result, manifest or {}, before)
        keep_rows(store.adapter_dir(request.identity), rows)
        store.put(record)
    return record


def _start(base: str | None, parent: str | None, store: Store) -> tuple[str, str, str | None]:
    """Return base, model there, and the parent's identity."""
    before = None
    if parent is not None:
        record = store.get(parent)
        if record.remote is None:
            raise InputError(
                f"model {parent!r} lies here, not at OpenAI; it cannot be trained there"
            )
        start, before = f"{PREFIX}{record.remote}", record.identity
        if base not in (None, start, record.base):
            raise InputError(f"base {base!r} is not that of {parent!r} ({record.base})")
        base = start
    model = openai_model(base or "")
    if base is None or model is None:
        raise InputError(f"base {base!r}: expected openai/<model>")
    return base, model, before


def _record(
    request: JobRequest,
    base: str,
    rows: Sequence[Row],
    result: JobResult,
    manifest: Mapping[str, Any],
    parent: str | None,
) -> ModelRecord:
    return ModelRecord(
        name=request.name,
        identity=request.identity,
        base=base,
        base_digest=f"openai:{request.model}",
        remote=result.remote,
        data={**manifest, "sha256": digest(list(rows)), "rows": len(rows)},
        config=request.config.model_dump(mode="json"),
        seed=request.seed,
        parent=parent,
        metrics=result.metrics,
        versions=result.versions,
        created=result.created,
    )


def _result(request: JobRequest, approval: "_Approval", *, retry: bool, shown: bool) -> JobResult:
    """Find or create the job and follow it to its end."""
    client = connect()
    if retry:
        give_up_failed(request, client)
    job = known_job(request, client)
    if job is None:
        approval.ask(request, ends=shutdown_date(client, request.model))
        job = created_job(request, client)
    else:
        request.say(f"{request.name}: its job is {job.id} ({job.status}); no new one is made")
    job, events = follow(client, job.id, title=request.name, shown=shown, say=request.say)
    reason = failure(job, events)
    if reason is not None:
        raise StoreError(
            f"model {request.name!r}: {reason}; {_left_by(job, client)}. To start another job, "
            "give the same command with --retry"
        )
    result = _finished(request, job, events)
    request.keep(job=job.id, asked=False, result=result)
    return result


def _left_by(job: FineTuningJob, client: OpenAI) -> str:
    """Say what there is of a job that failed: its checkpoints, which are models, or nothing."""
    kept: dict[int, str] = {}
    with suppress(StoreError):
        kept = kept_checkpoints(job.id, client, lambda line: None, attempts=_CHECKPOINT_ATTEMPTS)
    if not kept:
        return "there is no model"
    *earlier, (step, last) = kept.items()
    others = "".join(f", step {step}: {model}" for step, model in reversed(earlier))
    return (
        f"it left checkpoints (step {step}: {last}{others}). To take one, evaluate it with "
        f"--model openai/{last} or train it further with --base openai/{last}"
    )


def _watched(request: JobRequest, result: JobResult, dynamics: Dynamics) -> JobResult:
    """Return the result with what the job's checkpoints answer, and keep it so."""
    client = connect()
    job_id = result.metrics["job"]
    job = patiently(
        lambda: client.fine_tuning.jobs.retrieve(job_id), f"asking about {job_id}", say=request.say
    )
    found = sampled_dynamics(
        dynamics,
        job,
        client,
        steps=result.metrics["steps"],
        ledger=request.ledger,
        say=request.say,
    )
    watched = result.model_copy(update={"metrics": {**result.metrics, "dynamics": found}})
    request.keep(result=watched)
    return watched


def _finished(
    request: JobRequest, job: FineTuningJob, events: Sequence[FineTuningJobEvent]
) -> JobResult:
    losses, price = (
        loss_history(events),
        quote(request.file, request.model, request.config.n_epochs).price,
    )
    tokens = job.trained_tokens
    paid = price.dollars(tokens) if price and tokens else None
    return JobResult(
        remote=str(job.fine_tuned_model),
        metrics={
            "job": job.id,
            "model": job.model,
            "hyperparameters": _chosen(job),
            "rows": request.file.rows,
            "steps": steps_done(events),
            "trained_tokens": tokens,
            "estimated_usd": paid,
            "loss": losses,
            "final_loss": losses[-1] if losses else None,
        },
        versions={"inoc-evals": __version__, "openai": openai.__version__},
    )


def _chosen(job: FineTuningJob) -> dict[str, Any]:
    """Return the hyper-parameters as OpenAI gives them; none where it gives none."""
    return job.hyperparameters.model_dump(mode="json") if job.hyperparameters else {}


class _Approval:
    """Whether a job may be paid for."""

    def __init__(self, *, yes: bool, confirm: Callable[[str], bool] | None) -> None:
        self.yes, self.confirm = yes, confirm

    def ask(self, request: JobRequest, ends: date | None) -> None:
        """Say when the model ends and what a job would cost; go on only if that is wanted."""
        if said := ending_of_training(f"{PREFIX}{request.model}", told=ends):
            request.say(said)
        request.say(quote(request.file, request.model, request.config.n_epochs).text())
        if request.file.dropped_keys:
            request.say(f"not uploaded: {', '.join(request.file.dropped_keys)}; only messages are")
        if self.yes:
            return
        if self.confirm is None or not self.confirm("Upload the rows and start this job?"):
            raise InputError("no job started: it costs money and was not confirmed (--yes does)")
