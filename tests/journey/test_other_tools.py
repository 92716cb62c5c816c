"""`inspect` finds codes in files that other programs made, and a sheet that another program drew routes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import img2pdf
import numpy as np
import pytest
import zxingcpp
from PIL import Image

from tests.support.drawn_sheets import plain_sheet
from tests.support.papers import blank_paper, paper, paste
from tests.support.routing_text import routing_text
from tests.support.scanner import CLEAN, scan
from tests.support.scans import jpeg_with_exif_rotation, tiff_of
from tests.support.typeset import Picture, typeset_pdf

DPI = 200
TEXT = routing_text("C", serial="Q000042", box="OBL-07", case_type="VER", branch="DIS")
FORMATS = {
    "qr": zxingcpp.BarcodeFormat.QRCode,
    "code128": zxingcpp.BarcodeFormat.Code128,
    "code39": zxingcpp.BarcodeFormat.Code39,
    "datamatrix": zxingcpp.BarcodeFormat.DataMatrix,
}


def inspected(*words: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """What `skrynka inspect --json` says, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "skrynka", "inspect", "--json", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def sheet() -> Picture:
    """A sheet as another program draws it: one QR code from the definition alone, no mark, no linear code."""
    return plain_sheet(TEXT, 1, DPI)


def picture_file(path: Path, **options: Any) -> Path:  # noqa: ANN401 - Pillow's own options
    Image.fromarray(sheet()).save(path, **options)
    return path


def ghostscript(folder: Path, device: str, name: str) -> Path:
    """A page of text with the sheet's code, printed by Ghostscript."""
    source = folder / "source.pdf"
    source.write_bytes(img2pdf.convert(picture_bytes("PNG"), layout_fun=img2pdf.get_fixed_dpi_layout_fun((DPI, DPI))))
    made = folder / name
    command = ["gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", f"-sDEVICE={device}", f"-r{DPI}", f"-sOutputFile={made}"]
    subprocess.run([*command, str(source)], check=True, timeout=60)
    return made


def picture_bytes(format_name: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(sheet()).save(out, format_name, dpi=(DPI, DPI))
    return out.getvalue()


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


MADE_BY: dict[str, Callable[[Path], Path]] = {
    "img2pdf": lambda folder: written(folder / "a.pdf", img2pdf.convert(picture_bytes("JPEG"))),
    "Pillow's PDF": lambda folder: picture_file(folder / "a.pdf", resolution=DPI),
    "Pillow's PNG": lambda folder: picture_file(folder / "a.png", dpi=(DPI, DPI)),
    "Pillow's JPEG": lambda folder: picture_file(folder / "a.jpg", dpi=(DPI, DPI), quality=60),
    "TIFF with LZW": lambda folder: picture_file(folder / "a.tif", compression="tiff_lzw", dpi=(DPI, DPI)),
    "TIFF with JPEG": lambda folder: picture_file(folder / "a.tif", compression="jpeg", dpi=(DPI, DPI)),
    "Ghostscript's pdfwrite": lambda folder: ghostscript(folder, "pdfwrite", "gs.pdf"),
    "Ghostscript's TIFF G4": lambda folder: ghostscript(folder, "tiffg4", "gs.tif"),
    "Ghostscript's PNG": lambda folder: ghostscript(folder, "png16m", "gs.png"),
    "Ghostscript's JPEG": lambda folder: ghostscript(folder, "jpeg", "gs.jpg"),
    "a telephone, turned left": lambda folder: written(folder / "p.jpg", jpeg_with_exif_rotation(sheet(), DPI, 8)),
    "a telephone, turned right": lambda folder: written(folder / "p.jpg", jpeg_with_exif_rotation(sheet(), DPI, 6)),
    "a telephone, upside down": lambda folder: written(folder / "p.jpg", jpeg_with_exif_rotation(sheet(), DPI, 3)),
}


@pytest.mark.parametrize("make", MADE_BY.values(), ids=MADE_BY.keys())
def test_a_sheet_in_a_file_of_another_program_is_found_and_routes(make: Callable[[Path], Path], tmp_path: Path) -> None:
    file = make(tmp_path)
    code, (told,) = inspected(file)
    assert (code, told["file"], told["error"]) == (1, str(file), None)
    (page,) = told["pages"]
    assert (page["number"], page["disposition"], page["held"]) == (1, "sheet", False)
    (found,) = page["codes"]
    assert (found["text"], found["symbology"], found["own"]) == (TEXT, "qr", True)
    assert set(found["engines"]) <= {"zxing", "zbar"}
    assert found["engines"]
    (case,) = told["cases"]
    assert case == {
        "ordinal": 1,
        "case_type": "VER",
        "review": ["empty_submission"],
        "documents": [{"kinds": ["COVER"], "pages": [1]}],
    }


def test_every_page_of_a_tiff_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    pages = [sheet(), paper("WORKS", 2, rng, DPI), paper("PHOTO", 3, rng, DPI)]
    bilevel = [scan(page, DPI, CLEAN, rng) for page in pages]
    code, (told,) = inspected(written(tmp_path / "many.tif", tiff_of(bilevel, compression="tiff_lzw")))
    assert code == 0
    assert [page["disposition"] for page in told["pages"]] == ["sheet", "document", "document"]
    assert told["cases"][0]["documents"] == [
        {"kinds": ["COVER"], "pages": [1]},
        {"kinds": ["UNSORTED"], "pages": [2, 3]},
    ]


def with_code(symbology: str, text: str) -> Picture:
    """A paper with somebody else's code."""
    made = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, FORMATS[symbology]), scale=4)
    page = blank_paper(DPI)
    paste(page, np.array(made, np.uint8), 40, 60, DPI)
    return page


@pytest.mark.parametrize("symbology", FORMATS)
def test_codes_of_others_are_shown_with_their_text_because_a_person_asked(symbology: str, tmp_path: Path) -> None:
    file = tmp_path / "foreign.png"
    Image.fromarray(with_code(symbology, "PARCEL 12345")).save(file, dpi=(DPI, DPI))
    _, (told,) = inspected(file)
    (found,) = told["pages"][0]["codes"]
    assert (found["text"], found["symbology"], found["own"]) == ("PARCEL 12345", symbology, False)
    assert told["pages"][0]["disposition"] == "document"
    others = ",".join(name for name in FORMATS if name != symbology)
    _, (told,) = inspected(file, "--symbologies", others)
    assert told["pages"][0]["codes"] == []


@pytest.mark.parametrize("symbology", ["code128", "code39"])
def test_a_declared_text_separates(symbology: str, tmp_path: Path) -> None:
    file = tmp_path / "patch.png"
    Image.fromarray(with_code(symbology, "PATCHT")).save(file, dpi=(DPI, DPI))
    _, (told,) = inspected(file)
    assert told["pages"][0]["disposition"] == "document"
    _, (told,) = inspected(file, "--separator", "PATCHT")
    assert (told["pages"][0]["disposition"], told["cases"]) == ("sheet", [])


def test_text_and_vectors_are_read_too(tmp_path: Path) -> None:
    page = '#set page(paper: "a4")\nЛист без жодного зображення: показання лічильника 00123.'
    code, (told,) = inspected(written(tmp_path / "vector.pdf", typeset_pdf(page)))
    assert (code, told["pages"][0]["disposition"], told["cases"][0]["review"]) == (1, "document", ["no_sheet"])
