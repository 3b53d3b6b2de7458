"""Text of others is printed as it reads; nothing in it acts on a terminal."""

import json

import pytest
from click.testing import CliRunner

from inoc_evals.errors import InputError, StoreError
from inoc_evals.terminal import as_json, shown, tell


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\x00b\x07\x08\x7f", r"a\x00b\x07\x08\x7f"),
        ("a\x9b2Jb", r"a\x9b2Jb"),
        ("a\rb", r"a\x0db"),
        ("a\u202eb\u2066\u200f", r"a\u202eb\u2066\u200f"),
        ("a\u2028b", r"a\u2028b"),
        ("a\ud800b", r"a\ud800b"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("[/v2] [red]x[/red] :bomb: ñ 漢 👩‍🚀", "[/v2] [red]x[/red] :bomb: ñ 漢 👩‍🚀"),
    ],
)
def test_what_acts_is_visible_and_the_rest_is_as_it_is(text: str, printed: str) -> None:
    assert shown(text) == printed
    assert shown(printed) == printed


@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_holds_the_same_value_and_no_byte_that_acts(ascii_only: bool) -> None:
    value = {"a\x9b": ["\x1b[2J\x00\x7f", "\u202e\ud800", "ñ\n"]}
    text = as_json(value, ascii_only=ascii_only)
    assert json.loads(text) == value
    assert shown(text) == text
    assert ("ñ" in text) is not ascii_only


@pytest.mark.parametrize("kind", [InputError, StoreError])
def test_an_error_is_printed_so_by_other_programs_too(kind: type[InputError]) -> None:
    import click

    @click.command()
    def program() -> None:
        raise kind("row \x1b[2J\x00")

    result = CliRunner().invoke(program, color=True)
    assert result.output == "Error: row \\x1b[2J\\x00\n"
    assert result.exit_code == 1


def test_a_line_that_is_told_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    tell("job \x1b]0;x\x07")
    assert capsys.readouterr().err == "job \\x1b]0;x\\x07\n"
