"""Tell whether a page *is* one image, so that its pixels can be taken from the stream instead of drawing the page.

A page is one image when all of this holds; when anything else, or anything unsure, turns up, it is drawn:

1. Its content paints exactly once, and that is `Do` with an image XObject. Inline images, forms, shadings, filled or
   stroked paths and visible text are other painting. Text in render mode 3 (an invisible layer of recognised text)
   paints nothing, unless its font is Type 3, which heeds no render mode.
2. The matrix lays the image on the page's sides: upright, turned by quarters, mirrored, but not skewed; and on each
   side it ends within 1 % of the shown box (CropBox within MediaBox). An image that reaches further beyond isn't
   the page: part of it is hidden.
3. It is opaque and whole: no /SMask, /Mask, /ImageMask, /SMaskInData; no graphics state with transparency, a
   blend mode, a soft mask or a transfer function; no clip but rectangles that leave the shown box whole.
4. Nothing can be switched off: no optional content, for the image or around it.
5. There are no annotations.

/Rotate, /Decode, the colour space and the filter don't matter here: `decoding` heeds them, or declines. Several
images that tile the page are not one image. Operators: ISO 32000-1, annex A.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import pikepdf

from skrynka.steps.pages.page_box import ODD_OBJECT, POINTS_PER_INCH, PageBox, PageUnusable

_CONTENT_BYTES = 4 << 20
"""Longer contents are drawings: they aren't worth looking through."""
_TOLERANCE = 0.01
_SKEW = 0.001
"""How far, of the page's shorter side, a line may lie askew."""
_INVISIBLE = 3
_WITHOUT_PAINT = frozenset({
    "w", "J", "j", "M", "d", "ri", "i", "g", "G", "rg", "RG", "k", "K", "cs", "CS", "sc", "SC", "scn", "SCN", "BT",
    "ET", "Td", "TD", "Tm", "T*", "Tc", "Tw", "Tz", "TL", "Ts", "MP", "DP", "BMC", "EMC", "BX", "EX",
})  # fmt: skip
_OPAQUE_STATE = frozenset({
    "/Type", "/LW", "/LC", "/LJ", "/ML", "/D", "/RI", "/OP", "/op", "/OPM", "/FL", "/SM", "/SA", "/AIS", "/TK", "/Font",
    "/ca", "/CA", "/BM", "/SMask",
})  # fmt: skip

Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class PlacedImage:
    """The image that is the page, and how it is laid on it, before the page's /Rotate."""

    stream: pikepdf.Stream
    width: int
    """Of its stream, in pixels."""
    height: int
    transposed: bool
    """Its rows run down the page; applied before the flips."""
    flipped_across: bool
    flipped_down: bool
    dpi: tuple[float, float]
    """Along its own rows and columns."""


def find_one_image(page: pikepdf.Page, box: PageBox) -> PlacedImage | None:
    """Give the image that the page is, or None when the page has to be drawn.

    Raises PageUnusable when the page paints something that isn't in the file: a renderer would leave it out.
    """
    try:
        annotations = page.obj.get("/Annots")
        if annotations is not None and len(annotations):
            return None
        painter = _Painter(page.obj.get("/Resources", pikepdf.Dictionary()), box)
        holder = pikepdf.new()  # a stream is only as alive as the PDF that holds it
        for instruction in pikepdf.parse_content_stream(holder.make_stream(_content(page))):
            painter.obey(str(instruction.operator), list(instruction.operands))
    except (_NotOneImage, pikepdf.PikepdfError, zlib.error, *ODD_OBJECT):
        return None  # what isn't understood isn't one image; whether it is damaged, drawing it will tell
    return painter.image


@dataclass(frozen=True, slots=True)
class _State:
    """What `q` saves, as far as it matters here."""

    matrix: Matrix = (1, 0, 0, 1, 0, 0)
    text_mode: int = 0
    type_3: bool = False


class _NotOneImage(Exception):
    pass


class _Painter:
    """Follows the operators of a page's content; raises _NotOneImage as soon as the page can't be one image."""

    def __init__(self, resources: pikepdf.Object, box: PageBox) -> None:
        self.image: PlacedImage | None = None
        self._resources = resources
        self._box = box
        self._state = _State()
        self._saved: list[_State] = []
        self._clipping = False
        self._path: list[pikepdf.Object] = []
        """The operands of the path's one rectangle, or more or less than four of them for any other path."""

    def obey(self, operator: str, operands: list[pikepdf.Object]) -> None:
        match operator:
            case "q":
                self._saved.append(self._state)
            case "Q":
                self._state = self._saved.pop()
            case "Do":
                self._paint(operands)
            case "gs":
                _require_opaque(self._resources["/ExtGState"][str(operands[0])])
            case "BDC":
                _require(operands[0] != "/OC")
            case "Tj" | "TJ" | "'" | '"':
                _require(self._state.text_mode == _INVISIBLE and not self._state.type_3)
            case "re" | "m" | "l" | "h" | "c" | "v" | "y" | "W" | "W*" | "n":
                self._follow_path(operator, operands)
            case "cm" | "Tr" | "Tf":
                self._change_state(operator, operands)
            case _:
                _require(operator in _WITHOUT_PAINT)

    def _change_state(self, operator: str, operands: list[pikepdf.Object]) -> None:
        if operator == "cm":
            self._state = replace(self._state, matrix=_times(_matrix(operands), self._state.matrix))
        elif operator == "Tr":
            self._state = replace(self._state, text_mode=int(operands[0]))
        else:
            font = self._resources["/Font"][str(operands[0])]
            self._state = replace(self._state, type_3=font.get("/Subtype") == "/Type3")

    def _follow_path(self, operator: str, operands: list[pikepdf.Object]) -> None:
        """Paths that end in `n` paint nothing, but may clip."""
        if operator in {"W", "W*"}:
            self._clipping = True
        elif operator == "n":
            if self._clipping:
                _require(_covers(_rectangle(self._path, self._state.matrix), self._box))
            self._path, self._clipping = [], False
        else:
            self._path += operands if operator == "re" else [pikepdf.Name("/Line")] * 5

    def _paint(self, operands: list[pikepdf.Object]) -> None:
        _require(self.image is None)
        painted = self._resources.get("/XObject", pikepdf.Dictionary()).get(str(operands[0]))
        if painted is None:
            raise PageUnusable("it paints something that isn't in the file")
        if not isinstance(painted, pikepdf.Stream) or painted.get("/Subtype") != "/Image":
            raise _NotOneImage
        self.image = _placed(painted, self._state.matrix, self._box)


def _require(condition: bool) -> None:  # noqa: FBT001 -- reads as an assertion does
    if not condition:
        raise _NotOneImage


def _content(page: pikepdf.Page) -> bytes:
    """Give the page's content, but never more than a page of text is long: a short stream may unpack to gigabytes."""
    contents = page.obj.get("/Contents")
    if contents is None:
        raise _NotOneImage
    pieces = []
    for stream in contents if isinstance(contents, pikepdf.Array) else [contents]:
        raw = stream.read_raw_bytes()
        filters = stream.get("/Filter")
        if filters is not None and (filters == "/FlateDecode" or list(filters) == ["/FlateDecode"]):
            if stream.get("/DecodeParms") is not None:
                raise _NotOneImage
            raw = zlib.decompressobj().decompress(raw, _CONTENT_BYTES + 1)
        elif filters is not None and not (isinstance(filters, pikepdf.Array) and not len(filters)):
            raise _NotOneImage
        pieces.append(raw)
        if sum(map(len, pieces)) > _CONTENT_BYTES:
            raise _NotOneImage
    return b"\n".join(pieces)


def _require_opaque(state: pikepdf.Object) -> None:
    """Raise unless a graphics state leaves what it paints as it is."""
    entries = dict(state.items())
    if (
        not _OPAQUE_STATE.issuperset(entries)
        or any(float(entries.get(key, 1)) != 1 for key in ("/ca", "/CA"))
        or entries.get("/BM", "/Normal") not in ("/Normal", "/Compatible")
        or entries.get("/SMask", "/None") != "/None"
    ):
        raise _NotOneImage


def _placed(image: pikepdf.Stream, matrix: Matrix, box: PageBox) -> PlacedImage:
    """Judge an image painted with `matrix`."""
    _require(not any(key in image for key in ("/SMask", "/Mask", "/OC")))
    _require(not image.get("/ImageMask", False) and not int(image.get("/SMaskInData", 0)))
    width, height = int(image["/Width"]), int(image["/Height"])
    _require(width > 0 and height > 0)
    a, b, c, d, e, f = matrix
    askew = _SKEW * min(box.right - box.left, box.top - box.bottom)
    transposed = abs(a) <= askew and abs(d) <= askew
    _require(transposed or (abs(b) <= askew and abs(c) <= askew))
    across, up = (c, b) if transposed else (a, d)
    left, right = sorted((e, e + across))
    bottom, top = sorted((f, f + up))
    slack_x, slack_y = _slack(box)
    _require(max(abs(left - box.left), abs(right - box.right)) <= slack_x)
    _require(max(abs(bottom - box.bottom), abs(top - box.top)) <= slack_y)
    along_rows, along_columns = (up, across) if transposed else (across, up)
    inches = box.unit / POINTS_PER_INCH
    return PlacedImage(
        stream=image,
        width=width,
        height=height,
        transposed=transposed,
        # An image's first row is at the top of the unit square. Transposed, its rows run up the page for a positive
        # b, and its first row is at the right for a positive c.
        flipped_across=across > 0 if transposed else across < 0,
        flipped_down=up > 0 if transposed else up < 0,
        dpi=(width / (abs(along_rows) * inches), height / (abs(along_columns) * inches)),
    )


def _matrix(operands: list[pikepdf.Object]) -> Matrix:
    a, b, c, d, e, f = (float(operand) for operand in operands)
    return a, b, c, d, e, f


def _times(first: Matrix, then: Matrix) -> Matrix:
    """Apply `first`, then `then`."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _rectangle(operands: list[pikepdf.Object], matrix: Matrix) -> tuple[float, float, float, float]:
    """Give left, bottom, right, top of a rectangle on the page; raises when it lies askew, or there isn't just one."""
    x, y, width, height = (float(operand) for operand in operands)
    a, b, c, d, e, f = matrix
    upright = abs(b) <= _SKEW * abs(a) and abs(c) <= _SKEW * abs(d)
    _require(upright or (abs(a) <= _SKEW * abs(b) and abs(d) <= _SKEW * abs(c)))
    corners = [(a * u + c * v + e, b * u + d * v + f) for u, v in ((x, y), (x + width, y + height))]
    left, right = sorted(corner[0] for corner in corners)
    bottom, top = sorted(corner[1] for corner in corners)
    return left, bottom, right, top


def _covers(clip: tuple[float, float, float, float], box: PageBox) -> bool:
    """Tell whether a clip leaves the shown box whole, within the tolerance."""
    slack_x, slack_y = _slack(box)
    left, bottom, right, top = clip
    return (
        left <= box.left + slack_x
        and bottom <= box.bottom + slack_y
        and right >= box.right - slack_x
        and top >= box.top - slack_y
    )


def _slack(box: PageBox) -> tuple[float, float]:
    return _TOLERANCE * (box.right - box.left), _TOLERANCE * (box.top - box.bottom)
