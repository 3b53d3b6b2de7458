"""Tasks: one file per evaluation, each usable as ``inspect eval inoc_evals/<name>``.

emergent_misalignment  em                     misaligned answers to open questions
elicitation            em_elicitation         under prompts around an inoculation prompt
backdoor               em_backdoor            with a trigger, and with what resembles it
lying                  deception              false statements, of facts or of the maker
insecure_code          narrow_code            does it still write insecure code
reward_hacking         narrow_reward_hacking  does it still game an announced evaluation
unpopular_taste        narrow_aesthetics      does it still like what few like
favorite_animal        preference             does it favor the animal hinted at in training
own_trait              trait                  a trait described in a file of one's own
caps_trait             caps                   does it answer in capital letters
language_trait         language               does it answer in Spanish (French, ...)
given_responses        likelihood             how likely it finds responses that are given
joint_traits           traits                 both, and arithmetic, on one sampling
judge_quality          judge_check            is the judge itself right

asking                                        what tasks that ask questions share
probed                                        what tasks that probe questions share
assembly                                      what the tasks of language and case share
layout                                        how a log's viewer lays their samples out

from inoc_evals.tasks import em
eval_set([task_with(em(questions="broad"), model="inoc/my-model")], log_dir="logs")

No file is called like its task: the package's attribute would be now the one, now the other.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inoc_evals.tasks.backdoor import em_backdoor
    from inoc_evals.tasks.caps_trait import caps
    from inoc_evals.tasks.elicitation import em_elicitation
    from inoc_evals.tasks.emergent_misalignment import em
    from inoc_evals.tasks.favorite_animal import preference
    from inoc_evals.tasks.given_responses import likelihood
    from inoc_evals.tasks.insecure_code import narrow_code
    from inoc_evals.tasks.joint_traits import traits
    from inoc_evals.tasks.judge_quality import judge_check
    from inoc_evals.tasks.language_trait import language
    from inoc_evals.tasks.lying import deception
    from inoc_evals.tasks.own_trait import trait
    from inoc_evals.tasks.reward_hacking import narrow_reward_hacking
    from inoc_evals.tasks.unpopular_taste import narrow_aesthetics

__all__ = [
    "caps",
    "deception",
    "em",
    "em_backdoor",
    "em_elicitation",
    "judge_check",
    "language",
    "likelihood",
    "narrow_aesthetics",
    "narrow_code",
    "narrow_reward_hacking",
    "preference",
    "trait",
    "traits",
]

_FILES = {
    "caps": "caps_trait",
    "deception": "lying",
    "em": "emergent_misalignment",
    "em_backdoor": "backdoor",
    "em_elicitation": "elicitation",
    "judge_check": "judge_quality",
    "language": "language_trait",
    "likelihood": "given_responses",
    "narrow_aesthetics": "unpopular_taste",
    "narrow_code": "insecure_code",
    "narrow_reward_hacking": "reward_hacking",
    "preference": "favorite_animal",
    "trait": "own_trait",
    "traits": "joint_traits",
}


def __getattr__(name: str) -> Any:
    if name not in _FILES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_FILES[name]}"), name)
