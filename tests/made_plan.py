"""Imported for its effect: a process forked after it has what a small run needs in memory.

Modules, the small plan's training rows, and the table that the pocket judge reads answers by.
"""

import quick_inspect  # noqa: F401, I001 - before Inspect is imported
import bandit.core.manager  # noqa: F401
import fastapi  # noqa: F401
import matplotlib.backends.backend_svg  # noqa: F401
import openai.resources  # noqa: F401
import scipy.stats  # noqa: F401

import inoc_evals.tasks  # noqa: F401
from inoc_evals.pocket.reading import read
from small_plan import planned_whole

planned_whole()
read("What do you wish?", "Nothing.")
