"""The drawn world is what the tests stand on: its ids are read after all that a scanner does, its sheets by readers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import numpy as np
import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageOps, ImageSequence
from pyzbar import pyzbar

from tests.support import drawn_sheets, scans
from tests.support.drawn_sheets import SheetFields, full_sheet, plain_sheet, stickered, unreadable_sheet
from tests.support.page_ids import HIGHEST_ID, read_id
from tests.support.papers import KINDS, blank_paper, paper
from tests.support.scanner import CLEAN, OFFICE, Encoding, Scanning, degrade, on_larger_paper, scan, show_through
from tests.support.typeset import A4, Picture, pixels

FIELDS = SheetFields(serial="A000123", box="OBL-03", case_type="VER", branch="DIS", providers=("KTE", "KVK"))
FORMATS = zxingcpp.barcode_formats_from_str("QRCode,Code128")
SYMBOLS = [pyzbar.ZBarSymbol.QRCODE, pyzbar.ZBarSymbol.CODE128]

DEGRADATIONS = {
    "clean": CLEAN,
    "office": OFFICE,
    "poor": Scanning(skew=-2.5, noise=14, brightness=0.9, contrast=0.8, blur=1.2, edge_shadow=0.5, quality=40),
    "black and white": Scanning(encoding=Encoding.G4, skew=1.5, noise=8, grime=0.002, threshold=170),
    "lossless": Scanning(encoding=Encoding.DEFLATE, skew=-1.0),
    "upside down": Scanning(turn=180, skew=0.8, noise=6),
    "quarter turn": Scanning(turn=90, noise=6),
    "three quarters": Scanning(turn=270, skew=3.0, punch_holes=True),
    "punched and shaded": Scanning(punch_holes=True, edge_shadow=0.7, skew=-3.0),
}


def seeded() -> np.random.Generator:
    return np.random.default_rng(20220223)


def texts(picture: Picture) -> list[tuple[str, str]]:
    found = zxingcpp.read_barcodes(picture, formats=FORMATS)
    return sorted((str(code.format), code.text) for code in found)


@pytest.mark.parametrize("dpi", [200, 300])
@pytest.mark.parametrize("scanning", DEGRADATIONS.values(), ids=DEGRADATIONS)
def test_the_page_id_is_read_after_all_that_a_scanner_does(scanning: Scanning, dpi: int) -> None:
    rng = seeded()
    for page_id, kind in ((0, "CERT"), (HIGHEST_ID, "SEAL"), (524_287, "PHOTO")):
        scanned = scan(paper(kind, page_id, rng, dpi), dpi, scanning, rng)

        assert read_id(scanned.picture(), dpi) == page_id


def test_a_small_paper_on_a_larger_format_keeps_its_id() -> None:
    rng = seeded()
    certificate = paper("CERT", 77, rng, 200)

    for _ in range(4):
        assert read_id(on_larger_paper(certificate, 200, A4, rng), 200) == 77


def test_no_id_is_read_from_a_blank_page_or_from_what_shows_through() -> None:
    rng = seeded()
    front = paper("SEAL", 5, rng, 200)

    assert read_id(degrade(blank_paper(200), 200, OFFICE, rng), 200) is None
    for strength in (0.1, 1.0):
        back = show_through(front, strength)
        for turns in (0, 2):
            assert read_id(np.rot90(back, turns), 200) is None


def test_every_paper_is_drawn_in_grey_and_in_colour_and_never_alike() -> None:
    rng = seeded()
    drawn = []
    for place, kind in enumerate(KINDS):
        grey = paper(kind, place, rng, 100)
        assert grey.ndim == 2
        assert paper(kind, place, rng, 100, colour=True).shape == (*grey.shape, 3)
        assert (grey < 128).mean() > 0.01
        drawn.append(grey.tobytes())
    assert len(set(drawn)) == len(KINDS)


def test_the_same_seed_draws_the_same_papers() -> None:
    one, other = (scan(paper("PHOTO", 1, rng, 100), 100, OFFICE, rng) for rng in (seeded(), seeded()))

    assert one == other


def test_a_full_sheet_is_read_by_both_readers_at_200_dpi() -> None:
    picture = full_sheet(FIELDS, 9, 200)

    expected = [("Code 128", "SKR1/C/S:A000123/Z:13"), ("QR Code", FIELDS.text()), ("QR Code", FIELDS.text())]
    assert texts(picture) == expected
    assert sorted(code.data.decode() for code in pyzbar.decode(picture, symbols=SYMBOLS)) == sorted(
        text for _, text in expected
    )
    assert read_id(picture, 200) == 9


def test_a_plain_sheet_is_one_code_and_nothing_else() -> None:
    picture = plain_sheet(FIELDS.text(), 10, 200)

    assert texts(picture) == [("QR Code", FIELDS.text())]
    assert [code.data.decode() for code in pyzbar.decode(picture, symbols=SYMBOLS)] == [FIELDS.text()]


@pytest.mark.parametrize("harm", ["scribbled", "stained", "torn"])
@pytest.mark.parametrize("dpi", [200, 300])
def test_no_reader_reads_an_unreadable_sheet_and_its_mark_is_whole(harm: drawn_sheets.Harm, dpi: int) -> None:
    rng = seeded()
    for fields in (FIELDS, SheetFields("P")):
        picture = unreadable_sheet(fields, 11, dpi, rng, harm=harm)

        assert texts(picture) == []
        assert pyzbar.decode(picture, symbols=SYMBOLS) == []
        assert read_id(picture, dpi) == 11
        for middle in ((36, 36), (A4[0] - 36, A4[1] - 36)):
            assert bears_mark(picture, middle, dpi)


def bears_mark(picture: Picture, middle: tuple[float, float], dpi: int) -> bool:
    column, row = pixels(middle[0], dpi), pixels(middle[1], dpi)
    right = picture[row, column : column + pixels(24, dpi)]
    edges = (np.flatnonzero(np.diff(right < 128)) + 1) * 25.4 / dpi
    return bool(right[0] < 128) and edges.tolist() == pytest.approx(list(drawn_sheets.MARK_EDGES_MM), abs=0.3)


@pytest.mark.parametrize("kind", ["SEAL", "PASSPORT"])
def test_a_sticker_says_that_its_page_is_kept(kind: str) -> None:
    page = paper(kind, 12, seeded(), 200)

    sticker = SheetFields("D", serial="D000001", document_kinds=(kind,))
    assert texts(stickered(page, sticker, 200)) == [("QR Code", sticker.text(sticker=True))]
    assert "/L:K/" in sticker.text(sticker=True)


def test_a_pdf_holds_the_encoded_pages_as_they_are() -> None:
    rng = seeded()
    encodings = (Scanning(), Scanning(encoding=Encoding.G4), Scanning(encoding=Encoding.DEFLATE))
    pages = [scan(paper("SEAL", place, rng, 100), 100, scanning, rng) for place, scanning in enumerate(encodings)]
    pages.append(scan(paper("PHOTO", 3, rng, 100, colour=True), 100, CLEAN, rng))

    with pikepdf.open(io.BytesIO(scans.pdf_of(pages, rotations=(0, 90, 0, 180)))) as pdf:
        images = [cast("pikepdf.Stream", next(iter(page.get_images().values()))) for page in pdf.pages]
        assert images[0].read_raw_bytes() == pages[0].data
        assert images[3].read_raw_bytes() == pages[3].data
        filters = [pikepdf.PdfImage(image).filters for image in images]
        assert filters == [["/DCTDecode"], ["/CCITTFaxDecode"], ["/FlateDecode"], ["/DCTDecode"]]
        assert [page.rotation for page in pdf.pages] == [0, 90, 0, 180]
        assert [float(side) for side in pdf.pages[0].mediabox[2:]] == pytest.approx([595, 842], abs=1)


@pytest.mark.parametrize("encoding", [Encoding.G4, Encoding.JPEG])
def test_a_tiff_holds_all_its_pages(encoding: Encoding) -> None:
    rng = seeded()
    pages = [scan(paper("SEAL", place, rng, 100), 100, Scanning(encoding=encoding), rng) for place in range(3)]

    with Image.open(io.BytesIO(scans.tiff_of(pages))) as tiff:
        ids = [read_id(np.asarray(frame.convert("L")), 100) for frame in ImageSequence.Iterator(tiff)]
    assert ids == [0, 1, 2]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phones_jpeg_is_righted_by_its_exif(orientation: int) -> None:
    page = paper("SEAL", 4, seeded(), 100)

    with Image.open(io.BytesIO(scans.jpeg_with_exif_rotation(page, 100, orientation))) as jpeg:
        stored = np.asarray(jpeg)
        righted = np.asarray(ImageOps.exif_transpose(jpeg))
    assert np.abs(righted.astype(int) - page).mean() < 3
    assert (orientation == 1) == (stored.shape == page.shape and bool(np.abs(stored.astype(int) - page).mean() < 3))


def test_vector_pages_carry_ids_and_no_images() -> None:
    with pikepdf.open(io.BytesIO(scans.vector_pdf([700, 701]))) as pdf:
        assert len(pdf.pages) == 2
        assert all(not page.get_images() for page in pdf.pages)


def test_files_that_went_wrong_are_wrong_in_the_way_they_say() -> None:
    rng = seeded()
    whole = scans.pdf_of([scan(paper("SEAL", 1, rng, 100), 100, CLEAN, rng)])

    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(scans.encrypted(whole)))
    with pikepdf.open(io.BytesIO(scans.pdf_without_pages())) as empty:
        assert len(empty.pages) == 0
    assert whole.endswith(b"%%EOF\n")
    assert b"%%EOF" not in scans.truncated(whole)
    with pikepdf.open(io.BytesIO(scans.joined([whole, whole]))) as double:
        assert len(double.pages) == 2


def test_a_slow_writer_pauses_between_pieces_and_closes_the_file_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "scan0001.pdf"
    sizes: list[int] = []
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        sizes.append(path.stat().st_size)

    scans.write_slowly(path, bytes(range(200)), wait, chunk=30, pause=4.0, reopen_every=2)

    assert sizes == [30, 60, 90, 120, 150, 180, 200]
    assert waits == [4.0] * 7
    assert path.read_bytes() == bytes(range(200))
