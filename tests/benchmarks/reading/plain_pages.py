"""Pages that are no sheets, as many kinds as come out of drop boxes and copiers: none of them may be taken for one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw

from skrynka.core.model import RoutingCode
from tests.benchmarks.reading import sheets
from tests.benchmarks.reading.leaf import DPI, clouds
from tests.support import ink, papers, patterns
from tests.support.other_tools import drawn_code
from tests.support.scanner import show_through
from tests.support.typeset import A4, WHITE, Picture, pixels

_MM = DPI / 25.4
_FREE = 150.0
"""Width in millimetres of what is drawn between a page's margins."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A page without a sheet."""

    picture: Picture
    texts: frozenset[str] | None = frozenset()
    """What codes on it say; None: nobody knows."""
    back_of: RoutingCode | None = None
    """The sheet whose back it is."""


Draw = Callable[[np.random.Generator], Plain]


def kinds() -> dict[str, Draw]:
    """Give what can be drawn, by name."""
    drawn: dict[str, Draw] = {kind.lower(): partial(_paper, kind) for kind in papers.KINDS}
    drawn |= {
        draw.__name__.replace("_", " "): partial(_pattern, draw)
        for draw in patterns.PATTERNS
        if draw is not patterns.large_barcode
    }
    own: tuple[Draw, ...] = (
        second_page, large_barcode, label, table, zebra, squares, staves, bar_chart, hatching, logo, columns, envelope,
        notebook, dirt, seals, dials, rings, discs, back,
    )  # fmt: skip
    return drawn | {draw.__name__.replace("_", " "): draw for draw in own}


def second_page(rng: np.random.Generator) -> Plain:
    """Draw a later page of a paper."""
    return Plain(papers.paper("WORKS", int(rng.integers(2**20)), rng, DPI, page=2))


def large_barcode(rng: np.random.Generator) -> Plain:
    """Draw a Code 128 as large as the page."""
    return Plain(patterns.large_barcode(rng, DPI), texts=None)


def label(rng: np.random.Generator) -> Plain:
    """Draw a parcel's label: codes of several kinds, thick rules, all of it large."""
    picture = papers.blank_paper(DPI)
    texts = [f"{int(rng.integers(10**11)):012d}", f"HTTPS://PARCEL.EXAMPLE/{int(rng.integers(10**6))}", "UA-0450"]
    module = float(rng.uniform(0.4, 0.9))
    papers.paste(picture, drawn_code(texts[0], "Code128", DPI, module), 15, float(rng.uniform(20, 60)), DPI)
    papers.paste(picture, papers.foreign_qr(texts[1], DPI, module * 1.4), 20, 90, DPI)
    papers.paste(picture, drawn_code(texts[2], "Code39", DPI, 0.5), 25, 170, DPI)
    page = Image.fromarray(picture)
    draw = ImageDraw.Draw(page)
    for y in np.cumsum(rng.uniform(12, 40, 6)) + 20:
        draw.line([(10 * _MM, y * _MM), (200 * _MM, y * _MM)], fill=0, width=round(float(rng.uniform(0.5, 3)) * _MM))
    return Plain(np.asarray(page), texts=None)


def table(rng: np.random.Generator) -> Plain:
    """Draw a table with black heads and rules of several widths."""
    page, draw = _blank()
    y, x = 20.0, [15.0, *sorted(rng.uniform(30, 190, 5)), 195.0]
    while y < 270:
        height = float(rng.choice([2, 4, 6, 8, 10]))
        if rng.random() < 0.25:
            draw.rectangle(_box(15, y, 195, y + height * float(rng.uniform(0.3, 1))), fill=int(rng.integers(0, 90)))
        draw.line(_box(15, y, 195, y), fill=0, width=round(float(rng.choice([0.3, 0.6, 1.2, 2, 4])) * _MM))
        y += height
    for at in x:
        draw.line(_box(at, 20, at, y), fill=0, width=round(float(rng.choice([0.3, 0.6, 1.2, 2])) * _MM))
    return Plain(np.asarray(page))


def zebra(rng: np.random.Generator) -> Plain:
    """Draw a list whose every second line is grey or black, all of one height."""
    page, draw = _blank()
    height, tone = float(rng.uniform(2, 9)), int(rng.integers(0, 220))
    for line in range(int(250 / height / 2)):
        y = 20 + 2 * line * height
        draw.rectangle(_box(15, y, 15 + _FREE * float(rng.uniform(0.9, 1.15)), y + height), fill=tone)
    return Plain(np.asarray(page))


def squares(rng: np.random.Generator) -> Plain:
    """Draw a crossword, a chessboard, or bits that look like a code and are none."""
    page, draw = _blank()
    side, share = float(rng.uniform(0.8, 12)), float(rng.uniform(0.2, 0.6))
    filled = rng.random((int(_FREE / side), int(_FREE / side))) < share
    if rng.random() < 0.3:
        filled = np.indices(filled.shape).sum(axis=0) % 2 == 0
    for row, column in np.argwhere(filled):
        draw.rectangle(
            _box(25 + column * side, 30 + row * side, 25 + (column + 1) * side, 30 + (row + 1) * side), fill=0
        )
    return Plain(np.asarray(page))


def staves(rng: np.random.Generator) -> Plain:
    """Draw sheet music: five lines, again and again, with bars and notes."""
    page, draw = _blank()
    gap = float(rng.uniform(1.5, 4))
    for y in np.arange(20, 260, gap * 9):
        for line in range(5):
            draw.line(_box(15, y + line * gap, 195, y + line * gap), fill=0, width=round(float(rng.uniform(2, 9))))
        for x in rng.uniform(15, 195, 20):
            at = y + float(rng.uniform(0, 4)) * gap
            draw.ellipse(_box(x, at, x + gap * 1.3, at + gap), fill=0)
            draw.line(_box(x + gap * 1.3, at, x + gap * 1.3, at - 3 * gap), fill=0, width=6)
    return Plain(np.asarray(page))


def bar_chart(rng: np.random.Generator) -> Plain:
    """Draw columns of a chart: thick black bars side by side, of a few widths."""
    page, draw = _blank()
    x, wide = 20.0, float(rng.choice([2, 3, 4, 6]))
    lying = rng.random() < 0.5
    while x < 180:
        width, length = wide * float(rng.choice([1, 1, 2, 0.5])), float(rng.uniform(30, 160))
        tone = int(rng.integers(0, 120))
        draw.rectangle(
            _box(20, x, 20 + length, x + width) if lying else _box(x, 240 - length, x + width, 240), fill=tone
        )
        x += width + wide * float(rng.choice([0.5, 1, 1, 2]))
    return Plain(np.asarray(page))


def hatching(rng: np.random.Generator) -> Plain:
    """Draw a plan: walls as double lines, areas hatched at several angles."""
    page, draw = _blank()
    for _ in range(int(rng.integers(3, 9))):
        left, top = rng.uniform(10, 120), rng.uniform(10, 200)
        width, height, step = rng.uniform(30, 80), rng.uniform(30, 80), rng.uniform(1.2, 6)
        pen = max(1, round(float(step * rng.uniform(0.1, 0.6)) * _MM))
        lean = float(rng.uniform(-1, 1)) * height
        for x in np.arange(left, left + width, step):
            draw.line(_box(x, top, x + lean, top + height), fill=0, width=pen)
        draw.rectangle(_box(left, top, left + width, top + height), outline=0, width=pen)
    return Plain(np.asarray(page))


def logo(rng: np.random.Generator) -> Plain:
    """Draw a letterhead with three to six parallel bars, as companies have them."""
    page, draw = _blank()
    y, unit = 15.0, float(rng.uniform(1, 3.5))
    for _ in range(int(rng.integers(3, 7))):
        height = unit * float(rng.choice([1, 1, 1.5, 2, 3]))
        draw.rectangle(_box(15, y, 15 + float(rng.uniform(0.8, 1.0)) * 180, y + height), fill=0)
        y += height + unit * float(rng.choice([0.5, 1.5, 2, 3]))
    return Plain(np.asarray(page))


def columns(rng: np.random.Generator) -> Plain:
    """Draw a newspaper: columns of lines of print, black headlines, a grey picture."""
    page, draw = _blank()
    for x in (12, 58, 104, 150):
        for y in np.arange(15, 280, 3.4):
            if rng.random() < 0.06:
                draw.rectangle(_box(x, y, x + 44, y + float(rng.uniform(2, 6))), fill=0)
            else:
                for word in np.cumsum(rng.uniform(2, 9, 7)):
                    if word < 42:
                        draw.rectangle(_box(x + word - 1.5, y, x + word + 1, y + 1.6), fill=40)
    picture = np.array(page)
    grey = clouds(rng, (pixels(70, DPI), pixels(90, DPI)), 60) * 255
    papers.paste(picture, grey.astype(np.uint8), 58, float(rng.uniform(30, 180)), DPI)
    return Plain(picture)


def envelope(rng: np.random.Generator) -> Plain:
    """Draw an envelope: slanting stripes along its edges, postal bars, an address by hand."""
    page, draw = _blank()
    width = float(rng.uniform(4, 9))
    for x in np.arange(-10, 220, 2 * width):
        for y in (0, 140):
            draw.polygon([(v[0] * _MM, v[1] * _MM) for v in
                          ((x, y), (x + width, y), (x + width - 5, y + 9), (x - 5, y + 9))], fill=60)  # fmt: skip
    for place, tall in enumerate(rng.random(40) < 0.5):
        draw.line(_box(90 + place * 2.2, 128, 90 + place * 2.2, 134 if tall else 131), fill=0, width=8)
    picture = np.array(page)
    picture[pixels(150, DPI) :] = int(rng.choice([30, 245]))
    written = ink.handwriting(rng, DPI, "м. Київ, вул. Прирічна, 27-А", (110, 30), 18)
    ink.lay(picture, written, ink.PEN_BLUE, pixels(80, DPI), pixels(80, DPI))
    return Plain(picture)


def notebook(rng: np.random.Generator) -> Plain:
    """Draw a page of squared or ruled paper, written on."""
    page, draw = _blank()
    step, tone = float(rng.choice([5, 8, 10])), int(rng.integers(60, 200))
    for at in np.arange(5, 297, step):
        draw.line(_box(0, at, 210, at), fill=tone, width=4)
        if step < 8:
            draw.line(_box(at, 0, at, 297), fill=tone, width=4)
    picture = np.array(page)
    words = "Прошу прийняти показники\nлічильника води за лютий,\nдодаю фото і довідку"
    ink.lay(picture, ink.handwriting(rng, DPI, words, (180, 60), 22), ink.PEN_BLUE, pixels(40, DPI), pixels(15, DPI))
    return Plain(picture)


def dirt(rng: np.random.Generator) -> Plain:
    """Draw nothing but spills, holes and shadows."""
    picture = papers.blank_paper(DPI)
    for _ in range(int(rng.integers(1, 8))):
        size = float(rng.uniform(3, 60))
        cover = ink.stain(rng, DPI, (size, size), float(rng.uniform(0.2, 1.2)))
        top, left = int(rng.integers(picture.shape[0])), int(rng.integers(picture.shape[1]))
        ink.lay(picture, cover, ink.PEN_BLACK, top, left)
    return Plain(picture)


def seals(rng: np.random.Generator) -> Plain:
    """Draw a certificate with round seals: rings one in the other, with a text between them, as offices have them."""
    picture = papers.paper("CERT", int(rng.integers(2**20)), rng, DPI, person=papers.anybody(rng))
    page = Image.fromarray(picture)
    draw = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(1, 4))):
        radius, tone = float(rng.uniform(14, 24)), int(rng.integers(0, 150))
        x, y = _somewhere(rng)
        for share in (1, 0.93, 0.62, 0.57):
            _circle(draw, (x, y), radius * share, outline=tone, width=round(float(rng.uniform(0.3, 1.4)) * _MM))
        for turn in np.arange(0, 2 * np.pi, 0.16):
            at = x + 0.78 * radius * np.cos(turn), y + 0.78 * radius * np.sin(turn)
            _circle(draw, at, float(rng.uniform(0.6, 1.6)), fill=tone)
        if rng.random() < 0.5:
            _circle(draw, (x, y), radius * 0.35, fill=tone)
    return Plain(np.asarray(page))


def dials(rng: np.random.Generator) -> Plain:
    """Draw photographs of water meters: a dark ring around a pale dial with a scale, and small dials on it."""
    page, draw = _blank()
    for row in range(int(rng.integers(1, 4))):
        radius = float(rng.uniform(14, 45))
        x, y = float(rng.uniform(40, 170)), 50 + row * 85 + float(rng.uniform(-10, 10))
        table, rim, dial = (int(rng.integers(*tones)) for tones in ((40, 200), (0, 120), (150, 250)))
        draw.rectangle(_box(x - 1.4 * radius, y - 1.4 * radius, x + 1.4 * radius, y + 1.4 * radius), fill=table)
        _circle(draw, (x, y), radius, fill=rim)
        _circle(draw, (x, y), radius * float(rng.uniform(0.55, 0.9)), fill=dial)
        for turn in np.arange(0, 2 * np.pi, 2 * np.pi / 40):
            ends = [(x + share * radius * np.cos(turn), y + share * radius * np.sin(turn)) for share in (0.45, 0.55)]
            draw.line([(a * _MM, b * _MM) for a, b in ends], fill=rim, width=6)
        for turn in rng.uniform(0, 2 * np.pi, 4):
            at = x + 0.3 * radius * np.cos(turn), y + 0.3 * radius * np.sin(turn)
            _circle(draw, at, radius * 0.12, outline=rim, width=10)
        _circle(draw, (x, y), radius * float(rng.uniform(0.02, 0.2)), fill=rim)
    return Plain(np.asarray(page))


def rings(rng: np.random.Generator) -> Plain:
    """Draw targets, records, ripples, some over print: rings one in the other, of widths that aren't our mark's."""
    page, draw = _blank()
    if rng.random() < 0.5:
        page = Image.fromarray(papers.paper("PROTOCOL", int(rng.integers(2**20)), rng, DPI))
        draw = ImageDraw.Draw(page)
    for _ in range(int(rng.integers(1, 5))):
        at, tone = _somewhere(rng), int(rng.integers(0, 120))
        edges = np.cumsum(rng.uniform(1, 8, int(rng.integers(3, 9))))
        if rng.random() < 0.5:
            edges = float(rng.uniform(2, 8)) * np.arange(1, int(rng.integers(3, 7)))
        for place, radius in enumerate(edges[::-1]):
            _circle(draw, at, float(radius), fill=WHITE if place % 2 else tone)
    return Plain(np.asarray(page))


def discs(rng: np.random.Generator) -> Plain:
    """Draw bubbles of a diagram, wheels, letters as large as a hand: black discs, some with a hole."""
    page, draw = _blank()
    for _ in range(int(rng.integers(2, 12))):
        at, radius = (float(rng.uniform(15, 195)), float(rng.uniform(15, 280))), float(rng.uniform(3, 28))
        _circle(draw, at, radius, fill=int(rng.integers(0, 160)))
        if rng.random() < 0.6:
            hole = radius * float(rng.uniform(0.2, 0.85))
            _circle(draw, at, hole, fill=WHITE)
            if rng.random() < 0.4:
                _circle(draw, at, hole * float(rng.uniform(0.2, 0.8)), fill=int(rng.integers(0, 160)))
    return Plain(np.asarray(page))


def back(rng: np.random.Generator) -> Plain:
    """Draw a sheet's empty back, through which its front can be seen."""
    number = int(rng.integers(sheets.COUNT))
    code = sheets.codes()[number]
    picture = show_through(sheets.picture(number, DPI), float(rng.uniform(0.05, 0.2)))
    return Plain(picture, sheets.texts(code), back_of=code)


def _paper(kind: str, rng: np.random.Generator) -> Plain:
    person = papers.anybody(rng)
    picture = papers.paper(kind, int(rng.integers(2**20)), rng, DPI, person=person)
    texts = {f"https://bank.gov.ua/qr/QkNEMDAyMQ{person.account}"} if kind == "BILL" else set()
    return Plain(picture, frozenset(texts))


def _pattern(draw: patterns.Pattern, rng: np.random.Generator) -> Plain:
    return Plain(draw(rng, DPI))


def _blank() -> tuple[Image.Image, ImageDraw.ImageDraw]:
    page = Image.new("L", (pixels(A4[0], DPI), pixels(A4[1], DPI)), WHITE)
    return page, ImageDraw.Draw(page)


def _somewhere(rng: np.random.Generator) -> tuple[float, float]:
    """Give a place in millimetres: a third of the time about where a corner of our sheets has its mark."""
    x, y = float(rng.uniform(25, 185)), float(rng.uniform(25, 270))
    if rng.random() < 1 / 3:
        x, y = (float(rng.choice([36, side - 36]) + rng.uniform(-7, 7)) for side in A4)
    return x, y


def _circle(
    draw: ImageDraw.ImageDraw,
    at: tuple[float, float],
    radius: float,
    fill: int | None = None,
    outline: int | None = None,
    width: int = 1,
) -> None:
    """Draw a circle, in millimetres but for the line's width in pixels."""
    x, y = at
    draw.ellipse(_box(x - radius, y - radius, x + radius, y + radius), fill=fill, outline=outline, width=width)


def _box(left: float, top: float, right: float, bottom: float) -> list[float]:
    """Give pixels for millimetres, the upper left corner first where it is a rectangle's."""
    return [left * _MM, top * _MM, right * _MM, bottom * _MM]
