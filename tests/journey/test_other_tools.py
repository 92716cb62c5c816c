"""Scans that other programs made: `inspect` finds their codes, and a sheet that another program drew routes."""

from __future__ import annotations

import io
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.support.drawn_sheets import plain_sheet
from tests.support.oracle import query
from tests.support.other_tools import code_39, drawn_code, photographed, postscript_page, printed
from tests.support.papers import foreign_qr, paper, paste
from tests.support.routing_text import routing_text
from tests.support.scanner import CLEAN, EncodedPage, Encoding, Scanning, scan
from tests.support.scans import pdf_of, png_of
from tests.support.stations import COMMAND, make_station
from tests.support.typeset import Picture

DPI = 150
OWN = routing_text("C", serial="X000017", box="OBL-01", case_type="NUM")
LINK = "https://bank.example/qr/42"
PATCH = "PATCHT"
Told = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All the files, by what they are: those of several pages hold a sheet and a paper with somebody else's code."""
    folder = tmp_path_factory.mktemp("files")
    made = {what: data for make in (_img2pdfs, _pillows, _telephones, _foreign_kinds) for what, data in make().items()}
    paths = {}
    for what, data in made.items():
        paths[what] = folder / what.replace(" ", "-")
        paths[what].write_bytes(data)
    return paths | _ghostscripts(folder)


@pytest.fixture(scope="module")
def told(files: dict[str, Path]) -> Told:
    """What `inspect` says of each."""
    said = _inspect(*files.values())
    assert [each["file"] for each in said] == [str(path) for path in files.values()]
    return dict(zip(files, said, strict=True))


SEVERAL_PAGES = (
    "img2pdf of JPEG", "img2pdf of G4", "img2pdf of PNG", "Pillow PDF", "Pillow TIFF group4", "Pillow TIFF tiff_lzw",
    "Pillow TIFF jpeg", "Pillow TIFF tiff_adobe_deflate", "Pillow TIFF packbits", "Ghostscript pdfwrite",
    "Ghostscript tiffg4", "Ghostscript tifflzw", "Ghostscript tiff24nc",
)  # fmt: skip
ONE_SHEET = (
    "Pillow JPEG", "Pillow PNG", "Pillow PNG palette", "Ghostscript png16m", "Ghostscript pngmono", "Ghostscript jpeg",
    "Ghostscript jpeggray", "telephone 1", "telephone 3", "telephone 6", "telephone 8",
)  # fmt: skip


@pytest.mark.parametrize("what", SEVERAL_PAGES)
def test_a_sheet_and_a_foreign_code_are_found_in_files_of_several_pages(told: Told, what: str) -> None:
    assert told[what]["error"] is None
    first, second = told[what]["pages"]
    assert _codes(first) == [(OWN, "qr", True)]
    assert _codes(second) == [(LINK, "qr", False)]
    assert [page["disposition"] for page in (first, second)] == ["sheet", "document"]
    (case,) = told[what]["cases"]
    assert (case["case_type"], case["review"]) == ("NUM", [])
    assert case["documents"] == [{"kinds": ["COVER"], "pages": [1]}, {"kinds": ["UNSORTED"], "pages": [2]}]


@pytest.mark.parametrize("what", ONE_SHEET)
def test_a_sheet_is_found_in_pictures(told: Told, what: str) -> None:
    assert told[what]["error"] is None
    (page,) = told[what]["pages"]
    assert _codes(page) == [(OWN, "qr", True)]
    assert [(case["case_type"], case["review"]) for case in told[what]["cases"]] == [("NUM", ["empty_submission"])]


@pytest.mark.parametrize(
    ("what", "text", "symbology"),
    [
        ("Code 39", "AB-1234", "code39"),
        ("Code 128", "Parcel 77/9", "code128"),
        ("Data Matrix", "00482-77", "datamatrix"),
        ("Ghostscript Code 39", PATCH, "code39"),
    ],
)
def test_foreign_codes_of_other_kinds_are_found_and_separate_nothing(
    told: Told, what: str, text: str, symbology: str
) -> None:
    assert (text, symbology, False) in _codes(told[what]["pages"][1])
    assert len(told[what]["cases"]) == 1


def test_a_declared_text_separates_and_only_where_its_kind_is_looked_for(files: dict[str, Path]) -> None:
    path = files["Ghostscript Code 39"]
    (separated,) = _inspect(path, "--separator", PATCH)
    assert [page["disposition"] for page in separated["pages"]] == ["sheet", "sheet", "document"]
    assert _codes(separated["pages"][1]) == [(PATCH, "code39", False)]
    assert len(separated["cases"]) == 2
    (other_kinds,) = _inspect(path, "--separator", PATCH, "--symbologies", "qr,code128")
    assert _codes(other_kinds["pages"][1]) == []
    assert len(other_kinds["cases"]) == 1


def test_what_inspect_says_as_json_has_exactly_the_promised_shape(told: Told, tmp_path: Path) -> None:
    for each in told.values():
        assert list(each) == ["file", "pages", "cases", "error"]
        assert isinstance(each["file"], str)
        assert [page["number"] for page in each["pages"]] == list(range(1, len(each["pages"]) + 1))
        for page in each["pages"]:
            _assert_shape(page, number=int, disposition=str, held=bool, codes=list)
            for code in page["codes"]:
                _assert_shape(code, text=str, symbology=str, engines=list, own=bool)
                assert set(code["engines"]) <= {"zxing", "zbar"}
                assert code["engines"]
        assert [case["ordinal"] for case in each["cases"]] == list(range(1, len(each["cases"]) + 1))
        for case in each["cases"]:
            _assert_shape(case, ordinal=int, case_type=(str, type(None)), review=list, documents=list)
            assert all(isinstance(reason, str) for reason in case["review"])
            for document in case["documents"]:
                _assert_shape(document, kinds=list, pages=list)
                assert all(isinstance(kind, str) for kind in document["kinds"])
                assert all(isinstance(number, int) and number > 0 for number in document["pages"])
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7\nnothing more")
    (refused,) = _inspect(broken)
    assert (refused["pages"], refused["cases"]) == ([], [])
    _assert_shape(refused["error"], reason=str, message=str)


def test_sheets_that_another_program_drew_route_through_the_daemon(files: dict[str, Path], tmp_path: Path) -> None:
    station = make_station(tmp_path / "station")
    for what in ("Ghostscript pdfwrite", "Ghostscript tiffg4", "Pillow TIFF jpeg"):
        station.drop(files[what].read_bytes(), f"{what}.pdf")
    for what in ("telephone 6", "Ghostscript png16m"):
        station.drop(files[what].read_bytes(), f"{what}.jpg")
    station.once()
    cases = query(station.database, 'SELECT sheet_serial, case_type FROM "case"')
    assert [tuple(case.values()) for case in cases] == [("X000017", "NUM")] * 5
    states = query(station.database, "SELECT DISTINCT state FROM scan")
    assert [row["state"] for row in states] == ["filed"]


def _inspect(*words: str | Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [*COMMAND, "inspect", "--json", *map(str, words)], capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode in {0, 1}, done.stderr) == (True, "")
    said: list[dict[str, Any]] = json.loads(done.stdout)
    return said


def _codes(page: dict[str, Any]) -> list[tuple[str, str, bool]]:
    return [(code["text"], code["symbology"], code["own"]) for code in page["codes"]]


def _assert_shape(said: dict[str, Any], **kinds: type | tuple[type, ...]) -> None:
    assert list(said) == list(kinds)
    for name, kind in kinds.items():
        assert isinstance(said[name], kind)
        assert kind is not int or not isinstance(said[name], bool)


def _sheet() -> Picture:
    return plain_sheet(OWN, 1, DPI)


def _paper(code: Picture | None = None) -> Picture:
    page = paper("SEAL", 2, np.random.default_rng(2), DPI)
    if code is None:
        paste(page, foreign_qr(LINK, DPI), 150, 225, DPI)
    else:
        paste(page, code, 60, 235, DPI)
    return page


def _scanned(encoding: Encoding) -> list[EncodedPage]:
    rng = np.random.default_rng(7)
    return [scan(page, DPI, Scanning(encoding=encoding), rng) for page in (_sheet(), _paper())]


def _img2pdfs() -> dict[str, bytes]:
    kinds = {"JPEG": Encoding.JPEG, "G4": Encoding.G4, "PNG": Encoding.DEFLATE}
    return {f"img2pdf of {name}": pdf_of(_scanned(encoding)) for name, encoding in kinds.items()}


def _pillows() -> dict[str, bytes]:
    first, second = (Image.fromarray(page) for page in (_sheet(), _paper()))
    made = {"Pillow PDF": _saved(first, "PDF", save_all=True, append_images=[second.copy()], resolution=DPI)}
    for compression in ("group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "packbits"):
        pair = [page.convert("1") if compression == "group4" else page.copy() for page in (first, second)]
        made[f"Pillow TIFF {compression}"] = _saved(
            pair[0], "TIFF", save_all=True, append_images=pair[1:], compression=compression, dpi=(DPI, DPI)
        )
    made["Pillow JPEG"] = _saved(first.convert("RGB"), "JPEG", quality=70)
    made["Pillow PNG"] = png_of(np.asarray(first), DPI)
    made["Pillow PNG palette"] = _saved(first.convert("RGB").quantize(16), "PNG")
    return made


def _telephones() -> dict[str, bytes]:
    page = plain_sheet(OWN, 1, 200)
    return {f"telephone {orientation}": photographed(page, orientation) for orientation in (1, 3, 6, 8)}


def _foreign_kinds() -> dict[str, bytes]:
    made = {}
    for what, text in (("Code 39", "AB-1234"), ("Code 128", "Parcel 77/9"), ("Data Matrix", "00482-77")):
        code = drawn_code(text, what.replace(" ", ""), DPI)
        page = _paper(code)
        rng = np.random.default_rng(3)
        made[what] = pdf_of([scan(each, DPI, CLEAN, rng) for each in (_sheet(), page)])
    return made


def _ghostscripts(folder: Path) -> dict[str, Path]:
    sheet, other = postscript_page("Appeal, form 3", OWN), postscript_page("Somebody's paper", LINK)
    made = {}
    for device in ("pdfwrite", "tiffg4", "tifflzw", "tiff24nc"):
        (made[f"Ghostscript {device}"],) = printed([sheet, other], device, folder)
    for device in ("png16m", "pngmono", "jpeg", "jpeggray"):
        (made[f"Ghostscript {device}"],) = printed([sheet], device, folder)
    (folder / "patch").mkdir()
    patch = postscript_page("Patch", bars=code_39(PATCH))
    pages = [sheet, patch, postscript_page("Paper", LINK)]
    (made["Ghostscript Code 39"],) = printed(pages, "pdfwrite", folder / "patch")
    return made


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's own
    buffer = io.BytesIO()
    # Pillow leaves one encoder's settings on a picture, and stumbles over them with the next.
    image.copy().save(buffer, kind, **options)
    return buffer.getvalue()
