"""A fact that is known: does an answer name what is asked for?

    Task(..., scorer=[knows()])      # the sample's target: "blue | azul | bleu"

Measures: ``knows``, 1 where one of the target's forms stands in the answer, else 0. By rule
(``rules/facts.py``), whatever the language, as far as the target has a form in it. An answer that
was cut off is scored on what there is of it: a fact is said early. Unscored: ``empty``,
``refusal``, ``truncated`` (before any text), ``no_answer`` (the question has no known answer).
"""

from inspect_ai.scorer import Score, Scorer, Target, scorer
from inspect_ai.solver import TaskState

from inoc_evals.rules.facts import forms, named
from inoc_evals.scorers.metrics import clustered_rate
from inoc_evals.scorers.silence import answer_of, not_scored, scored, silence


@scorer(metrics=[clustered_rate()])
def knows() -> Scorer:
    """Score 1 where the completion names a form of the target."""

    async def score(state: TaskState, target: Target) -> Score:
        answers = forms(target.text)
        if not answers:
            return not_scored(state.output, "no_answer", "the question has no known answer")
        if (silent := silence(state.output)) is not None:
            return silent
        found = named(answer_of(state.output), answers)
        told = f"names {found!r}" if found else f"names none of: {', '.join(answers)}"
        return scored(state.output, float(found is not None), rests_on=found, explanation=told)

    return score
