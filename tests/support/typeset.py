"""Ukrainian text as pictures: Typst with its bundled fonts, so that no font of the machine is needed.

Typesetting a page takes a tenth of a second, and a test draws hundreds of pages, so pictures are kept on disk under
the temporary folder, by the hash of what they were drawn from.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import typst
from PIL import Image

Picture = npt.NDArray[np.uint8]
"""A page's pixels: (height, width) when grey, (height, width, 3) when RGB; 0 is black."""

A4 = (210.0, 297.0)
"""Width and height in millimetres."""
A5 = (148.0, 210.0)
"""Width and height in millimetres."""
WHITE = 255
_DRAWN_WITH = typst.__version__ if hasattr(typst, "__version__") else "0"


def pixels(millimetres: float, dpi: int) -> int:
    """Say how many pixels a length has."""
    return round(millimetres * dpi / 25.4)


@lru_cache(maxsize=48)
def typeset(source: str, dpi: int, size: tuple[float, float] = A4, *, colour: bool = False) -> Picture:
    """Draw one page of Typst markup of this size in millimetres. The picture is shared: copy before drawing on it."""
    markup = f"#set page(width: {size[0]}mm, height: {size[1]}mm, margin: 20mm)\n{source}"
    name = hashlib.sha256(f"{_DRAWN_WITH} {dpi} {colour} {markup}".encode()).hexdigest()
    kept = _folder() / f"{name}.npy"
    if not kept.exists():
        _keep(_draw(markup, dpi, colour=colour), kept)
    picture: Picture = np.load(kept)
    picture.setflags(write=False)
    return picture


def typeset_pdf(source: str, size: tuple[float, float] = A4) -> bytes:
    """Typeset as a PDF: pages of vectors and fonts, as an office program or a web service makes them."""
    markup = f"#set page(width: {size[0]}mm, height: {size[1]}mm, margin: 20mm)\n{source}"
    return bytes(typst.compile(markup.encode(), format="pdf", font_paths=_fonts()))


def grey(picture: Picture) -> Picture:
    """Take the colour out of a picture, by the luma weights of ITU-R BT.601 as scanners and JPEG do."""
    if picture.ndim == 2:
        return picture
    return np.asarray(Image.fromarray(picture).convert("L"))


def _draw(markup: str, dpi: int, *, colour: bool) -> Picture:
    png = typst.compile(markup.encode(), format="png", ppi=float(dpi), font_paths=_fonts())
    # A list means more than one page: the text is too long for the paper, and opening the list fails.
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened.convert("RGB" if colour else "L"))


def _keep(picture: Picture, path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as unfinished:
        np.save(unfinished, picture)
    # Processes of one test run draw the same papers at the same time: each finds a whole file or none.
    Path(unfinished.name).replace(path)


@cache
def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"skrynka-drawn-papers-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)
