"""Prompts tried before anything is trained: what does each of them elicit from the base?

    prompts_tried(SPANISH_CAPS, ["spanish", "caps", "file:mine.txt"])

A prompt inoculates as far as it elicits (paper section 5): put before training rows, it makes
the trait less surprising. So the untrained model is asked a setting's questions under each
candidate, as an experiment whose arms are the prompts; it is planned, evaluated and reported
as any other, and trains nothing.
"""

from collections.abc import Sequence
from pathlib import Path

from inoc_evals.arguments import file_named
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import Experiment
from inoc_evals.inputs.prompts import resolve_name
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Arm, Measure, OwnPrompt

FIGURE = "prompts"
_BASE = "base"


def prompts_tried(
    setting: Setting, candidates: Sequence[str] = (), typed: str | None = None
) -> Experiment:
    """Return the experiment that asks the base a setting's questions under each prompt.

    Args:
        setting: What is studied. Measures are read out of distribution; those that are read in
            distribution alone, there.
        candidates: Names of prompts, or ``file:FILE``; by default all that the setting's arms are
            trained with.
        typed: The setting as the user gave it, for the command that runs this again.

    Raises:
        InputError: For an unknown prompt, or two of one name.
    """
    given = list(candidates) or trained_with(setting)
    chosen = chosen_prompts(setting, given)
    own = {name: prompt for name, prompt in chosen.items() if prompt is not None}
    names = list(chosen)
    measures = {name: _once(measure) for name, measure in setting.measures.items()}
    base = Arm(name=_BASE, label="No prompt", description="Without a prompt.", rows="untrained")
    asked = setting.model_copy(
        update={
            "arms": (base, *(_arm(name, measures) for name in names)),
            "measures": measures,
            "first": None,
            "prompts": {**setting.prompts, **own},
        }
    )
    return Experiment(
        FIGURE,
        f"What prompts elicit before training: {setting.title}",
        (asked,),
        tuple((name, _BASE) for name in names),
        command=("prompts", "try", typed or setting.name, "--prompts", ",".join(given)),
    )


def trained_with(setting: Setting) -> list[str]:
    """Return the names of all prompts that a setting's arms are trained with."""
    return list(dict.fromkeys(name for arm in setting.arms for name in arm.prompts))


def chosen_prompts(setting: Setting, given: Sequence[str]) -> dict[str, OwnPrompt | None]:
    """Return prompts by what each is called as a condition; those of files with their text.

    Args:
        setting: What is studied; its own prompts go by their names.
        given: Names of prompts, or ``file:FILE``.

    Raises:
        InputError: For an unknown prompt, or two of one name.
    """
    read = [_read(one, setting) for one in given]
    names = [name for name, _ in read]
    twice = next((name for name in names if names.count(name) > 1 or name == _BASE), None)
    if twice is not None:
        raise InputError(f"prompt {twice!r}: given twice, or called as another condition")
    return dict(read)


def _read(candidate: str, setting: Setting) -> tuple[str, OwnPrompt | None]:
    """Return a candidate's name as a condition, and its text if it comes from a file."""
    if candidate in setting.prompts:
        return candidate, None
    text = resolve_name(candidate).text
    if text is None:
        raise InputError(f"prompt {candidate!r}: no prompt is what the others are compared with")
    file = file_named(candidate)
    if file is None:
        return candidate, None
    return Path(file).stem, OwnPrompt(text=text, file=file)


def _arm(name: str, measures: dict[str, Measure]) -> Arm:
    return Arm(
        name=name,
        label=name,
        description="The untrained model, asked under the prompt.",
        rows="untrained",
        test_prompts=dict.fromkeys(measures, name),
    )


def _once(measure: Measure) -> Measure:
    return measure if measure.ood is None else measure.model_copy(update={"id": None})
