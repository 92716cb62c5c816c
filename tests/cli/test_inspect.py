from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Skrynka
from tests.support.drawn_sheets import SheetFields
from tests.support.papers import blank_paper, foreign_qr, paste
from tests.support.scanner import CLEAN, scan
from tests.support.scans import encrypted, pdf_of, program_bytes
from tests.support.stacks import Envelope, Paper, draw_stack

DPI = 150
PARCEL = "https://parcels.example/42"


@pytest.fixture(scope="session")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with scans: a good one, one with somebody else's code between two papers, and bad ones."""
    folder = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(5)
    sheet = SheetFields(serial="T000001", box="OBL-01", case_type="VER")
    papers = (Paper("PROTOCOL", declared=("PROTOCOL",)), Paper("CERT", declared=("CERT",)))
    good = draw_stack([Envelope(papers, sheet)], rng, dpi=DPI, scanning=lambda _: CLEAN)
    (folder / "good.pdf").write_bytes(pdf_of(good.scanned))
    foreign = blank_paper(DPI)
    paste(foreign, foreign_qr(PARCEL, DPI), 80, 120, DPI)
    papers_only = draw_stack([Envelope((Paper("CERT"), Paper("SEAL")))], rng, dpi=DPI, scanning=lambda _: CLEAN)
    first, second = papers_only.scanned
    (folder / "foreign.pdf").write_bytes(pdf_of([first, scan(foreign, DPI, CLEAN, rng), second]))
    (folder / "encrypted.pdf").write_bytes(encrypted(pdf_of([first])))
    (folder / "program.pdf").write_bytes(program_bytes())
    return folder


def test_a_scan_is_told_page_by_page_and_case_by_case(skrynka: Skrynka, scans: Path) -> None:
    told = skrynka("inspect", scans / "good.pdf", "--json")
    (file,) = told.json
    assert told.code == 0
    assert set(file) == {"file", "pages", "cases", "error"}
    assert (file["file"], file["error"]) == (str(scans / "good.pdf"), None)
    assert [(page["number"], page["disposition"], page["held"]) for page in file["pages"]] == [
        (1, "sheet", False),
        (2, "sheet", False),
        (3, "document", False),
        (4, "sheet", False),
        (5, "document", False),
    ]
    code = file["pages"][0]["codes"][0]
    assert set(code) == {"text", "symbology", "engines", "own"}
    assert code["own"]
    (case,) = file["cases"]
    assert (case["ordinal"], case["case_type"], case["review"]) == (1, "VER", [])
    assert case["documents"] == [
        {"kinds": ["COVER"], "pages": [1]},
        {"kinds": ["PROTOCOL"], "pages": [3]},
        {"kinds": ["CERT"], "pages": [5]},
    ]


def test_people_read_what_is_missing(skrynka: Skrynka, scans: Path) -> None:
    shown = skrynka("inspect", scans / "good.pdf").out
    assert "case 1: VER, incomplete" in shown
    assert "missing if ONS: PHOTO" in shown


def test_a_code_of_others_is_shown_and_separates_nothing(skrynka: Skrynka, scans: Path) -> None:
    told = skrynka("inspect", scans / "foreign.pdf", "--json")
    (file,) = told.json
    assert [(code["text"], code["own"]) for code in file["pages"][1]["codes"]] == [(PARCEL, False)]
    assert [case["review"] for case in file["cases"]] == [["no_sheet"]]
    assert told.code == 1


def test_a_code_of_others_separates_where_it_is_said_to(skrynka: Skrynka, scans: Path) -> None:
    (file,) = skrynka("inspect", scans / "foreign.pdf", "--separator", PARCEL, "--json").json
    assert file["pages"][1]["disposition"] == "sheet"
    assert len(file["cases"]) == 2


def test_what_nobody_looks_for_is_not_found(skrynka: Skrynka, scans: Path) -> None:
    (file,) = skrynka("inspect", scans / "foreign.pdf", "--symbologies", "code128", "--json").json
    assert file["pages"][1]["codes"] == []
    assert skrynka("inspect", scans / "foreign.pdf", "--symbologies", "runes").code == 2


def test_a_file_that_cannot_be_read_is_told_with_what_to_do(skrynka: Skrynka, scans: Path) -> None:
    told = skrynka("inspect", *(scans / name for name in ("encrypted.pdf", "program.pdf", "none.pdf")), "--json")
    assert told.code == 1
    assert [file["error"]["reason"] for file in told.json] == ["encrypted", "unsupported", "unopenable"]
    assert all(file["pages"] == file["cases"] == [] for file in told.json)
    assert "Switch off encryption" in skrynka("inspect", scans / "encrypted.pdf").out


def test_nothing_is_touched(skrynka: Skrynka, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in scans.iterdir()}
    skrynka("inspect", *scans.iterdir())
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in scans.iterdir()} == before
    assert list(tmp_path.iterdir()) == []
