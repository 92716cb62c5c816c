from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from skrynka.core.errors import ConfigurationError
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import compose
from skrynka.sheets.ordering import Printed, print_sheets, sheet_order
from skrynka.sheets.personal import PersonalRow
from skrynka.sheets.printing import TEMPLATES
from skrynka.sheets.serials import SeriesExhausted
from tests.sheets.examples import BOXES, CATALOGUE, PHONES
from tests.sheets.pixels import QR, rasterised, read_by_zxing

CASE = RoutingCode(SheetKind.CASE, box="OBL-03", case_type="VER", providers=("KTE",))


def _print(pattern: RoutingCode, copies: int = 1, **options: Any) -> Printed:  # noqa: ANN401 - any option
    return print_sheets(
        pattern,
        copies,
        **{"series": "A", "after": 0, "catalogue": CATALOGUE, "boxes": BOXES, "phones": PHONES} | options,
    )


def test_copies_are_pages_with_serials_of_their_own() -> None:
    printed = _print(CASE, 3, after=41)
    assert [code.serial for code in printed.codes] == ["A000042", "A000043", "A000044"]
    read = [
        {code.text for code in read_by_zxing(page) if code.symbology == QR} for page in rasterised(printed.pdf, 150)
    ]
    assert read == [{compose(code)} for code in printed.codes]


@pytest.mark.parametrize("kind", [SheetKind.SEPARATOR, SheetKind.REPEAT, SheetKind.END])
def test_reusable_sheets_have_no_serial_unless_asked_for(kind: SheetKind) -> None:
    assert [code.serial for code in _print(RoutingCode(kind), 2).codes] == [None, None]
    assert [code.serial for code in _print(RoutingCode(kind), 2, numbered=True).codes] == ["A000001", "A000002"]


def test_rows_are_printed_in_order_and_override_what_is_ordered_for_all() -> None:
    rows = [
        PersonalRow(line=2, account="12345", meter_serials=("1", "2")),
        PersonalRow(line=3, account="12346", branch="DIS", providers=("KTE", "KVK"), address_code="8-1"),
    ]
    printed = _print(CASE, rows=rows)
    assert printed.codes == (
        replace(CASE, serial="A000001", account="12345", meter_serials=("1", "2")),
        replace(CASE, serial="A000002", account="12346", branch="DIS", providers=("KTE", "KVK"), address_code="8-1"),
    )
    with pikepdf.open(io.BytesIO(printed.pdf)) as opened:
        assert len(opened.pages) == 2


def test_names_and_papers_come_from_the_catalogue() -> None:
    order = sheet_order(replace(CASE, serial="A000001", branch="ONS"), CATALOGUE, BOXES, PHONES)
    assert order.case_type_name == "актуалізація інформації після повірки"
    assert order.branch_name == "повірено на місці, без демонтажу"
    assert order.provider_names == ("КП «Київтеплоенерго»",)
    assert order.box_name == "Скринька № 3"
    assert order.phones == PHONES
    kinds = [[item.kind for way in entry.alternatives for item in way] for entry in order.checklist.entries]
    assert kinds == [["CERT"], ["PHOTO"], ["PROTOCOL", "WORKS"]]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (RoutingCode(SheetKind.COLLECTION), "needs a box"),
        (RoutingCode(SheetKind.COLLECTION, box="ZZZ-99"), "no such box"),
        (RoutingCode(SheetKind.DOCUMENT), "needs a document kind"),
        (RoutingCode(SheetKind.DOCUMENT, document_kinds=("ZZZ",)), "no such document kind"),
        (RoutingCode(SheetKind.DOCUMENT, document_kinds=("COVER",)), "no such document kind"),
        (RoutingCode(SheetKind.CASE, case_type="ZZZ"), "no such case type"),
        (RoutingCode(SheetKind.CASE, case_type="OTH", branch="ZZZ"), "no such branch"),
        (RoutingCode(SheetKind.CASE, case_type="OTH", providers=("ZZZ",)), "no such provider"),
        (RoutingCode(SheetKind.CASE, providers=("ZZZ",)), "no such provider"),
        (RoutingCode(SheetKind.CASE, branch="DIS"), "needs a case type"),
        (replace(CASE, account="01/02"), "can't carry"),
        (RoutingCode(SheetKind.SEPARATOR, box="OBL-03"), "can't carry"),
    ],
)
def test_a_sheet_that_would_be_held_is_not_printed(pattern: RoutingCode, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        _print(pattern)
    assert not any(value in str(caught.value) for value in ("ZZZ", "01/02"))


def test_a_row_that_names_something_unknown_is_told_by_its_line() -> None:
    with pytest.raises(ConfigurationError, match=r"^Line 3: .*no such box"):
        _print(CASE, rows=[PersonalRow(line=2), PersonalRow(line=3, box="ZZZ-99")])


def test_a_case_sheet_may_name_nothing_at_all() -> None:
    assert _print(RoutingCode(SheetKind.CASE)).codes == (RoutingCode(SheetKind.CASE, serial="A000001"),)


def test_a_series_that_runs_out_prints_nothing() -> None:
    with pytest.raises(SeriesExhausted):
        _print(CASE, 2, after=999_998)


def test_no_copies_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="copy"):
        _print(CASE, 0)


def test_ones_own_templates_are_used(tmp_path: Path) -> None:
    (tmp_path / "end.typ").write_text((TEMPLATES / "end.typ").read_text(encoding="utf-8") + "#panic()\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"end\.typ"):
        _print(RoutingCode(SheetKind.END), templates=tmp_path)
