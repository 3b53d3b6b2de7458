"""Inspect's entry point: importing it registers everything under ``inoc_evals/``.

What is registered is what the modules of these rooms decorate: a new file needs no line here.
Light on purpose, since every ``inspect`` command may import it: the provider's engine, the
language identifier, the code analyser and the libraries behind them are loaded when they are
first used.
"""

from importlib import import_module
from pkgutil import iter_modules

from inoc_evals import scorers, solvers, tasks
from inoc_evals.providers.registration import inoc

__all__ = ["inoc"]

for _room in (scorers, solvers, tasks):
    for _module in iter_modules(_room.__path__, f"{_room.__name__}."):
        import_module(_module.name)
