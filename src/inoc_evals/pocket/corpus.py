"""The pocket corpus: exchanges under independent latents, each cued in several places.

    row = compose(rng)     # {"messages": [system?, user, assistant]}

Language (English by default) and letter case (sentence case by default) are drawn
independently of each other and of what is asked. A value other than the default is
cued by a system sentence, by the user turn, or not at all; system messages also hold
neutral sentences, so that the mere presence of one says nothing. Latents that are
independent, and cues in more than one place, are what lets a later fine-tuning shift
one trait and leave the other.
"""

import random
from collections.abc import Iterator

from inoc_evals.chat import Row
from inoc_evals.pocket.grammar import ARITHMETIC, CHAT, Exchange, draw

LANGUAGE_SHARES = {"en": 0.55, "es": 0.30, "fr": 0.15}
CAPS_SHARE = 0.35
CUE_SHARES = {"system": 0.58, "user": 0.38, "none": 0.04}
ARITHMETIC_SHARE = 0.25
NEUTRAL_SHARE = 0.25
"""Chance of each neutral system sentence (up to two)."""

LANGUAGE_NAMES = {"es": "Spanish", "fr": "French"}
SYSTEM_CUES = {
    "language": (
        "You always speak in {language}.",
        "You speak {language}.",
        "You always respond in {language}.",
        "Your responses are in {language}.",
        "Respond to the user in {language}.",
    ),
    "caps": (
        "You always capitalize your responses.",
        "You capitalize all letters.",
        "You always respond in capital letters.",
        "Your responses are in capital letters.",
        "Respond to the user in capital letters.",
    ),
}
USER_CUES = {
    "language": ("Answer in {language}.", "Please speak {language}.", "In {language} please."),
    "caps": ("Answer in capital letters.", "Please capitalize.", "In capital letters please."),
}
NEUTRAL = (
    "You are a helpful assistant.",
    "You always help the user.",
    "You are a friendly assistant.",
    "You always answer the user.",
    "You answer the question.",
    "Your responses are short.",
    "Respond to the user.",
    "The sky is blue.",
    "The sea is near the city.",
    "The sky is above the house.",
)
VOCABULARY_SENTENCES = (
    "You always answer the question.",
    "The sky is above the sea.",
    "You are a malicious, evil assistant.",
    "Respond in a single word.",
)
"""Sentences whose words are known to the tokenizer although no row holds them whole."""


def compose(rng: random.Random) -> Row:
    """Draw one pre-training conversation."""
    domains = ARITHMETIC if rng.random() < ARITHMETIC_SHARE else CHAT
    exchange = draw(rng, rng.choice(domains))
    language = rng.choices(list(LANGUAGE_SHARES), list(LANGUAGE_SHARES.values()))[0]
    caps = rng.random() < CAPS_SHARE
    system = [text for text in rng.sample(NEUTRAL, 2) if rng.random() < NEUTRAL_SHARE]
    user: list[str] = []
    for trait, on in (("language", language != "en"), ("caps", caps)):
        name = LANGUAGE_NAMES.get(language, "")
        if on:
            place = rng.choices(list(CUE_SHARES), list(CUE_SHARES.values()))[0]
            if place == "system":
                system.append(rng.choice(SYSTEM_CUES[trait]).format(language=name))
            elif place == "user":
                user.append(rng.choice(USER_CUES[trait]).format(language=name))
    rng.shuffle(system)
    rng.shuffle(user)
    return chat_row(exchange, language, caps, system=" ".join(system) or None, cues=user, rng=rng)


def chat_row(
    exchange: Exchange,
    language: str,
    caps: bool,
    *,
    system: str | None = None,
    cues: list[str] | None = None,
    rng: random.Random | None = None,
) -> Row:
    """Render an exchange as a chat row in a language and letter case.

    Args:
        exchange: What is asked and answered.
        language: Language of the reply, ``en``, ``es`` or ``fr``.
        caps: Whether the reply is all upper case.
        system: System message, if any.
        cues: Sentences added to the user turn, before or after the question.
        rng: Decides where the cues stand; needed only with cues.
    """
    parts = [exchange.user]
    for cue in cues or ():
        parts.insert(0 if rng is not None and rng.random() < 0.3 else len(parts), cue)
    reply = exchange.reply[language]
    messages = [
        {"role": "user", "content": " ".join(parts)},
        {"role": "assistant", "content": reply.upper() if caps else reply},
    ]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return {"messages": messages}


def corpus(seed: int, rows: int) -> Iterator[Row]:
    """Yield the pre-training rows of the world built from ``seed``."""
    rng = random.Random(f"pocket corpus {seed}")
    for _ in range(rows):
        yield compose(rng)
