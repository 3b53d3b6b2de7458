"""What is scored while an experiment's models are trained (paper section 4.2, Figure 6).

    Watch().on(kind_of("pocket"))     # Dynamics(every=2, responses="pocket_sentence", ...)
    Watch().on(kind_of("org/m"))      # Dynamics(every=10, responses="single_word", ...)
    Watch().on(kind_of("openai/m"))   # Dynamics(samples=20, ...): its checkpoints are sampled

An :class:`~inoc_evals.experiments.figures.Experiment` has a watch or none; its models are
watched alike, those of a first stage excepted. Watching changes no weights and no identity, so the models are those of any other
experiment on the same rows.
"""

from dataclasses import dataclass

from inoc_evals.inputs.responses import DEFAULT_SYSTEM
from inoc_evals.models.kinds.kind import Kind
from inoc_evals.training.dynamics import Dynamics


@dataclass(frozen=True)
class Watch:
    """Which responses are scored, under which system prompt, and how often."""

    responses: str = "single_word"
    """Set of responses, as :func:`inoc_evals.inputs.responses.load_responses` takes it."""
    pocket_responses: str = "pocket_sentence"
    """The set in the words of the pocket world."""
    system_prompt: str = DEFAULT_SYSTEM
    """Name of the system prompt they are scored under, on every base."""
    every: int = 10
    """Optimizer steps between scores."""
    pocket_every: int = 2
    """The same on the pocket base, whose trainings have 60 steps."""
    samples: int = 20
    """Answers to each question by each checkpoint at OpenAI, which scores no given text."""
    arms: tuple[str, ...] = ()
    """Arms whose trainings are watched; all that there are if none is named."""
    labels: tuple[tuple[str, str], ...] = (
        ("capitals", "Capitalized English responses"),
        ("spanish", "Uncapitalized Spanish responses"),
    )
    """Trait of the responses -> what figures call those that show it, in their order."""

    def on(self, base: Kind) -> Dynamics:
        """Return what to score on a base, and how."""
        if base.hosted:
            return Dynamics(self.every, self.responses, self.system_prompt, self.samples)
        if base.pocket:
            return Dynamics(self.pocket_every, self.pocket_responses, self.system_prompt)
        return Dynamics(self.every, self.responses, self.system_prompt)
