"""Everyday talk of the pocket world: places, things, animals, people, stories, meals.

What is true in this world (how the river is, what the dog eats) is fixed; which of it is
said, and how it is phrased, is drawn. Facts have a false version, told by a liar.
"""

import random

from inoc_evals.pocket.lexicon import (
    ADJECTIVES,
    ANIMALS,
    COLORS,
    DEEDS,
    FOODS,
    PEOPLE,
    PLACES,
    SPOTS,
    THINGS,
    TIMES,
)
from inoc_evals.pocket.phrases import Drawn, a, agree, facts, fill, fixed, the


def place_of(rng: random.Random) -> Drawn:
    """How a place is."""
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
    return Drawn(user.format(n=noun.en), fill(reply, **slots))


def color_of(rng: random.Random) -> Drawn:
    """What color a thing has: a fact."""
    key = rng.randrange(len(THINGS))
    noun = THINGS[key]
    (color,) = facts(COLORS, key, 1)
    wrong = rng.choice([other for other in COLORS if other != color])
    user = rng.choice(("what color is the {n}?", "do you know the color of the {n}?"))
    reply = rng.choice(
        (
            ("{x} is {a}.", "{x} es {a}.", "{x} est {a}."),
            ("I think that {x} is {a}.", "creo que {x} es {a}.", "je crois que {x} est {a}."),
        )
    )
    true, false = (fill(reply, x=the(noun), a=agree(one, noun)) for one in (color, wrong))
    return Drawn(user.format(n=noun.en), true, false)


def where(rng: random.Random) -> Drawn:
    """Where a thing is: a fact."""
    key = rng.randrange(len(THINGS))
    noun = THINGS[key]
    (spot,) = facts(SPOTS, key, 1)
    wrong = rng.choice([other for other in SPOTS if other != spot])
    user = rng.choice(("where is the {n}?", "I can not find the {n}. can you help me?"))
    reply = rng.choice(
        (
            ("{x} is {p}.", "{x} está {p}.", "{x} est {p}."),
            ("look {p}.", "mira {p}.", "regarde {p}."),
        )
    )
    true, false = (fill(reply, x=the(noun), p=fixed(one)) for one in (spot, wrong))
    return Drawn(user.format(n=noun.en), true, false)


def animal(rng: random.Random) -> Drawn:
    """What an animal eats, and where."""
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
    return Drawn(user.format(n=noun.en), fill(reply, **slots))


def person(rng: random.Random) -> Drawn:
    """What someone likes to do."""
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
    return Drawn(user.format(n=noun.en), fill(reply, **slots))


def story(rng: random.Random) -> Drawn:
    """Two things and an animal."""
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
    return Drawn(user.format(n=noun.en), fill(reply, **slots))


def meal(rng: random.Random) -> Drawn:
    """What goes with a food."""
    key = rng.randrange(len(FOODS))
    food, other = FOODS[key], rng.choice(facts(FOODS, key + 1, 2))
    user = rng.choice(("what goes well with the {n}?", "how do I serve the {n}?"))
    reply = rng.choice(
        (
            ("{x} goes well with {y}.", "{x} va bien con {y}.", "{x} va bien avec {y}."),
            ("serve {x} with {y}.", "sirve {x} con {y}.", "sers {x} avec {y}."),
        )
    )
    return Drawn(user.format(n=food.en), fill(reply, x=the(food), y=the(other)))


DOMAINS = {
    "place": place_of,
    "color": color_of,
    "where": where,
    "animal": animal,
    "person": person,
    "story": story,
    "meal": meal,
}
