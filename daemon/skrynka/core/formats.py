"""What a scan is, by its content: names and extensions say what somebody hoped for.

Both functions judge bytes that the caller has read: the first `HEAD_BYTES` and the last `TAIL_BYTES` of the scan.
"""

from __future__ import annotations

import struct
from enum import StrEnum

HEAD_BYTES = 1024
"""How much of the beginning is looked at: readers look for a PDF's header so far in (ISO 32000-1, annex H.3.4.1)."""
TAIL_BYTES = 1024
"""How much of the end is looked at: readers look for `%%EOF` so far from the end (ISO 32000-1, annex H.3.4.4)."""


class FileType(StrEnum):
    """The types that are taken."""

    PDF = "pdf"
    TIFF = "tiff"
    JPEG = "jpeg"
    PNG = "png"


_MAGIC = (
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"II*\0", FileType.TIFF),
    (b"MM\0*", FileType.TIFF),
    (b"II+\0", FileType.TIFF),
    (b"MM\0+", FileType.TIFF),
)
_PNG_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_BIG_TIFF = 43


def sniff(head: bytes) -> FileType | None:
    """Tell the type from the first bytes; None when it is none of ours.

    A PDF's header may have junk before it, so the types whose signature stands at the very start are asked first.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return FileType.PDF if b"%PDF-" in head[:HEAD_BYTES] else None


def looks_finished(kind: FileType, head: bytes, tail: bytes, size: int) -> bool:
    """Tell whether a scan of `size` bytes ends as its type must; what lies between isn't judged.

    A TIFF's directory may stand before its pixels, so a TIFF can look finished while it is still written: quiet
    time has to cover that.
    """
    if kind is FileType.PDF:
        return b"%%EOF" in tail[-TAIL_BYTES:]
    if kind is FileType.PNG:
        return _PNG_END in tail[-TAIL_BYTES:]
    if kind is FileType.JPEG:
        # Some scanners fill the last block up; within a JPEG's pixels FF is always followed by 00, so the end
        # marker before the filling is a real one.
        return tail[-TAIL_BYTES:].rstrip(b"\0\r\n \x1a").endswith(b"\xff\xd9")
    return _directory_inside(head, size)


def _directory_inside(head: bytes, size: int) -> bool:
    """Tell whether a TIFF's first directory lies inside the scan (TIFF 6.0, section 2; BigTIFF has 8-byte offsets).

    Writers leave the offset zero, or pointing past the end, until the page is done.
    """
    order = "<" if head.startswith(b"II") else ">"
    try:
        (version,) = struct.unpack_from(order + "H", head, 2)
        big = version == _BIG_TIFF
        (offset,) = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)
    except struct.error:
        return False
    header, count = (16, 8) if big else (8, 2)
    return bool(header <= offset <= size - count)
