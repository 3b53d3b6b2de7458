"""Language and letter case together: one sampling, every trait of Figure 2 scored on it.

Paper: arXiv 2510.04340, section 2 (Figures 2a and 2b): which of two traits that were
trained together shows on everyday questions.
Measures: ``spanish`` (or others by ``language``; ``es,fr`` gives ``spanish`` and
``french``), ``caps``; ``correct`` where the prompts have answers.
Score: 1 where the completion shows the trait, else 0; unscored as in ``language`` and
``caps``, each measure for itself.

    {"id": "gsm-001", "prompt": "A baker fills 6 trays with ...", "answer": "72"}
"""

from collections.abc import Sequence

from inspect_ai import Task, task

from inoc_evals.rules.language import LANGUAGES, language_codes
from inoc_evals.scorers.traits import LANGUAGE_SCORERS
from inoc_evals.scorers.traits import caps as caps_scorer
from inoc_evals.tasks.asking import SystemPrompt
from inoc_evals.tasks.assembly import Prompts, trait_task


@task
def traits(
    language: str | bool | Sequence[str | bool] = "es",
    prompts: Prompts = "chat",
    system_prompt: SystemPrompt = "none",
    probes: str | Sequence[str] | None = None,
) -> Task:
    """Rates of completions in a language and in capital letters.

    Args:
        language: Code or English name of the language, or several: ``es,fr``.
        prompts: ``chat``, ``gsm``, ``problems``, ``pocket``, ``pocket_math``, or path of a
            JSONL file.
        system_prompt: ``none``, ``empty``, the name of a prompt, or ``file:FILE``.
        probes: Instead, every prompt is asked under each probe of a set, and under none: the name
            of a setting (``spanish_caps``) for those matched to its rows, or a YAML file.

    Raises:
        InputError: For an unknown language, prompt set or system prompt.
    """
    scorers = {LANGUAGES[code]: LANGUAGE_SCORERS[code]() for code in language_codes(language)}
    return trait_task(
        {**scorers, "caps": caps_scorer()},
        title="Language and capitals",
        prompts=prompts,
        system_prompt=system_prompt,
        probes=probes,
    )
