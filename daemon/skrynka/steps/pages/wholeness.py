"""What a renderer would leave out without a word: a page that is drawn must have all that it paints.

Poppler shows as much of a page as it can, and ends well. A stream that is broken, an image that ends too early or an
object that isn't there would give an emptier page, perhaps a blank one, and nobody would look at it again. So what can
be unpacked here is unpacked before a page is drawn; `require_nothing_lost` asks qpdf what it missed on the way; and
what only the renderer can decode it is asked about, strictly: JBIG2 and JPEG 2000 always, else where a page comes
out empty (see `drawing`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress

import pikepdf

from skrynka.steps.pages.colours import NotUnderstood, count_components
from skrynka.steps.pages.decoding import require_whole_group_4, require_whole_jpeg, require_whole_jpx
from skrynka.steps.pages.page_box import ODD_OBJECT

_DEPTH = 8
"""How deep forms within forms are looked into."""
_CONTENT_BYTES = 256 << 20
"""Of one stream, unpacked: a map has a tenth of it."""
_MISSING = "something on it isn't in the file"
_BROKEN = "something on it can't be unpacked"
_REGULAR, _SPACE = rb"[^\x00\t\n\f\r ()<>\[\]{}/%]", rb"[\x00\t\n\f\r ]+"
_USED = re.compile(
    rb"/(%b+)%b(?:(Do)|[-+.0-9]+%bTf)(?!%b)" % (_REGULAR, _SPACE, _SPACE, _REGULAR),
)
"""A name, and whether it is painted or the font of a text."""
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_LOST = re.compile(r"expected .*\bobj\b|offset 0|error reading object|object stream|loop detected|EOF while")
"""Of qpdf's warnings, those after which an object is taken for one that isn't there."""
_LEAST_JBIG2_BYTES = 30
"""What says how large the picture is, a segment's header and 19 bytes (ITU-T T.88, 7.2 and 7.4.8). Poppler shows less
than that as nothing, without a word."""
_CHECKS = {
    "/DCTDecode": require_whole_jpeg,
    "/CCITTFaxDecode": require_whole_group_4,
    "/JPXDecode": require_whole_jpx,
}
_UNPACKED = frozenset({"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode"})


class PageDamaged(Exception):
    """The page isn't whole; the text says why, and is ours."""


class ImageTooLarge(Exception):
    """An image on the page says that it has more pixels than a page may have: a renderer would set out to draw it."""


def require_whole(page: pikepdf.Page, most_pixels: int) -> list[pikepdf.Object]:
    """Unpack what a page paints; give the images among it that only a renderer can decode.

    Raises PageDamaged, ImageTooLarge, ImageDamaged for a JPEG, JPEG 2000 or Group 4 that ends too early, and pikepdf's
    errors.
    """
    seen: set[tuple[int, int]] = set()
    contents, resources = page.obj.get("/Contents"), page.obj.get("/Resources")
    if contents is None and any(_of(resources, category) for category in ("/XObject", "/Font")):
        # It has what it would show, and nothing that shows it: qpdf tells a lost stream from none at all by no word.
        raise PageDamaged("its content isn't in the file")
    waiting = [(_streams(contents), resources, 0)]
    left_to_renderer: list[pikepdf.Object] = []
    while waiting:
        streams, resources, depth = waiting.pop()
        for name in _painted(streams, resources):
            item = _of(resources, "/XObject").get(name)
            if not isinstance(item, pikepdf.Stream):
                raise PageDamaged(_MISSING)
            if item.objgen in seen:
                continue
            seen.add(item.objgen)
            if item.get("/Subtype") == "/Form" and depth < _DEPTH:
                waiting.append(([item], item.get("/Resources", resources), depth + 1))
            elif item.get("/Subtype") == "/Image":
                if int(item.get("/Width", 0)) * int(item.get("/Height", 0)) > most_pixels:
                    raise ImageTooLarge
                if not _is_whole_image(item):
                    left_to_renderer.append(item)
    return left_to_renderer


def require_nothing_lost(pdf: pikepdf.Pdf) -> None:
    """Raise PageDamaged when qpdf has missed an object since it was asked last: it goes on without."""
    if any(_LOST.search(warning) for warning in pdf.get_warnings()):
        raise PageDamaged(_MISSING)


def _streams(contents: pikepdf.Object | None) -> list[pikepdf.Object]:
    return list(contents) if isinstance(contents, pikepdf.Array) else [] if contents is None else [contents]


def _painted(contents: list[pikepdf.Object], resources: pikepdf.Object | None) -> Iterator[str]:
    """Give the names of what contents paint; raise PageDamaged where a font of theirs isn't there.

    A few names too many, in a text that speaks of PDF, are not worth a parser.
    """
    for found, painted in set(_USED.findall(b"\n".join(_content(stream) for stream in contents))):
        plain = _ESCAPE.sub(lambda code: bytes([int(code[1], 16)]), found)
        name = "/" + plain.decode("utf-8", "surrogateescape")
        if painted:
            yield name
        elif not isinstance(_of(resources, "/Font").get(name), pikepdf.Dictionary):
            raise PageDamaged(_MISSING)


def _of(resources: pikepdf.Object | None, category: str) -> pikepdf.Object:
    """Give a category of resources; an empty one where there is none."""
    found = resources.get(category) if isinstance(resources, pikepdf.Dictionary) else None
    return found if isinstance(found, pikepdf.Dictionary) else pikepdf.Dictionary()


def _is_whole_image(image: pikepdf.Stream) -> bool:
    """Tell whether an image was found to be whole; False where that can't be told here."""
    filters = image.get("/Filter")
    names = {str(name) for name in filters} if isinstance(filters, pikepdf.Array) else {str(filters)}
    check = _CHECKS.get(str(filters))
    if check is not None:
        # Where it can't be told it is left to the renderer, as below.
        with suppress(NotUnderstood):
            check(image)
            return True
    if filters is not None and not _UNPACKED.issuperset(names):
        if len(image.read_raw_bytes()) < (_LEAST_JBIG2_BYTES if filters == "/JBIG2Decode" else 1):
            raise PageDamaged("an image on it ends too early")
        return False
    length = len(_unpacked(image))
    try:
        mask = bool(image.get("/ImageMask", False))
        space = image.get("/ColorSpace")
        indexed = isinstance(space, pikepdf.Array) and space[0] in ("/Indexed", "/I")
        components = 1 if mask or indexed else count_components(image)
        bits = 1 if mask else int(image["/BitsPerComponent"])
        wanted = int(image["/Height"]) * ((int(image["/Width"]) * components * bits + 7) // 8)
    except (NotUnderstood, *ODD_OBJECT):
        return True
    if length < wanted:
        raise PageDamaged("an image on it ends too early")
    return True


def _content(stream: pikepdf.Object) -> bytes:
    """Unpack what draws. Deflated, it must be what was packed: qpdf overlooks a wrong checksum, as readers do."""
    if stream.get("/Filter") != "/FlateDecode" or "/DecodeParms" in stream:
        return _unpacked(stream)
    raw, inflating = stream.read_raw_bytes(), zlib.decompressobj()
    try:
        content = inflating.decompress(raw, _CONTENT_BYTES)
    except zlib.error as error:
        raise PageDamaged(_BROKEN) from error
    if raw and not inflating.eof:
        raise PageDamaged(_BROKEN)
    return content


def _unpacked(stream: pikepdf.Object) -> bytes:
    try:
        return bytes(stream.read_bytes(pikepdf.StreamDecodeLevel.specialized))
    except pikepdf.PdfError as error:
        raise PageDamaged(_BROKEN) from error
