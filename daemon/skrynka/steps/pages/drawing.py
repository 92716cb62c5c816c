"""Draw a page that isn't one image: pikepdf extracts it alone, and poppler, through pdf2image, only sees that.

pdftoppm's exit status proves nothing (a full disk and a giant page both end with 0), so what comes back is measured
against what was asked for.
"""

from __future__ import annotations

import math
import uuid
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
        images = _run_poppler(alone, dpi * box.unit, seconds)
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
                single_file=True,
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
    try:
        save_pdf(alone, path, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    except pikepdf.PdfError as error:
        raise NotDrawn("the page can't be extracted") from error
