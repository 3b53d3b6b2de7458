"""How a log's viewer lays out a task's samples: columns, names and colors of measures.

    Task(..., viewer=sample_list("Traits", ("sampleId", "input"), ["caps", "correct"]))

A measure has a column and a color scale: from 0 to 100 for ratings, from 0 to 1 for the rest.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from inspect_ai.viewer import (
    SampleScoreView,
    ScoreColorScale,
    TaskSamplesColumn,
    TaskSamplesView,
    ViewerConfig,
)

RATINGS = ("alignment", "coherence")
"""Measures from 0 to 100; others are rates."""

LABELS = {"caps": "Capitals"}
"""Display names of measures whose own will not do."""

Palette = Literal["good-high", "good-low", "neutral"]


def sample_list(
    name: str,
    columns: Sequence[str],
    measures: Sequence[str],
    *,
    better: Mapping[str, Palette] | None = None,
) -> ViewerConfig:
    """Lay the sample list of a log out: what was asked, a column a measure, then the rest.

    Args:
        name: Title of the list.
        columns: What stands before the measures: ``sampleId``, ``input``, ...
        measures: Names of the scorers.
        better: Measure to what is good of it; else neutral.
    """
    before = [TaskSamplesColumn(id=column) for column in columns]
    scores = [TaskSamplesColumn.score(measure) for measure in measures]
    after = [TaskSamplesColumn(id=column) for column in ("answer", "tokens", "duration")]
    return ViewerConfig(
        task_samples_view=TaskSamplesView(
            name=name,
            columns=before + scores + after,
            score_labels={m: LABELS.get(m, m.replace("_", " ").capitalize()) for m in measures},
            score_color_scales={
                m: ScoreColorScale(
                    palette=(better or {}).get(m, "neutral"), min=0, max=100 if m in RATINGS else 1
                )
                for m in measures
                if m != "outcome"
            },
        ),
        sample_score_view=SampleScoreView(default="grid"),
    )
