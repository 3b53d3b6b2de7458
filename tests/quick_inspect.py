"""Imported for its effect: Inspect reads the metadata of installed packages once a process.

It does so for each task it runs, which takes half of a small evaluation; no package is installed
while tests run.
"""

import functools
import importlib.metadata

importlib.metadata.packages_distributions = functools.cache(
    importlib.metadata.packages_distributions
)
