"""What a reader says is judged as filing judges it, by the program's own functions, and each engine by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Drawing

from tests.benchmarks.reading import contact_sheet, sheets
from tests.benchmarks.reading.images import NO_SHEET, Image, Key, image_of
from tests.benchmarks.reading.leaf import Leaf
from tests.benchmarks.reading.looking import Verdict, alone, program
from tests.support.typeset import Picture

NUMBER = 1
DPI = 150


def shown(pixels: Picture, *, number: int = NUMBER, is_sheet: bool = True) -> Image:
    code = sheets.codes()[number]
    leaf = Leaf(pixels, (DPI, DPI))
    return Image(leaf.encoded(), leaf, code if is_sheet else None, is_sheet=is_sheet, texts=sheets.texts(code))


def covered(*, marks: bool) -> Picture:
    """Give a sheet whose codes are covered with white, and its marks too where that is wanted."""
    page = sheets.picture(NUMBER, DPI).copy()
    height, width = page.shape
    for left, top, right, bottom in sheets.places(NUMBER):
        page[int(top * height) - 8 : int(bottom * height) + 8, int(left * width) - 8 : int(right * width) + 8] = 255
    if marks:
        page[: height // 5] = page[-height // 5 :] = 255
    return page


def test_a_clean_sheet_is_read_by_the_program_and_by_both_engines() -> None:
    image = shown(sheets.picture(NUMBER, DPI))

    seen = program(image)
    engines = alone(image)

    assert (seen.verdict, seen.false_texts) == (Verdict.READ, 0)
    assert {rung for _, rung, _ in seen.codes} == {"quick"}
    assert engines.zxing
    assert engines.zbar
    assert (engines.zxing_false, engines.zbar_false) == (0, 0)


def test_a_sheet_without_readable_codes_is_held_and_without_its_mark_it_is_missed() -> None:
    assert program(shown(covered(marks=False))).verdict is Verdict.HELD
    assert program(shown(covered(marks=True))).verdict is Verdict.MISSED


def test_another_sheet_than_the_one_that_lies_there_is_wrong() -> None:
    image = replace(shown(sheets.picture(NUMBER, DPI)), code=sheets.codes()[0], texts=sheets.texts(sheets.codes()[0]))

    assert program(image).verdict is Verdict.WRONG
    engines = alone(image)
    assert not engines.zxing
    assert engines.zxing_wrong > 0


def test_a_sheet_where_there_is_none_is_wrong_and_a_mark_where_there_is_none_is_a_false_mark() -> None:
    assert program(shown(sheets.picture(NUMBER, DPI), is_sheet=False)).verdict is Verdict.WRONG
    assert program(shown(covered(marks=False), is_sheet=False)).verdict is Verdict.FALSE_MARK
    assert program(shown(np.full((1754, 1240), 250, np.uint8), is_sheet=False)).verdict is Verdict.PASSED


@pytest.mark.parametrize("kind", ["back", "bill"])
def test_a_back_and_a_paper_with_a_foreign_code_pass(kind: str) -> None:
    seen = program(image_of(Key(NO_SHEET, kind, 1, 1)))

    assert (seen.verdict, seen.false_texts) == (Verdict.PASSED, 0)


def test_a_contact_sheet_shows_pages_side_by_side_at_40_dpi(tmp_path: Path) -> None:
    image = shown(sheets.picture(NUMBER, DPI))
    rows = [[(Key("turn", severity, number, 1), image) for severity in ("90°", "180°")] for number in (1, 2, 3)]

    contact_sheet.write(rows, tmp_path / "looks" / "turn.png")

    with Drawing.open(tmp_path / "looks" / "turn.png") as written:
        assert 2 * 210 / 25.4 * 40 < written.width < 2 * 210 / 25.4 * 40 + 50
        assert 3 * 297 / 25.4 * 40 < written.height < 3 * 297 / 25.4 * 40 + 120
