"""What comes out of a box: foreign codes, foreign separators, stickers, and sheets of which one code alone is left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from pdf2image import convert_from_path

from tests.journey.drawn_piles import DPI, Page, Pile, case_fields, draw_pile
from tests.journey.mailroom import Mailroom
from tests.support.drawn_sheets import full_sheet, linear_code, plain_sheet, stickered
from tests.support.page_ids import draw_id
from tests.support.papers import blank_paper, foreign_qr, paper, paste
from tests.support.people import PEOPLE
from tests.support.stacks import Role
from tests.support.stations import Station, make_station
from tests.support.typeset import WHITE, Picture

QR = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
SECRETS = (
    "https://example.com/pay/ZSECRETONAPARCEL",
    "SKRYNKA-IS-NO-SCHEME-OF-OURS",
    "PATCH2",
)
"""What foreign codes say: never stored, never logged."""


def without_qr(picture: Picture) -> Picture:
    """Destroy every QR code of a sheet; its linear code and its mark stay."""
    left = picture.copy()
    for code in zxingcpp.read_barcodes(picture, formats=QR):
        corners = [
            getattr(code.position, corner) for corner in ("top_left", "top_right", "bottom_right", "bottom_left")
        ]
        xs, ys = [corner.x for corner in corners], [corner.y for corner in corners]
        left[min(ys) - 4 : max(ys) + 4, min(xs) - 4 : max(xs) + 4] = WHITE
    assert not zxingcpp.read_barcodes(left, formats=QR)
    return left


def sheet_of_elsewhere(text: str, symbology: str) -> Page:
    def draw(page_id: int, _: object) -> Picture:
        picture = blank_paper(DPI)
        if symbology == "qr":
            paste(picture, foreign_qr(text, DPI), 60, 60, DPI)
        elif symbology == "code128":
            paste(picture, linear_code(text, DPI), 60, 60, DPI)
        else:
            created = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code39)
            code = np.asarray(created.to_image(scale=3, add_quiet_zones=True))
            paste(picture, code, 60, 60, DPI)
        draw_id(picture, page_id, DPI)
        return picture

    return Page(draw, Role.SHEET)


def paper_with(text: str) -> Page:
    def draw(page_id: int, rng: np.random.Generator) -> Picture:
        picture = paper("SEAL", page_id, rng, DPI)
        paste(picture, foreign_qr(text, DPI), 150, 225, DPI)
        return picture

    return Page(draw)


def printed(station: Station, *words: str) -> Picture:
    """Print a sheet with the real command, and give its picture."""
    target = station.folder / "sheet.pdf"
    station.run("sheets", "case", *words, "--output", str(target), "--force")
    (page,) = convert_from_path(target, dpi=DPI, grayscale=True)
    return np.asarray(page.convert("L"))


def printed_page(picture: Picture) -> Page:
    def draw(page_id: int, _: object) -> Picture:
        left = without_qr(picture)
        draw_id(left, page_id, DPI)
        return left

    return Page(draw, Role.COVER)


def unknown_linear(page_id: int, _: object) -> Picture:
    return without_qr(full_sheet(case_fields(0, 77), page_id, DPI))


def sticker_beside_bill(page_id: int, rng: np.random.Generator) -> Picture:
    return stickered(paper("BILL", page_id, rng, DPI), case_fields(page_id // 100, 2), DPI)


# As on the table; what must come of each is worked out by hand.
ROWS = {
    "a bill's code never routes and never separates": (
        "C1 x x:BILL x C2 x:BILL",
        ["1: COVER 1, UNSORTED 2 3 4", "2: COVER 5, UNSORTED 6"],
        "sdddsd",
    ),
    "no foreign code makes a case or separates": (
        "C1 x parcel alike x patch2 x",
        ["1: COVER 1, UNSORTED 2 3 4 5 6 7"],
        "sdddddd",
    ),
    "a bill before the first sheet makes no case of its own kind": (
        "x:BILL C1 x",
        ["-: UNSORTED 1 [pages_before_first_sheet]", "1: COVER 2, UNSORTED 3"],
        "dsd",
    ),
    "a configured foreign text in Code 128 separates": (
        "C1 x patcht x patcht C2 x",
        ["1: COVER 1, UNSORTED 2", "-: UNSORTED 4 [no_sheet]", "2: COVER 6, UNSORTED 7"],
        "sdsdssd",
    ),
    "a configured foreign text in Code 39 separates, and ends a hold": (
        "C1 x H x patcht39 C2 x",
        ["1: COVER 1, UNSORTED 2", "held: COVER 3, UNSORTED 4 [sheet_unreadable]", "2: COVER 6, UNSORTED 7"],
        "sdSDssd",
    ),
    "a case sticker opens a case, and its page is kept": (
        "C1 x K2 x K3 x",
        ["1: COVER 1, UNSORTED 2", "2: UNSORTED 3 4", "3: UNSORTED 5 6"],
        "sddddd",
    ),
    "a document sticker begins a document, and its page is kept": (
        "C1 x K:CERT x K:SEAL+UNSEAL",
        ["1: COVER 1, UNSORTED 2, CERT 3 4, SEAL+UNSEAL 5"],
        "sdddd",
    ),
    "our sticker beside a foreign code is what counts": (
        "C1 x stickered_bill x",
        ["1: COVER 1, UNSORTED 2", "2: UNSORTED 3 4"],
        "sddd",
    ),
    "one code is enough for a sheet": (
        "plain x C2 x",
        ["1: COVER 1, UNSORTED 2", "2: COVER 3, UNSORTED 4"],
        "sdsd",
    ),
    "a linear code alone of a sheet printed elsewhere is a boundary for review": (
        "C1 x linear x C2 x",
        ["1: COVER 1, UNSORTED 2", "77: COVER 3, UNSORTED 4 [sheet_unknown]", "2: COVER 5, UNSORTED 6"],
        "sdsdsd",
    ),
}
PAGES = {
    "parcel": paper_with(SECRETS[0]),
    "alike": paper_with(SECRETS[1]),
    "patch2": Page(sheet_of_elsewhere(SECRETS[2], "code128").draw),
    "patcht": sheet_of_elsewhere("PATCHT", "code128"),
    "patcht39": sheet_of_elsewhere("PATCHT", "code39"),
    "stickered_bill": Page(sticker_beside_bill),
    "plain": Page(lambda page_id, _: plain_sheet(case_fields(page_id // 100, 1).text(), page_id, DPI), Role.COVER),
    "linear": Page(unknown_linear, Role.COVER),
}


@dataclass(frozen=True)
class Filed:
    """What was dropped, and where to ask what became of it."""

    mailroom: Mailroom
    piles: dict[str, Pile]
    printed: Pile


@pytest.fixture(scope="module")
def filed(tmp_path_factory: pytest.TempPathFactory) -> Filed:
    options = {
        "READING__SEPARATORS": json.dumps(["PATCHT"]),
        "READING__SYMBOLOGIES": json.dumps(["qr", "code128", "code39"]),
        "SHEETS__SERIES": "PR",
    }
    station = make_station(tmp_path_factory.mktemp("codes"), options=options)
    mailroom = Mailroom(station)
    piles = {name: draw_pile(n, words, PAGES) for n, (name, (words, _, _)) in enumerate(ROWS.items(), start=1)}
    mailroom.drop_all(piles.values())
    full = printed(
        station, "--box", "OBL-01", "--type", "VER", "--branch", "DIS", "--provider", "KTE", "--provider", "KVK"
    )
    from_table = draw_pile(40, "C1 x printed x", {"printed": printed_page(full)})
    mailroom.drop_all([from_table])
    mailroom.once()
    return Filed(mailroom, piles, from_table)


@pytest.mark.parametrize("row", ROWS)
def test_a_drawn_pile_is_filed_as_its_row_says(filed: Filed, row: str) -> None:
    _, cases, account = ROWS[row]
    assert filed.mailroom.told(filed.piles[row]) == cases
    assert filed.mailroom.account(filed.piles[row]) == account


def test_every_page_is_where_its_row_says(filed: Filed) -> None:
    assert filed.mailroom.misfits() == []


def test_a_linear_code_alone_takes_the_sheets_fields_from_the_table_of_printed_sheets(filed: Filed) -> None:
    mailroom = filed.mailroom
    assert mailroom.told(filed.printed) == ["1: COVER 1, UNSORTED 2", "1: COVER 3, UNSORTED 4"]
    case = mailroom.cases(filed.printed.file)[1]
    assert (case["sheet_serial"], case["case_type"], case["declared_branch"]) == ("PR000001", "VER", "DIS")
    providers = [row for row in mailroom.query("SELECT * FROM case_provider") if row["case_id"] == case["id"]]
    assert sorted(row["provider_code"] for row in providers) == ["KTE", "KVK"]


def test_foreign_codes_are_seen_and_what_they_say_is_stored_nowhere(filed: Filed) -> None:
    mailroom = filed.mailroom
    seen = [
        code
        for page in mailroom.pages(filed.piles["no foreign code makes a case or separates"].file)
        for code in json.loads(page["codes"])
    ]
    assert [code["standing"] for code in seen if code["standing"] == "foreign"] == ["foreign"] * 3
    bill = filed.piles["a bill's code never routes and never separates"].file
    assert "foreign" in {code["standing"] for code in json.loads(mailroom.pages(bill)[2]["codes"])}
    told = "\n".join(json.dumps(line, ensure_ascii=False) for line in mailroom.lines).encode()
    for secret in (*SECRETS, "bank.gov.ua", *(person.account for person in PEOPLE)):
        assert secret.encode() not in told
        for file in database_files(mailroom.station):
            assert secret.encode() not in file.read_bytes(), file.name


def database_files(station: Station) -> list[Path]:
    files = list(station.folder.glob("skrynka.db*"))
    assert files
    return files
