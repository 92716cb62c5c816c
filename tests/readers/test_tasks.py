from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from skrynka.core.formats import FileType
from skrynka.core.model import Symbology
from skrynka.readers.looking import look
from skrynka.steps import barcodes
from skrynka.steps.pages import open_scan
from tests.support.pdf_pages import encoded, jpeg_image, picture
from tests.support.pdf_scans import LIMITS, saved

A4_INCHES = 595 / 72, 842 / 72


def image_of(across: int, down: int) -> Callable[[pikepdf.Pdf], pikepdf.Object]:
    """Give what makes an image of so many dots per inch, on the whole of a page."""
    size = round(A4_INCHES[0] * across), round(A4_INCHES[1] * down)
    return lambda pdf: jpeg_image(pdf, encoded(picture(1, *size), "JPEG"), Width=size[0], Height=size[1])


@pytest.mark.parametrize(
    ("across", "down", "finer"),
    [
        (75, 75, False), (100, 100, False), (150, 150, False),
        (160, 160, True), (204, 98, True), (98, 204, True), (204, 196, True), (300, 300, True), (600, 600, True),
    ],
)  # fmt: skip
def test_a_page_is_looked_at_once_more_where_it_has_finer_pixels_and_only_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, across: int, down: int, *, finer: bool
) -> None:
    """A fax has them along one side only."""
    asked: dict[str, Any] = {}
    read_codes = barcodes.read_codes

    def note(*words: Any, **named: Any) -> object:  # noqa: ANN401 - handed on
        asked.update(named, first=words[0].shape)
        return read_codes(*words, **named)

    monkeypatch.setattr(barcodes, "read_codes", note)
    with open_scan(saved(tmp_path / "scan.pdf", image_of(across, down)), FileType.PDF, tmp_path, LIMITS) as scan:
        look(scan.page(1), frozenset({Symbology.QR, Symbology.CODE_128}), frozenset({"PATCHT"}), foreign_text=False)
        assert (asked["full"] is not None) is finer
        if finer:
            assert asked["full"]().size > asked["first"][0] * asked["first"][1]
