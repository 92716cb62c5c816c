"""What comes out of a box: papers of all sizes, laid in every way, printed, written on and blank on their backs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pikepdf
import pytest

from tests.journey.drawn_piles import DPI, File, Page, Pile, by_hand, case_fields, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support import ink, scans
from tests.support.drawn_sheets import SheetFields, back_of_sheet, full_sheet
from tests.support.oracle import dropped
from tests.support.papers import blank_paper, paper
from tests.support.scanner import OFFICE, Encoding, Scanning
from tests.support.stacks import Role
from tests.support.stations import make_station
from tests.support.typeset import A4, A5, WHITE, Picture, pixels


def without_id(picture: Picture) -> Picture:
    """Take the page's id away: it is ink too, and these pages must be kept for what else is on them."""
    picture[-pixels(14, DPI) :] = WHITE
    return picture


def photo(_: int, rng: np.random.Generator) -> Picture:
    return without_id(paper("PHOTO", 0, rng, DPI))


def faint_stamp(_: int, rng: np.random.Generator) -> Picture:
    picture = blank_paper(DPI)
    imprint = ink.stamp(rng, DPI, "КОМУНАЛЬНЕ ПІДПРИЄМСТВО • ", "№ 4")
    ink.lay(picture, imprint * 0.45, ink.STAMP_BLUE, pixels(120, DPI), pixels(90, DPI))
    return picture


def back_of_case_sheet(page_id: int, strength: float = 0.12) -> Picture:
    """Give the back of the first case sheet of the pile that this page lies in."""
    return back_of_sheet(full_sheet(case_fields(page_id // 100, 1), 0, DPI), strength)


def written_back(page_id: int, rng: np.random.Generator) -> Picture:
    return by_hand(back_of_case_sheet(page_id), rng, DPI)


def written_document_back(_: int, rng: np.random.Generator) -> Picture:
    return by_hand(back_of_sheet(full_sheet(DOCUMENT, 0, DPI)), rng, DPI)


def written_separator_back(_: int, rng: np.random.Generator) -> Picture:
    return by_hand(back_of_sheet(full_sheet(SheetFields("P"), 0, DPI)), rng, DPI)


def through(kind: str, strength: float) -> Page:
    """Give the back of a paper through which its front shines."""
    picture = partial(paper, kind, 0, dpi=DPI)
    return Page(lambda _, rng: back_of_sheet(picture(rng), strength), Role.BLANK, numbered=False, scanning=OFFICE)


DOCUMENT = SheetFields("D", serial="D000077", document_kinds=("CERT",))
NOISY_G4 = Scanning(encoding=Encoding.G4, noise=4)
PAGES = {
    "photo": Page(photo, numbered=False),
    "g4_photo": Page(photo, numbered=False, scanning=NOISY_G4),
    "stamp": Page(faint_stamp, numbered=False),
    "pale_front": through("CERT", 0.08),
    "front": through("SEAL", 0.12),
    "pale_photo": through("PHOTO", 0.08),
    "strong_c": Page(lambda page_id, _: back_of_case_sheet(page_id, 0.25), Role.COVER_BACK, numbered=False),
    "D": Page(lambda page_id, _: full_sheet(DOCUMENT, page_id, DPI), Role.SHEET),
    "dw": Page(written_document_back, Role.COVER_BACK, numbered=False),
    "pw": Page(written_separator_back, Role.SHEET, numbered=False),
    "cw": Page(written_back, Role.COVER_BACK, numbered=False, scanning=replace(OFFICE, skew=0)),
}
# As on the table; what must come of each is worked out by hand.
ROWS = {
    "A5 certificates lie between A4 pages": (
        "C1 x x:CERT x x:PASSPORT",
        ["1: COVER 1, UNSORTED 2 3 4 5"],
        "sdddd",
    ),
    "sheets are read upside down, turned and crooked": (
        "C1@180 x@180 C2@90 x@90 C3@270 x@270 C4@skew x@skew D:CERT@180 x:CERT@skew",
        [
            "1: COVER 1, UNSORTED 2",
            "2: COVER 3, UNSORTED 4",
            "3: COVER 5, UNSORTED 6",
            "4: COVER 7, UNSORTED 8, CERT 10",
        ],
        "sdsdsdsdsd",
    ),
    "the backs of a duplex scan are set aside and counted": (
        "B b C1 c1 x _ D:CERT d:CERT x:CERT _ C2 _ x _ E e",
        ["1: COVER 3 ~, UNSORTED 5, CERT 9", "2: COVER 11, UNSORTED 13"],
        "ssssdbssdbsbdbss",
    ),
    "the backs of separators are no separators": (
        "P p C1 c1 x _ P p x _ C2 c2 P p",
        ["1: COVER 3 ~, UNSORTED 5", "2: COVER 11 ~, UNSORTED 9"],
        "ssssdbssdbssss",
    ),
    "a stack that went through face down has its backs first": (
        "c1 C1 _ x c2 C2 _ x",
        ["1: COVER 2 ~, UNSORTED 4", "2: COVER 6 ~, UNSORTED 8"],
        "ssbdssbd",
    ),
    "what is written on a paper's back stays with the case": (
        "C1 _ x w x _ C2 _ x w",
        ["1: COVER 1, UNSORTED 3 ~ 5", "2: COVER 7, UNSORTED 9 ~"],
        "sbdddbsbdd",
    ),
    "what is written on the sheet's back stays with the case, code shining through or not": (
        "C1 cw x C2 w x",
        ["1: COVER 1 ~, UNSORTED 3", "2: COVER 4, UNSORTED ~ 6"],
        "ssdsdd",
    ),
    "papers that shine through make no pages of their backs": (
        "C1 _ x pale_front x front x pale_photo",
        ["1: COVER 1, UNSORTED 3 5 7"],
        "sbdbdbdb",
    ),
    "a sheet that shines through strongly is no second sheet": (
        "C1 strong_c x",
        ["1: COVER 1 ~, UNSORTED 3"],
        "ssd",
    ),
    "what is written on a document sheet's back stays with the case": (
        "C1 D dw x:CERT _",
        ["1: COVER 1 ~, CERT 4"],
        "sssdb",
    ),
    "a page with little text, a photo or a faint stamp isn't blank": (
        "C1 photo g4_photo stamp _ x",
        ["1: COVER 1, UNSORTED ~ ~ ~ 6"],
        "sdddbd",
    ),
    "the handwriting on the case sheet is the case's first document": (
        "C1w x C2w x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 3, UNSORTED 4"],
        "sdsd",
    ),
}


@dataclass(frozen=True)
class Filed:
    """What was dropped, and where to ask what became of it."""

    mailroom: Mailroom
    piles: dict[str, Pile]
    turned: File
    """Upright pictures that viewers turn, as some scanners save them."""


WRITTEN_SEPARATOR = "P pw C1 c1 x _"


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    mailroom = Mailroom(make_station(tmp_path_factory.mktemp("papers")))
    piles = {name: draw_pile(n, words, PAGES) for n, (name, (words, _, _)) in enumerate(ROWS.items(), start=1)}
    mailroom.drop_all(piles.values())
    piles["turned"] = draw_pile(90, "C1@90 x@90 C2@180 x@180")
    piles["separator"] = draw_pile(91, WRITTEN_SEPARATOR, PAGES)
    mailroom.drop_all([piles["separator"]])
    data = scans.pdf_of([page.scanned for page in piles["turned"].pages], rotations=(90, 90, 180, 180))
    turned = File(data, dropped(data, piles["turned"].pages))
    mailroom.drop(turned, "turned.pdf")
    mailroom.once()
    return Filed(mailroom, piles, turned)


@pytest.mark.parametrize("row", ROWS)
def test_a_drawn_pile_is_filed_as_its_row_says(filed: Filed, row: str) -> None:
    _, cases, account = ROWS[row]
    assert filed.mailroom.told(filed.piles[row]) == cases
    assert filed.mailroom.account(filed.piles[row]) == account


def test_every_page_is_where_its_row_says(filed: Filed) -> None:
    assert filed.mailroom.misfits() == []


def test_pages_that_viewers_turn_are_read_and_stay_turned(filed: Filed) -> None:
    told = filed.mailroom.told(filed.piles["turned"], filed.turned)
    assert told == ["1: COVER 1, UNSORTED 2", "2: COVER 3, UNSORTED 4"]
    rotations = [
        int(page.obj.get("/Rotate", 0))
        for case in filed.mailroom.cases(filed.turned)
        for document in filed.mailroom.documents(case)
        for page in pikepdf.open(document["path"]).pages
    ]
    assert rotations == [90, 90, 180, 180]


def test_a_separator_whose_back_is_written_on_is_told_for_it_may_be_somebodys_paper(filed: Filed) -> None:
    file = filed.piles["separator"].file
    assert filed.mailroom.told(filed.piles["separator"]) == ["1: COVER 3 ~, UNSORTED 5"]
    (finding,) = filed.mailroom.query("SELECT * FROM stack_finding")
    assert finding["reason"] == "back_written_on"
    assert (finding["scan_id"], finding["page_number"]) == (filed.mailroom.scans(file)[0]["id"], 2)


def test_each_page_keeps_its_own_size_and_its_picture_as_it_was_saved(filed: Filed) -> None:
    pile = filed.piles["A5 certificates lie between A4 pages"]
    (case,) = filed.mailroom.cases(pile.file)
    sizes, streams = [], []
    for document in filed.mailroom.documents(case):
        with pikepdf.open(document["path"]) as pdf:
            for page in pdf.pages:
                sizes.append(tuple(round(float(side) / 72 * 25.4) for side in page.mediabox[2:]))
                (image,) = page.get_images().values()
                streams.append(image.read_raw_bytes())
    assert sizes == [A4, A4, A5, A4, A5]
    assert streams == [page.scanned.data for page in pile.pages]


def test_the_counts_of_a_duplex_scan_add_up_in_its_row_and_in_its_line(filed: Filed) -> None:
    pile = filed.piles["the backs of a duplex scan are set aside and counted"]
    (scan,) = filed.mailroom.scans(pile.file)
    counts = {"document": 3, "sheet": 9, "blank": 4}
    assert {name: scan[f"{name}_pages"] for name in counts} == counts
    (line,) = filed.mailroom.said("scan_finished", scan_id=scan["id"])
    assert {name: line[name] for name in counts} == counts
    assert (scan["page_count"], line["pages"], line["level"]) == (16, 16, "info")
