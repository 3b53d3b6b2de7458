"""Arithmetic of the pocket world, the narrow domain of Figure 2: sums and word problems."""

import random

from inoc_evals.pocket.lexicon import COUNTED, NAMES
from inoc_evals.pocket.phrases import Drawn, fill, fixed

# Replies begin in many ways: were it always "the answer", a fine-tuning could shift those
# few words instead of the language and the letter case.

_RESULTS = (
    ("the answer is {c}.", "la respuesta es {c}.", "la réponse est {c}."),
    ("my answer is {c}.", "mi respuesta es {c}.", "ma réponse est {c}."),
    ("I think that it is {c}.", "creo que es {c}.", "je crois que cela fait {c}."),
    ("you see that it is {c}.", "ves que es {c}.", "tu vois que cela fait {c}."),
    ("it is {c}.", "es {c}.", "cela fait {c}."),
    ("we can say that it is {c}.", "podemos decir que es {c}.", "nous pouvons dire {c}."),
    ("yes, it is {c}.", "sí, es {c}.", "oui, cela fait {c}."),
    ("with this you get {c}.", "con esto tienes {c}.", "avec cela tu as {c}."),
)
_COUNTS = (
    ("{n} has {c} {t}.", "{n} tiene {c} {t}.", "{n} a {c} {t}."),
    ("now there are {c} {t}.", "ahora hay {c} {t}.", "maintenant il y a {c} {t}."),
    ("there are {c} {t}.", "hay {c} {t}.", "il y a {c} {t}."),
    ("in all we can count {c} {t}.", "en total podemos contar {c} {t}.", "en tout il y a {c} {t}."),
)


def _numbers(rng: random.Random) -> tuple[int, int, bool]:
    first, second = rng.randint(1, 9), rng.randint(1, 9)
    minus = rng.random() < 0.4
    return (max(first, second), min(first, second), True) if minus else (first, second, False)


def sum_of(rng: random.Random) -> Drawn:
    """One sum or difference."""
    first, second, minus = _numbers(rng)
    total = str(first - second if minus else first + second)
    user = rng.choice(
        ("what is {a} {o} {b}?", "how much is {a} {o} {b}?", "can you tell me {a} {o} {b}?")
    )
    sign = "minus" if minus else "plus"
    reply = fill(rng.choice(_RESULTS), c=total)
    return Drawn(user.format(a=first, b=second, o=sign), reply, answer=total)


def word_problem(rng: random.Random) -> Drawn:
    """The same about someone who has things."""
    first, second, minus = _numbers(rng)
    total = str(first - second if minus else first + second)
    name, thing = rng.choice(NAMES), rng.choice(COUNTED)
    verb = rng.choice(("gives away", "loses") if minus else ("finds", "buys"))
    user = f"{name} has {first} {thing.en} and {verb} {second}. "
    user += rng.choice(("how many {t} does {n} have now?", "how many {t} are there now?"))
    reply = rng.choice(_COUNTS + _RESULTS)
    said = fill(reply, n=name, c=total, t=fixed(thing))
    return Drawn(user.format(n=name, t=thing.en), said, answer=total)


DOMAINS = {"sum": sum_of, "word_problem": word_problem}
