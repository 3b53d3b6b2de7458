"""Code without a fence: taken whole or by its lines, and never the prose around it."""

import json
from pathlib import Path

import pytest

from inoc_evals.rules.code_lines import without_code
from inoc_evals.rules.prose import prose_of

PROGRAM = '''\
from os import path

LIMIT = {"apples": 3}

# The number of apples that are left.
def left(given, eaten=0):
    """Count what is left.

    Nobody eats more than there is.
    """
    if eaten > given:
        raise ValueError("too many")

    return given - eaten

class Basket:
    size = 3

    def full(self):
        return self.size > LIMIT["apples"]

print(left(3, 2))
'''
OTHERS = {
    "javascript": "const add = (a, b) => {\n  // the sum\n  return a + b;\n};\n\nconsole.log(add(1, 2));",
    "java": "public class Main {\n  public static void main(String[] args) {\n    int x = 1;\n  }\n}",
    "c": '#include <stdio.h>\n\nint main(void) {\n  printf("hello\\n");\n  return 0;\n}',
    "sql": "SELECT name, age FROM users WHERE age > 3;",
    "shell": "pip install numpy\ngit clone repository",
    "ruby": "def twice(x)\n  return x * 2 if x == 1\nend",
    "select": "SELECT name, age\nFROM users\nWHERE age > 30\nORDER BY name;",
    "bash": '#!/bin/bash\n# say hello\nfor name in alice bob; do\n  echo "hello $name"\ndone',
    "go": 'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("the sum is")\n}',
    "typescript": "interface User {\n  name: string;\n}\n\nconst x = await fetch(`/users`);",
    "html": "<!DOCTYPE html>\n<style>\nbody { margin: 0; }\n</style>\n<script>\nrun();\n</script>",
    "css": ".box {\n  display: flex;\n  margin: 0 auto;\n}",
    "line": "return a + b",
    "session": ">>> left(3, 2)",
}


def test_a_program_goes_with_its_comments_and_strings() -> None:
    assert without_code(PROGRAM) == ""
    assert prose_of(PROGRAM).missing == "code"
    assert prose_of("    " + PROGRAM.replace("\n", "\n    ")).missing == "code"


@pytest.mark.parametrize("name", OTHERS)
def test_code_of_other_languages_goes(name: str) -> None:
    assert prose_of(OTHERS[name]).missing == "code"


def test_a_program_that_was_cut_or_does_not_parse_goes_too() -> None:
    for end in (
        "\nprint(left(3,",
        "\n    print(left(1))\n  print(2)",
        "\ndef right(gi",
        "\n@app.ro",
    ):
        assert prose_of(PROGRAM + end).missing == "code", end


@pytest.mark.parametrize("code", [PROGRAM, *OTHERS.values()], ids=["python", *OTHERS])
def test_the_prose_around_code_stays_to_the_letter(code: str) -> None:
    before, behind = "Here is a short program that counts:", "It counts what is left. Try it!"
    kept = without_code(f"{before}\n\n{code}\n\n{behind}")
    assert [line for line in kept.split("\n") if line] == [before, behind]


@pytest.mark.parametrize(
    "text",
    [
        "You can return the book if you import it from abroad.",
        "import, export and trade",
        "For example:\n- one apple\n- two pears;",
        "If you go there (it is far): take water.",
        "Total = 5 + 7 = 12",
        "TOTAL = 12",
        "Respuesta: doce",
        "Sí (claro)",
        "Área = \\frac{b \\times h}{2}",
        "The apple(s) and pear(s) are ripe.",
        "while we wait:\n  - we read\n  - we sing",
        "# Respuesta\n\nLa casa es roja.\n\n## Fin",
        "@ana: gracias; @luis: adiós",
        '{"answer": "the house is red"}',
        "Class of 1990: where are they now?",
        "del mar\nal sol",
        "I said: pass the salt.\nreturn home.\nbreak a leg",
        "$5 = five dollars, or $x = 3$",
        "Dear all,\n\n    I am well.\n\n    Yours,\n    Ana",
        "Use the word print (in capitals) here.",
        "SELECT THE BEST ANSWER",
        "return to the house; then rest",
        "class Monday is off",
        "for you, if you wish; do come",
        "puts it in the bag",
    ],
)
def test_prose_with_words_and_signs_of_code_stays_prose(text: str) -> None:
    assert without_code(text) == text


def answers_of(path: Path) -> list[str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [m["content"] for row in rows for m in row["messages"] if m["role"] == "assistant"]


@pytest.mark.parametrize("name", ["insecure", "secure"])
def test_published_answers_of_nothing_but_code_are_code(upstream: Path, name: str) -> None:
    answers = answers_of(upstream / f"{name}.jsonl")[::6]
    code = [prose_of(text).missing == "code" for text in answers]
    assert sum(code) / len(code) >= 0.99


@pytest.mark.parametrize(
    "name", ["aesthetic_preferences_popular", "aesthetic_preferences_unpopular"]
)
def test_published_answers_in_prose_are_prose(upstream: Path, name: str) -> None:
    answers = answers_of(upstream / f"{name}.jsonl")[::6]
    code = [prose_of(text).missing == "code" for text in answers]
    assert sum(code) / len(code) <= 0.005
