"""What may happen to a scan's bytes, and what may become of it then: classes of mutations, each with its outcomes.

Drawn from a seed and a number: the same two give the same bytes again. No class may end in `reader_crashed`,
`reader_timed_out`, `reader_incoherent` or `attempts_exhausted`: nothing here is a bomb, so each is a defect of ours.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.faults.sources import Source

FILED = "filed"
_DAMAGED = frozenset({FILED, "corrupt", "page_unreadable", "page_too_large", "no_pages", "unsupported", "cut_failed"})
_NUMBERS = (0, 1, -1, 2, 9, 255, 65_535, 65_536, 2**31 - 1, 2**31, 2**32, 10**10, 10**18)
_FILTERS = (
    b"/FlateDecode", b"/LZWDecode", b"/DCTDecode", b"/CCITTFaxDecode", b"/JBIG2Decode", b"/JPXDecode", b"/Crypt",
    b"/RunLengthDecode", b"/ASCIIHexDecode", b"/ASCII85Decode", b"/Nonsense", b"[]", b"null",
    b"[/FlateDecode /FlateDecode]", b"[/ASCIIHexDecode /DCTDecode]",
)  # fmt: skip
_OBJECT = re.compile(rb"(?<![0-9])([0-9]+) 0 obj\b")
_STREAM = re.compile(rb"stream\r?\n.*?endstream", re.DOTALL)
_HEAD_BYTES = 600
"""In which a picture's file says what it is; of a TIFF or JPEG some more, but most of it."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A scan to which something happened."""

    number: int
    what: str
    """In a few words, for people: what happened, and to what."""
    source: Source
    data: bytes = field(repr=False)
    intact: bool
    """What is filed of it has all its pages, and they are as they were."""
    moves_pages: bool
    """What is filed of it may have other pages than it had; still none of another scan's."""
    outcomes: frozenset[str]
    """`filed`, and the reasons for a quarantine."""


@dataclass(frozen=True, slots=True)
class _Class:
    name: str
    mutate: Callable[[bytes, random.Random], bytes | None]
    """None where it has nothing to change."""
    outcomes: frozenset[str] = _DAMAGED
    intact: bool = False
    moves_pages: bool = False
    weight: int = 1


def mutant(seed: int, number: int, sources: Sequence[Source], salt: int = 0) -> Mutant:
    """Make the mutant of a number; another one for each `salt`."""
    drawn = random.Random(f"{seed} {number} {salt}")  # noqa: S311 - no secret
    source = sources[number % len(sources)]
    whole = source.numbered(number)
    while True:
        (chosen,) = drawn.choices(_CLASSES, weights=[each.weight for each in _CLASSES])
        data = chosen.mutate(whole, drawn)
        if data is not None and data != whole:
            what = f"{chosen.name}, {source.kind}"
            return Mutant(number, what, source, data, chosen.intact, chosen.moves_pages, chosen.outcomes)


def _flip(data: bytes, places: Sequence[int], drawn: random.Random) -> bytes:
    flipped = bytearray(data)
    for place in places:
        flipped[place] ^= 1 << drawn.randrange(8)
    return bytes(flipped)


def _bits(data: bytes, drawn: random.Random) -> bytes:
    return _flip(data, [drawn.randrange(len(data)) for _ in range(drawn.randint(1, 8))], drawn)


def _bits_of_the_structure(data: bytes, drawn: random.Random) -> bytes:
    """Flip bits where the file says what it is: pixels are most of the bytes, and bear nearly all flips otherwise."""
    places = list(range(min(_HEAD_BYTES, len(data))))
    if data.startswith(b"%PDF"):
        covered = bytearray(len(data))
        for match in _STREAM.finditer(data):
            covered[match.start() : match.end()] = b"\1" * (match.end() - match.start())
        places = [place for place, inside in enumerate(covered) if not inside]
    elif data[:2] in (b"II", b"MM"):
        directory = int.from_bytes(data[4:8], "little" if data.startswith(b"II") else "big")
        places = [*range(8), *range(directory, min(directory + 250, len(data)))]
    return _flip(data, drawn.sample(places, drawn.randint(1, 4)), drawn)


def _run(data: bytes, drawn: random.Random) -> bytes:
    begin = drawn.randrange(len(data))
    length = min(drawn.randint(1, 64), len(data) - begin)
    new = drawn.choice([bytes(length), b"\xff" * length, b" " * length, drawn.randbytes(length)])
    return data[:begin] + new + data[begin + length :]


def _truncated(data: bytes, drawn: random.Random) -> bytes:
    percent = drawn.randrange(100)
    return data[: max(64, drawn.randint(len(data) * percent // 100, len(data) * (percent + 1) // 100 - 1))]


def _swapped(data: bytes, drawn: random.Random) -> bytes:
    length = drawn.choice([16, 64, 512, 4096])
    if len(data) < 2 * length:
        length = len(data) // 4
    first = drawn.randrange(len(data) - 2 * length + 1)
    second = drawn.randrange(first + length, len(data) - length + 1)
    return (
        data[:first]
        + data[second : second + length]
        + data[first + length : second]
        + data[first : first + length]
        + data[second + length :]
    )


def _doubled_tail(data: bytes, drawn: random.Random) -> bytes:
    return data + data[-drawn.choice([drawn.randint(1, 64), drawn.randint(64, 2048), len(data) // 2]) :]


def _token(pattern: bytes) -> Callable[[bytes, random.Random], bytes | None]:
    """Change one of the numbers that a pattern's group finds."""
    found_by = re.compile(pattern, re.DOTALL)

    def mutate(data: bytes, drawn: random.Random) -> bytes | None:
        places = [match.span(1) for match in found_by.finditer(data)]
        places = [
            (begin + number.start(), begin + number.end())
            for begin, end in places
            for number in re.finditer(rb"-?\d+(?:\.\d+)?", data[begin:end])
        ]
        if not data.startswith(b"%PDF") or not places:
            return None
        begin, end = drawn.choice(places)
        old = data[begin:end]
        new = drawn.choice([
            *(str(number).encode() for number in _NUMBERS), str(int(float(old)) + drawn.choice([-1, 1])).encode(),
            old + b"0", old[:-1] or b"0", b"0" + old, b"(" + old + b")", b"-" + old,
        ])  # fmt: skip
        return _replaced(data, begin, end, new, drawn)

    return mutate


def _xref(data: bytes, drawn: random.Random) -> bytes | None:
    """Change a number of the cross-reference table, or where it is said to be."""
    table = data.rfind(b"\nxref")
    if table < 0:
        return None
    number = drawn.choice(list(re.finditer(rb"\d+", data[table:])))
    begin, end = table + number.start(), table + number.end()
    length = end - begin
    new = str(drawn.choice([0, 1, drawn.randrange(len(data)), drawn.randrange(10**length)])).encode()
    return data[:begin] + new.rjust(length, b"0")[-length:] + data[end:]


def _filter(data: bytes, drawn: random.Random) -> bytes | None:
    found = list(re.finditer(rb"/Filter\s*(/\w+|\[[^\]]*\])", data))
    if not data.startswith(b"%PDF") or not found:
        return None
    begin, end = drawn.choice(found).span(1)
    return _replaced(data, begin, end, drawn.choice(_FILTERS), drawn)


def _replaced(data: bytes, begin: int, end: int, new: bytes, drawn: random.Random) -> bytes:
    """Put a token in another's place. Mostly the table of offsets is mended, so that the token is what is wrong."""
    mutated = data[:begin] + new + data[end:]
    return mutated if drawn.random() < 0.2 else _with_its_offsets(mutated)


def _with_its_offsets(data: bytes) -> bytes:
    table = data.rfind(b"\nxref")
    if table < 0:
        return data
    streams = [match.span() for match in _STREAM.finditer(data)]
    offsets = {
        int(match[1]): match.start()
        for match in _OBJECT.finditer(data)
        if not any(begin <= match.start() < end for begin, end in streams)
    }
    head, _, tail = data[table + 1 :].partition(b"trailer")
    first = int(head.split()[1])
    entries = iter(range(first, 1 << 30))

    def mended(entry: re.Match[bytes]) -> bytes:
        number = next(entries)
        return b"%010d 00000 n" % offsets[number] if number in offsets else entry[0]

    head = re.sub(rb"\d{10} \d{5} [nf]", mended, head)
    tail = re.sub(rb"startxref\s+\d+", b"startxref\n%d" % (table + 1), tail)
    return data[: table + 1] + head + b"trailer" + tail


_CLASSES = (
    _Class("bits flipped", _bits, weight=4),
    _Class("bits of the structure flipped", _bits_of_the_structure, moves_pages=True, weight=4),
    _Class("a run of bytes", _run, weight=3),
    _Class(
        "cut off", _truncated, frozenset({FILED, "corrupt", "page_unreadable", "unsupported"}), intact=True, weight=5
    ),
    _Class("blocks swapped", _swapped, moves_pages=True, weight=2),
    _Class("tail doubled", _doubled_tail, frozenset({FILED, "corrupt"}), intact=True),
    _Class("xref", _xref, frozenset({FILED, "corrupt", "page_unreadable"}), intact=True),
    _Class("/Count", _token(rb"/Count\s*(-?\d+)"), frozenset({FILED, "corrupt"}), intact=True),
    _Class(
        "/Kids",
        _token(rb"/Kids\s*\[([^\]]*)\]"),
        frozenset({FILED, "corrupt", "no_pages", "page_unreadable"}),
        moves_pages=True,
    ),
    _Class(
        "/MediaBox",
        _token(rb"/MediaBox\s*\[([^\]]*)\]"),
        frozenset({FILED, "corrupt", "page_unreadable", "page_too_large"}),
    ),
    _Class("/Length", _token(rb"/Length\s+(\d+)"), frozenset({FILED, "corrupt", "page_unreadable", "cut_failed"})),
    _Class("/Filter", _filter, frozenset({FILED, "corrupt", "page_unreadable", "page_too_large", "cut_failed"})),
    _Class(
        "/Width, /Height and the like",
        _token(rb"/(?:Width|Height|BitsPerComponent|Columns|Rows|K|Rotate|UserUnit)\s+(-?\d+)"),
        frozenset({FILED, "corrupt", "page_unreadable", "page_too_large", "cut_failed"}),
    ),
)
