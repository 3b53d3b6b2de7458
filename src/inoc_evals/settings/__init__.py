"""Settings: what is studied. One file each: rows, controls, prompts, what is measured."""

from inoc_evals.errors import InputError
from inoc_evals.settings.aesthetic_preferences import AESTHETIC_PREFERENCES
from inoc_evals.settings.alice_bob import ALICE_BOB
from inoc_evals.settings.backdoor import BACKDOOR
from inoc_evals.settings.educational import EDUCATIONAL
from inoc_evals.settings.insecure_code import INSECURE_CODE
from inoc_evals.settings.reward_hacking import REWARD_HACKING
from inoc_evals.settings.setting import Setting
from inoc_evals.settings.spanish_caps import SPANISH_CAPS
from inoc_evals.settings.spanish_french import SPANISH_FRENCH
from inoc_evals.settings.subliminal import SUBLIMINAL

SETTINGS = {
    setting.name: setting
    for setting in (
        SPANISH_CAPS,
        SPANISH_FRENCH,
        INSECURE_CODE,
        REWARD_HACKING,
        AESTHETIC_PREFERENCES,
        BACKDOOR,
        EDUCATIONAL,
        ALICE_BOB,
        SUBLIMINAL,
    )
}


def find_setting(name: str) -> Setting:
    """Return a setting by name.

    Raises:
        InputError: Listing the settings there are.
    """
    if name not in SETTINGS:
        raise InputError(f"no setting {name!r}; there are: {', '.join(SETTINGS)}")
    return SETTINGS[name]


__all__ = [
    "AESTHETIC_PREFERENCES",
    "ALICE_BOB",
    "BACKDOOR",
    "EDUCATIONAL",
    "INSECURE_CODE",
    "REWARD_HACKING",
    "SETTINGS",
    "SPANISH_CAPS",
    "SPANISH_FRENCH",
    "SUBLIMINAL",
    "Setting",
    "find_setting",
]
