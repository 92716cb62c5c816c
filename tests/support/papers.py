"""The papers that people leave in a drop box, drawn as clean pictures: what a scanner makes of them comes after."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import segno
from PIL import Image

from tests.support import ink, paper_texts
from tests.support.meter_photos import meter_photo
from tests.support.page_ids import draw_id
from tests.support.people import PEOPLE, Person
from tests.support.typeset import A4, A5, WHITE, Picture, grey, pixels, typeset

_LABORATORY_STAMP = ("ПОВІРОЧНА ЛАБОРАТОРІЯ «МІРИЛО» • УКРАЇНА • М. КИЇВ • ", "ТОВ\\ «МІРИЛО»\\ 00000000")
_DISTRICT_STAMP = ("КОМУНАЛЬНЕ ПІДПРИЄМСТВО • ДІЛЬНИЦЯ № 4 • М. КИЇВ • ", "ДЛЯ\\ АКТІВ\\ № 4")

_TEXTS: dict[str, Callable[[Person], str]] = {
    "CERT": paper_texts.certificate,
    "PROTOCOL": paper_texts.protocol,
    "WORKS": paper_texts.works_act,
    "DISMANTLE": paper_texts.dismantling_act,
    "INSTALL": paper_texts.dismantling_act,
    "SEAL": paper_texts.sealing_act,
    "UNSEAL": paper_texts.sealing_act,
    "PASSPORT": paper_texts.passport,
    "APPLICATION": paper_texts.application,
    "UNFIT": paper_texts.unfitness_notice,
    "BILL": paper_texts.bill,
}
KINDS = (*_TEXTS, "PHOTO")
"""The document kinds that can be drawn."""
_A5_KINDS = frozenset({"CERT", "PASSPORT"})

# Where a hand signs and a stamp falls, in millimetres from the paper's left and upper edges.
_SIGNED: dict[str, tuple[tuple[float, float], ...]] = {
    "CERT": ((66, 156), (66, 167)),
    "PROTOCOL": ((50, 192),),
    "WORKS": ((24, 172), (114, 172)),
    "DISMANTLE": ((60, 155), (52, 171)),
    "INSTALL": ((60, 155), (52, 171)),
    "SEAL": ((112, 116), (112, 132)),
    "UNSEAL": ((112, 116), (112, 132)),
    "UNFIT": ((74, 104),),
    "PASSPORT": ((108, 121), (98, 141)),
    "APPLICATION": ((120, 204),),
}
_STAMPED: dict[str, tuple[float, float]] = {
    "CERT": (24, 152),
    "PROTOCOL": (150, 180),
    "WORKS": (46, 168),
    "DISMANTLE": (112, 158),
    "INSTALL": (112, 158),
    "SEAL": (40, 128),
    "UNSEAL": (40, 128),
    "UNFIT": (142, 96),
}
_LABORATORYS_OWN = frozenset({"CERT", "PROTOCOL", "UNFIT", "WORKS"})


def anybody(rng: np.random.Generator) -> Person:
    """Pick one of the invented people."""
    return PEOPLE[int(rng.integers(len(PEOPLE)))]


def paper_size(kind: str) -> tuple[float, float]:
    """Give a paper's width and height in millimetres."""
    return A5 if kind in _A5_KINDS else A4


def paper(
    kind: str,
    page_id: int,
    rng: np.random.Generator,
    dpi: int,
    *,
    page: int = 1,
    person: Person | None = None,
    colour: bool = False,
) -> Picture:
    """Draw one page of a paper of this document kind, with its id; `page` is 1-based within the paper.

    `person` is whose paper it is; without one, somebody's.
    """
    person = person or anybody(rng)
    if kind == "PHOTO":
        picture = _photo_page(rng, dpi, colour=colour)
    elif page > 1:
        picture = typeset(paper_texts.continuation(person, page), dpi, paper_size(kind), colour=colour).copy()
    else:
        picture = typeset(_TEXTS[kind](person), dpi, paper_size(kind), colour=colour).copy()
        _by_hand(picture, kind, person, rng, dpi)
    draw_id(picture, page_id, dpi)
    return picture


def foreign_qr(text: str, dpi: int, module_mm: float = 0.9) -> Picture:
    """Draw somebody else's QR code (a link, a payment order), grey, with its quiet zone."""
    matrix = np.array([list(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)], dtype=np.uint8)
    side = pixels(module_mm * len(matrix), dpi)
    drawn = Image.fromarray(np.where(matrix > 0, 0, WHITE).astype(np.uint8))
    return np.asarray(drawn.resize((side, side), Image.Resampling.NEAREST))


def paste(picture: Picture, drawn: Picture, left_mm: float, top_mm: float, dpi: int) -> None:
    """Put an opaque drawing on a page, in place."""
    top, left = pixels(top_mm, dpi), pixels(left_mm, dpi)
    place = picture[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    drawn = drawn[: place.shape[0], : place.shape[1]]
    if picture.ndim == 2:
        place[...] = grey(drawn)
    else:
        place[...] = drawn if drawn.ndim == 3 else drawn[:, :, np.newaxis]


def blank_paper(dpi: int, size: tuple[float, float] = A4, *, colour: bool = False) -> Picture:
    """Give a clean sheet of paper; it carries no id, since then it would not be blank."""
    shape = (pixels(size[1], dpi), pixels(size[0], dpi), *((3,) if colour else ()))
    return np.full(shape, WHITE, np.uint8)


def _by_hand(picture: Picture, kind: str, person: Person, rng: np.random.Generator, dpi: int) -> None:
    for left_mm, top_mm in _SIGNED.get(kind, ()):
        pen = ink.PEN_BLUE if rng.random() < 0.75 else ink.PEN_BLACK
        ink.lay(picture, ink.signature(rng, dpi), pen, *_about(top_mm, left_mm, rng, dpi))
    if kind in _STAMPED:
        imprint = ink.stamp(rng, dpi, *(_LABORATORY_STAMP if kind in _LABORATORYS_OWN else _DISTRICT_STAMP))
        left_mm, top_mm = _STAMPED[kind]
        ink.lay(picture, imprint, ink.STAMP_BLUE, *_about(top_mm, left_mm, rng, dpi))
    if kind == "APPLICATION":
        who, what = paper_texts.application_by_hand(person)
        ink.lay(picture, ink.handwriting(rng, dpi, who, (95, 34), 15), ink.PEN_BLUE, pixels(38, dpi), pixels(102, dpi))
        ink.lay(
            picture, ink.handwriting(rng, dpi, what, (175, 110), 18), ink.PEN_BLUE, pixels(92, dpi), pixels(20, dpi)
        )
    if kind == "BILL":
        code = foreign_qr(f"https://bank.gov.ua/qr/QkNEMDAyMQ{person.account}", dpi)
        paste(picture, code, 152, 16, dpi)


def _about(top_mm: float, left_mm: float, rng: np.random.Generator, dpi: int) -> tuple[int, int]:
    down, right = rng.uniform(-3, 3, 2)
    return pixels(top_mm + down, dpi), pixels(left_mm + right, dpi)


def _photo_page(rng: np.random.Generator, dpi: int, *, colour: bool) -> Picture:
    picture = blank_paper(dpi, colour=colour)
    whole = rng.random() < 0.3
    size_mm = (190.0, 250.0) if whole else (150.0, 112.0)
    scale = min(1.0, 110 / dpi)  # a phone's picture printed at home isn't sharper than that
    width, height = (round(pixels(side, dpi) * scale) for side in size_mm)
    photo = Image.fromarray(meter_photo(rng, width, height))
    printed = photo.resize((pixels(size_mm[0], dpi), pixels(size_mm[1], dpi)), Image.Resampling.BILINEAR)
    paste(picture, np.asarray(printed), 10 if whole else 30, 12 if whole else 40, dpi)
    return picture
