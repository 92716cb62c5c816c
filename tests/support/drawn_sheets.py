"""Our sheets as another program would draw them from their definition, and what becomes of sheets in real life.

Shares no code with the program's own sheets: the QR codes are segno's, the linear code zxing-cpp's, the mark is drawn
here from the published geometry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import segno
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from tests.support import ink
from tests.support.page_ids import draw_id
from tests.support.papers import blank_paper, paste
from tests.support.routing_text import routing_text, short_text
from tests.support.scanner import show_through
from tests.support.typeset import A4, WHITE, Picture, pixels, typeset

EDGE_MM = 15.0
"""From the paper's edges to the codes and the mark."""
MODULE_MM = 0.9
"""Of the QR codes."""
MARK_EDGES_MM = (5.0, 9.5, 14.0, 17.0, 21.0)
"""Where the mark's black and white end, from its black middle outwards."""
MARK_MIDDLE_MM = 36.0
"""Of the mark, from the two sides of the paper that it lies beside."""
_LINEAR_PLACE_MM = (17.0, 80.0)
"""Of the linear code's upper left corner: from the left, and from the foot."""
_LINEAR_MODULE_MM = 0.64
_LINEAR_HEIGHT_MM = 17.0

SOOT: ink.Colour = (0, 0, 0)
"""Ink multiplies: anything lighter would leave a contrast that a reader can use."""

Harm = Literal["scribbled", "stained", "torn"]

_TITLES = {
    "B": ("АРКУШ ВИЙМАННЯ", "Покладіть цей аркуш зверху на все, що вийнято зі скриньки."),
    "P": ("РОЗДІЛЮВАЧ", "Кладеться між конвертами. Багаторазовий, поверніть після сканування."),
    "C": ("СУПРОВІДНИЙ АРКУШ", "Покладіть цей аркуш зверху. Один аркуш — одне звернення. Без скріпок."),
    "D": ("АРКУШ ДОКУМЕНТА", "Покладіть перед документом, назву якого вказано нижче."),
    "R": ("АРКУШ ПОВТОРУ", "Цей стос сканується ще раз."),
    "E": ("КІНЦЕВИЙ АРКУШ", "Покладіть цей аркуш останнім."),
}
_CASE_BODY = """#let rule = box(width: 1fr, line(length: 100%, stroke: 0.5pt))
#place(top, dy: 74mm, block(width: 100%)[
*Адреса*
#v(9mm)
#line(length: 100%, stroke: 0.5pt)
#v(7mm)
#line(length: 100%, stroke: 0.5pt)
#v(7mm)
Особовий рахунок #rule Телефон #rule
#v(5mm)
Дата #rule Кількість сторінок #rule
#v(7mm)
*До звернення додаю (позначте ✓):*
#grid(columns: (8mm, 1fr), row-gutter: 3.6mm, ..(
"свідоцтво про повірку", "протокол повірки або акт виконаних робіт", "акт демонтажу / монтажу",
"акт опломбування / розпломбування", "паспорт приладу обліку", "фото лічильника з показаннями").map(name =>
(box(width: 4mm, height: 4mm, stroke: 0.8pt), name)).flatten())
])
"""


@dataclass(frozen=True, slots=True)
class SheetFields:
    """What a sheet says."""

    kind: str = "C"
    serial: str | None = None
    box: str | None = None
    case_type: str | None = None
    branch: str | None = None
    providers: tuple[str, ...] = ()
    document_kinds: tuple[str, ...] = ()
    emptied: str | None = None
    counted: int | None = None
    account: str | None = None
    meters: tuple[str, ...] = ()
    follow_up: str | None = None
    key: tuple[str, bytes] | None = field(default=None, repr=False)

    def text(self, *, sticker: bool = False) -> str:
        """Write its routing code."""
        return routing_text(
            self.kind, serial=self.serial, box=self.box, case_type=self.case_type, branch=self.branch,
            providers=self.providers, document_kinds=self.document_kinds, account=self.account, meters=self.meters,
            follow_up=self.follow_up, emptied=self.emptied, counted=self.counted, key=self.key, sticker=sticker,
        )  # fmt: skip


def full_sheet(
    fields: SheetFields,
    page_id: int,
    dpi: int,
    *,
    text: str | None = None,
    second_text: str | None = None,
    colour: bool = False,
) -> Picture:
    """Draw a sheet with everything: two QR codes, two marks, the linear code where it has a serial, its words.

    `text` and `second_text` replace what the QR codes at the upper right and lower left say (a forged, outdated or
    contradicting sheet).
    """
    text = fields.text() if text is None else text
    picture = _worded(fields, dpi, colour=colour)
    for place, said in enumerate((text, text if second_text is None else second_text)):
        code = qr(said, dpi)
        side = code.shape[1] * 25.4 / dpi
        # Its corner without a finder lies outwards.
        if place == 0:
            paste(picture, np.rot90(code), A4[0] - EDGE_MM - side, EDGE_MM, dpi)
        else:
            paste(picture, np.rot90(code, -1), EDGE_MM, A4[1] - EDGE_MM - side, dpi)
    corner = MARK_MIDDLE_MM - MARK_EDGES_MM[-1]
    paste(picture, mark(dpi), corner, corner, dpi)
    far = MARK_MIDDLE_MM + MARK_EDGES_MM[-1]
    paste(picture, mark(dpi), A4[0] - far, A4[1] - far, dpi)
    if fields.serial:
        left, from_foot = _LINEAR_PLACE_MM
        paste(picture, linear_code(short_text(fields.kind, fields.serial), dpi), left, A4[1] - from_foot, dpi)
    draw_id(picture, page_id, dpi)
    return picture


def write_on_sheet(picture: Picture, text: str, rng: np.random.Generator, dpi: int) -> None:
    """Write on a case sheet by hand, in place, about where its lines for the address are."""
    ink.lay(picture, ink.handwriting(rng, dpi, text, (160, 40), 20), ink.PEN_BLUE, pixels(102, dpi), pixels(20, dpi))


def plain_sheet(text: str, page_id: int, dpi: int, *, module_mm: float = MODULE_MM) -> Picture:
    """Draw a sheet as any other program would from the routing code's definition alone: one QR code, nothing else."""
    picture = blank_paper(dpi)
    code = qr(text, dpi, module_mm)
    paste(picture, code, A4[0] - EDGE_MM - code.shape[1] * 25.4 / dpi, EDGE_MM, dpi)
    draw_id(picture, page_id, dpi)
    return picture


def unreadable_sheet(
    fields: SheetFields, page_id: int, dpi: int, rng: np.random.Generator, *, harm: Harm = "scribbled"
) -> Picture:
    """Draw a sheet none of whose codes can be read any more, while its mark can still be seen."""
    picture = full_sheet(fields, page_id, dpi)
    side = qr(fields.text(), dpi).shape[1] * 25.4 / dpi
    places = [(A4[0] - EDGE_MM - side, EDGE_MM, side, side), (EDGE_MM, A4[1] - EDGE_MM - side, side, side)]
    if fields.serial:
        code = linear_code(short_text(fields.kind, fields.serial), dpi)
        width = code.shape[1] * 25.4 / dpi
        places.append((_LINEAR_PLACE_MM[0], A4[1] - _LINEAR_PLACE_MM[1], width, _LINEAR_HEIGHT_MM))
    for left, top, width, height in places:
        size = (width + 4, height + 4)
        match harm:
            case "scribbled":
                cover = np.maximum(ink.scribble(rng, dpi, size), ink.scribble(rng, dpi, size))
                ink.lay(picture, cover, SOOT, pixels(top - 2, dpi), pixels(left - 2, dpi))
            case "stained":
                size = (width * 1.7, height * (1.7 if height > _LINEAR_HEIGHT_MM else 3))
                cover = ink.stain(rng, dpi, size, 1.4)
                ink.lay(
                    picture,
                    cover,
                    SOOT,
                    pixels(top - (size[1] - height) / 2, dpi),
                    pixels(left - width * 0.35, dpi),
                )
            case "torn":
                torn = np.full((pixels(size[1], dpi), pixels(size[0], dpi)), WHITE, np.uint8)
                paste(picture, torn, left - 2, top - 2, dpi)
    # The id must stay readable, or the oracle would be as blind as the daemon.
    draw_id(picture, page_id, dpi)
    return picture


def stickered(page: Picture, fields: SheetFields, dpi: int, *, text: str | None = None) -> Picture:
    """Put a sticker with a code of these fields and `L:K` on a content page, lower right; gives a new picture."""
    picture = page.copy()
    code = qr(fields.text(sticker=True) if text is None else text, dpi, 0.8)
    height, width = (side * 25.4 / dpi for side in page.shape[:2])
    # By shares of the page, so that it isn't stuck beside a small one.
    paste(picture, code, width * 0.715, height * 0.757, dpi)
    return picture


def back_of_sheet(front: Picture, strength: float = 0.12) -> Picture:
    """Give a sheet's back in a duplex scan: the front shows through, mirrored and pale."""
    return show_through(front, strength)


def qr(text: str, dpi: int, module_mm: float = MODULE_MM) -> Picture:
    """Draw a QR code of level M with its quiet zone of four modules, grey."""
    code = segno.make_qr(text, error="m")
    matrix = np.array([list(row) for row in code.matrix_iter(border=4)], dtype=np.uint8)
    side = pixels(module_mm * len(matrix), dpi)
    drawn = Image.fromarray(np.where(matrix > 0, 0, WHITE).astype(np.uint8))
    return np.asarray(drawn.resize((side, side), Image.Resampling.NEAREST))


def linear_code(text: str, dpi: int) -> Picture:
    """Draw a Code 128 with its quiet zones, grey, 17 mm high, bars of 0.64 mm and more."""
    created = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.Code128)
    row = np.asarray(created.to_image(scale=1, add_quiet_zones=True))
    row = row[row.shape[0] // 2]
    width = pixels(_LINEAR_MODULE_MM * len(row), dpi)
    drawn = Image.fromarray(np.tile(row, (pixels(_LINEAR_HEIGHT_MM, dpi), 1)))
    return np.asarray(drawn.resize((width, drawn.height), Image.Resampling.NEAREST))


def mark(dpi: int, share: float = 1.0) -> Picture:
    """Draw the mark so large a share of its size: a disc and two rings around it, 42 mm across."""
    side = pixels(2 * MARK_EDGES_MM[-1] * share, dpi)
    drawn = Image.new("L", (side * 4, side * 4), WHITE)
    draw = ImageDraw.Draw(drawn)
    middle = drawn.width / 2
    for place, edge in reversed(list(enumerate(MARK_EDGES_MM))):
        reach = edge / MARK_EDGES_MM[-1] * middle
        draw.ellipse([middle - reach, middle - reach, middle + reach, middle + reach], fill=WHITE if place % 2 else 0)
    return np.asarray(drawn.reduce(4))


def _worded(fields: SheetFields, dpi: int, *, colour: bool) -> Picture:
    title, sentence = _TITLES[fields.kind]
    source = f"""#set text(font: "Libertinus Serif", size: 12pt, lang: "uk")
#v(54mm)
#align(center)[#text(24pt, weight: "bold")[{title}] \\ #v(1mm) #text(13pt)[{sentence}]]
{_CASE_BODY if fields.kind == "C" else ""}
"""
    picture = typeset(source, dpi, colour=colour).copy()
    said = "   ".join(
        [fields.serial or "", fields.box or "", fields.case_type or "", *fields.providers, *fields.document_kinds]
    )
    label = Image.new("L", (pixels(84, dpi), pixels(9, dpi)), WHITE)
    ImageDraw.Draw(label).text((0, 0), said, fill=0, font=ImageFont.load_default(size=pixels(4, dpi)))
    paste(picture, np.asarray(label), 62, 47, dpi)
    return picture
