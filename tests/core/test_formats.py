from __future__ import annotations

import io
import struct

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from skrynka.core.formats import HEAD_BYTES, TAIL_BYTES, FileType, looks_finished, sniff


def drawn(kind: FileType) -> bytes:
    """Give a scan of two pages where the type can hold them, made by the libraries that scanners' software uses too."""
    made = io.BytesIO()
    if kind is FileType.PDF:
        with pikepdf.new() as pdf:
            pdf.add_blank_page()
            pdf.save(made)
    else:
        page = Image.effect_noise((200, 100), 80)
        page.save(made, kind.value, **({"save_all": True, "append_images": [page]} if kind is FileType.TIFF else {}))
    return made.getvalue()


def finished(kind: FileType, scan: bytes) -> bool:
    return looks_finished(kind, scan[:HEAD_BYTES], scan[-TAIL_BYTES:], len(scan))


@pytest.mark.parametrize("kind", FileType)
def test_a_whole_scan_is_known_by_its_content_and_is_finished(kind: FileType) -> None:
    scan = drawn(kind)
    assert sniff(scan[:HEAD_BYTES]) is kind
    assert finished(kind, scan)


@pytest.mark.parametrize("kind", [FileType.PDF, FileType.JPEG, FileType.PNG])
def test_a_scan_cut_short_anywhere_is_not_finished(kind: FileType) -> None:
    scan = drawn(kind)
    # The last bytes of a PDF are a line's end, and it ends well without it.
    shortest_loss = 6 if kind is FileType.PDF else 1
    assert not any(finished(kind, scan[:end]) for end in range(len(scan) - shortest_loss + 1))


@pytest.mark.parametrize("junk", [b"", b"\xef\xbb\xbf", b"%-12345X@PJL\r\n" * 20])
def test_a_pdf_may_have_junk_before_its_header(junk: bytes) -> None:
    assert sniff((junk + drawn(FileType.PDF))[:HEAD_BYTES]) is FileType.PDF


def test_a_header_deep_in_a_scan_makes_no_pdf() -> None:
    assert sniff(b" " * HEAD_BYTES + b"%PDF-1.7") is None


def test_a_jpeg_that_holds_a_pdf_header_is_a_jpeg() -> None:
    assert sniff(b"\xff\xd8\xff\xe1 %PDF-1.4") is FileType.JPEG


@pytest.mark.parametrize("head", [b"", b"PK\x03\x04", b"GIF89a", b"\0" * 64, b"\xff\xd8", b"BM", b"<html>"])
def test_anything_else_is_none_of_ours(head: bytes) -> None:
    assert sniff(head) is None


def test_a_scanner_may_fill_up_the_last_block_of_a_jpeg() -> None:
    scan = drawn(FileType.JPEG)
    assert finished(FileType.JPEG, scan + b"\0" * 500)
    assert not finished(FileType.JPEG, scan + b"\0" * 500 + b"x")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("offset", "ends_well"),
    [
        ("zero", False),
        ("inside the header", False),
        ("after the header", True),
        ("last", True),
        ("past the end", False),
    ],
)
def test_a_tiff_is_finished_when_its_directory_lies_inside_it(
    order: str, offset: str, *, big: bool, ends_well: bool
) -> None:
    size, count, header = 5000, 8 if big else 2, 16 if big else 8
    place = {
        "zero": 0,
        "inside the header": header - 1,
        "after the header": header,
        "last": size - count,
        "past the end": size - count + 1,
    }[offset]
    mark = b"II" if order == "<" else b"MM"
    head = mark + (struct.pack(order + "HHHQ", 43, 8, 0, place) if big else struct.pack(order + "HI", 42, place))
    assert sniff(head) is FileType.TIFF
    assert looks_finished(FileType.TIFF, head, b"", size) is ends_well


@pytest.mark.parametrize("head", [b"II*\0", b"II*\0\x08\0\0", b"MM\0+\0\x08\0\0\0\0", b""])
def test_a_tiff_without_its_whole_header_is_not_finished(head: bytes) -> None:
    assert not looks_finished(FileType.TIFF, head, head, len(head))


@given(st.binary(max_size=64), st.binary(max_size=64), st.integers(0, 1 << 40), st.sampled_from(FileType))
def test_any_bytes_are_judged_without_an_error(head: bytes, tail: bytes, size: int, kind: FileType) -> None:
    assert looks_finished(kind, head, tail, size) in {True, False}
    assert sniff(head) in {*FileType, None}
