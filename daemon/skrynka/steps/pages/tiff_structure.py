"""What a TIFF says of itself: its directories (one for each page) and where each one's pixels lie.

Pillow decodes the pixels, but it takes a directory that lies past the end of a cut-off file for the end of the list,
and so would lose pages without a word. Rules from TIFF 6.0, section 2, and the BigTIFF design note.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
_STRIP_OFFSETS, _ORIENTATION, _STRIP_LENGTHS, _TILE_OFFSETS, _TILE_LENGTHS = 273, 274, 279, 324, 325
_WANTED = frozenset(
    {IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE, COMPRESSION, PHOTOMETRIC, FILL_ORDER}
    | {_STRIP_OFFSETS, _ORIENTATION, _STRIP_LENGTHS, _TILE_OFFSETS, _TILE_LENGTHS}
)
_UNSIGNED = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
"""Field types that hold whole numbers (BYTE, SHORT, LONG, IFD, LONG8, IFD8), as struct names them."""
_BIG = 43
GROUP_4 = 4


class TiffBroken(Exception):
    """The TIFF points outside itself, or round in a circle: it is cut off or damaged."""


@dataclass(frozen=True, slots=True)
class Directory:
    """One page: the values of the fields that matter here, by tag."""

    fields: dict[int, tuple[int, ...]]

    def first(self, tag: int, default: int) -> int:
        """Give a field's first value."""
        values = self.fields.get(tag)
        return values[0] if values else default

    @property
    def orientation(self) -> int:
        """As in EXIF: 1 is upright, 2 to 8 turned or mirrored."""
        return self.first(_ORIENTATION, 1)

    @property
    def pieces(self) -> tuple[tuple[int, int], ...]:
        """Offset and length in bytes of each strip or tile, in order. Lengths that aren't given are 0."""
        offsets = self.fields.get(_STRIP_OFFSETS) or self.fields.get(_TILE_OFFSETS, ())
        lengths = self.fields.get(_STRIP_LENGTHS) or self.fields.get(_TILE_LENGTHS, ())
        padded = lengths + (0,) * (len(offsets) - len(lengths))
        return tuple(zip(offsets, padded, strict=False))

    @property
    def is_one_group_4_strip(self) -> bool:
        """Tell whether the pixels are a single upright CCITT Group 4 stream, which a PDF can hold as it is."""
        return (
            self.first(COMPRESSION, 1) == GROUP_4
            and self.first(BITS_PER_SAMPLE, 1) == 1
            and self.first(PHOTOMETRIC, 0) in (0, 1)
            and self.orientation == 1
            and len(self.fields.get(_STRIP_OFFSETS, ())) == 1
            and len(self.fields.get(_STRIP_LENGTHS, ())) == 1
        )


def read_directories(file: BinaryIO, size: int, most: int) -> list[Directory]:
    """Follow the main list of directories of a TIFF or BigTIFF of `size` bytes, in order; give one more than `most`.

    Every directory counts as a page, previews too: a page shown twice is better than a page lost. Raises TiffBroken
    when a directory, or any strip or tile, doesn't lie wholly inside the file.
    """
    head = _take(file, 0, 16 if size >= 16 else 8, size)  # noqa: PLR2004 -- the two headers' lengths
    order = "<" if head.startswith(b"II") else ">"
    big = struct.unpack_from(order + "H", head, 2)[0] == _BIG
    place = order + ("Q" if big else "I")
    (offset,) = struct.unpack_from(place, head, 8 if big else 4)
    directories: list[Directory] = []
    seen: set[int] = set()
    while offset and len(directories) <= most:
        if offset in seen:
            raise TiffBroken
        seen.add(offset)
        directory, offset = _directory(file, offset, size, order, big=big)
        if any(start + length > size for start, length in directory.pieces):
            raise TiffBroken
        directories.append(directory)
    return directories


def one_strip_tiff(width: int, height: int, photometric: int, data: bytes, fill_order: int = 1) -> bytes:
    """Wrap a CCITT Group 4 stream into a TIFF of one page and one strip, so that libraries take it."""
    tags = (
        (IMAGE_WIDTH, width),
        (IMAGE_LENGTH, height),
        (BITS_PER_SAMPLE, 1),
        (COMPRESSION, GROUP_4),
        (PHOTOMETRIC, photometric),
        (FILL_ORDER, fill_order),
        (_STRIP_OFFSETS, 8 + 2 + 10 * 12 + 4),
        (277, 1),  # samples per pixel
        (278, height),  # rows per strip
        (_STRIP_LENGTHS, len(data)),
    )
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0) + data


def _directory(file: BinaryIO, offset: int, size: int, order: str, *, big: bool) -> tuple[Directory, int]:
    """Read the directory at `offset`, and the offset of the next."""
    count_length, entry_length, place_length = (8, 20, 8) if big else (2, 12, 4)
    place = "Q" if big else "I"
    (count,) = struct.unpack(order + ("Q" if big else "H"), _take(file, offset, count_length, size))
    table = _take(file, offset + count_length, count * entry_length + place_length, size)
    fields: dict[int, tuple[int, ...]] = {}
    for at in range(0, count * entry_length, entry_length):
        tag, kind, number = struct.unpack_from(order + "HH" + place, table, at)
        if tag not in _WANTED or kind not in _UNSIGNED:
            continue
        letter = _UNSIGNED[kind]
        length = number * struct.calcsize("=" + letter)
        value = table[at + entry_length - place_length :][:place_length]
        if length > place_length:
            value = _take(file, struct.unpack(order + place, value)[0], length, size)
        fields[tag] = struct.unpack(f"{order}{number}{letter}", value[:length])
    (following,) = struct.unpack_from(order + place, table, count * entry_length)
    return Directory(fields), following


def _take(file: BinaryIO, offset: int, length: int, size: int) -> bytes:
    """Read exactly `length` bytes at `offset`."""
    if offset + length > size:
        raise TiffBroken
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise TiffBroken
    return data
