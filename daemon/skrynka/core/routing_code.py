"""The routing code: the text on our sheets, read strictly and written by the same table.

    SKR1/C/S:A000123/B:OBL-03/T:VER/R:DIS/P:KTE+KVK/V:2/K:ABCD2345EF/Z:66

A text is in our scheme or it isn't (`looks_own`); one in our scheme either verifies as a whole or is rejected as a
whole (`parse`), never half-parsed. `GRAMMAR` is the published table of tags: anybody can draw a sheet from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from skrynka.core.errors import SkrynkaError
from skrynka.core.model import RoutingCode, SheetKind
from skrynka.core.reasons import ReviewReason

SCHEME = "SKR1"
"""The scheme and the version that this program writes and reads."""

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""QR's alphanumeric set; a character's place in it is its value (ISO/IEC 18004, table 5)."""


class CodeRejected(SkrynkaError):
    """A text in our scheme that doesn't verify; `reason` says whether it is wrong or of a version not known here."""

    def __init__(self, reason: ReviewReason) -> None:
        """`reason` is CODE_INVALID or VERSION_UNKNOWN. The text itself stays out of the message."""
        self.reason = reason
        super().__init__(reason.sentence)


@dataclass(frozen=True, slots=True)
class Tag:
    """One row of the grammar."""

    tag: str
    pattern: str
    """A regular expression for the whole value, or for each item of a set."""
    longest: int
    """The most characters of the value, or of each item of a set."""
    kinds: frozenset[SheetKind]
    """The kinds of sheet that may carry it."""
    meaning: str
    most: int = 1
    """The most items: above 1 the value is a set, its items joined by `+`, none of them twice."""


_ALL = frozenset(SheetKind)
_CASE = frozenset({SheetKind.CASE})
_COUNTED = frozenset({SheetKind.COLLECTION, SheetKind.END})
_WORD = "[A-Z0-9][A-Z0-9.-]*"

GRAMMAR: tuple[Tag, ...] = (
    Tag("S", "[A-Z]+[0-9]+", 14, _ALL, "serial: series letters, then digits; only P, R and E may lack it"),
    Tag("B", _WORD, 20, frozenset({SheetKind.COLLECTION, SheetKind.CASE}), "box"),
    Tag("T", _WORD, 16, _CASE, "case type"),
    Tag("R", _WORD, 16, _CASE, "branch"),
    Tag("P", _WORD, 16, _CASE, "providers", most=8),
    Tag("D", _WORD, 20, frozenset({SheetKind.DOCUMENT}), "document kinds", most=12),
    Tag("A", _WORD, 20, _CASE, "account; personalised sheets only"),
    Tag("M", _WORD, 32, _CASE, "address code; personalised sheets only"),
    Tag("X", _WORD, 24, _CASE, "meter serials; personalised sheets only", most=8),
    Tag("F", _WORD, 40, _CASE, "number of the case that this follows up"),
    Tag("L", "K", 1, frozenset({SheetKind.CASE, SheetKind.DOCUMENT}), "K: a sticker on a content page, keep the page"),
    Tag("G", "[0-9]{8}", 8, _COUNTED, "the day the box was emptied: YYYYMMDD, a real date"),
    Tag("N", "0|[1-9][0-9]*", 4, _COUNTED, "envelopes counted by hand: no leading zeros"),
    Tag("V", "[A-Z0-9]+", 8, _ALL, "key id; stands before K, and never without it"),
    Tag("K", "[A-Z2-7]{10}", 10, _ALL, "signature: 50 bits in base32 (RFC 4648) over the text before /K:"),
)
"""Every tag between the kind and the check digits, in the order in which they must stand. `/Z:` and two digits end."""

_ROWS = {row.tag: row for row in GRAMMAR}
_PLACES = {row.tag: place for place, row in enumerate(GRAMMAR)}
_SCHEME_SHAPED = re.compile(r"\s*SKR[0-9/]|.*SKR[0-9]+/[A-Z]/", re.IGNORECASE | re.ASCII)
_UNPRINTABLE = re.compile(r"[^ -~]+")
"""What readers put before a text, such as a byte order mark, mustn't hide it."""
_VERSION = re.compile(r"SKR[0-9]+")
_CHECKED = re.compile(r"(?P<body>.*)/Z:(?P<digits>[0-9]{2})")
_REUSABLE = frozenset({SheetKind.SEPARATOR, SheetKind.REPEAT, SheetKind.END})


def looks_own(text: str) -> bool:
    """Tell whether a text claims to be in our scheme: begins with `SKR` and a digit or a slash, or has a code in it.

    Wider than the grammar on purpose: what claims to be ours and doesn't verify is a held boundary, so a code that
    was mangled on its way must not pass for a foreign one.
    """
    return _SCHEME_SHAPED.match(_UNPRINTABLE.sub(" ", text)) is not None


def verifies(text: str) -> bool:
    """Say whether a text is a routing code by all its rules, its check digits among them."""
    try:
        parse(text)
    except CodeRejected:
        return False
    return True


def parse(text: str) -> RoutingCode:
    """Read a routing code.

    Raises CodeRejected, with VERSION_UNKNOWN for another version of the scheme, else with CODE_INVALID.
    The signature is returned and not verified: that needs a key (`signed_text` gives what it covers).
    """
    version = text.partition("/")[0]
    if version != SCHEME and _VERSION.fullmatch(version):
        raise CodeRejected(ReviewReason.VERSION_UNKNOWN)
    checked = _CHECKED.fullmatch(text)
    if checked is None or not set(text) <= set(ALPHANUMERIC) or check_digits(checked["body"]) != checked["digits"]:
        raise CodeRejected(ReviewReason.CODE_INVALID)
    scheme, *fields = checked["body"].split("/")
    if scheme != SCHEME or not fields or fields[0] not in list(SheetKind):
        raise CodeRejected(ReviewReason.CODE_INVALID)
    kind = SheetKind(fields[0])
    values = _values(kind, fields[1:])
    if ("S" not in values and kind not in _REUSABLE) or ("V" in values) != ("K" in values):
        raise CodeRejected(ReviewReason.CODE_INVALID)
    return RoutingCode(
        kind=kind,
        serial=values.get("S"),
        box=values.get("B"),
        case_type=values.get("T"),
        branch=values.get("R"),
        providers=_items(values.get("P")),
        document_kinds=_items(values.get("D")),
        account=values.get("A"),
        address_code=values.get("M"),
        meter_serials=_items(values.get("X")),
        follow_up=values.get("F"),
        sticker="L" in values,
        emptied_on=_day(values["G"]) if "G" in values else None,
        counted=int(values["N"]) if "N" in values else None,
        key_id=values.get("V"),
        signature=values.get("K"),
    )


def is_short(code: RoutingCode) -> bool:
    """Tell whether a code says no more than its kind and serial, as the linear code on a sheet does."""
    return code == RoutingCode(kind=code.kind, serial=code.serial)


def compose(code: RoutingCode) -> str:
    """Write a routing code, check digits included: the text that `parse` reads back as the same value.

    Raises ValueError where the grammar forbids what the code holds. To sign, compose with a key id and any ten
    letters as the signature, sign the `signed_text` of that, and compose again with the real one.
    """
    written = {
        "S": code.serial,
        "B": code.box,
        "T": code.case_type,
        "R": code.branch,
        "P": "+".join(code.providers) or None,
        "D": "+".join(code.document_kinds) or None,
        "A": code.account,
        "M": code.address_code,
        "X": "+".join(code.meter_serials) or None,
        "F": code.follow_up,
        "L": "K" if code.sticker else None,
        "G": code.emptied_on.isoformat().replace("-", "") if code.emptied_on else None,
        "N": None if code.counted is None else str(code.counted),
        "V": code.key_id,
        "K": code.signature,
    }
    body = "/".join(
        [SCHEME, code.kind.value, *(f"{tag}:{value}" for tag, value in written.items() if value is not None)]
    )
    if not set(body) <= set(ALPHANUMERIC):
        raise ValueError("a routing code holds capital letters, digits, - and . only")
    text = f"{body}/Z:{check_digits(body)}"
    try:
        same = parse(text) == code
    except CodeRejected:
        same = False
    if not same:
        raise ValueError("the grammar of the routing code doesn't allow these values on this kind of sheet")
    return text


def compose_short(code: RoutingCode) -> str:
    """Write the short code of the same sheet: kind, serial and check only. Raises ValueError as `compose` does."""
    return compose(RoutingCode(kind=code.kind, serial=code.serial))


def check_digits(text_before: str) -> str:
    """Give the two check digits, "02" to "98", for the characters before `/Z:`.

    ISO 7064 MOD 97-10 over the decimal string of the characters' two-digit values. Every value is below 97 and 97 is
    prime, so any one character put in another's place is noticed, and so are any two neighbours that change places.
    Raises ValueError for a character outside the alphanumeric set.
    """
    remainder = 0
    for character in text_before:
        remainder = (remainder * 100 + ALPHANUMERIC.index(character)) % 97
    return f"{98 - remainder * 100 % 97:02d}"


def signed_text(text: str) -> str:
    """Give the part of a code's text that its signature covers: all before `/K:`. ValueError when it isn't signed."""
    covered, tag, _ = text.partition("/K:")
    if not tag:
        raise ValueError("the code bears no signature")
    return covered


def _values(kind: SheetKind, fields: list[str]) -> dict[str, str]:
    """Check each field against the grammar; tags must come in the table's order, none of them twice."""
    values: dict[str, str] = {}
    last = -1
    for field in fields:
        tag, _, value = field.partition(":")
        row = _ROWS.get(tag)
        if row is None or kind not in row.kinds or _PLACES[tag] <= last or not _allowed(row, value):
            raise CodeRejected(ReviewReason.CODE_INVALID)
        last = _PLACES[tag]
        values[tag] = value
    return values


def _allowed(row: Tag, value: str) -> bool:
    """Tell whether a value, or each item of a set, is within its row's grammar."""
    items = value.split("+")
    if len(items) > row.most or len(items) != len(set(items)):
        return False
    return all(len(item) <= row.longest and re.fullmatch(row.pattern, item, re.ASCII) for item in items)


def _items(value: str | None) -> tuple[str, ...]:
    return tuple(value.split("+")) if value else ()


def _day(value: str) -> date:
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        raise CodeRejected(ReviewReason.CODE_INVALID) from None
