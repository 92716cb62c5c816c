"""Which drawn pages lie in a stored PDF: the pictures are taken out of it and their ids read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import cast

import numpy as np
import pikepdf
from pdf2image import convert_from_bytes
from PIL import Image

from tests.support.page_ids import read_id
from tests.support.typeset import Picture

_DRAWN_AT_DPI = 150


def ids_in_pdf(source: Path | bytes) -> list[int | None]:
    """Give the drawn id of each page of a PDF, in order; None for a page that bears none."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return [_id_of(page, data, number) for number, page in enumerate(pdf.pages, start=1)]


def _id_of(page: pikepdf.Page, data: bytes, number: int) -> int | None:
    images = list(page.get_images().values())
    # Masks, the ink above a picture, aren't among the images.
    if len(images) != 1 or len(page.resources.get("/XObject", {})) != 1:
        drawn = convert_from_bytes(data, dpi=_DRAWN_AT_DPI, first_page=number, last_page=number, grayscale=True)
        return read_id(np.asarray(drawn[0].convert("L")), _DRAWN_AT_DPI)
    picture = _picture(cast("pikepdf.Stream", images[0]))
    left, bottom, right, top = (float(side) for side in page.mediabox)
    # The longer side fits the longer side, however the page is turned.
    return read_id(picture, max(picture.shape) * 72 / max(right - left, top - bottom))


def _picture(stream: pikepdf.Stream) -> Picture:
    image = pikepdf.PdfImage(stream)
    if image.filters == ["/DCTDecode"]:
        with Image.open(io.BytesIO(stream.read_raw_bytes())) as opened:
            opened.draft("L", (opened.width // 2, opened.height // 2))  # half the pixels are enough, and come faster
            return np.asarray(opened.convert("L"))
    return np.asarray(image.as_pil_image().convert("L"))
