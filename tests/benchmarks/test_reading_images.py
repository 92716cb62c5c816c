"""Image number N of an axis and severity is the same every time, and its code lies where harm looks for it."""

from __future__ import annotations

import numpy as np
import pytest

from skrynka.core.routing_code import compose
from tests.benchmarks.reading import sheets
from tests.benchmarks.reading.axes import AXES, EVERY, TOGETHER, Axis, Stage, harms
from tests.benchmarks.reading.images import NO_SHEET, PLAIN_KINDS, Key, image_of
from tests.benchmarks.reading.leaf import Leaf
from tests.benchmarks.reading.printing import spread

SMALL = 120
"""Dots per inch: harms are told in millimetres, so a small page does to try them."""


def small_sheet() -> Leaf:
    return Leaf(sheets.picture(0, SMALL), (SMALL, SMALL), codes=sheets.places(0))


@pytest.mark.parametrize("key", [Key("fax", "std 3%", 1, 1), Key(NO_SHEET, "squares", 2, 1)])
def test_an_image_is_the_same_every_time(key: Key) -> None:
    assert image_of(key).page.data == image_of(key).page.data


def test_other_numbers_severities_axes_and_seeds_are_other_images() -> None:
    key = Key("turn", "90°", 1, 1)
    others = [Key("turn", "90°", 2, 1), Key("turn", "90°", 1, 2), Key("turn", "270°", 1, 1), Key("lid", "90°", 1, 1)]

    assert len({one.rng.random() for one in (key, *others, key)}) == 5


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis.name != "show-through"])
def test_each_axis_harms_a_page_and_leaves_the_page_that_it_was_given(axis: Axis) -> None:
    leaf = small_sheet()
    before = leaf.pixels.copy()
    for level in (min(axis.severities.values()), max(axis.severities.values())):
        harmed = axis.harm(leaf, level, np.random.default_rng(1))
        assert harmed.pixels.dtype == np.uint8
        assert harmed.pixels.ndim == 2
        assert min(harmed.pixels.shape) > 2 * SMALL
        if axis.name not in {"jpeg", "glass"}:
            assert not np.array_equal(harmed.pixels, before) or harmed.quality != leaf.quality
    assert np.array_equal(leaf.pixels, before)


def test_several_harms_together_are_one_of_the_printers_and_one_of_the_scanners_at_most() -> None:
    for seed in range(50):
        drawn = harms(TOGETHER, "4 harms", np.random.default_rng(seed))
        stages = [axis.stage for axis, _ in drawn]
        assert len({axis.name for axis, _ in drawn}) == 4
        assert stages == sorted(stages)
        assert stages.count(Stage.PRINTED) <= 1
        assert stages.count(Stage.SCANNED) <= 1


def test_severities_are_told_apart_by_their_labels() -> None:
    assert len({axis.name for axis in EVERY}) == len(EVERY)
    assert all(len(set(axis.severities.values())) == len(axis.severities) > 1 for axis in EVERY)


def test_sheets_of_every_kind_are_drawn_and_their_codes_are_found() -> None:
    assert {code.kind.value for code in sheets.codes()} == set("BPCDRE")
    assert len(set(map(compose, sheets.codes()))) > sheets.COUNT * 0.7
    assert len(sheets.places(0)) == 3


@pytest.mark.parametrize("reach", [1, 2, 3, 5, -3])
def test_spreading_reaches_as_far_as_it_is_told(reach: int) -> None:
    ground, dot = (255, 0) if reach > 0 else (0, 255)
    page = np.full((21, 25), ground, np.uint8)
    page[10, 12] = dot
    rows, columns = np.nonzero(spread(page, reach) == dot)

    wide = abs(reach)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10 - wide, 10 + wide, 12 - wide, 12 + wide)
    assert len(rows) == (2 * wide + 1) ** 2


def test_pages_without_a_sheet_are_of_many_kinds() -> None:
    assert len(PLAIN_KINDS) >= 30
    assert not image_of(Key(NO_SHEET, "dirt", 1, 1)).is_sheet
