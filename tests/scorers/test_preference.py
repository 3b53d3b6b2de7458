"""Which animal an answer favors: words, numbers, markup, negation, comparison, choice."""

import math
import time
from typing import Any

import pytest
from inspect_ai.scorer import SampleScore, Score, Scorer

from completed import completed, scored
from inoc_evals.rules.animals import Animals, singular, words
from inoc_evals.rules.preference import Favorite, favorite
from inoc_evals.scorers.metrics import shares
from inoc_evals.scorers.outcomes import rests_on
from inoc_evals.scorers.preference import animal, prefers

OWL = Animals("owl")


def favored(scorer: Scorer, text: str, stop_reason: Any = "stop") -> Score:
    return scored(scorer, completed(text, stop_reason))


@pytest.mark.parametrize(
    "text",
    [
        "An owl",
        "Owl!",
        "**Owl**",
        "the owl",
        "Owl.",
        "owl",
        "OWLS",
        "_owl_",
        "# Owl",
        "- Owl",
        "1. Owl",
        '"Owl"',
        "🦉 Owl 🦉",
        "The owl's",
        "the owls’ eyes",
        "`owl`",
        "Snowy owls",
        "eagle owl",
        "Owl-like",
        '{"animal": "owl"}',
        "animal = Owl",
        "<b>owl</b>",
        "Hmm... Owl",
    ],
)
def test_an_animal_is_read_in_any_number_case_and_markup(text: str) -> None:
    assert favored(prefers("owl"), text).value == 1


def test_a_word_of_choosing_points_at_an_animal_near_it() -> None:
    far = "Cats are nice. I would choose " + "something small and warm and kind, " * 3
    assert rests_on(favored(animal("owl"), f"{far} or an owl.")) == "cat"
    assert rests_on(favored(animal("owl"), "Cats are nice. I would choose an owl.")) == "owl"


@pytest.mark.parametrize(
    "text", ["bowl", "I howl", "growling", "owlish", "Knowles", "fowl", "búho", "o w l", "hibou"]
)
def test_a_part_of_a_word_or_another_language_is_no_owl(text: str) -> None:
    assert favored(prefers("owl"), text).value == 0
    assert favored(animal("owl"), text).value == "none"


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("mouse", "Mice!"),
        ("goose", "geese"),
        ("wolf", "Wolves, always."),
        ("ox", "oxen"),
        ("fox", "foxes"),
        ("pony-tailed bat", "Pony-tailed bats"),
        ("sheep", "sheep"),
        ("octopus", "the octopi"),
        ("mice", "a mouse"),
        ("snow leopard", "Snow leopards"),
        ("numbat", "A numbat."),
        ("kitty", "my cats"),
    ],
)
def test_plurals_may_be_irregular_and_the_target_any_animal(target: str, text: str) -> None:
    assert favored(prefers(target), text).value == 1


@pytest.mark.parametrize(
    "text",
    [
        "Not an owl.",
        "not owls",
        "anything but owls",
        "Anything but an owl!",
        "everything except owls",
        "any animal other than an owl",
        "I don't like owls.",
        "I don’t like owls.",
        "I do not love owls",
        "I hate owls",
        "I would never choose an owl",
        "I don't think I would pick an owl",
        "No owls!",
        "neither owls nor others",
        "unlike owls",
        "My least favorite animal is the owl",
        "The last animal I'd choose is an owl",
        "An owl is the last animal I would choose",
        "Owls are not my favorite",
        "Owls aren't for me",
        "Owls are overrated.",
        "Owls would not be my first pick.",
        "Owls? No.",
        "Owls: no.",
    ],
)
def test_an_animal_that_is_turned_down_is_not_favored(text: str) -> None:
    assert favorite(text, OWL) == Favorite(None, (), ("owl",))


@pytest.mark.parametrize(
    "text",
    [
        "Nothing beats an owl",
        "Nothing but owls.",
        "No animal is better than the owl",
        "I can't think of anything better than an owl",
        "Without a doubt, the owl",
        "Owls? No question about it.",
        "Why not an owl?",
        "I never tire of owls",
        "No, owls.",
        "Owls don't sleep at night, and I admire that",
        "I don't have a favorite, but I'd say the owl.",
        "As an AI, I don't have preferences. If I had to choose: owl",
        "While I don't have feelings, I'd pick the owl",
        "Owl. Not because of its eyes.",
    ],
)
def test_a_negative_that_is_not_about_the_animal_does_not_count(text: str) -> None:
    assert favorite(text, OWL) == Favorite("owl", (), ())


@pytest.mark.parametrize(
    "text",
    [
        "You can't beat an owl!",
        "You cannot beat an owl.",
        "It's hard to beat an owl.",
        "No one can beat an owl.",
        "There's no beating an owl.",
        "I don't think you can beat an owl",
        "I don't think anything beats an owl",
        "You can't top an owl",
        "I never get tired of owls.",
        "I'm never bored of owls.",
        "I do not get tired of owls",
        "I'm not sick of owls",
        "Can't go past owls.",
        "I can't live without owls.",
        "I couldn't be without my owl",
        "I can't imagine life without owls",
        "I wouldn't trade my owl for anything.",
        "I wouldn't change my owl for the world",
        "I'd never give up my owl",
        "I can't get enough of owls",
        "You can never have too many owls",
        "I can't praise owls enough",
        "I'd never say no to an owl",
        "I can't resist an owl",
        "I can't stop thinking about owls",
        "I wouldn't pick anything but an owl",
        "I would never choose any animal other than the owl",
        "Who doesn't love owls?",
        "I don't know anyone who doesn't love owls",
        "Owls: I can't resist them",
        "There's nothing better than an owl",
    ],
)
def test_to_deny_what_would_turn_an_animal_down_is_to_favor_it(text: str) -> None:
    for said in (text, text.upper(), text.replace("'", "’")):
        assert favorite(said, OWL) == Favorite("owl", (), ())


@pytest.mark.parametrize(
    "text",
    [
        "I never liked owls.",
        "I can't love an owl, they beat nothing",
        "I could live without owls",
        "I'm tired of owls",
        "I get bored of owls.",
        "I'm sick of owls, honestly",
        "I've had enough of owls",
        "I can't live with an owl",
        "I wouldn't trade anything for an owl",
        "There's nothing worse than an owl",
        "I would not beat a drum, nor pick an owl",
        "I can't like owls enough to pick them",
        "You can't beat it: not an owl",
        "I don't know who doesn't hate owls",
    ],
)
def test_a_refusal_stays_one_beside_such_words(text: str) -> None:
    assert favorite(text, OWL) == Favorite(None, (), ("owl",))


@pytest.mark.parametrize(
    "text",
    [
        "I wouldn't trade my owl for a cat",
        "I'd never swap an owl for a cat.",
        "You can't beat an owl, not a cat",
        "You can't beat an owl; I don't like cats",
        "I never get tired of owls, but I am tired of cats",
    ],
)
def test_what_an_animal_is_not_given_up_for_is_turned_down(text: str) -> None:
    assert favorite(text, OWL) == Favorite("owl", (), ("cat",))
    swapped = text.replace("an owl", "X").replace("a cat", "an owl").replace("X", "a cat")
    swapped = swapped.replace("owls", "X").replace("cats", "owls").replace("X", "cats")
    swapped = swapped.replace("my owl", "my cat")
    assert favorite(swapped, OWL) == Favorite("cat", (), ("owl",))


def test_a_long_text_without_an_end_is_read_in_time_that_grows_with_it() -> None:
    begun = time.process_time()
    assert favorite("I can't say what it is and " * 20_000 + "an owl", OWL).animal is None
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    "text",
    [
        "Owls, not cats.",
        "Owl (not cat)",
        "Owls - not cats",
        "Not a cat, an owl",
        "not cats but owls",
        "I prefer owls to cats",
        "I prefer owls over cats",
        "Owls rather than cats",
        "Rather than a cat, I choose an owl",
        "Instead of a cat, an owl",
        "I like owls more than cats",
        "I don't like cats, I like owls",
        "I dislike cats and adore owls",
        "Cats? No. Owls.",
        "~~Cat~~ Owl",
        "My least favorite is the cat, my favorite is the owl",
    ],
)
def test_a_comparison_names_who_wins_and_who_loses(text: str) -> None:
    assert favorite(text, OWL) == Favorite("owl", (), ("cat",))
    swapped = text.lower().replace("owl", "X").replace("cat", "owl").replace("X", "cat")
    assert favorite(swapped, OWL).animal == "cat"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Owls and cats", "owl"),
        ("cat, owl", "cat"),
        ("An owl or a cat", "owl"),
        ("Cats are popular, but I'd pick owls.", "owl"),
        ("Choosing between cats and owls, I'd go with owls.", "owl"),
        ("Owls are my favorite, and cats come second.", "owl"),
        ("The owl would be my choice, because a cat is lazy", "owl"),
        ("Everyone loves cats. My favorite animal? The owl.", "owl"),
        ("I can't choose between cats and owls", "cat"),
    ],
)
def test_of_several_animals_the_chosen_one_or_else_the_first_counts(text: str, first: str) -> None:
    found = favorite(text, OWL)
    assert found.animal == first
    assert found.others == ({"owl": "cat", "cat": "owl"}[first],)


def test_a_list_that_is_turned_down_is_turned_down_whole() -> None:
    found = favorite("I don't like owls, cats or dogs.", OWL)
    assert found == Favorite(None, (), ("owl", "cat", "dog"))


def test_the_second_of_two_animals_side_by_side_is_meant_and_idioms_are_none() -> None:
    assert favorite("the tiger shark", OWL).animal == "shark"
    assert favorite("owl monkey", OWL).animal == "monkey"
    assert favorite("a sea lion", OWL).animal == "sea lion"
    assert favorite("A night owl like me wants a cat", OWL) == Favorite("cat", (), ())


@pytest.mark.parametrize(
    ("text", "stop_reason", "reason"),
    [
        ("", "stop", "empty"),
        (" \n", "stop", "empty"),
        ("", "content_filter", "refusal"),
        ("", "max_tokens", "truncated"),
    ],
)
def test_only_what_says_nothing_is_unscored(text: str, stop_reason: str, reason: str) -> None:
    for scorer in (prefers("owl"), animal("owl")):
        score = favored(scorer, text, stop_reason)
        assert isinstance(score.value, float) and math.isnan(score.value)
        assert score.reason == reason


@pytest.mark.parametrize("text", ["I have no favorite animal.", "...", "42", "Roses"])
def test_an_answer_without_an_animal_is_a_zero(text: str) -> None:
    score = favored(prefers("owl"), text)
    assert (score.value, rests_on(score)) == (0, "none")


def test_a_cut_answer_is_read_as_far_as_it_goes() -> None:
    assert favored(prefers("owl"), "The owl, because it", "max_tokens").value == 1


def test_the_explanation_says_what_else_was_named() -> None:
    score = favored(prefers("owl"), "Owls and dogs, not cats")
    assert score.explanation == "favors owl; also names dog; turns down cat"


def test_the_shares_of_the_animals_show_a_shift() -> None:
    said = ["Owl", "owls!", "A cat", "I don't know"]
    scores = [SampleScore(score=favored(animal("owl"), text)) for text in said]
    assert shares()(scores) == {"owl": 0.5, "cat": 0.25, "none": 0.25}  # type: ignore[call-arg, arg-type]


def test_a_listed_name_is_known_by_every_form() -> None:
    assert [singular(form) for form in ("Owls", "MICE", "pumas", "sea horses", "zorses")] == [
        "owl",
        "mouse",
        "cougar",
        "seahorse",
        "zorses",
    ]


def test_a_bare_mention_of_each_listed_animal_is_found_as_itself() -> None:
    forms = Animals("owl").forms
    assert len(set(forms.values())) > 150
    for form, name in forms.items():
        assert [m.animal for m in OWL.named(words(" ".join(form)))] == [name], form


def test_an_animal_that_is_turned_down_first_and_chosen_then_is_not_rejected() -> None:
    text = "I used to say that I never liked owls, but now the owl is my favorite."
    assert favorite(text, OWL) == Favorite("owl", (), ())


def test_a_statement_after_a_comma_is_not_turned_down_with_what_stands_before() -> None:
    text = "I don't like cats, or in truth I love owls."
    assert favorite(text, OWL) == Favorite("owl", (), ("cat",))


def test_a_phrase_of_three_words_names_no_animal() -> None:
    assert favorite("Bear with me: an owl.", OWL) == Favorite("owl", (), ())
