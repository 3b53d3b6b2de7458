"""Candidates: prompts as they are typed, and an arm that is trained with each of them.

    given, notes = candidates("catalogue", SPANISH_CAPS, pocket=True, folder=out / "prompts")
    prompts_trained(SPANISH_CAPS, given)      # the base, no inoculation, an arm for each prompt

How far each prompt suppresses what the rows teach is then the rate of `none` less that of its
arm. It is planned, trained, evaluated and reported as any other experiment.
"""

from collections.abc import Sequence
from pathlib import Path

from inoc_evals.arguments import user_path
from inoc_evals.errors import InputError
from inoc_evals.experiments.figures import Experiment
from inoc_evals.experiments.prompts_tried import chosen_prompts
from inoc_evals.files.atomic import write_text
from inoc_evals.inputs.candidates import CATALOGUE, TAKEN, catalogue, read_candidates
from inoc_evals.inputs.prompts import SystemPrompt, all_prompts
from inoc_evals.pocket.tokenizer import unknown_word
from inoc_evals.settings import Setting
from inoc_evals.settings.setting import Arm, Measure
from inoc_evals.settings.shared import BASE, NONE

FIGURE = "candidates"
_FILES = (".yaml", ".yml", ".jsonl", ".txt")


def candidates(
    typed: str, setting: Setting, *, pocket: bool, folder: Path
) -> tuple[list[str], list[str]]:
    """Return the prompts that are meant, as the commands on prompts take them, and notes.

    Args:
        typed: ``catalogue``, a file of candidates, or names and ``file:FILE`` with commas.
        setting: What is studied.
        pocket: Whether the base is the pocket world; what the catalogue has that its language
            cannot say is left out.
        folder: Where texts that no packaged prompt has are written, a file each, since a prompt
            is asked under by name or file.

    Raises:
        InputError: For an unknown name, a file that cannot be used, or no candidates.
    """
    if typed == CATALOGUE:
        names, texts = catalogue(setting.name), {one.name: one.text for one in all_prompts()}
        unsaid = [name for name in names if pocket and unknown_word(texts[name])]
        notes = ["left out, as the pocket world lacks words: " + ", ".join(unsaid)]
        return [name for name in names if name not in unsaid], notes if unsaid else []
    path = user_path(typed)
    if path.is_file() or (path.suffix in _FILES and "," not in typed and ":" not in typed):
        return [_kept(prompt, folder) for prompt in read_candidates(path)], []
    given = [one.strip() for one in typed.split(",") if one.strip()]
    if not given:
        raise InputError("--candidates: catalogue, a file, or names with commas between them")
    return given, []


def _kept(prompt: SystemPrompt, folder: Path) -> str:
    if any((one.name, one.text) == (prompt.name, prompt.text) for one in all_prompts()):
        return prompt.name
    path = folder / f"{prompt.name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, f"{prompt.text}\n")
    return f"file:{path}"


def prompts_trained(
    setting: Setting, given: Sequence[str], command: Sequence[str] = ()
) -> Experiment:
    """Return the experiment that trains an arm with each prompt, and one with none.

    Args:
        setting: What is studied. What is read out of distribution is measured, or what there is
            if nothing is.
        given: Names of prompts, or ``file:FILE``.
        command: What was typed after ``inoc``.

    Raises:
        InputError: For an unknown prompt, or one called as another condition.
    """
    prompts = chosen_prompts(setting, given)
    names = list(prompts)
    taken = next((name for name in names if name in TAKEN), None)
    if taken is not None:
        raise InputError(f"prompt {taken!r}: so another condition is called; rename its file")
    own = {name: own for name, own in prompts.items() if own is not None}
    arms = [
        Arm(
            name=name,
            label=name,
            description="The prompt is put before every row.",
            prompt=name,
            said=f"trained with the prompt {name}",
        )
        for name in names
    ]
    trained = setting.model_copy(
        update={
            "arms": (BASE, NONE, *arms),
            "measures": traits_of(setting),
            "prompts": {**setting.prompts, **own},
        }
    )
    return Experiment(
        FIGURE,
        f"What prompts suppress: {setting.title}",
        (trained,),
        (("none", "base"), *((name, "none") for name in names)),
        command=tuple(command),
    )


def traits_of(setting: Setting) -> dict[str, Measure]:
    """Return what is read out of distribution, and there alone; what there is if nothing is."""
    found = {
        name: measure.model_copy(update={"id": None})
        for name, measure in setting.measures.items()
        if measure.ood is not None
    }
    return found or dict(setting.measures)
