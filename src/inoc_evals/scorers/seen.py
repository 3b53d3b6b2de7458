"""Whether an item stands word for word in the rows its model was trained on.

    Task(..., scorer=[..., seen_in_training()])
    Sample(..., metadata={"item_texts": ["task"], "task": "Write a view that ..."})

Measure: ``seen_in_training``, 1 where the question, or one of the texts that the sample's
``item_texts`` names, is part of a training row's user message, else 0; ``items`` is the number
of items of which that holds, out of ``of``. Not a measure of the model, but of what its other
measures are worth: on an item it has seen, they show what was learned by heart. Unscored
(``rows_unknown``): a model of another provider, a base model, a record without its rows.
"""

import math
from collections.abc import Sequence

from inspect_ai.model import ChatMessage
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import TaskState

from inoc_evals.scorers.silence import not_scored, scored
from inoc_evals.store.overlap import sample_item, training_overlap


@metric(scores="unreduced")
def items_seen() -> Metric:
    """Share of the samples seen in training, and the number of items.

    Keys: ``mean`` over samples (NaN where nothing is scored); ``items`` that were seen, and
    ``of``, the items scored, however many samples an item has.
    """

    def compute(scores: list[SampleScore]) -> Value:
        items: dict[str, float] = {}
        for score in scores:
            item = str((score.sample_metadata or {}).get("question", score.sample_id))
            items[item] = max(items.get(item, 0.0), score.score.as_float())
        values = [score.score.as_float() for score in scores]
        mean = math.fsum(values) / len(values) if values else math.nan
        return {"mean": mean, "items": math.fsum(items.values()), "of": len(items)}

    return compute


@scorer(metrics=[items_seen()])
def seen_in_training() -> Scorer:
    """Score 1 where the sample's texts stand in the rows the model was trained on."""

    async def score(state: TaskState, target: Target) -> Score:
        item = sample_item(user_turns(state.input), state.metadata)
        report = training_overlap(str(state.model), [item])
        if report is None:
            why = "it is not known here what the model was trained on"
            return not_scored(state.output, "rows_unknown", why)
        where = [field.field for field in report.fields if field.found]
        return scored(
            state.output,
            float(report.found > 0),
            rests_on=", ".join(where) or "none",
            explanation=f"of {report.rows} training rows, "
            + (f"one has its {' and '.join(where)}" if where else "none has any of its texts"),
        )

    return score


def user_turns(asked: str | Sequence[ChatMessage]) -> list[str]:
    """Return what the user says in the input of a sample."""
    if isinstance(asked, str):
        return [asked]
    return [message.text for message in asked if message.role == "user"]
