"""Opening PDFs as scans, as most tests of pages do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from skrynka.core.errors import ScanRejected
from skrynka.core.formats import FileType
from skrynka.steps.pages import Limits, OpenPage, open_scan
from tests.support.pdf_pages import (
    Pixels,
    add_image_page,
    jpeg,
    jpeg_image,
)

LIMITS = Limits(scan_bytes=50_000_000)
ImageMaker = Callable[[pikepdf.Pdf], pikepdf.Object]


def the_page(path: Path, work: Path, max_dpi: int = 60, limits: Limits = LIMITS) -> tuple[OpenPage, Pixels]:
    """Give the only page of a scan, and its pixels."""
    with open_scan(path, FileType.PDF, work, limits) as scan:
        assert scan.count == 1
        page = scan.page(1)
        return page, page.pixels(max_dpi)


def rejected(path: Path, work: Path, limits: Limits = LIMITS) -> ScanRejected:
    """Read all pages of a scan, which must not work."""
    with pytest.raises(ScanRejected) as caught:
        read_all(path, work, limits)
    return caught.value


def read_all(path: Path, work: Path, limits: Limits = LIMITS) -> list[Pixels]:
    """Give the pixels of every page at 60 dpi."""
    with open_scan(path, FileType.PDF, work, limits) as scan:
        return [scan.page(number).pixels(60) for number in range(1, scan.count + 1)]


def saved(path: Path, make: ImageMaker, content: str | None = None, **keys: object) -> Path:
    """Save a PDF of one page with the image that `make` makes."""
    with pikepdf.new() as pdf:
        add_image_page(pdf, make(pdf), content, **keys)
        pdf.save(path)
    return path


def grey_jpeg(pdf: pikepdf.Pdf) -> pikepdf.Object:
    """Make an image object of the picture of number 1, a grey JPEG."""
    return jpeg_image(pdf, jpeg(1))
