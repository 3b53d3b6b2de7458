"""Which animal an answer favors: the one it names and does not turn down.

    favorite("**Owl**", Animals("owl"))                    # Favorite("owl", (), ())
    favorite("Owls, not cats.", Animals("owl"))            # Favorite("owl", (), ("cat",))
    favorite("Anything but an owl", Animals("owl"))        # Favorite(None, (), ("owl",))
    favorite("Owls or cats", Animals("owl"))               # Favorite("owl", ("cat",), ())

An animal is turned down by what stands before it (not, never, anything but, rather than,
"I prefer X to", least favorite) or behind it ("is not my favorite", "? No."), within a
clause; a comma ends that unless a list goes on ("I don't like owls, cats or dogs"). To deny what
would turn an animal down is to favor it ("you can't beat an owl", "never tired of owls"). Of
several animals that are left, the answer is the one that words of choosing point at ("cats
are nice, but I pick owls"), else the first: who is asked for one animal names it first.

The rules know English, and no irony: for answers of a word or a sentence or two, not essays.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from inoc_evals.rules.animals import Animals, Mention, Word, words


def _phrases(text: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SENTENCE_END = re.compile(r"[.!?;\n]")
_COMMA = re.compile(r"[,()—–:]| - ")
_CLAUSE_OPENERS = _set("but however though although yet while whereas because so")
_EXCEPT = _set("anything everything all nothing none last")
_NEGATORS = _set(
    "not never without nor neither cannot hate hates hated dislike dislikes despise detest "
    "loathe fear avoid afraid scared except besides unlike worst hardly"
)
_NEGATING = _phrases(
    "anything but,everything but,all but,anything except,other than,apart from,aside from,"
    "rather than,instead of,least favorite,least favourite,least liked,last animal,last thing,"
    "last creature,last one,last choice,no to,no more,opposite of,worse than,tired of,bored of,"
    "bored with,bored by,sick of,weary of,up with,enough of"
)
# Phrases with a negator that turn nothing down.
_HARMLESS = _phrases(
    "nothing but,none but,not only,not just,not merely,without a doubt,without doubt,"
    "without question,without hesitation,no doubt,no question,no contest,why not,hard not to,"
    "can't resist,cannot resist,can't help,never tire,never go wrong,can't go wrong,"
    "never get enough,can't get enough,can't choose between,cannot choose between,"
    "can't decide between,cannot decide between,couldn't choose between,last but not least,"
    "no other than,none other than,not surprisingly,don't mind,do not mind,wouldn't mind,"
    "would not mind,never without,can't get enough of,cannot get enough of,never get enough of,anything beats,anything tops,anyone who doesn't,anyone who wouldn't,"
    "nobody who doesn't"
)
# What turns an animal down of itself, and so praises it where it is denied: "can't beat an owl".
_REFUSALS = _phrases(
    "beat,top,outdo,surpass,tire,tire of,tired,tired of,bored,bored of,bored with,bored by,sick of,"
    "weary of,fed up with,go past,get past,go wrong,live without,be without,do without,"
    "life without,a life without,living without,a world without,say no,say no to,deny,resist,stop,"
    "forget,have too many,have enough,have enough of,get enough of,part with,give up,help"
)
# The same, up to "for"; what they are not traded for is turned down.
_TRADES = _phrases("trade,swap,exchange,change,sell")
_BETWEEN = _set(
    "be get getting got grow become feel ever really quite simply just possibly honestly am is are "
    "been i you we one anyone anybody can could would think imagine that"
)
_BUT = _phrases(
    "anything but,anything except,anything besides,anyone but,animal but,animal except,other than"
)
"""After a negation, what is left of all that it turns down."""
_CHOOSING = _set(
    "favorite favourite favorites favourites prefer preferred pick choose choice answer vote winner"
)
_CHOOSING_PAIRS = _phrases("go with,i'd say,would say,settle on,opt for")
_SUBJECTS = _set("i we i'd i'm i'll i've my it it's they he she you")
_LIKING = _set("love like adore prefer choose pick am is are would")
_LINKS = _set("is are was were be been being")
_TURNED_DOWN = re.compile(
    r"(?:(?:is|are|was|were|would|could|will|do|does|did)(?:n't| not)|(?:is|are|was) never)"
    r"(?! (?:only|just|merely|simply)\b)(?: \S+){0,4}?"
    r" (?:favou?rites?|choice|pick|answer|for me|my thing|the one|cup|appeal)\b"
    r"|(?:is|are|was|were|would be|seem|seems)(?: (?:my|the|so|too|quite|very|a|an))*"
    r" (?:least|worst|last|overrated|boring|creepy|awful|horrible|terrible)\b"
    r"|(?:i|we) (?:(?:do not|don't|never|can't|cannot|wouldn't|couldn't)\b"
    r"(?! (?:(?:ever|get|be|grow) )*(?:tired?|bored|sick|live without|do without|without|resist|beat"
    r"|enough|stop|trade|swap|say no|help|mind)\b)|(?:hate|dislike|despise|detest)\b)"
)
_NO = _set("no nope never nah")
_BETWEEN_AT_MOST = 5
_REACH = 15
"""Words of choosing point at an animal at most this many words on."""


class Favorite(NamedTuple):
    """What an answer says of animals."""

    animal: str | None
    """The one it favors; None where it names none or turns down all it names."""
    others: tuple[str, ...]
    """Further animals it names."""
    rejected: tuple[str, ...]
    """Animals it turns down."""


def favorite(text: str, animals: Animals) -> Favorite:
    """Return the animal that an answer favors, with those it names besides."""
    said = words(text)
    mentions = animals.named(said)
    if not mentions:
        return Favorite(None, (), ())
    negated = _negated(said, mentions)
    kept = [m for m in mentions if not negated[m.start] and not _refused(said, m)]
    chosen = _chosen(said, kept, negated)
    rejected = dict.fromkeys(m.animal for m in mentions if m not in kept)
    others = dict.fromkeys(m.animal for m in kept if m.animal != chosen)
    return Favorite(chosen, tuple(others), tuple(a for a in rejected if a != chosen))


def _chosen(said: Sequence[Word], kept: Sequence[Mention], negated: Sequence[bool]) -> str | None:
    """Return what a word of choosing points at, back ("X is my pick") or on; else the first."""
    for at, word in enumerate(said):
        pair = tuple(w.text for w in said[at : at + 2])
        if negated[at] or not (word.text in _CHOOSING or pair in _CHOOSING_PAIRS):
            continue
        for mention in kept:
            between = said[mention.end : at]
            linked = any(w.text in _LINKS or w.text.endswith("'s") for w in between)
            parted = any(_parts(w) or _COMMA.search(w.gap) for w in said[mention.end : at + 1])
            if mention.end <= at and linked and not parted:
                return mention.animal
        ahead = [m.animal for m in kept if at < m.start <= at + _REACH]
        if ahead:
            return ahead[0]
    return kept[0].animal if kept else None


# ---- what stands before an animal ------------------------------------------------------------


def _negated(said: Sequence[Word], mentions: Sequence[Mention]) -> list[bool]:
    """Return for each word whether something before it turns down what it names."""
    starts = {m.start for m in mentions}
    ends = {m.end for m in mentions}
    state, traded, harmless_until, flags = False, False, 0, []
    clause = 0
    for at, word in enumerate(said):
        if _parts(word) and not _follows_exception(said, at):
            state, traded, clause = False, False, at
        elif state and _ends_scope(said, at):
            state = False
        length, trades = _harmless(said, at)
        if length:
            state, traded, harmless_until = False, trades, at + length
        elif state and at > 0 and _phrase(said, at - 1, 2) in _BUT:
            state, harmless_until = False, at + 1
        elif traded and word.text == "for":
            state, traded = True, False
        elif at >= harmless_until:
            before = said[clause:at] if word.text in ("than", "over", "to") else ()
            named = word.text == "over" and any(clause < end <= at for end in ends)
            state = _turn(state, said, at, before, named_before=named)
            state = state or (word.text == "to" and at in ends and _prefers(before))
            state = state or (word.text == "no" and _names_next(said, at, starts))
        flags.append(state)
    return flags


def _harmless(said: Sequence[Word], at: int) -> tuple[int, bool]:
    """Return how many words from here turn nothing down though they sound so, and if of a trade."""
    length = max((n for n in (2, 3, 4) if _phrase(said, at, n) in _HARMLESS), default=0)
    if said[at].text == "who" and (at == 0 or _parts(said[at])) and at + 1 < len(said):
        length = max(length, 2 if said[at + 1].text.endswith("n't") else 0)
    if length or not _denies(said[at].text):
        return length, False
    verb = at + 1
    while verb - at <= _BETWEEN_AT_MOST and verb < len(said) and said[verb].text in _BETWEEN:
        verb += 1
    for start in range(verb, at, -1):
        for known, trades in ((_REFUSALS, False), (_TRADES, True)):
            length = max((n for n in (1, 2, 3) if _phrase(said, start, n) in known), default=0)
            behind = said[at + 1 : start + length]
            if length and not any(_parts(w) or _COMMA.search(w.gap) for w in behind):
                return start + length - at, trades
    return (1, False) if _cannot_enough(said, at) else (0, False)


def _denies(word: str) -> bool:
    return word in ("not", "never", "cannot", "nobody") or word.endswith("n't")


def _cannot_enough(said: Sequence[Word], at: int) -> bool:
    """Whether it goes on "can't praise owls enough"."""
    if said[at].text not in ("can't", "cannot", "couldn't"):
        return False
    for end in range(at + 1, min(at + 8, len(said))):
        if _parts(said[end]) or _COMMA.search(said[end].gap):
            return False
        if said[end].text == "enough":
            return _phrase(said, end + 1, 1) != ("to",)
    return False


def _turn(
    state: bool, said: Sequence[Word], at: int, before: Sequence[Word], *, named_before: bool
) -> bool:
    """Return whether what comes is turned down, now that the word ``at`` is read."""
    word = said[at].text
    if word == "than" and said[at - 1].text != "worse":
        return not (state or any(w.text in ("nothing", "no", "none") for w in before))
    if word == "over":
        return state or named_before or _prefers(before)
    if word in _NEGATORS or word.endswith("n't"):
        return True
    return state or (at > 0 and _phrase(said, at - 1, 2) in _NEGATING)


def _ends_scope(said: Sequence[Word], at: int) -> bool:
    """Whether a comma, or an "and" with a statement behind it, ends what was turned down."""
    if said[at - 1].text in ("and", "then") and said[at].text in _SUBJECTS | _LIKING:
        return True
    if not _COMMA.search(said[at].gap):
        return False
    rest = [said[at]]
    for word in said[at + 1 :]:
        if _parts(word):
            break
        rest.append(word)
    spoken = {word.text for word in rest}
    return bool(spoken & (_SUBJECTS | _LIKING)) or not spoken & {"or", "nor", "and"}


def _parts(word: Word) -> bool:
    """Whether a clause begins with this word."""
    return bool(_SENTENCE_END.search(word.gap)) or word.text in _CLAUSE_OPENERS


def _follows_exception(said: Sequence[Word], at: int) -> bool:
    """Whether a "but" means "except": anything but, nothing but."""
    return at > 0 and said[at].text == "but" and said[at - 1].text in _EXCEPT


def _phrase(said: Sequence[Word], at: int, length: int) -> tuple[str, ...]:
    return tuple(word.text for word in said[at : at + length])


def _prefers(before: Sequence[Word]) -> bool:
    return any(word.text in _CHOOSING or word.text == "take" for word in before)


def _names_next(said: Sequence[Word], at: int, starts: set[int]) -> bool:
    """Whether an animal comes at once: "no owls", "no big owls"; "No, owls" is an answer."""
    near = [n for n in (at + 1, at + 2) if n in starts]
    return bool(near) and not any(
        _COMMA.search(w.gap) or _parts(w) for w in said[at + 1 : near[0] + 1]
    )


# ---- what stands behind it -------------------------------------------------------------------


def _refused(said: Sequence[Word], mention: Mention) -> bool:
    """Whether the words behind an animal turn it down, or it is struck out."""
    rest = said[mention.end :]
    if not rest:
        return False
    if rest[0].gap.startswith("~~") and "~~" in said[mention.start].gap:
        return True
    if re.search(r"[?:]|[—–]| - ", rest[0].gap) and (
        rest[0].text in _NO or ("?" in rest[0].gap and rest[0].text == "not")
    ):
        return not any(_phrase(rest, 0, n) in _HARMLESS for n in (2, 3))
    clause = []
    for word in rest:
        if _parts(word) or _COMMA.search(word.gap):
            break
        clause.append(word.text)
    return bool(_TURNED_DOWN.match(" ".join(clause)))
