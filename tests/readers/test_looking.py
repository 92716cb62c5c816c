"""A page is looked at on few pixels, and on more where it gives a sign."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image

from skrynka.core.formats import FileType
from skrynka.core.model import Symbology
from skrynka.readers.looking import look
from skrynka.steps.pages import OpenPage, open_scan
from tests.support import papers
from tests.support.drawn_sheets import SheetFields, back_of_sheet, full_sheet, plain_sheet, unreadable_sheet
from tests.support.pdf_scans import LIMITS
from tests.support.routing_text import short_text
from tests.support.scanner import OFFICE, scan
from tests.support.scans import pdf_of
from tests.support.typeset import Picture

DPI = 300
USUAL = frozenset({Symbology.QR, Symbology.CODE_128})
FIELDS = SheetFields("C", serial="A000123", box="OBL-03", case_type="VER", branch="DIS", providers=("KTE", "KVK"))
TEXT = FIELDS.text()
SHORT = short_text("C", "A000123")


class Looked:
    """What was seen of a page, and at which resolutions it was asked for pixels."""

    def __init__(
        self, picture: Picture, folder: Path, separators: frozenset[str] = frozenset(), *, stated_dpi: float = DPI
    ) -> None:
        """`stated_dpi` is what the scan says that it was scanned at."""
        self.asked: list[int] = []
        pixels = OpenPage.pixels

        def noted(page: OpenPage, max_dpi: int) -> Picture:
            self.asked.append(max_dpi)
            return pixels(page, max_dpi)

        path = folder / "scan.pdf"
        with pikepdf.open(io.BytesIO(pdf_of([scan(picture, DPI, OFFICE, np.random.default_rng(1))]))) as pdf:
            pdf.pages[0].UserUnit = DPI / stated_dpi
            pdf.save(path)
        with pytest.MonkeyPatch.context() as patch, open_scan(path, FileType.PDF, folder, LIMITS) as opened:
            patch.setattr(OpenPage, "pixels", noted)
            self.seen = look(opened.page(1), USUAL, separators, foreign_text=False)

    @property
    def codes(self) -> list[tuple[str | None, str]]:
        """Each code's text and rung."""
        return [(code.text, code.rung) for code in self.seen.codes]


@pytest.mark.parametrize("kind", ["CERT", "SEAL", "PHOTO"])
def test_a_paper_is_looked_at_once_on_few_pixels(tmp_path: Path, kind: str) -> None:
    looked = Looked(papers.paper(kind, 1, np.random.default_rng(4), DPI), tmp_path)

    assert (looked.asked, looked.codes, looked.seen.marked) == ([75], [], False)


def test_a_good_sheet_is_read_on_few_pixels_too(tmp_path: Path) -> None:
    looked = Looked(full_sheet(FIELDS, 1, DPI), tmp_path)

    codes = [(TEXT, "quick"), (TEXT, "quick"), (SHORT, "quick")]
    assert (looked.asked, sorted(looked.codes), looked.seen.marked) == ([75], sorted(codes), True)


def test_a_sheet_whose_linear_code_is_not_read_on_few_pixels_is_looked_at_again(tmp_path: Path) -> None:
    crooked = np.asarray(Image.fromarray(full_sheet(FIELDS, 1, DPI)).rotate(12, fillcolor=255))
    looked = Looked(crooked, tmp_path)

    codes = [(TEXT, "quick"), (TEXT, "quick")]
    assert (looked.asked, looked.codes, looked.seen.marked) == ([75, 150], codes, True)


def test_a_sheet_of_another_programs_is_read_on_few_pixels(tmp_path: Path) -> None:
    looked = Looked(plain_sheet(TEXT, 1, DPI, module_mm=0.6), tmp_path)

    assert (looked.asked, looked.codes, looked.seen.marked) == ([75], [(TEXT, "quick")], False)


def test_a_sheet_none_of_whose_codes_can_be_read_is_looked_at_in_every_way(tmp_path: Path) -> None:
    looked = Looked(unreadable_sheet(FIELDS, 1, DPI, np.random.default_rng(2)), tmp_path)

    assert (looked.asked, looked.codes, looked.seen.marked) == ([75, 150, 300], [], True)


def test_what_shines_through_is_read_and_bears_no_mark(tmp_path: Path) -> None:
    looked = Looked(back_of_sheet(full_sheet(FIELDS, 1, DPI), 0.15), tmp_path)

    assert not looked.seen.marked
    assert {code.mirrored for code in looked.seen.codes if code.symbology is Symbology.QR} == {True}


def test_where_separators_may_be_linear_codes_more_pixels_come_first(tmp_path: Path) -> None:
    looked = Looked(papers.paper("CERT", 1, np.random.default_rng(4), DPI), tmp_path, frozenset({"PATCHT"}))

    assert looked.asked == [150]


@pytest.mark.parametrize("stated_dpi", [72, 96, 150, 200, 210, 240, 250, 280, 360, 400, 424, 480, 600, 1200])
def test_a_sheet_is_known_and_read_whatever_resolution_its_scan_states(tmp_path: Path, stated_dpi: float) -> None:
    unreadable = Looked(unreadable_sheet(FIELDS, 1, DPI, np.random.default_rng(1)), tmp_path, stated_dpi=stated_dpi)
    good = Looked(full_sheet(FIELDS, 1, DPI), tmp_path, stated_dpi=stated_dpi)

    assert (unreadable.seen.marked, unreadable.codes) == (True, [])
    assert good.seen.marked
    assert [text for text, _ in good.codes].count(TEXT) == 2


def test_a_small_paper_is_looked_at_on_as_many_pixels_as_a_large_one(tmp_path: Path) -> None:
    notice = papers.paper("SEAL", 1, np.random.default_rng(4), DPI)
    small = Looked(notice, tmp_path, stated_dpi=2 * DPI)

    assert (small.asked, small.codes, small.seen.marked) == ([150], [], False)


def test_a_sheet_that_a_copier_enlarged_is_known_by_its_mark(tmp_path: Path) -> None:
    sheet = Image.fromarray(unreadable_sheet(FIELDS, 1, DPI, np.random.default_rng(1)))
    on_a3 = np.asarray(sheet.resize((3508, 4961), Image.Resampling.BILINEAR))

    assert Looked(on_a3, tmp_path).seen.marked
