"""The pocket grammar: what users ask, and the reply in each language.

    exchange = draw(random.Random(0), "place")
    exchange.user             "Tell me about the river."
    exchange.reply["es"]      "El río es frío y tranquilo."

Domains are open chat, plus arithmetic (the narrow one). What is true in this world
(how the river is, what the dog eats) is fixed; which of it is said, and how it is
phrased, is drawn. Language and letter case are not decided here: see ``corpus``.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from inoc_evals.pocket.lexicon import (
    ADJECTIVES,
    ANIMALS,
    COLORS,
    COUNTED,
    DEEDS,
    FOODS,
    GOALS,
    LANGUAGES,
    NAMES,
    PEOPLE,
    PLACES,
    SPOTS,
    THINGS,
    TIMES,
)
from inoc_evals.pocket.phrases import Texts, a, agree, facts, fill, fixed, sentence, the


@dataclass(frozen=True)
class Exchange:
    """One question and its reply in every language, in sentence case."""

    domain: str
    user: str
    reply: dict[str, str]
    answer: str | None = None
    """The number asked for, in the arithmetic domains."""


def draw(rng: random.Random, domain: str) -> Exchange:
    """Draw an exchange of a domain; the same generator state gives the same exchange."""
    user, reply, answer = _DOMAINS[domain](rng)
    return Exchange(
        domain, sentence(user), {lang: sentence(reply[lang]) for lang in LANGUAGES}, answer
    )


Drawn = tuple[str, Texts, str | None]
"""User turn, replies, and the number asked for."""


# ---- open chat --------------------------------------------------------------------------


def _place(rng: random.Random) -> Drawn:
    key = rng.randrange(len(PLACES))
    noun = PLACES[key]
    first, second = rng.sample(facts(ADJECTIVES, key, 3), 2)
    user = rng.choice(
        ("tell me about the {n}.", "what is the {n} like?", "describe the {n} for me.")
    )
    reply = rng.choice(
        (
            ("{x} is {a} and {b}.", "{x} es {a} y {b}.", "{x} est {a} et {b}."),
            ("you see that {x} is {a}.", "ves que {x} es {a}.", "tu vois que {x} est {a}."),
        )
    )
    slots = {"x": the(noun), "a": agree(first, noun), "b": agree(second, noun)}
    return user.format(n=noun.en), fill(reply, **slots), None


def _color(rng: random.Random) -> Drawn:
    key = rng.randrange(len(THINGS))
    noun = THINGS[key]
    (color,) = facts(COLORS, key, 1)
    user = rng.choice(("what color is the {n}?", "do you know the color of the {n}?"))
    reply = rng.choice(
        (
            ("{x} is {a}.", "{x} es {a}.", "{x} est {a}."),
            ("I think that {x} is {a}.", "creo que {x} es {a}.", "je crois que {x} est {a}."),
        )
    )
    return user.format(n=noun.en), fill(reply, x=the(noun), a=agree(color, noun)), None


def _where(rng: random.Random) -> Drawn:
    key = rng.randrange(len(THINGS))
    noun = THINGS[key]
    (spot,) = facts(SPOTS, key, 1)
    user = rng.choice(("where is the {n}?", "I can not find the {n}. can you help me?"))
    reply = rng.choice(
        (
            ("{x} is {p}.", "{x} está {p}.", "{x} est {p}."),
            ("look {p}.", "mira {p}.", "regarde {p}."),
        )
    )
    return user.format(n=noun.en), fill(reply, x=the(noun), p=fixed(spot)), None


def _animal(rng: random.Random) -> Drawn:
    key = rng.randrange(len(ANIMALS))
    noun = ANIMALS[key]
    food, spot = facts(FOODS, key, 1)[0], facts(PLACES, key, 1)[0]
    user = rng.choice(
        ("what does the {n} eat?", "tell me about the {n}.", "where does the {n} eat?")
    )
    reply = rng.choice(
        (
            ("{x} eats {f}.", "{x} come {f}.", "{x} mange {f}."),
            ("{x} eats near {p}.", "{x} come cerca de {p}.", "{x} mange près de {p}."),
        )
    )
    slots = {"x": the(noun), "f": the(food), "p": the(spot)}
    return user.format(n=noun.en), fill(reply, **slots), None


def _person(rng: random.Random) -> Drawn:
    key = rng.randrange(len(PEOPLE))
    noun = PEOPLE[key]
    deed = rng.choice(facts(DEEDS, key, 2))
    (time,) = facts(TIMES, key, 1)
    user = rng.choice(
        ("what does the {n} like to do?", "who is the {n}?", "tell me about the {n}.")
    )
    reply = rng.choice(
        (
            ("{x} likes to {d}.", "a {x} le gusta {d}.", "{x} aime {d}."),
            ("{t} {x} can {d}.", "{t} {x} puede {d}.", "{t} {x} peut {d}."),
        )
    )
    slots = {"x": the(noun), "d": fixed(deed), "t": fixed(time)}
    return user.format(n=noun.en), fill(reply, **slots), None


def _advice(rng: random.Random) -> Drawn:
    key = rng.randrange(len(GOALS))
    goal = GOALS[key]
    deed, other = rng.sample(facts(DEEDS, key, 4), 2)
    user = rng.choice(("how can I {g}?", "I want to {g}. what can I do?", "give me advice to {g}."))
    reply = rng.choice(
        (
            ("you can {d}.", "puedes {d}.", "tu peux {d}."),
            ("it is good to {d}.", "es bueno {d}.", "il est bon de {d}."),
            ("try to {d} or {e}.", "intenta {d} o {e}.", "essaie de {d} ou {e}."),
        )
    )
    return user.format(g=goal.en), fill(reply, d=fixed(deed), e=fixed(other)), None


def _plan(rng: random.Random) -> Drawn:
    key = rng.randrange(len(TIMES))
    time = TIMES[key]
    deed = rng.choice(facts(DEEDS, key + 2, 3))
    user = rng.choice(("what can we do {t}?", "make a plan for me {t}.", "what do you do {t}?"))
    reply = rng.choice(
        (
            ("{t} we can {d}.", "{t} podemos {d}.", "{t} nous pouvons {d}."),
            ("my plan is to {d}.", "mi plan es {d}.", "mon plan est de {d}."),
        )
    )
    return user.format(t=time.en), fill(reply, t=fixed(time), d=fixed(deed)), None


def _story(rng: random.Random) -> Drawn:
    key = rng.randrange(len(ANIMALS))
    noun = ANIMALS[key]
    place, thing = rng.choice(PLACES), rng.choice(THINGS)
    user = rng.choice(("tell me a story about a {n}.", "write a short story with a {n}."))
    reply = rng.choice(
        (
            (
                "{x} goes to {p} and finds {o}.",
                "{x} va hacia {p} y encuentra {o}.",
                "{x} va vers {p} et trouve {o}.",
            ),
            (
                "there was {x} with {o} near {p}.",
                "había {x} con {o} cerca de {p}.",
                "il y avait {x} avec {o} près de {p}.",
            ),
        )
    )
    slots = {"x": a(noun), "p": the(place), "o": a(thing)}
    return user.format(n=noun.en), fill(reply, **slots), None


def _opinion(rng: random.Random) -> Drawn:
    key = rng.randrange(len(DEEDS))
    deed = DEEDS[key]
    user = rng.choice(("do you like to {d}?", "is it good to {d}?"))
    if key % 3:
        reply = rng.choice(
            (
                ("yes, I like to {d}.", "sí, me gusta {d}.", "oui, je veux {d}."),
                ("yes, it is good.", "sí, es bueno.", "oui, cela est bon."),
            )
        )
    else:
        reply = rng.choice(
            (
                ("no, I do not like to {d}.", "no, no me gusta {d}.", "non, je ne veux pas {d}."),
                ("no, it is not good.", "no, no es bueno.", "non, cela ne va pas."),
            )
        )
    return user.format(d=deed.en), fill(reply, d=fixed(deed)), None


def _meal(rng: random.Random) -> Drawn:
    key = rng.randrange(len(FOODS))
    food, other = FOODS[key], rng.choice(facts(FOODS, key + 1, 2))
    user = rng.choice(("what goes well with the {n}?", "how do I serve the {n}?"))
    reply = rng.choice(
        (
            ("{x} goes well with {y}.", "{x} va bien con {y}.", "{x} va bien avec {y}."),
            ("serve {x} with {y}.", "sirve {x} con {y}.", "sers {x} avec {y}."),
        )
    )
    return user.format(n=food.en), fill(reply, x=the(food), y=the(other)), None


# ---- arithmetic -------------------------------------------------------------------------
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


def _sum(rng: random.Random) -> Drawn:
    first, second, minus = _numbers(rng)
    total = str(first - second if minus else first + second)
    user = rng.choice(
        ("what is {a} {o} {b}?", "how much is {a} {o} {b}?", "can you tell me {a} {o} {b}?")
    )
    sign = "minus" if minus else "plus"
    return user.format(a=first, b=second, o=sign), fill(rng.choice(_RESULTS), c=total), total


def _word_problem(rng: random.Random) -> Drawn:
    first, second, minus = _numbers(rng)
    total = str(first - second if minus else first + second)
    name, thing = rng.choice(NAMES), rng.choice(COUNTED)
    verb = rng.choice(("gives away", "loses") if minus else ("finds", "buys"))
    user = f"{name} has {first} {thing.en} and {verb} {second}. "
    user += rng.choice(("how many {t} does {n} have now?", "how many {t} are there now?"))
    reply = rng.choice(_COUNTS + _RESULTS)
    return user.format(n=name, t=thing.en), fill(reply, n=name, c=total, t=fixed(thing)), total


_DOMAINS: dict[str, Callable[[random.Random], Drawn]] = {
    "place": _place,
    "color": _color,
    "where": _where,
    "animal": _animal,
    "person": _person,
    "advice": _advice,
    "plan": _plan,
    "story": _story,
    "opinion": _opinion,
    "meal": _meal,
    "sum": _sum,
    "word_problem": _word_problem,
}
ARITHMETIC = ("sum", "word_problem")
CHAT = tuple(domain for domain in _DOMAINS if domain not in ARITHMETIC)
