from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import text

from skrynka.core.model import RoutingCode, SheetKind
from skrynka.store.database import Database
from skrynka.store.sheets import PrintedSheet, printed_sheets, record_sheets
from tests.store.asking import events_after
from tests.store.samples import case_sheet


def test_serials_run_on(db: Database) -> None:
    given = []

    def make(last: int) -> list[PrintedSheet]:
        given.append(last)
        return [case_sheet(last + 1), case_sheet(last + 2)]

    first = record_sheets(db, "A", "user:t", make)
    second = record_sheets(db, "A", "user:t", make)
    assert given == [0, 2]
    assert [sheet.code.serial for sheet in (*first, *second)] == ["A000001", "A000002", "A000003", "A000004"]


def test_a_printed_sheet_says_what_it_said(db: Database) -> None:
    case = case_sheet(1)
    collection = PrintedSheet(
        1,
        RoutingCode(SheetKind.COLLECTION, "B000001", "OBL-03", emptied_on=date(2026, 3, 1), counted=17),
        "SKR1/B",
    )
    sticker = PrintedSheet(
        2, RoutingCode(SheetKind.DOCUMENT, "B000002", document_kinds=("CERT",), sticker=True), "SKR1/D"
    )
    follow_up = PrintedSheet(3, RoutingCode(SheetKind.CASE, "B000003", follow_up="N1"), "SKR1/C")
    record_sheets(db, "A", "user:t", lambda _last: [case])
    record_sheets(db, "B", "user:t", lambda _last: [collection, sticker, follow_up])
    assert printed_sheets(db, ["A000001", "B000001", "B000002", "B000003", "A999999"]) == {
        "A000001": case.code,
        "B000001": collection.code,
        "B000002": sticker.code,
        "B000003": follow_up.code,
    }
    assert printed_sheets(db, []) == {}


def test_many_print_at_once_and_no_serial_is_given_twice(db: Database) -> None:
    def print_some(_: int) -> list[int]:
        sheets = record_sheets(db, "A", "user:t", lambda last: [case_sheet(last + 1), case_sheet(last + 2)])
        return [sheet.number for sheet in sheets]

    with ThreadPoolExecutor(4) as pool:
        numbers = [number for some in pool.map(print_some, range(10)) for number in some]
    assert sorted(numbers) == list(range(1, 21))


def test_an_order_that_fails_uses_no_serials(db: Database) -> None:
    def fail(_last: int) -> list[PrintedSheet]:
        raise KeyError

    with pytest.raises(KeyError):
        record_sheets(db, "A", "user:t", fail)
    with pytest.raises(ValueError, match="without a gap"):
        record_sheets(db, "A", "user:t", lambda last: [case_sheet(last + 2)])
    (sheet,) = record_sheets(db, "A", "user:t", lambda last: [case_sheet(last + 1)])
    assert sheet.number == 1


def test_an_empty_order_is_nothing(db: Database) -> None:
    assert record_sheets(db, "A", "user:t", lambda _last: []) == ()
    assert "sheets_printed" not in [each.event.name for each in events_after(db)]


def test_the_history_tells_the_range_and_nothing_private(db: Database) -> None:
    (sheet,) = record_sheets(db, "A", "user:t", lambda last: [case_sheet(last + 1)])
    told = events_after(db)[-1]
    with db.read() as connection:
        order = connection.scalar(text("SELECT order_id FROM sheet"))
    assert dict(told.event.data) == {"series": "A", "first": 1, "last": 1, "order": order}
    assert "00123456" not in repr(dataclasses.replace(sheet))
