"""Scans made by other programs: a PostScript program draws the pages, Ghostscript prints them to whatever it can.

The sheet among them is drawn from the routing code's definition alone: one QR code, a line of text, no mark, no linear
code. Ghostscript must be installed.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import segno
import zxingcpp
from PIL import Image

from tests.support.typeset import WHITE, Picture, pixels

_MM = 72 / 25.4
_MODULE_MM = 0.9
_CODE_39 = {
    "*": "010010100", "A": "100001001", "C": "101001000", "H": "100001100", "P": "001010010", "T": "000010110",
}  # fmt: skip
"""Nine elements, bar and space in turn, 1 is wide (ISO/IEC 16388): no more letters than are needed."""


def postscript_page(words: str, qr_text: str | None = None, bars: Sequence[tuple[int, bool]] = ()) -> str:
    """Write a page of A4 with a line of words, and a QR code or bars (widths in modules, black or not) at the right."""
    lines = ["%%Page", "/Helvetica findfont 20 scalefont setfont", f"60 600 moveto ({words}) show"]
    lines += [f"60 {y} 420 1.2 rectfill" for y in range(120, 560, 24)]
    if qr_text is not None:
        matrix = list(segno.make_qr(qr_text, error="m").matrix_iter(border=0))
        module = _MODULE_MM * _MM
        left, top = 595 - 20 * _MM - len(matrix) * module, 842 - 20 * _MM
        lines += [
            f"{left + x * module:.3f} {top - (y + 1) * module:.3f} {module:.3f} {module:.3f} rectfill"
            for y, row in enumerate(matrix)
            for x, dark in enumerate(row)
            if dark
        ]
    x = 100.0
    for modules, black in bars:
        width = modules * 0.5 * _MM
        if black:
            lines.append(f"{x:.3f} 680 {width:.3f} 45 rectfill")
        x += width
    return "\n".join([*lines, "showpage", ""])


def code_39(text: str) -> list[tuple[int, bool]]:
    """Give the bars of a Code 39: wide is three modules, and a narrow space parts the letters."""
    bars: list[tuple[int, bool]] = []
    for letter in f"*{text}*":
        bars += [(3 if wide == "1" else 1, place % 2 == 0) for place, wide in enumerate(_CODE_39[letter])]
        bars.append((1, False))
    return bars


def printed(pages: Sequence[str], device: str, folder: Path, *, dpi: int = 200) -> list[Path]:
    """Have Ghostscript print pages of PostScript with one of its devices; one file, or one for each page.

    Devices: pdfwrite, tiffg4, tifflzw, tiff24nc (all pages in one file); png16m, pngmono, jpeg, jpeggray (one each).
    """
    each = device.startswith(("png", "jpeg"))
    name = f"{device}-%d.{device[:3]}" if each else f"{device}.{'pdf' if device == 'pdfwrite' else 'tif'}"
    program = "%!PS\n<< /PageSize [595 842] >> setpagedevice\n" + "".join(pages)
    command = ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", f"-sDEVICE={device}", f"-r{dpi}", f"-sOutputFile={name}"]
    subprocess.run([*command, "-"], input=program.encode("ascii"), cwd=folder, check=True)
    return sorted(folder.glob(name.replace("%d", "*")))


def drawn_code(text: str, kind: str, dpi: int, module_mm: float = 0.6) -> Picture:
    """Draw a code of another kind ("Code39", "Code128", "DataMatrix") with its quiet zone, grey."""
    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    small = np.asarray(made.to_image(scale=1, add_quiet_zones=True))
    if kind != "DataMatrix":
        small = np.repeat(small[small.shape[0] // 2][np.newaxis], round(12 / module_mm), axis=0)
    side = Image.fromarray(small)
    size = (pixels(module_mm * side.width, dpi), pixels(module_mm * side.height, dpi))
    return np.asarray(side.resize(size, Image.Resampling.NEAREST))


def photographed(page: Picture, orientation: int) -> bytes:
    """Photograph a page as a telephone does: on a table, a little askew, unevenly lit; EXIF says how it was held."""
    height, width = page.shape[:2]
    table = np.full((round(height * 1.12), round(width * 1.12), 3), (92, 74, 58), np.uint8)
    top, left = round(height * 0.06), round(width * 0.06)
    table[top : top + height, left : left + width] = page[:, :, np.newaxis] if page.ndim == 2 else page
    photo = Image.fromarray(table).rotate(1.5, Image.Resampling.BILINEAR, fillcolor=(92, 74, 58))
    light = np.linspace(1.0, 0.72, photo.width)[np.newaxis, :, np.newaxis]
    lit = Image.fromarray(np.clip(np.asarray(photo) * light, 0, WHITE).astype(np.uint8))
    # What the sensor saw: righted by the orientation it is upright again.
    held = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    if orientation in held:
        lit = lit.transpose(held[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F], exif[0x0110] = "Telephone", "T-1"
    buffer = io.BytesIO()
    lit.save(buffer, "JPEG", quality=82, exif=exif)
    return buffer.getvalue()
