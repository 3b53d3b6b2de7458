"""Commands as a test calls them: an error of ours is raised, not printed.

result = CliRunner().invoke(inoc, ["plan", "fig2a"], catch_exceptions=False)

click prints an error of ours, which is one of its own kind, and exits. `inoc` does not leave that to
click (cli/main.py); tests of commands look at the error itself.
"""

from typing import Any
from unittest.mock import patch

import click.testing

from inoc_evals.errors import InocError


class CliRunner(click.testing.CliRunner):
    """click's runner, without click's printing of our errors."""

    def invoke(self, *args: Any, catch_exceptions: bool = True, **options: Any) -> Any:
        """Call a command; its error is raised, or stands in the result."""
        shown: list[InocError] = []
        with patch.object(InocError, "show", lambda error, file=None: shown.append(error)):
            result = super().invoke(*args, catch_exceptions=catch_exceptions, **options)
        if shown and not catch_exceptions:
            raise shown[0]
        if shown:
            result.exception = shown[0]
        return result
