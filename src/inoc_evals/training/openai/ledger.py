"""What the store remembers of OpenAI: uploaded files, and of each training its job.

    openai/files/<sha256>.json     id of the upload with this content
    openai/jobs/<identity>.json    job, whether one may have been created unseen, result
    openai/answers/<key>.json      what a model answered to the questions of a set

The first two are memory aids: a job is also found at OpenAI by the identity in its metadata, a file
by its name, so that a store that was lost costs nothing. Neither holds a key.
"""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inoc_evals.errors import StoreError
from inoc_evals.files.atomic import write_text
from inoc_evals.store.store import Store

Kept = TypeVar("Kept", bound=BaseModel)


class JobResult(BaseModel):
    """What a job that succeeded gave."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remote: str
    """Name of the fine-tuned model."""
    metrics: dict[str, Any]
    versions: dict[str, str]
    created: datetime = Field(default_factory=lambda: datetime.now(UTC))


class JobState(BaseModel):
    """What is known here of one training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    job: str | None = None
    """Id of its job."""
    asked: bool = False
    """A job was asked for and its id not written down: there may be one unseen."""
    given_up: tuple[str, ...] = ()
    """Jobs that failed or were canceled, after which another was asked for."""
    result: JobResult | None = None


class UploadedFile(BaseModel):
    """One upload."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    """Its id."""


class KeptAnswers(BaseModel):
    """Sampled answers, which cost money."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    answers: dict[str, list[str]]
    """Question -> texts."""


class Ledger:
    """The ``openai`` folder of a store."""

    def __init__(self, store: Store) -> None:
        self._store, self.root = store, store.root / "openai"

    def state(self, identity: str) -> JobState:
        """Return what is known of a training; a blank state if nothing is.

        Raises:
            StoreError: If the file is damaged.
        """
        return _read(self.root / "jobs" / f"{identity}.json", JobState) or JobState()

    def keep(self, identity: str, state: JobState) -> JobState:
        """Write down what is known of a training, and return it."""
        write_text(self.root / "jobs" / f"{identity}.json", state.model_dump_json(indent=2) + "\n")
        return state

    def file_id(self, sha256: str) -> str | None:
        """Return the id of the upload with this content, if one is known."""
        known = _read(self.root / "files" / f"{sha256}.json", UploadedFile)
        return known.file if known else None

    def keep_file(self, sha256: str, file_id: str) -> None:
        """Write down the id of an upload."""
        text = UploadedFile(file=file_id).model_dump_json(indent=2) + "\n"
        write_text(self.root / "files" / f"{sha256}.json", text)

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Hold a lock, so that no two ask for the same."""
        return self._store.lock(f"openai-{key}")

    def answers(self, key: str) -> dict[str, list[str]]:
        """Return what was answered before under this key: question -> texts.

        Raises:
            StoreError: If the file is damaged.
        """
        known = _read(self.root / "answers" / f"{key}.json", KeptAnswers)
        return known.answers if known else {}

    def keep_answers(self, key: str, model: str, answers: dict[str, list[str]]) -> None:
        """Write down what was answered."""
        text = KeptAnswers(model=model, answers=answers).model_dump_json(indent=2) + "\n"
        write_text(self.root / "answers" / f"{key}.json", text)


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        return kind.model_validate_json(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (ValidationError, UnicodeDecodeError):
        raise StoreError(
            f"{path}: damaged; delete it (a job is found again at OpenAI, answers are asked for "
            "again)"
        ) from None
