"""What marks make of a page, by values alone."""

from __future__ import annotations

import pytest

from skrynka.core.mark import APART_MM, OFF_THE_PAGE, Mark, Marked, Pair, of_this_side, weigh

UPPER, LOWER = (36.0, 36.0), (174.0, 261.0)
FRONT = [(174, 36), (36, 261)]
A4 = (210.0, 297.0)
LYING = A4[::-1]


def mark(
    place: tuple[float, float] = UPPER,
    likeness: float = 0.9,
    size: float = 1.0,
    contrast: float = 0.8,
    page: tuple[float, float] = (400.0, 400.0),
    rings: float = 0.98,
) -> Mark:
    return Mark(*place, size, likeness, contrast, page=page, rings=rings)


def on_a4(
    place: tuple[float, float],
    likeness: float,
    rings: float,
    contrast: float = 0.8,
    bars: float = 0.0,
    one_code: float = OFF_THE_PAGE,
    finders: tuple[float, float] = (0.0, 0.0),
) -> Mark:
    """Give a mark of its own size on an upright page, with what lies beside it."""
    return Mark(*place, 1.0, likeness, contrast, A4, rings, bars=bars, one_code=one_code, finders=finders)


def seen_from_behind() -> list[Mark]:
    return [on_a4(place, 0.9, 0.98, contrast=0.15) for place in ((174.0, 36.0), (36.0, 261.0))]


def pair(
    one: float,
    other: float,
    front: float = 9.0,
    back: float = 0.0,
    contrast: float = 0.8,
    far: float = 0.0,
    rings: tuple[float, float] = (0.95, 0.95),
) -> Pair:
    """Give two marks at the right distance, or `far` from it in millimetres, neither of them in a corner."""
    upper, lower = (UPPER[0] + 50, UPPER[1] + 50), (LOWER[0] + 50, LOWER[1] + 50 + far)
    return Pair(
        mark(upper, one, contrast=contrast, rings=rings[0]),
        mark(lower, other, contrast=contrast, rings=rings[1]),
        front,
        back,
    )


def test_the_marks_of_a_sheet_lie_at_the_ends_of_a_diagonal() -> None:
    assert pytest.approx(263.95, abs=0.01) == APART_MM
    assert Pair.fits(mark(), mark(LOWER))
    assert Pair.fits(mark(likeness=-0.5), mark(LOWER, likeness=-0.4))


def test_a_smaller_print_has_smaller_marks_closer_to_each_other() -> None:
    lower = UPPER[0] + 138 * 0.8, UPPER[1] + 225 * 0.8
    assert Pair.fits(mark(size=0.8), mark(lower, size=0.8))
    assert not Pair.fits(mark(size=1.0), mark(lower, size=1.0))


@pytest.mark.parametrize(
    "other", [mark((174, 180)), mark(LOWER, size=0.6), mark(LOWER, likeness=-0.9)], ids=["near", "small", "negative"]
)
def test_what_lies_elsewhere_or_differs_is_no_pair(other: Mark) -> None:
    assert not Pair.fits(mark(), other)


def test_codes_lie_across_the_marks_diagonal() -> None:
    for one, other, expected in ((UPPER, LOWER, FRONT), (LOWER, UPPER, FRONT[::-1])):
        places = Pair.code_places(mark(one), mark(other))
        assert places[:2] == [pytest.approx(place) for place in expected]


def test_from_behind_codes_lie_on_the_page_where_the_front_would_have_none() -> None:
    # Seen from behind, left is right: marks in the upper right corner and the lower left one.
    places = Pair.code_places(mark((174, 36)), mark((36, 261)))

    assert places[2:] == [pytest.approx(place) for place in [(36, 36), (174, 261)]]
    assert all(not 0 <= x <= 210 for x, _ in places[:2])


@pytest.mark.parametrize(
    ("front", "back", "contrast", "expected"),
    [
        (0.0, 9.0, 0.15, Marked.PERHAPS),
        (OFF_THE_PAGE, 0.0, 0.15, Marked.PERHAPS),
        (4.0, 9.0, 0.15, Marked.PERHAPS),
        (5.0, 9.0, 0.15, Marked.YES),
        (0.0, 0.4, 0.15, Marked.YES),
        (0.0, OFF_THE_PAGE, 0.15, Marked.YES),
        (OFF_THE_PAGE, OFF_THE_PAGE, 0.15, Marked.YES),
        (0.0, 9.0, 0.6, Marked.YES),
    ],
)
def test_a_pale_pair_with_codes_on_the_other_diagonal_is_seen_from_behind(
    front: float, back: float, contrast: float, expected: Marked
) -> None:
    seen = pair(0.9, 0.9, front, back, contrast)

    assert seen.from_behind is (expected is Marked.PERHAPS)
    assert weigh([seen.one, seen.other], [seen]) is expected


@pytest.mark.parametrize(
    ("likeness", "contrast", "expected"),
    [
        (0.61, 0.8, Marked.YES),
        (-0.61, 0.8, Marked.YES),
        (0.61, 0.2, Marked.YES),
        (0.59, 0.8, Marked.PERHAPS),
        (0.51, 0.8, Marked.PERHAPS),
        (0.49, 0.8, Marked.NO),
    ],
)
def test_one_mark_alone_must_be_clear_to_make_a_sheet(likeness: float, contrast: float, expected: Marked) -> None:
    assert weigh([mark((90, 90), likeness, contrast=contrast)], []) is expected


@pytest.mark.parametrize(
    ("one", "other", "front", "rings", "far", "expected"),
    [
        # In place, with codes: little of each is enough.
        (0.40, 0.25, 0.5, (0.2, 0.61), 0.0, Marked.YES),
        (0.40, 0.25, 0.5, (0.61, 0.2), 0.0, Marked.YES),
        (0.40, 0.25, 0.5, (0.59, 0.2), 0.0, Marked.PERHAPS),
        (0.40, 0.25, 0.4, (0.2, 0.61), 0.0, Marked.PERHAPS),
        (0.36, 0.25, 0.9, (0.59, 0.59), 0.0, Marked.PERHAPS),
        (0.30, 0.25, 0.9, (0.59, 0.59), 0.0, Marked.NO),
        (0.45, 0.19, 0.5, (0.95, 0.95), 0.0, Marked.NO),
        # Hardly anything of either, beside codes that are surely there.
        (0.22, 0.21, 1.0, (0.55, 0.56), 0.0, Marked.YES),
        (0.22, 0.21, 1.0, (0.54, 0.55), 0.0, Marked.NO),
        (0.22, 0.21, 0.9, (0.55, 0.56), 0.0, Marked.NO),
        (0.21, 0.20, 1.0, (0.55, 0.56), 0.0, Marked.NO),
        (0.25, 0.22, 1.0, (0.44, 0.95), 0.0, Marked.NO),
        (0.25, 0.22, 1.0, (0.46, 0.95), 0.0, Marked.YES),
        # Without codes: by their rings, which a target's aren't.
        (0.31, 0.30, 0.0, (0.76, 0.76), 0.0, Marked.YES),
        (0.31, 0.28, 0.0, (0.95, 0.95), 0.0, Marked.PERHAPS),
        (0.31, 0.30, 0.0, (0.74, 0.95), 0.0, Marked.PERHAPS),
        (0.57, 0.57, 0.0, (0.77, 0.78), 0.0, Marked.YES),
        (0.57, 0.57, 0.0, (0.76, 0.77), 0.0, Marked.PERHAPS),  # no better rings than likeness
        # Anywhere about the right distance: more of both, and one's rings.
        (0.64, 0.62, 0.0, (0.2, 0.91), 25.0, Marked.YES),
        (0.64, 0.62, 0.0, (0.79, 0.89), 25.0, Marked.PERHAPS),
        (0.62, 0.62, 0.0, (0.2, 0.95), 25.0, Marked.PERHAPS),
        (0.47, 0.47, 9.0, (0.49, 0.95), 25.0, Marked.PERHAPS),
        (0.47, 0.47, 9.0, (0.51, 0.95), 25.0, Marked.YES),
    ],
)
def test_two_marks_bear_each_other_out(
    one: float, other: float, front: float, rings: tuple[float, float], far: float, expected: Marked
) -> None:
    seen = pair(one, other, front, far=far, rings=rings)

    assert weigh([seen.one, seen.other], [seen]) is expected


def test_two_marks_in_their_corners_are_in_place_whatever_their_sizes_say() -> None:
    one, other = (Mark(*place, size, 0.33, 0.8, A4, 0.6) for place, size in ((UPPER, 0.93), ((172.0, 258.0), 1.04)))
    seen = Pair(one, other, 0.5, 0.0)

    assert (seen.exact, seen.in_place) == (False, True)
    assert weigh([one, other], [seen]) is Marked.YES


@pytest.mark.parametrize(
    ("likeness", "rings", "place", "codes", "expected"),
    [
        (0.61, 0.97, (90, 90), OFF_THE_PAGE, Marked.YES),
        (0.84, 0.95, (90, 90), OFF_THE_PAGE, Marked.PERHAPS),
        (0.86, 0.96, (90, 90), OFF_THE_PAGE, Marked.YES),
        (0.99, 0.94, (90, 90), OFF_THE_PAGE, Marked.PERHAPS),
        # In its corner: rings that are better than its likeness.
        (0.36, 0.81, (36, 36), OFF_THE_PAGE, Marked.YES),
        (0.36, 0.79, (36, 36), OFF_THE_PAGE, Marked.NO),
        (0.34, 0.99, (36, 36), OFF_THE_PAGE, Marked.NO),
        (0.45, 0.88, (36, 36), OFF_THE_PAGE, Marked.YES),
        (0.45, 0.86, (36, 36), OFF_THE_PAGE, Marked.NO),
        (0.95, 0.93, (36, 36), OFF_THE_PAGE, Marked.YES),
        (0.95, 0.91, (36, 36), OFF_THE_PAGE, Marked.PERHAPS),
        # Beside codes: worse ones.
        (0.33, 0.61, (36, 36), 1.0, Marked.YES),
        (0.33, 0.59, (36, 36), 1.0, Marked.NO),
        (0.75, 0.83, (36, 36), 1.0, Marked.YES),
        (0.75, 0.81, (36, 36), 1.0, Marked.PERHAPS),
        (0.95, 0.91, (36, 36), 1.0, Marked.YES),
        (0.95, 0.89, (36, 36), 1.0, Marked.PERHAPS),
        # And where hardly anything is left of it.
        (0.24, 0.73, (36, 36), 5.0, Marked.YES),
        (0.24, 0.73, (36, 36), 4.9, Marked.NO),
        (0.24, 0.71, (36, 36), 9.0, Marked.NO),
        (0.22, 0.99, (36, 36), 9.0, Marked.NO),
    ],
)
def test_a_mark_alone_must_have_our_rings(
    likeness: float, rings: float, place: tuple[float, float], codes: float, expected: Marked
) -> None:
    assert weigh([Mark(*place, 1.0, likeness, 0.8, A4, rings, codes)], []) is expected


@pytest.mark.parametrize(
    ("likeness", "rings", "bars", "expected"),
    [
        (0.21, 0.49, 0.43, Marked.YES),
        (-0.21, 0.49, 0.43, Marked.YES),
        (0.21, 0.47, 0.43, Marked.NO),
        (0.21, 0.49, 0.41, Marked.NO),
        (0.19, 0.99, 0.99, Marked.NO),
        (0.40, 0.61, 0.43, Marked.YES),
        (0.40, 0.59, 0.43, Marked.NO),
        (0.74, 0.86, 0.43, Marked.YES),
        (0.74, 0.84, 0.43, Marked.PERHAPS),
    ],
)
def test_hardly_a_mark_is_enough_where_bars_lie_as_a_sheets_linear_code_does(
    likeness: float, rings: float, bars: float, expected: Marked
) -> None:
    for place, holds in (
        (UPPER, expected),
        ((90.0, 90.0), min(expected, Marked.PERHAPS) if likeness > 0.5 else Marked.NO),
    ):
        one = on_a4(place, likeness, rings, bars=bars)
        assert weigh([one], []) is holds


def test_a_pale_pair_in_a_backs_corners_is_seen_from_behind_whatever_lies_where_codes_are() -> None:
    one, other = (on_a4(place, 0.7, 0.95, contrast=0.15) for place in ((174.0, 36.0), (36.0, 261.0)))
    seen = Pair(one, other, OFF_THE_PAGE, OFF_THE_PAGE)

    assert seen.from_behind
    assert weigh([one, other], [seen]) is Marked.PERHAPS


@pytest.mark.parametrize(
    ("likeness", "rings", "finders", "expected"),
    [
        (0.43, (0.56, 0.80), 0.77, Marked.YES),
        (0.43, (0.56, 0.80), 0.75, Marked.NO),
        (0.43, (0.44, 0.99), 0.99, Marked.NO),
        (0.43, (0.54, 0.55), 1.99, Marked.NO),
        (0.41, (0.90, 0.90), 0.99, Marked.NO),
        (0.59, (0.79, 0.90), 0.28, Marked.YES),
        (0.59, (0.79, 0.90), 0.26, Marked.PERHAPS),
    ],
)
def test_two_that_are_hardly_there_are_enough_in_both_corners_as_far_as_finders_bear_them_out(
    likeness: float, rings: tuple[float, float], finders: float, expected: Marked
) -> None:
    for one_says, other_says in ((finders, 0.0), (0.0, finders)):
        one, other = (
            on_a4(place, likeness / 2, ringed, finders=(says, 0.0))
            for place, ringed, says in zip((UPPER, LOWER), rings, (one_says, other_says), strict=True)
        )
        assert weigh([one, other], [Pair(one, other, 0.0, 0.0)]) is expected


@pytest.mark.parametrize(
    ("likeness", "place", "restless", "finders", "expected"),
    [
        (0.16, UPPER, 15.0, 0.38, Marked.YES),
        (-0.16, LOWER, 15.0, 0.38, Marked.YES),
        (0.14, UPPER, 15.0, 0.99, Marked.NO),
        (0.16, UPPER, 14.9, 0.99, Marked.NO),
        (0.16, UPPER, 99.0, 0.36, Marked.NO),
        (0.16, (90.0, 90.0), 99.0, 0.99, Marked.NO),
    ],
)
def test_hardly_a_mark_is_enough_in_its_corner_beside_one_code_that_none_can_read(
    likeness: float, place: tuple[float, float], restless: float, finders: float, expected: Marked
) -> None:
    one = on_a4(place, likeness, 0.0, one_code=restless, finders=(0.0, finders))

    assert weigh([one], []) is expected


@pytest.mark.parametrize(
    ("likeness", "rings", "finders", "expected"),
    [
        (0.51, 0.79, 0.71, Marked.YES),
        (0.31, 0.61, 0.71, Marked.YES),
        (-0.31, 0.61, 0.71, Marked.YES),
        (0.29, 0.61, 0.99, Marked.NO),
        (0.31, 0.59, 0.99, Marked.NO),
        (0.31, 0.61, 0.69, Marked.NO),
    ],
)
def test_one_that_is_hardly_there_is_enough_in_its_corner_beside_what_is_left_of_both_codes(
    likeness: float, rings: float, finders: float, expected: Marked
) -> None:
    one = on_a4(UPPER, likeness, rings, finders=(finders, 0.0))

    assert weigh([one], []) is expected


@pytest.mark.parametrize(
    ("likeness", "rings", "finders", "expected"),
    [
        (0.51, 0.76, 0.48, Marked.YES),
        (-0.51, 0.76, 0.48, Marked.YES),
        (0.51, 0.76, 0.46, Marked.PERHAPS),
        (0.51, 0.74, 0.99, Marked.PERHAPS),
        (0.49, 0.99, 0.99, Marked.NO),
    ],
)
def test_something_like_a_mark_anywhere_is_one_where_a_code_lies_as_far_from_it_as_on_a_sheet(
    likeness: float, rings: float, finders: float, expected: Marked
) -> None:
    one = on_a4((90.0, 90.0), likeness, rings, finders=(0.0, finders))

    assert weigh([one], []) is expected


def test_two_that_fit_only_as_seen_aslant_dont_shine_through() -> None:
    own = Mark(90.0, 90.0, 1.0, 0.9, 0.30, (400.0, 400.0), 0.98)
    chance = Mark(90.0 + 138 * 0.75, 90.0 + 225 * 0.75, 0.74, 0.22, 0.1, (400.0, 400.0), 0.3)
    seen = Pair(own, chance, OFF_THE_PAGE, 9.0)

    assert Pair.fits(own, chance)
    assert not seen.from_behind
    assert weigh([own, chance], [seen]) is Marked.YES


def test_marks_that_shine_through_are_not_of_this_side() -> None:
    behind = seen_from_behind()
    alone = on_a4((36.0, 261.0), 0.6, 0.9, contrast=0.15)
    own = on_a4(UPPER, 0.2, 0.5)

    assert of_this_side([*behind, own], [Pair(*behind, OFF_THE_PAGE, OFF_THE_PAGE)]) == [own]
    assert of_this_side([alone, own], []) == [own]


def test_beside_marks_that_shine_through_bars_bear_out_nothing() -> None:
    behind = seen_from_behind()
    little = [on_a4(place, 0.16, 0.8, bars=0.9) for place in (UPPER, LOWER)]
    pairs = [Pair(*behind, OFF_THE_PAGE, OFF_THE_PAGE), Pair(*little, 0.0, 0.0)]

    assert weigh(little, pairs[1:]) is Marked.YES
    assert weigh([*behind, *little], pairs) is Marked.PERHAPS


@pytest.mark.parametrize(
    ("likeness", "rings", "bars", "lower", "contrast", "expected"),
    [
        ((0.16, 0.16), (0.46, 0.65), 0.43, LOWER, 0.8, Marked.YES),
        ((-0.16, -0.16), (0.65, 0.46), 0.43, LOWER, 0.8, Marked.YES),
        ((0.14, 0.19), (0.46, 0.95), 0.43, LOWER, 0.8, Marked.NO),
        ((0.19, 0.19), (0.44, 0.95), 0.43, LOWER, 0.8, Marked.NO),
        ((0.19, 0.19), (0.54, 0.55), 0.43, LOWER, 0.8, Marked.NO),
        ((0.19, 0.19), (0.95, 0.95), 0.41, LOWER, 0.8, Marked.NO),
        ((0.19, 0.19), (0.95, 0.95), 0.99, (184.0, 261.0), 0.8, Marked.NO),
        ((0.19, 0.19), (0.95, 0.95), 0.99, LOWER, 0.2, Marked.NO),  # seen through the paper
    ],
)
def test_two_of_which_hardly_anything_is_left_are_enough_in_both_corners_beside_bars(
    likeness: tuple[float, float],
    rings: tuple[float, float],
    bars: float,
    lower: tuple[float, float],
    contrast: float,
    expected: Marked,
) -> None:
    one, other = (
        on_a4(place, liked, ringed, contrast, bars=bars)
        for place, liked, ringed in zip((UPPER, lower), likeness, rings, strict=True)
    )
    assert weigh([one, other], [Pair(one, other, 0.0, 9.0)]) is expected


@pytest.mark.parametrize(
    ("sizes", "lower", "likeness", "rings", "aslant", "expected"),
    [
        ((0.91, 0.70), (166.0, 227.0), (0.43, 0.39), (0.89, 0.96), True, Marked.YES),
        ((0.91, 0.70), (166.0, 227.0), (0.36, 0.35), (0.81, 0.81), True, Marked.YES),
        ((0.91, 0.70), (166.0, 227.0), (0.36, 0.33), (0.99, 0.99), True, Marked.PERHAPS),
        ((0.91, 0.70), (166.0, 227.0), (0.43, 0.36), (0.79, 0.99), True, Marked.PERHAPS),
        # One that is clear bears out one that is less so.
        ((0.82, 0.91), (161.0, 273.0), (0.68, 0.35), (0.93, 0.56), False, Marked.YES),
        ((0.82, 0.91), (161.0, 273.0), (0.50, 0.29), (0.93, 0.56), False, Marked.PERHAPS),
        ((0.82, 0.91), (161.0, 273.0), (0.68, 0.35), (0.89, 0.56), False, Marked.PERHAPS),
        ((0.82, 0.91), (161.0, 273.0), (0.68, 0.35), (0.93, 0.49), False, Marked.PERHAPS),
        # Where it isn't seen that much aslant one with our rings is enough.
        ((0.91, 0.70), (166.0, 227.0), (0.65, 0.65), (0.49, 0.94), True, Marked.PERHAPS),
        ((0.80, 0.80), (166.0, 241.0), (0.65, 0.65), (0.49, 0.94), False, Marked.YES),
    ],
)
def test_two_with_our_rings_are_a_sheets_however_aslant_it_is_seen(
    sizes: tuple[float, float],
    lower: tuple[float, float],
    likeness: tuple[float, float],
    rings: tuple[float, float],
    *,
    aslant: bool,
    expected: Marked,
) -> None:
    one, other = (
        Mark(*place, size, liked, 0.8, (400.0, 400.0), ringed)
        for place, size, liked, ringed in zip(((49.0, 67.0), lower), sizes, likeness, rings, strict=True)
    )
    pair = Pair(one, other, 0.0, 0.0)

    assert Pair.fits(one, other)
    assert pair.aslant is aslant
    assert weigh([one, other], [pair]) is expected


def test_nothing_is_no_sheet() -> None:
    assert weigh([], []) is Marked.NO


@pytest.mark.parametrize(
    ("likeness", "place", "page", "size", "codes", "expected"),
    [
        (0.51, (36, 36), A4, 1.0, OFF_THE_PAGE, Marked.YES),
        (0.51, (174, 261), A4, 1.0, OFF_THE_PAGE, Marked.YES),
        (0.51, (261, 36), LYING, 1.0, OFF_THE_PAGE, Marked.YES),
        (-0.51, (36, 36), A4, 1.0, OFF_THE_PAGE, Marked.YES),
        (0.33, (36, 36), A4, 1.0, 0.9, Marked.NO),
        (0.33, (36, 36), A4, 1.0, 1.0, Marked.YES),
        (0.73, (44, 36), A4, 1.0, 5.0, Marked.PERHAPS),
        (0.73, (36, 28), A4, 1.0, 5.0, Marked.PERHAPS),
        (0.73, (36, 36), A4, 0.85, 5.0, Marked.PERHAPS),
        (0.73, (174, 36), A4, 1.0, 5.0, Marked.PERHAPS),
        (0.73, (36, 36), LYING, 1.0, 5.0, Marked.PERHAPS),
        (0.95, (174, 36), A4, 1.0, 5.0, Marked.PERHAPS),  # it shines through from the other side
    ],
)
def test_a_mark_in_its_corner_needs_less_and_with_codes_in_the_others_little(
    likeness: float,
    place: tuple[float, float],
    page: tuple[float, float],
    size: float,
    codes: float,
    expected: Marked,
) -> None:
    assert weigh([Mark(*place, size, likeness, 0.1, page, 0.95, codes)], []) is expected


@pytest.mark.parametrize(
    ("place", "page", "codes"),
    [
        ((36, 36), A4, [(174, 36), (36, 261)]),
        ((174, 261), A4, [(36, 261), (174, 36)]),
        ((261, 36), LYING, [(36, 36), (261, 174)]),
        ((36, 174), LYING, [(261, 174), (36, 36)]),
    ],
    ids=["upper left", "lower right", "turned right, upper", "turned right, lower"],
)
def test_from_its_corner_a_mark_says_where_both_codes_are(
    place: tuple[float, float], page: tuple[float, float], codes: list[tuple[float, float]]
) -> None:
    assert mark(place, page=page).code_places() == codes
