from __future__ import annotations

import io
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pikepdf
import pytest
import zxingcpp
from pdf2image import convert_from_bytes

from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.routing_code import parse
from skrynka.store.database import open_database
from skrynka.store.sheets import printed_sheets
from tests.cli.conftest import Skrynka


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pages(file: Path | str) -> int:
    with pikepdf.open(file) as pdf:
        return len(pdf.pages)


def codes_on(file: Path | str) -> list[RoutingCode]:
    """Read the full routing code of each page."""
    drawn = convert_from_bytes(Path(file).read_bytes(), dpi=150, grayscale=True)
    qr = zxingcpp.BarcodeFormat.QRCode
    return [parse(zxingcpp.read_barcodes(page, formats=qr)[0].text) for page in drawn]


def kept(station: Path, serials: Sequence[str]) -> dict[str, RoutingCode]:
    database = open_database(f"sqlite:///{station / 'skrynka.db'}")
    try:
        return printed_sheets(database, serials)
    finally:
        database.close()


def test_every_sheet_has_a_serial_of_its_own_and_what_it_says_is_kept(skrynka: Skrynka, station: Path) -> None:
    told = skrynka("sheets", "case", "--type", "VER", "--branch", "DIS", "--box", "OBL-01", "--provider", "KTE",
                   "--provider", "KVK", "--copies", "2")  # fmt: skip
    assert (told.code, told.out) == (0, "2 case sheets A000001–A000002 → case-A000001-A000002.pdf\n")
    read = codes_on("case-A000001-A000002.pdf")
    assert read == list(kept(station, ["A000001", "A000002"]).values())
    assert [code.serial for code in read] == ["A000001", "A000002"]
    assert (read[0].case_type, read[0].branch, read[0].box, read[0].providers) == (
        "VER",
        "DIS",
        "OBL-01",
        ("KTE", "KVK"),
    )
    assert skrynka("sheets", "document", "--kind", "SEAL", "--kind", "UNSEAL").out.startswith(
        "1 document sheet A000003 "
    )


@pytest.mark.usefixtures("station")
def test_each_kind_of_sheet_says_what_was_asked(skrynka: Skrynka) -> None:
    for kind, words in (
        (SheetKind.COLLECTION, ["collection", "--box", "OBL-02", "--emptied", "2026-02-03", "--counted", "17"]),
        (SheetKind.DOCUMENT, ["document", "--kind", "DISMANTLE", "--kind", "INSTALL"]),
        (SheetKind.SEPARATOR, ["separator"]),
        (SheetKind.REPEAT, ["repeat"]),
        (SheetKind.END, ["end", "--emptied", "2026-02-03", "--counted", "17"]),
    ):
        assert skrynka("sheets", *words, "-o", f"{kind.name}.pdf").code == 0
        (code,) = codes_on(f"{kind.name}.pdf")
        assert code.kind is kind
        assert (code.serial is None) == (kind in {SheetKind.SEPARATOR, SheetKind.REPEAT, SheetKind.END})
        assert code.document_kinds == (("DISMANTLE", "INSTALL") if kind is SheetKind.DOCUMENT else ())
        told = (str(code.emptied_on), code.counted)
        assert told == (("2026-02-03", 17) if kind in {SheetKind.COLLECTION, SheetKind.END} else ("None", None))


@pytest.mark.usefixtures("station")
def test_a_sheet_that_is_used_again_has_a_serial_where_one_is_wanted(skrynka: Skrynka) -> None:
    assert skrynka("sheets", "separator", "--numbered").out == "1 separator sheet A000001 → separator-A000001.pdf\n"


@pytest.mark.usefixtures("station")
def test_a_file_that_is_there_is_not_written_over_and_costs_no_serial(skrynka: Skrynka, tmp_path: Path) -> None:
    (tmp_path / "sheets.pdf").write_bytes(b"mine")
    told = skrynka("sheets", "case", "--output", "sheets.pdf")
    assert told.code == 2
    assert "--force" in told.err
    assert (tmp_path / "sheets.pdf").read_bytes() == b"mine"
    assert "A000001" in skrynka("sheets", "case", "--output", "sheets.pdf", "--force").out
    assert pages("sheets.pdf") == 1


@pytest.mark.usefixtures("station")
def test_what_is_personal_is_on_the_sheet_and_the_file_is_no_business_of_others(skrynka: Skrynka) -> None:
    told = skrynka("sheets", "case", "--type", "NUM", "--account", "0012345678", "--address-code", "80391-117",
                   "--meter", "19054321", "--meter", "19054322", "-o", "one.pdf")  # fmt: skip
    assert told.code == 0
    assert "0012345678" not in told.out + told.err
    (code,) = codes_on("one.pdf")
    assert (code.account, code.address_code, code.meter_serials) == (
        "0012345678",
        "80391-117",
        ("19054321", "19054322"),
    )
    assert stat.S_IMODE(Path("one.pdf").stat().st_mode) == 0o640


@pytest.mark.usefixtures("station")
def test_a_list_gives_a_sheet_for_each_row(skrynka: Skrynka) -> None:
    Path("list.csv").write_text("account,branch\n0012345678,DIS\n0012345679,ONS\n", encoding="utf-8")
    assert skrynka("sheets", "case", "--type", "VER", "--csv", "list.csv", "-o", "list.pdf").code == 0
    assert [(code.account, code.branch) for code in codes_on("list.pdf")] == [
        ("0012345678", "DIS"),
        ("0012345679", "ONS"),
    ]


@pytest.mark.usefixtures("station")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["collection", "--box", "OBL-99"], "Configured: OBL-01, OBL-02."),
        (["case", "--type", "WEDDING"], "VER"),
        (["case", "--account", "12-34"], "sheets.account_pattern"),
        (["case", "--csv", "none.csv"], "can't be read"),
        (["document", "--kind", "LETTER"], "CERT"),
        (["case", "--series", "lower"], "capital"),
    ],
)
def test_what_would_be_held_when_it_comes_back_is_not_printed(words: list[str], told: str, skrynka: Skrynka) -> None:
    answer = skrynka("sheets", *words)
    assert answer.code == 2
    assert told in answer.err
    assert "12-34" not in answer.err
    assert not list(Path.cwd().glob("*.pdf"))
    assert "A000001" in skrynka("sheets", "case").out


def test_a_series_that_is_used_up_is_told(skrynka: Skrynka, station: Path) -> None:
    with closing(sqlite3.connect(station / "skrynka.db")) as connection, connection:
        connection.execute("INSERT INTO sheet_number VALUES ('A', 999998)")
    told = skrynka("sheets", "case", "--copies", "2")
    assert told.code == 2
    assert "--series" in told.err
    assert skrynka("sheets", "case", "--series", "OB").out.startswith("1 case sheet OB000001 ")


@pytest.mark.usefixtures("station")
def test_a_place_that_cannot_be_written_is_told(skrynka: Skrynka) -> None:
    told = skrynka("sheets", "separator", "-o", "nowhere/sheets.pdf")
    assert told.code == 3
    assert told.err.count("\n") == 1


@pytest.mark.usefixtures("station")
def test_the_phones_of_the_configuration_stand_on_a_case_sheet(skrynka: Skrynka) -> None:
    skrynka("sheets", "case", "-o", "sheet.pdf")
    with pikepdf.open(io.BytesIO(Path("sheet.pdf").read_bytes())) as pdf:
        assert len(pdf.pages) == 1
