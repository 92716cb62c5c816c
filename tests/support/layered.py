"""Pages of paper and ink apart, as scanners with "high compression" save them: coarse JPEG below, sharp mask above."""

from __future__ import annotations

import io

import numpy as np
import pikepdf
from pikepdf import Array, Dictionary, Name
from PIL import Image, ImageFilter

from tests.support.pdf_pages import group_4, image_object
from tests.support.scanner import Scanning, encode
from tests.support.typeset import Picture, grey

_COARSE_DPI = 75
_INK_LEVEL = 150
"""Darker is ink."""


def layered_pdf(picture: Picture, dpi: int) -> bytes:
    """Make a PDF of one page: its light parts coarsely in grey or colour, its ink as a Group 4 mask at `dpi`."""
    height, width = picture.shape[:2]
    size = [round(side / dpi * 72, 2) for side in (width, height)]
    ink = grey(picture) <= _INK_LEVEL
    # What the mask covers is filled with what is light around it, or the JPEG would keep the letters too.
    paper = Image.fromarray(picture).reduce(max(1, dpi // _COARSE_DPI)).filter(ImageFilter.MaxFilter(7))
    below = encode(np.asarray(paper), _COARSE_DPI, Scanning(quality=40))
    with pikepdf.new() as pdf:
        space = Name.DeviceRGB if picture.ndim == 3 else Name.DeviceGray
        mask = group_4(Image.fromarray(np.where(ink, 0, 255).astype(np.uint8)).convert("1"))
        fax = Dictionary(K=-1, Columns=width, Rows=height)
        images = Dictionary(
            Below=image_object(pdf, below.data, (below.width, below.height), space, 8, Filter=Name.DCTDecode),
            Ink=image_object(
                pdf, mask, (width, height), None, 1, ImageMask=True, Filter=Name.CCITTFaxDecode, DecodeParms=fax
            ),
        )
        place = f"q {size[0]} 0 0 {size[1]} 0 0 cm".encode()
        page = Dictionary(
            Type=Name.Page,
            MediaBox=Array([0, 0, *size]),
            Resources=Dictionary(XObject=images),
            Contents=pdf.make_stream(place + b" /Below Do Q 0.1 g " + place + b" /Ink Do Q"),
        )
        pdf.pages.append(pikepdf.Page(pdf.make_indirect(page)))
        buffer = io.BytesIO()
        pdf.save(buffer, deterministic_id=True)
        return buffer.getvalue()
