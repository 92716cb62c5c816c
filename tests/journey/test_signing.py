"""A station that requires signatures, and what doesn't verify there: none of it routes, and nothing is lost.

Forged sheets, copied signatures, sheets of a key that has ended, follow-ups that come twice.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pdf2image import convert_from_path

from tests.journey.drawn_piles import DPI, Page, Pile, case_fields, draw_pile
from tests.journey.mailroom import Mailroom
from tests.journey.test_codes import without_qr
from tests.support.drawn_sheets import SheetFields, full_sheet, stickered
from tests.support.page_ids import draw_id
from tests.support.papers import paper
from tests.support.routing_text import closed
from tests.support.stacks import Role
from tests.support.stations import Station, make_station
from tests.support.typeset import Picture

TODAY = datetime.now(UTC).date()
KEY = ("2", bytes(range(32)))
ENDED = ("1", bytes(range(50, 82)))
IN_GRACE = ("OLD", bytes(range(130, 162)))
ELSEWHERE = ("9", bytes(range(90, 122)))
GUESSED = ("2", b"not the secret, a guess")
KEY_FILE = f"""
[[key]]
id = "2"
secret = "{KEY[1].hex()}"
signs_from = {TODAY - timedelta(days=30)}

[[key]]
id = "1"
secret = "{ENDED[1].hex()}"
signs_from = {TODAY - timedelta(days=300)}
verifies_until = {TODAY - timedelta(days=2)}

[[key]]
id = "OLD"
secret = "{IN_GRACE[1].hex()}"
signs_from = {TODAY - timedelta(days=200)}
verifies_until = {TODAY + timedelta(days=2)}
"""

GOOD = replace(case_fields(0, 61), key=KEY)
OF_THE_OLDER_KEY = replace(case_fields(0, 62), key=IN_GRACE)
BAD_CASE = replace(case_fields(0, 66), account="0099887766")
SEPARATOR, END = SheetFields("P"), SheetFields("E")
COLLECTION = SheetFields("B", serial="B000077", box="OBL-01", counted=1, emptied="20200101")


def sheet(fields: SheetFields, text: str | None = None) -> Page:
    role = Role.COVER if fields.kind == "C" else Role.SHEET
    return Page(lambda page_id, _: full_sheet(fields, page_id, DPI, text=text), role)


def held(fields: SheetFields, text: str | None = None) -> Page:
    """A sheet that is to be held: whatever it is, its image is kept."""
    return replace(sheet(fields, text), role=Role.COVER)


def on_paper(fields: SheetFields) -> Page:
    def draw(page_id: int, rng: np.random.Generator) -> Picture:
        return stickered(paper("SEAL", page_id, rng, DPI), fields, DPI)

    return Page(draw, Role.COVER)


def with_the_signature_of(fields: SheetFields, other: SheetFields) -> str:
    """Write what `fields` says under the signature that is on `other`."""
    signature = re.search("/V:.*(?=/Z:)", other.text())
    assert signature is not None
    return closed(fields.text().rpartition("/Z:")[0] + signature[0])


def its_linear_code_alone(page_id: int, _: object) -> Picture:
    picture = without_qr(full_sheet(GOOD, page_id, DPI))
    draw_id(picture, page_id, DPI)
    return picture


BAD: Mapping[str, tuple[Page, str]] = {
    "a forged case sheet": (held(BAD_CASE), "signature_missing"),
    "a forged case sheet with a guessed signature": (held(replace(BAD_CASE, key=GUESSED)), "signature_wrong"),
    "a signature copied to another serial": (
        held(BAD_CASE, with_the_signature_of(BAD_CASE, GOOD)),
        "signature_wrong",
    ),
    "a signature copied to another account": (
        held(GOOD, with_the_signature_of(replace(GOOD, key=None, account="0099887766"), GOOD)),
        "signature_wrong",
    ),
    "a case sheet of a key that has ended": (held(replace(BAD_CASE, key=ENDED)), "key_expired"),
    "a case sheet of a key from elsewhere": (held(replace(BAD_CASE, key=ELSEWHERE)), "key_unknown"),
    "a sheet of which the linear code alone is left": (Page(its_linear_code_alone, Role.COVER), "signature_missing"),
    "a forged separator": (held(SEPARATOR), "signature_missing"),
    "a separator of a key that has ended": (held(replace(SEPARATOR, key=ENDED)), "key_expired"),
    "a forged document sheet": (
        held(SheetFields("D", serial="D000001", document_kinds=("CERT",))),
        "signature_missing",
    ),
    "a forged sticker": (on_paper(BAD_CASE), "signature_missing"),
    "a forged repeat sheet": (held(SheetFields("R")), "signature_missing"),
    "a forged end sheet": (held(END), "signature_missing"),
    "a forged collection sheet": (held(COLLECTION), "signature_missing"),
}
ALL_GOOD = "a stack whose sheets are all signed"


@dataclass(frozen=True, slots=True)
class Filed:
    """What became of everything."""

    mailroom: Mailroom
    piles: Mapping[str, Pile]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Station:
    """A station that requires signatures, and has a key that signs and one that has ended."""
    folder = tmp_path_factory.mktemp("signing") / "station"
    options = {"SHEETS__SIGNING": "required", "SHEETS__KEYS": str(folder.parent / "keys.toml")}
    made = make_station(folder, {"OBL-01": {}, "OBL-02": {"assemble": '"stack"'}}, options=options)
    keys = folder.parent / "keys.toml"
    keys.touch(0o600)
    keys.write_text(KEY_FILE, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def filed(station: Station) -> Filed:
    mailroom = Mailroom(station)
    pages = {"one": sheet(GOOD), "other": sheet(OF_THE_OLDER_KEY), "sep": sheet(replace(SEPARATOR, key=KEY)),
             "begin": sheet(replace(COLLECTION, key=KEY)), "end": sheet(replace(END, key=KEY))}  # fmt: skip
    piles = {}
    for number, (name, (bad, _)) in enumerate(BAD.items(), start=1):
        # Serials are each pile's own: a serial seen twice would be another matter.
        signed = {
            name: sheet(replace(case_fields(number, place), key=KEY)) for name, place in (("one", 1), ("other", 2))
        }
        piles[name] = draw_pile(number, "one x bad x other x", {**signed, "bad": bad})
    piles[ALL_GOOD] = draw_pile(50, "begin sep one x sep x other x end", pages)
    mailroom.drop_all(piles.values())
    mailroom.once()
    return Filed(mailroom, piles)


@pytest.mark.parametrize("name", BAD)
def test_what_does_not_verify_is_held_and_what_lies_about_it_goes_where_it_belongs(filed: Filed, name: str) -> None:
    bad = "COVER 3, UNSORTED 4"
    assert filed.mailroom.told(filed.piles[name]) == [
        "1: COVER 1, UNSORTED 2",
        f"held: {bad} [{BAD[name][1]}]",
        "2: COVER 5, UNSORTED 6",
    ]
    assert filed.mailroom.account(filed.piles[name]) == "sdSDsd"


@pytest.mark.parametrize("name", BAD)
def test_nothing_that_a_sheet_says_is_used_unless_it_verifies(filed: Filed, name: str) -> None:
    rows = filed.mailroom.cases(filed.piles[name].file)
    assert {row["stack_id"] for row in rows} == {rows[0]["stack_id"]}
    told = [rows[1][column] for column in ("sheet_serial", "case_type", "declared_branch", "account", "branch")]
    assert told == [None] * 5
    stack = filed.mailroom.query("SELECT id, collection_serial, emptied_on, counted FROM stack")
    told = next(list(row.values())[1:] for row in stack if row["id"] == rows[0]["stack_id"])
    assert told == [None] * 3


def test_signed_sheets_of_every_kind_count_and_those_of_an_older_key_until_its_end(filed: Filed) -> None:
    assert filed.mailroom.told(filed.piles[ALL_GOOD]) == [
        "61: COVER 3, UNSORTED 4",
        "62: COVER 7, UNSORTED 6, UNSORTED 8",
    ]
    (stack,) = [
        row for row in filed.mailroom.query("SELECT * FROM stack") if row["collection_serial"] == COLLECTION.serial
    ]
    assert (stack["counted"], stack["closed_by"]) == (1, "end_sheet")


def test_every_page_is_where_it_belongs(filed: Filed) -> None:
    assert filed.mailroom.misfits() == []


def test_a_forged_sheet_breaks_no_stack_that_goes_on_in_the_next_scan(filed: Filed) -> None:
    mailroom = filed.mailroom
    fields = [replace(case_fields(60, number, "OBL-02"), key=KEY) for number in (1, 2)]
    pile = draw_pile(
        60,
        "one x B x E two x",
        {
            "one": sheet(fields[0]),
            "two": sheet(fields[1]),
            "B": held(replace(COLLECTION, box="OBL-02")),
            "E": held(END),
        },
        box="OBL-02",
    )
    files = [pile.part(1, 4), pile.part(5)]
    for number, file in enumerate(files):
        mailroom.drop(file, f"scan006{number}.pdf", "OBL-02")
    mailroom.once()
    assert mailroom.told(pile, *files) == [
        "1: COVER 1, UNSORTED 2",
        "held: COVER 3, UNSORTED 4 [signature_missing]",
        "held: COVER 5 [signature_missing]",
        "2: COVER 6, UNSORTED 7",
    ]
    assert len({case["stack_id"] for case in mailroom.cases(*files)}) == 1


def test_neither_secrets_nor_codes_get_into_the_log(filed: Filed, station: Station) -> None:
    with station.running() as daemon:
        pass
    told = "\n".join([*map(str, filed.mailroom.lines), *daemon.raw])
    for secret in (KEY, ENDED, IN_GRACE):
        assert secret[1].hex() not in told
    assert "/V:" not in told


def photographed(station: Station, *words: str) -> Picture:
    """Print a sheet with the real command, and give its picture."""
    target = station.folder / "sheet.pdf"
    station.run("sheets", "case", *words, "--output", str(target), "--force")
    (page,) = convert_from_path(target, dpi=DPI, grayscale=True)
    return np.asarray(page.convert("L"))


def under(mailroom: Mailroom, number: int, picture: Picture) -> dict[str, object]:
    """Lay a paper under a copy of a sheet, scan both, and tell the case that comes of it as the command does."""

    def draw(page_id: int, _: object) -> Picture:
        copy = picture.copy()
        draw_id(copy, page_id, DPI)
        return copy

    pile = draw_pile(number, "copy x", {"copy": Page(draw, Role.COVER)})
    mailroom.drop(pile.file, f"scan{number:04}.pdf")
    mailroom.once()
    (case,) = mailroom.cases(pile.file)
    return {**case, "reasons": mailroom.reasons(case)} | links(mailroom, case["id"])


def links(mailroom: Mailroom, case_id: str) -> dict[str, object]:
    """Ask the view that others read."""
    (row,) = [row for row in mailroom.query("SELECT case_id, follows FROM case_overview") if row["case_id"] == case_id]
    return {"follows": row["follows"]}


def test_a_follow_up_is_honoured_once_and_its_copies_are_for_review(filed: Filed, station: Station) -> None:
    mailroom = filed.mailroom
    earlier = mailroom.cases(filed.piles[ALL_GOOD].file)[0]["number"]
    picture = photographed(station, "--follow-up", earlier)
    first, copied = (under(mailroom, number, picture) for number in (70, 71))
    assert (first["follows"], first["reasons"], first["case_type"]) == (earlier, [], "VER")
    assert (copied["follows"], copied["reasons"]) == (None, ["follow_up_repeated", "serial_repeated"])
    shown = station.run("cases", "show", str(first["number"])).stdout
    assert re.search(rf"follows +{re.escape(earlier)}", shown)
    assert re.search(rf"followed by +{re.escape(str(first['number']))}\n", station.run("cases", "show", earlier).stdout)
    assert mailroom.misfits() == []


def test_a_follow_up_that_comes_too_late_is_for_review(filed: Filed, station: Station) -> None:
    earlier = filed.mailroom.cases(filed.piles[ALL_GOOD].file)[0]["number"]
    picture = photographed(station, "--follow-up", earlier)
    with closing(sqlite3.connect(station.database)) as connection, connection:
        yesterday = (TODAY - timedelta(days=2)).isoformat()
        connection.execute(
            "UPDATE sheet SET expires_on = ? WHERE serial = (SELECT max(serial) FROM sheet)", (yesterday,)
        )
    late = under(filed.mailroom, 72, picture)
    assert (late["follows"], late["reasons"]) == (None, ["follow_up_expired"])


def test_a_home_made_follow_up_routes_nothing(filed: Filed) -> None:
    earlier = filed.mailroom.cases(filed.piles[ALL_GOOD].file)[0]["number"]
    claim = earlier.replace("/", "-")
    homemade = [
        replace(case_fields(73, 1), follow_up=claim, serial="PR000001"),
        replace(case_fields(73, 2), follow_up=claim, key=GUESSED),
        # Whoever has the key and not the table of printed sheets.
        replace(case_fields(73, 3), follow_up=claim, key=KEY),
    ]
    words = "a x b x c x"
    pile = draw_pile(73, words, dict(zip("abc", map(held, homemade), strict=True)))
    filed.mailroom.drop(pile.file, "scan0073.pdf")
    filed.mailroom.once()
    assert filed.mailroom.told(pile) == [
        "held: COVER 1, UNSORTED 2 [signature_missing]",
        "held: COVER 3, UNSORTED 4 [signature_wrong]",
        "3: COVER 5, UNSORTED 6 [follow_up_unverified]",
    ]
    assert [links(filed.mailroom, case["id"])["follows"] for case in filed.mailroom.cases(pile.file)] == [None] * 3
