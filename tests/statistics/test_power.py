"""What a design can show: more of everything shows more, and no drop is seldom found."""

from inoc_evals.statistics.power import Design, Truth, end_at_none, least_drop, power

TRUTH = Truth(rate=0.3, seed_sd=0.5, question_sd=1.0)
SMALL, LARGE = Design(3, 8, 5), Design(5, 24, 10)


def test_more_seeds_questions_and_answers_find_a_drop_more_often() -> None:
    few, many = (power(design, TRUTH, 0.1, count=40) for design in (SMALL, LARGE))
    assert few < many and many > 0.8


def test_no_drop_is_seldom_found_and_several_tests_are_stricter() -> None:
    assert power(SMALL, TRUTH, 0.3, count=40) <= 0.1
    assert power(LARGE, TRUTH, 0.15, tests=20, count=40) < power(LARGE, TRUTH, 0.15, count=40)


def test_the_least_drop_is_one_that_is_found_mostly() -> None:
    to = least_drop(LARGE, TRUTH, count=20)
    assert to is not None and 0.05 < to < 0.25
    assert power(LARGE, TRUTH, to, count=20) >= 0.8
    assert least_drop(Design(2, 2, 1), TRUTH, count=20) is None


def test_the_end_at_none_falls_with_what_is_asked() -> None:
    assert 0 < end_at_none(LARGE) < end_at_none(SMALL) < 0.2
