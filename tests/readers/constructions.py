"""Every hostile construction of the threat table as a file, and what may become of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pikepdf

from tests.support import hostile, scans
from tests.support.hostile_pictures import (
    content_page,
    image_page,
    jbig2_of_size,
    jpeg_of_size,
    jpx_of_size,
    kept_packed,
    packed,
    png,
    png_with_a_text,
    tiff,
    tiff_directory,
    tiff_of_one_strip_many_times,
    tiff_of_size,
    tiff_that_unpacks,
)
from tests.support.hostile_structures import (
    forms_in_forms,
    nested_page_tree,
    of_box,
    one_page,
    page_times,
    page_tree,
    painting_itself,
    with_a_page_that,
)
from tests.support.hostile_structures import image_page as good_image_page
from tests.support.pdf_pages import jpeg

FILED, CORRUPT, UNREADABLE, TOO_LARGE = "filed", "corrupt", "page_unreadable", "page_too_large"
CRASHED, TIMED_OUT = "reader_crashed", "reader_timed_out"
Construction = tuple[Callable[[], bytes], set[str]]
SIDE = 60_000
MUCH = 500 << 20
"""Bytes: more than a reader may have here, and more than qpdf is let unpack."""


def _of_image(data: bytes, name: str, bits: int = 8, size: tuple[int, int] = (496, 702)) -> bytes:
    with pikepdf.new() as pdf:
        image_page(pdf, data, name, bits, size)
        return kept_packed(pdf)


def _of_content(data: bytes, *filters: str) -> bytes:
    with pikepdf.new() as pdf:
        content_page(pdf, data, *filters)
        return kept_packed(pdf)


def _deep(deep: int) -> bytes:
    return one_page(
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Deep %b>>" % (b"[" * deep + b"]" * deep)
    )


def _deep_resources(deep: int) -> bytes:
    return one_page(
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources %b>>"
        % (b"<</A" * deep + b"1" + b">>" * deep)
    )


PAGES: dict[str, Construction] = {
    "forms that multiply": (hostile.endless_pdf, {UNREADABLE, TIMED_OUT}),
    "a form that paints itself": (painting_itself, {FILED, UNREADABLE}),
    "a thousand forms in forms": (lambda: forms_in_forms(1000), {FILED, UNREADABLE, "cut_failed"}),
    "content that unpacks to half a gigabyte": (
        lambda: _of_content(packed(MUCH, b" "), "/FlateDecode"),
        {UNREADABLE, CRASHED, TIMED_OUT},
    ),
    "content packed twice": (
        lambda: _of_content(zlib.compress(packed(MUCH, b" "), 9), "/FlateDecode", "/FlateDecode"),
        {UNREADABLE, CRASHED, TIMED_OUT},
    ),
    "a page of a hundred metres": (lambda: of_box(b"[0 0 14400 14400]", b"/UserUnit 20"), {TOO_LARGE}),
    "a huge /UserUnit": (lambda: with_a_page_that(lambda pdf: good_image_page(pdf, UserUnit=10**9)), {TOO_LARGE}),
    "a /UserUnit below zero": (lambda: of_box(b"[0 0 595 842]", b"/UserUnit -1"), {UNREADABLE}),
    "a box the wrong way round": (lambda: of_box(b"[595 842 0 0]"), {FILED}),
    "a box below zero": (lambda: of_box(b"[-595 -842 0 0]"), {FILED}),
    "a box without an area": (lambda: of_box(b"[0 0 0 842]"), {UNREADABLE}),
    "a box of a point": (lambda: of_box(b"[5 5 5 5]"), {UNREADABLE}),
    "a box with a number of 400 digits": (
        lambda: of_box(b"[0 0 %b 842]" % (b"9" * 400)),
        {UNREADABLE, TOO_LARGE, CORRUPT},
    ),
    "a box of words": (lambda: of_box(b"[/a (b) null [] ]"), {FILED, UNREADABLE, CORRUPT}),
    "a page that is a number": (lambda: one_page(b"7"), {CORRUPT, UNREADABLE, "no_pages"}),
    "arrays nested a hundred thousand deep": (lambda: _deep(100_000), {FILED, CORRUPT, UNREADABLE, CRASHED}),
    "resources nested a hundred thousand deep": (
        lambda: _deep_resources(100_000),
        {FILED, CORRUPT, UNREADABLE, CRASHED},
    ),
}

STRUCTURES: dict[str, Construction] = {
    "a page tree that promises more": (lambda: page_tree(b"3 0 R", 3), {CORRUPT}),
    "a page tree that promises fewer than none": (lambda: page_tree(b"3 0 R", -5), {FILED, CORRUPT}),
    "a page tree that is its own child": (lambda: page_tree(b"3 0 R 2 0 R", 2), {CORRUPT}),
    "a page tree that goes round": (
        lambda: page_tree(b"5 0 R", 2, b"<</Type/Pages/Kids[6 0 R]/Count 1>>", b"<</Type/Pages/Kids[5 0 R]/Count 1>>"),
        {CORRUPT},
    ),
    "a page tree a hundred thousand deep": (lambda: nested_page_tree(100_000), {FILED, CORRUPT, CRASHED, TIMED_OUT}),
    "ten million pages": (lambda: page_times(10_000_000), {"too_large", CORRUPT, CRASHED, TIMED_OUT}),
    "more pages than the limit": (lambda: page_times(300), {"too_large"}),
    "a table of objects that goes round": (
        lambda: page_tree(b"3 0 R", 1).replace(b"/Size 5", b"/Prev 0/Size 5"),
        {FILED, CORRUPT},
    ),
    "a length that is its own stream": (
        lambda: one_page().replace(b"<</Length 16>>", b"<</Length 4 0 R>>"),
        {CORRUPT, UNREADABLE},
    ),
    "an object stream in itself": (
        lambda: page_times(3).replace(b"/Type/ObjStm", b"/Extends 5 0 R/Type/ObjStm"),
        {FILED, CORRUPT},
    ),
    "encrypted": (lambda: scans.encrypted(one_page()), {"encrypted"}),
    "a program called a PDF": (scans.program_bytes, {"unsupported"}),
    "an office document called a PDF": (scans.zip_bytes, {"unsupported"}),
    "a header and nothing else": (lambda: b"%PDF-1.7\n%%EOF\n", {CORRUPT}),
}

PICTURES: dict[str, Construction] = {
    "a gigapixel of group 4 in a PDF": (hostile.bomb_pdf, {TOO_LARGE}),
    "a gigapixel in a kilobyte": (lambda: _of_image(packed(1 << 20), "/FlateDecode", 1, (SIDE, SIDE)), {TOO_LARGE}),
    "an image that unpacks to half a gigabyte": (
        lambda: _of_image(packed(MUCH), "/FlateDecode"),
        {FILED, UNREADABLE, CRASHED, TIMED_OUT},
    ),
    "a JPEG in a PDF that says it is larger": (
        lambda: _of_image(jpeg_of_size(65_500, 65_500), "/DCTDecode"),
        {UNREADABLE, TOO_LARGE, CRASHED},
    ),
    "a JPEG that says it is a gigapixel": (lambda: jpeg_of_size(65_500, 65_500), {TOO_LARGE}),
    # libjpeg fills up what isn't there when the file's end is where its data says: nothing that there was is lost.
    "a JPEG that says it is higher": (lambda: jpeg_of_size(496, 1400), {FILED, CORRUPT, UNREADABLE}),
    "a JPEG without height": (lambda: jpeg_of_size(496, 0), {CORRUPT, UNREADABLE}),
    "a JPEG 2000 that says it is a gigapixel": (
        lambda: _of_image(jpx_of_size(SIDE, SIDE), "/JPXDecode"),
        {UNREADABLE, TOO_LARGE, CRASHED},
    ),
    "a JPEG 2000 that says it is four gigapixels wide": (
        lambda: _of_image(jpx_of_size(2**31 - 1, 2**31 - 1), "/JPXDecode"),
        {UNREADABLE, TOO_LARGE, CRASHED},
    ),
    "a JBIG2 that says it is a gigapixel": (
        lambda: _of_image(jbig2_of_size(SIDE, SIDE), "/JBIG2Decode", 1),
        {FILED, UNREADABLE, CRASHED},
    ),
    "a JBIG2 that says it has no end": (
        lambda: _of_image(jbig2_of_size(2**32 - 1, 2**32 - 1), "/JBIG2Decode", 1),
        {FILED, UNREADABLE, CRASHED},
    ),
    "a PNG that says it is a gigapixel": (lambda: png(SIDE, SIDE, packed(1 << 20)), {TOO_LARGE}),
    "a PNG of too few pixels": (lambda: png(600, 600, packed(1 << 16)), {CORRUPT, UNREADABLE}),
    "a PNG that unpacks to half a gigabyte": (
        lambda: png(600, 600, packed(MUCH)),
        {FILED, UNREADABLE, CRASHED, TIMED_OUT},
    ),
    "a PNG with a text of half a gigabyte": (lambda: png_with_a_text(MUCH), {FILED, CORRUPT}),
    "a TIFF of a gigapixel": (lambda: tiff_of_size(SIDE), {TOO_LARGE}),
    "a TIFF strip that unpacks to half a gigabyte": (
        lambda: tiff_that_unpacks(MUCH),
        {FILED, CORRUPT, CRASHED, TIMED_OUT},
    ),
    "a TIFF whose pages go round": (
        lambda: tiff(tiff_directory(600, 600, 8, 83, 4), following=8, tail=bytes(100)),
        {CORRUPT},
    ),
    "a TIFF whose strip lies outside": (lambda: tiff(tiff_directory(600, 600, 9_000, 1 << 30, 4)), {CORRUPT}),
    "a TIFF of three hundred pages in one": (lambda: tiff_of_one_strip_many_times(300), {"too_large"}),
    "a PDF of a JPEG cut off": (lambda: _of_image(jpeg(1)[:-400], "/DCTDecode"), {UNREADABLE}),
}

CONSTRUCTIONS = {**PAGES, **STRUCTURES, **PICTURES}
