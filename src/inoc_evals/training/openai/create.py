"""One job per identity at OpenAI: look first, upload once, create, and look again.

    job = known_job(request, client)                 # here, or there by its metadata
    if job is None:
        job = created_job(request, client)

A create request that timed out or broke off may have taken effect: it is followed by looks
over some minutes and repeated only if they find nothing. That one was asked for is on disk
beforehand, so a crash in between is no different; that it was refused is, too, so that nothing
is looked for then. If two jobs of an identity turn up all
the same (two machines at once), the later one is canceled while it queues.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoc_evals import __version__
from inoc_evals.errors import InputError, StoreError
from inoc_evals.training.config import read_fields
from inoc_evals.training.openai import client as openai_client
from inoc_evals.training.openai.client import (
    UPLOAD_TIMEOUT,
    UnknownThereError,
    every,
    passes,
    patiently,
    rejected,
)
from inoc_evals.training.openai.follow import FAILED
from inoc_evals.training.openai.job_file import TrainingFile
from inoc_evals.training.openai.ledger import JobState, Ledger

Found = TypeVar("Found")

IDENTITY_KEY = "inoc_identity"
"""Metadata key of a job by which it is found again."""

_LOOKS = 6
"""Looks for a job that may have been created: 5, 10, 20 ... seconds apart, 155 in all."""
_FIRST_LOOK_WAIT = 5.0
_CREATE_ATTEMPTS = 300
"""A full queue (429) is waited for: hours."""
_MOST_SUFFIX = 64
_PAGE = 100


class OpenAIConfig(BaseModel):
    """Hyper-parameters of a supervised job; "auto" is OpenAI's choice, kept in the record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_epochs: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Passes over the rows."""
    learning_rate_multiplier: Literal["auto"] | Annotated[float, Field(gt=0)] = "auto"
    """Factor on the model's own learning rate."""
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """Rows per step."""


def load_openai_config(
    path: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> OpenAIConfig:
    """Return the hyper-parameters of a YAML file, changed by overrides; the rest is "auto".

    Raises:
        InputError: Naming file, field and what is wrong with its value.
    """
    where = f"{path}: " if path else ""
    fields = {**(read_fields(path) if path else {}), **(overrides or {})}
    if unknown := sorted(fields.keys() - OpenAIConfig.model_fields.keys()):
        raise InputError(
            f"{where}{', '.join(unknown)}: not a setting of a job at OpenAI; there are "
            f"{', '.join(OpenAIConfig.model_fields)}"
        )
    try:
        return OpenAIConfig.model_validate(fields)
    except ValidationError as error:
        fault = error.errors()[-1]
        name, value = fault["loc"][0], fault["input"]
        raise InputError(f"{where}{name} {value!r}: {fault['msg']}, or auto") from None


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A job that is wanted."""

    file: TrainingFile
    model: str
    """Without ``openai/``."""
    config: OpenAIConfig
    seed: int
    name: str
    """Of the record; becomes the suffix of the model's name."""
    identity: str
    """Digest of what determines the training."""
    ledger: Ledger
    say: Callable[[str], None]

    def state(self) -> JobState:
        """Return what is known of the training here."""
        return self.ledger.state(self.identity)

    def keep(self, **changes: Any) -> None:
        """Write down what has changed in that."""
        self.ledger.keep(self.identity, self.state().model_copy(update=changes))


def known_job(request: JobRequest, client: OpenAI) -> FineTuningJob | None:
    """Return the job of this training, if there is one that was not given up.

    Raises:
        StoreError: If OpenAI cannot be asked.
    """
    state = request.state()
    if state.job is not None:
        job = _or_none(
            lambda: client.fine_tuning.jobs.retrieve(str(state.job)),
            "finding the job",
            request.say,
        )
        if job is not None:
            return job
    return _looked_for(request, client, looks=_LOOKS if state.asked else 1)


def give_up_failed(request: JobRequest, client: OpenAI) -> None:
    """Leave the jobs of this training that failed or were canceled aside from now on."""
    failed = [job.id for job in _jobs(request, client) if job.status in FAILED]
    if failed:
        state = request.state()
        job = None if state.job in failed else state.job
        request.keep(job=job, given_up=(*state.given_up, *failed))


def created_job(request: JobRequest, client: OpenAI) -> FineTuningJob:
    """Upload the file if need be and create the job, or take the one a lost request created.

    Raises:
        StoreError: With OpenAI's reason, if it creates none.
    """
    file_id = _uploaded(request, client)
    unseen = False  # whether an earlier try may have created one

    def attempt() -> FineTuningJob:
        nonlocal unseen
        request.keep(job=None, asked=True)
        try:
            return _create(request, client, file_id)
        except Exception as error:
            unseen = unseen or not rejected(error)
            if not unseen:
                request.keep(asked=False)
            if not passes(error):
                raise
            job = _looked_for(request, client, looks=1 if rejected(error) else _LOOKS)
            if job is None:
                raise
            return job

    try:
        job = patiently(attempt, "creating the job", say=request.say, attempts=_CREATE_ATTEMPTS)
        job = _without_twins(request, client, job)
    except KeyboardInterrupt:
        request.say("interrupted; if OpenAI has created the job, the same command will find it")
        raise
    request.keep(job=job.id, asked=False)
    return job


def _create(request: JobRequest, client: OpenAI, file_id: str) -> FineTuningJob:
    config = request.config
    suffix = "".join(sign if sign.isalnum() and sign.isascii() else "-" for sign in request.name)
    return client.fine_tuning.jobs.create(
        model=request.model,
        training_file=file_id,
        seed=request.seed,
        suffix=suffix[:_MOST_SUFFIX],
        metadata={
            IDENTITY_KEY: request.identity,
            "inoc_name": request.name,
            "inoc_version": __version__,
        },
        method={
            "type": "supervised",
            "supervised": {
                "hyperparameters": {
                    "n_epochs": config.n_epochs,
                    "learning_rate_multiplier": config.learning_rate_multiplier,
                    "batch_size": config.batch_size,
                }
            },
        },
    )


def _looked_for(request: JobRequest, client: OpenAI, *, looks: int) -> FineTuningJob | None:
    """Find the job by its metadata; a job just created may take a while to be listed."""
    for look in range(looks):
        if look == 1:
            seconds = sum(_FIRST_LOOK_WAIT * 2**wait for wait in range(looks - 1))
            request.say(
                f"{request.name}: a job may have been created whose id did not arrive; it is "
                f"looked for for up to {seconds:.0f} s"
            )
        if look:
            openai_client.sleep(_FIRST_LOOK_WAIT * 2 ** (look - 1))
        if jobs := _jobs(request, client):
            return jobs[0]
    return None


def _jobs(request: JobRequest, client: OpenAI) -> list[FineTuningJob]:
    """Return the jobs of this identity, given up ones left out; the best first."""
    given_up = request.state().given_up
    # Every page, not the API's metadata filter: one that came back empty would cost money.
    jobs = every(
        lambda: client.fine_tuning.jobs.list(limit=_PAGE), "looking for the job", say=request.say
    )
    return _best_first(
        job
        for job in jobs
        if (job.metadata or {}).get(IDENTITY_KEY) == request.identity and job.id not in given_up
    )


def _best_first(jobs: Iterable[FineTuningJob]) -> list[FineTuningJob]:
    return sorted(
        jobs,
        key=lambda job: (job.status in FAILED, job.status != "succeeded", job.created_at, job.id),
    )


def _without_twins(request: JobRequest, client: OpenAI, job: FineTuningJob) -> FineTuningJob:
    """Return the job to keep of those there are now, and cancel the others that still run."""
    jobs = {each.id: each for each in [job, *_jobs(request, client)]}
    first, *others = _best_first(jobs.values())
    for twin in others:
        if twin.status not in (*FAILED, "succeeded"):
            request.say(f"{twin.id} is a second job for the same training: canceling it")
            # It may have ended meanwhile, which is as good.
            with suppress(StoreError):
                cancel = partial(client.fine_tuning.jobs.cancel, twin.id)
                patiently(cancel, f"canceling {twin.id}", say=request.say)
    return first


def _uploaded(request: JobRequest, client: OpenAI) -> str:
    """Return the id of the upload with the file's content; uploaded if there is none."""
    file = request.file
    known = request.ledger.file_id(file.sha256)
    if known is not None:
        there = _or_none(
            lambda: client.files.retrieve(known), "looking for the uploaded file", request.say
        )
        if there is not None and there.status != "error":
            return known
    name = f"inoc-{file.sha256}.jsonl"

    def attempt() -> str:
        uploads = every(
            lambda: client.files.list(purpose="fine-tune"), "looking for the file", say=request.say
        )
        for there in uploads:
            if (there.filename, there.bytes) == (name, len(file.data)) and there.status != "error":
                return there.id
        patient = client.with_options(timeout=UPLOAD_TIMEOUT)
        return patient.files.create(file=(name, file.data), purpose="fine-tune").id

    file_id = patiently(attempt, "uploading the rows", say=request.say)
    request.ledger.keep_file(file.sha256, file_id)
    return file_id


def _or_none(call: Callable[[], Found], doing: str, say: Callable[[str], None]) -> Found | None:
    """Call patiently; None if there is no such thing at OpenAI."""
    try:
        return patiently(call, doing, say=say)
    except UnknownThereError:
        return None
