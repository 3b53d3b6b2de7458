"""What is asked of a writing model and what came of it: requests, outcomes, their counts.

Request("gsm-7", ({"role": "user", "content": "Write ..."},))
Written(request, "LA RESPUESTA ES 5.", failures=("language",))     # good at the second try
Written(request, None, failures=("case", "case", "answer"))        # dropped for "answer"
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from inoc_evals.datasets.writing.journal import Reply

Check = Callable[["Request", str], str | None]
"""Given a request and a reply's text: what is wrong with it, in a word, or None."""


@dataclass(frozen=True)
class Request:
    """One text that is wanted of the model."""

    id: str
    """Names it in errors and checks."""
    messages: tuple[Mapping[str, str], ...]
    """``role`` and ``content`` of each; the last by the user."""
    expected_tokens: int = 0
    """About how long the reply will be, for the estimate."""
    repeat: int = 0
    """Number of the asking, where the same is asked again since the reply was of no use."""


@dataclass(frozen=True)
class Sampling:
    """How replies are sampled. All of it is part of a reply's key."""

    temperature: float = 1.0
    max_tokens: int = 2048
    """A reply that reaches it counts as cut."""
    seed: int = 0
    """Passed on, for providers that take one; the number of the attempt is added."""


@dataclass(frozen=True)
class Written:
    """What came of a request."""

    request: Request
    text: str | None
    """The reply that passed, without blanks at its ends; None if none did."""
    failures: tuple[str, ...]
    """What was wrong with the replies before it; the last is why a request is dropped."""
    keys: tuple[str, ...] = ()
    """Keys of its replies in the journal."""


@dataclass
class Usage:
    """What a build's replies took, in calls and tokens; those out of the journal included."""

    replies: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @classmethod
    def of(cls, replies: Sequence[Reply]) -> "Usage":
        """Sum up replies."""
        usage = cls()
        for reply in replies:
            usage.add(reply)
        return usage

    def add(self, reply: Reply) -> None:
        """Count a reply."""
        self.replies += 1
        self.input_tokens += reply.input_tokens
        self.output_tokens += reply.output_tokens


def dropped(written: Sequence[Written]) -> dict[str, int]:
    """Count the requests that came to nothing, by what was wrong with their last reply."""
    return dict(sorted(Counter(one.failures[-1] for one in written if one.text is None).items()))


def failures(written: Sequence[Written]) -> dict[str, int]:
    """Count all replies that failed a check, by reason, those that a retry mended included."""
    return dict(sorted(Counter(reason for one in written for reason in one.failures).items()))
