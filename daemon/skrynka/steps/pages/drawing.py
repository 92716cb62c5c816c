"""Draw a page that isn't one image: pikepdf extracts it alone, and poppler, through pdf2image, only sees that.

pdftoppm's exit status proves nothing (a full disk and a giant page both end with 0), so what comes back is measured
against what was asked for.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pdf2image
import pdf2image.exceptions
import pikepdf
from PIL import Image

from skrynka.core.errors import EnvironmentUnfit
from skrynka.saving import save_pdf
from skrynka.steps.pages.colours import Grey
from skrynka.steps.pages.page_box import POINTS_PER_INCH, PageBox
from skrynka.steps.pages.wholeness import PageDamaged, require_nothing_lost, require_whole

_DARKEST_OF_NOTHING = 200
"""Of 255: a picture without a darker pixel shows nothing."""
_SIDE_PT = 72.0
"""Of the page that an image is drawn on by itself; how it is drawn matters to nobody."""
_COARSE_DPI = 20


class NotDrawn(Exception):
    """Poppler gave no picture of the page, or not the one that was asked for; the text is ours."""


def draw(
    pdf: pikepdf.Pdf, page: pikepdf.Page, box: PageBox, dpi: float, work: Path, *, seconds: float, most_pixels: int
) -> Grey:
    """Draw the shown box of a page at `dpi`, as displayed: (height, width), 0 black, 255 white.

    One extracted page of `pdf` lies in the folder `work` meanwhile. `seconds` limits each run of a poppler tool. Raises
    NotDrawn, ImageTooLarge for an image of more than `most_pixels`, PageDamaged and ImageDamaged where poppler would
    leave something out, and EnvironmentUnfit when there is no poppler. The caller has limited the picture's pixels.
    """
    left_to_poppler = require_whole(page, most_pixels)
    alone = work / f"{uuid.uuid4()}.pdf"
    try:
        _extract(page, box, alone)
        require_nothing_lost(pdf)
        images = _drawn(alone, dpi * box.unit, seconds, left_to_poppler)
        width = math.ceil(box.width_pt * dpi / POINTS_PER_INCH)
        height = math.ceil(box.height_pt * dpi / POINTS_PER_INCH)
        if len(images) != 1 or max(abs(images[0].width - width), abs(images[0].height - height)) > 1:
            raise NotDrawn("pdftoppm gave another size")
        grey = np.asarray(images[0].convert("L"))
        if left_to_poppler and int(grey.min()) > _DARKEST_OF_NOTHING:
            _run_poppler(alone, min(dpi, _COARSE_DPI) * box.unit, seconds, strict=True)
    except OSError as error:
        if error.errno is not None:
            raise  # the disk's failure, not the page's
        raise NotDrawn("pdftoppm's picture ends too early") from error
    finally:
        alone.unlink(missing_ok=True)
    return grey


def _drawn(
    alone: Path, resolution: float, seconds: float, left_to_poppler: Sequence[pikepdf.Object]
) -> list[Image.Image]:
    """Have a page drawn. Raises PageDamaged where a JBIG2 or JPEG 2000 on it can't be decoded, whatever else it shows.

    Of other images poppler complains though it draws them well.
    """
    images = [image for image in left_to_poppler if image.get("/Filter") in ("/JBIG2Decode", "/JPXDecode")]
    if images:
        with suppress(PageDamaged):
            return _run_poppler(alone, resolution, seconds, strict=True)
        # It may be something else that poppler finds wrong, and that means little.
        apart = alone.with_suffix(".images.pdf")
        try:
            _extract_images(images, apart)
            _run_poppler(apart, _COARSE_DPI, seconds, strict=True)
        finally:
            apart.unlink(missing_ok=True)
    return _run_poppler(alone, resolution, seconds)


def _run_poppler(
    alone: Path,
    resolution: Any,  # noqa: ANN401 -- see below
    seconds: Any,  # noqa: ANN401 -- the same
    *,
    strict: bool = False,
) -> list[Image.Image]:
    """Have the page drawn; `strict`: raise PageDamaged if poppler finds anything wrong with it.

    Elsewhere its complaints mean little: a font that isn't embedded is one.
    """
    # pdf2image's annotations say int for both, but it passes on any number, and a /UserUnit may be a fraction.
    try:
        # pdf2image asks pdfinfo too, without a limit. Asked here first: what hangs, hangs now, under ours.
        pdf2image.pdfinfo_from_path(str(alone), timeout=seconds)
        return list(
            pdf2image.convert_from_path(
                alone,
                dpi=resolution,
                grayscale=True,
                use_cropbox=True,
                timeout=seconds,
                strict=strict,
            )
        )
    except pdf2image.exceptions.PDFInfoNotInstalledError as error:
        raise EnvironmentUnfit("poppler's tools aren't installed.", "apt install poppler-utils") from error
    except pdf2image.exceptions.PDFPopplerTimeoutError as error:
        raise NotDrawn("poppler took too long") from error
    except pdf2image.exceptions.PDFSyntaxError as error:
        raise PageDamaged("an image on it can't be decoded") from error
    except (pdf2image.exceptions.PDFPageCountError, ValueError) as error:
        raise NotDrawn("poppler refused the page") from error


def _extract_images(images: Sequence[pikepdf.Object], path: Path) -> None:
    """Write a page for each image, with nothing else on it."""
    alone = pikepdf.new()
    for image in images:
        page = alone.add_blank_page(page_size=(_SIDE_PT, _SIDE_PT))
        page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Image=alone.copy_foreign(image)))
        page.obj.Contents = alone.make_stream(b"q %d 0 0 %d 0 0 cm /Image Do Q" % (_SIDE_PT, _SIDE_PT))
    _save(alone, path)


def _extract(page: pikepdf.Page, box: PageBox, path: Path) -> None:
    """Write the page alone, its boxes reduced to what is shown; poppler heeds no /UserUnit, so it goes into the dpi."""
    alone = pikepdf.new()
    alone.pages.append(page)
    copy = alone.pages[0].obj
    for key in ("/CropBox", "/BleedBox", "/TrimBox", "/ArtBox", "/UserUnit"):
        if key in copy:
            del copy[key]
    copy["/MediaBox"] = pikepdf.Array([box.left, box.bottom, box.right, box.top])
    copy["/Rotate"] = box.rotation
    _save(alone, path)


def _save(pdf: pikepdf.Pdf, path: Path) -> None:
    try:
        save_pdf(pdf, path, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    except pikepdf.PdfError as error:
        raise NotDrawn("the page can't be extracted") from error
