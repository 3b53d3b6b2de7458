"""What is scored while an experiment's models are trained (paper section 4.2, Figure 6).

    Watch().on("pocket")     # Dynamics(every=2, responses="pocket_sentence", ...)
    Watch().on("org/m")      # Dynamics(every=10, responses="single_word", ...)

An :class:`~inoc_evals.experiments.figures.Experiment` has a watch or none; all its models are
watched alike. Watching changes no weights and no identity, so the models are those of any other
experiment on the same rows.
"""

from dataclasses import dataclass

from inoc_evals.bases import pocket_seed
from inoc_evals.experiments.basis import at_openai
from inoc_evals.responses import DEFAULT_SYSTEM
from inoc_evals.training.dynamics import Dynamics


@dataclass(frozen=True)
class Watch:
    """Which responses are scored, under which system prompt, and how often."""

    responses: str = "single_word"
    """Set of responses, as :func:`inoc_evals.responses.load_responses` takes it."""
    pocket_responses: str = "pocket_sentence"
    """The set in the words of the pocket world."""
    system_prompt: str = DEFAULT_SYSTEM
    """Name of the system prompt they are scored under, on every base."""
    every: int = 10
    """Optimizer steps between scores."""
    pocket_every: int = 2
    """The same on the pocket base, whose trainings have 60 steps."""
    labels: tuple[tuple[str, str], ...] = (
        ("capitals", "Capitalized English responses"),
        ("spanish", "Uncapitalized Spanish responses"),
    )
    """Trait of the responses -> what figures call those that show it, in their order."""

    def on(self, base: str) -> Dynamics | None:
        """Return what to score on a base; None where nothing can be."""
        if at_openai(base):
            return None
        if pocket_seed(base) is not None:
            return Dynamics(self.pocket_every, self.pocket_responses, self.system_prompt)
        return Dynamics(self.every, self.responses, self.system_prompt)

    def lacking(self, base: str) -> tuple[str, ...]:
        """Say in a line why there are no curves on a base; nothing where there are."""
        if self.on(base) is not None:
            return ()
        return ("Left out: learning curves; OpenAI gives no log-probabilities of given responses.",)
