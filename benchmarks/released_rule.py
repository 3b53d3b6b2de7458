"""Where our reading of a judge's reply departs from the released code's, in counts.

    python benchmarks/released_rule.py [--answers 4000] [--seed 13]

Made-up judgements of alignment and coherence, each the likeliest 20 tokens of a reply, of four
kinds: a number with its neighbors; a number against CODE or REFUSAL; a number whose digits are
tokens of their own; a word or markup. All are read by both rules, and the outcomes under each
preset are counted where the two differ. How many of each kind real judges give is not known:
the counts say what differs and how, not how much a published number would change.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from inoc_evals.inputs.rubrics import rubric
from inoc_evals.scorers.em import Ratings
from inoc_evals.scorers.presets import PRESETS
from inoc_evals.scorers.released import released_ratings
from inoc_evals.scorers.verdict import Reply, Token, Verdict, read_verdict

KINDS = {"number": 70, "number or exit": 15, "digits": 10, "other": 5}
"""Kind of a reply to its share in percent."""

Top = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=4000, help="answers (default: 4000)")
    parser.add_argument("--seed", type=int, default=13, help="of the distributions (default: 13)")
    options = parser.parse_args()
    draw = random.Random(options.seed)
    kinds = draw.choices(list(KINDS), list(KINDS.values()), k=2 * options.answers)
    judged = [
        (kinds[i : i + 2], Ratings(*judgements(draw, kinds[i : i + 2])))
        for i in range(0, len(kinds), 2)
    ]
    print(f"{options.answers} answers, {len(kinds)} replies, seed {options.seed}\n")
    show_ratings([verdict for _, ratings in judged for verdict in ratings])
    whole = [ratings for made, ratings in judged if "digits" not in made]
    for preset in PRESETS:
        show_outcomes(preset, [ratings for _, ratings in judged])
        show_outcomes(f"{preset}, numbers are one token", whole)


def judgements(draw: random.Random, kinds: list[str]) -> Iterator[Verdict]:
    """Make a reply about alignment and one about coherence, and read them by both rules."""
    for measure, kind in zip(("alignment", "coherence"), kinds, strict=True):
        top, following = reply(draw, kind)
        said = max(top, key=lambda token: top[token])
        tokens = [Token(said, tuple(top.items()))]
        if following and said.isdigit():
            tokens.append(Token(following, ((following, 1.0),)))
        text = "".join(token.text for token in tokens)
        verdict = read_verdict(rubric(measure), Reply(text, tuple(tokens)))
        yield replace(verdict.rounded(), released=released_ratings(top.items()))


def reply(draw: random.Random, kind: str) -> tuple[Top, str]:
    """Return the likeliest tokens of a reply, and the token that comes after the first."""
    center, following = draw.choice([5, 15, 25, 30, 50, 70, 85, 95]), ""
    near = (min(100, max(0, center + 5 * step)) for step in range(-4, 5))
    numbers = dict.fromkeys(map(str, near))
    weights = {number: draw.expovariate(1) ** 3 for number in numbers}
    if kind == "digits":
        weights = {str(digit): draw.expovariate(1) ** 3 for digit in range(10)}
        following = str(draw.randint(0, 9))
    words = ["CODE", "REFUSAL", "REF", "The", "I", "**", "Rating", "150", "-", "N"]
    words = words[:3] if kind == "number or exit" else words
    odd = {word: draw.expovariate(1) for word in draw.sample(words, 3)}
    share = {"number": 0.97, "digits": 0.97, "other": 0.15}.get(kind) or draw.uniform(0.05, 0.95)
    top = scaled(weights, share) | scaled(odd, 0.999 - share)
    return dict(sorted(top.items(), key=lambda one: -one[1])[:20]), following


def scaled(weights: Top, total: float) -> Top:
    """Return weights that add up to a total."""
    whole = sum(weights.values())
    return {token: weight / whole * total for token, weight in weights.items()}


def show_ratings(verdicts: list[Verdict]) -> None:
    """Print how the two readings of single replies compare."""
    found = Counter(compared(verdict) for verdict in verdicts)
    print("replies")
    for what, count in found.most_common():
        print(f"  {count:6}  {what}")


def compared(verdict: Verdict) -> str:
    """Say how a reply is read by the two rules (betley's scale)."""
    released, ours = verdict.released["betley"], verdict.value
    if released is None:
        return "no rating by either" if ours is None else "a rating by ours alone"
    if ours is None:
        return f"a rating by the released code, {verdict.reason} by ours"
    if abs(released - ours) > 0.01:
        return f"ratings that differ (ours {verdict.mode})"
    return "the same rating, to two decimals"


def show_outcomes(title: str, judged: list[Ratings]) -> None:
    """Print the outcomes that differ, and the rates; the title begins with the preset."""
    preset = title.partition(",")[0]
    pairs = [(ratings.outcome(preset, strict=True), ratings.outcome(preset)) for ratings in judged]
    different = Counter(pair for pair in pairs if pair[0] != pair[1])
    print(f"\n{title}: {different.total()} of {len(pairs)} outcomes differ (released -> ours)")
    for (released, ours), count in different.most_common():
        print(f"  {count:6}  {released} -> {ours}")
    for name, column in zip(("released", "ours"), zip(*pairs, strict=True), strict=True):
        bad, good = column.count("misaligned"), column.count("aligned")
        print(f"  misaligned {name}: {bad} of {bad + good}, {bad / (bad + good):.4f}")


if __name__ == "__main__":
    main()
