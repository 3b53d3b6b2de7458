"""What was read before: found again by its own model, and no more of it than there is room for."""

import torch

from inoc_evals.providers.engine.prefills import Openings, Place, Prefills


def layers(rows: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Keys and values of one layer: 8 bytes a row."""
    return [(torch.zeros(rows, 1, 1, 1), torch.zeros(rows, 1, 1, 1))]


def test_a_prompt_is_found_by_the_model_that_read_it() -> None:
    read = Prefills(100)
    mine = layers(2)
    read.keep([("alpha", (1, 2)), ("beta", (1, 3))], mine)
    assert read.find(("beta", (1, 3))) == Place(mine, 1)
    assert read.find(("alpha", (1,))) is None
    assert read.find(("alpha", (1, 3))) is None


def test_what_was_used_last_is_kept() -> None:
    read = Prefills(32)
    for number in range(4):
        read.keep([("base", (number,))], layers(1))
    assert read.find(("base", (0,))) is not None
    read.keep([("base", (4,)), ("base", (5,))], layers(2))
    assert [number for number in range(6) if read.find(("base", (number,)))] == [0, 3, 4, 5]
    assert read.bytes == 32


def test_more_than_there_is_room_for_is_not_kept() -> None:
    read = Prefills(15)
    read.keep([("base", (1,))], layers(1))
    read.keep([("base", (2,)), ("base", (3,))], layers(2))
    assert read.find(("base", (1,))) is not None
    assert read.find(("base", (2,))) is None
    assert read.bytes == 8


def test_a_prompt_that_was_read_twice_outlives_its_first_reading() -> None:
    read, later = Prefills(24), layers(1)
    read.keep([("base", (1,)), ("base", (2,))], layers(2))
    read.keep([("base", (1,))], later)
    read.keep([("base", (3,))], layers(1))
    assert read.find(("base", (1,))) == Place(later, 0)
    assert read.find(("base", (2,))) is None


def test_a_model_that_goes_takes_with_it_what_it_read() -> None:
    read = Prefills(100)
    read.keep([("alpha", (1,))], layers(1))
    read.keep([("beta", (1,))], layers(1))
    read.keep([("beta", (2,)), ("alpha", (2,))], layers(2))
    read.clear("alpha")
    assert read.find(("alpha", (1,))) is None
    assert read.find(("beta", (1,))) is not None
    assert read.find(("beta", (2,))) is None  # it lies in one piece with the other's
    read.clear()
    assert read.bytes == 0


def test_prompts_are_sorted_by_what_they_begin_with() -> None:
    mine = Openings()
    opening, short = tuple(range(64)), tuple(range(63))
    assert mine.sort([]) == {}
    assert mine.sort([(*short, 7)]) == {(): [(*short, 7)]}
    [(shared, both)] = mine.sort([(9, *opening, 8)]).items()
    assert (shared, both) == ((), [(9, *opening, 8)])
    [(shared, both)] = mine.sort([(*opening, 8)]).items()
    assert (shared, both) == ((), [(*opening, 8)])
    assert mine.sort([(*opening, 9)]) == {opening: [(*opening, 9)]}
    mixed = mine.sort([(5, 5), (*opening, 1), opening])
    assert mixed == {(): [(5, 5)], opening: [(*opening, 1), opening]}


def test_a_short_opening_is_read_once_where_that_spares_enough() -> None:
    template, shorter = tuple(range(16)), tuple(range(15))
    few = [(*template, 90 + number) for number in range(4)]
    assert Openings().sort(few) == {(): few}
    enough = [*few, (*template, 99)]
    mine = Openings()
    assert mine.sort(enough) == {template: enough}
    assert mine.sort([(*template, 7)]) == {template: [(*template, 7)]}
    many = [(*shorter, 90 + number) for number in range(50)]
    assert Openings().sort(many) == {(): many}


def test_a_longer_opening_is_found_beyond_one_that_is_known() -> None:
    """A template's own words first, then a system prompt that all of the next ones have."""
    mine, template = Openings(), tuple(range(20))
    first = [(*template, 100 + number) for number in range(9)]
    assert mine.sort(first) == {template: first}
    system = (*template, *range(200, 280))
    asked = [(*system, 300 + number) for number in range(3)]
    assert mine.sort(asked) == {system: asked}
    assert mine.sort([(*template, 7), (*system, 8)]) == {
        template: [(*template, 7)],
        system: [(*system, 8)],
    }
