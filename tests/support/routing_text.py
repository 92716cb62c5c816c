"""Routing codes written from their published definition alone, to test the program that reads them.

Shares no code with the program. The check digits are computed on one big integer, the way ISO 7064 defines MOD 97-10.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

_VALUES = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
"""QR's alphanumeric set: a character's value is its place (ISO/IEC 18004, table 5)."""


def check_digits(body: str) -> str:
    """Compute Z for the text before `/Z:`."""
    number = int("".join(f"{_VALUES.index(character):02d}" for character in body))
    return f"{98 - number * 100 % 97:02d}"


def closed(body: str) -> str:
    """Append the check digits to a text, whatever it says: also to one that breaks other rules."""
    return f"{body}/Z:{check_digits(body)}"


def signed(body: str, key_id: str, key: bytes) -> str:
    """Append V and K to a text; the check digits are still to come."""
    keyed = f"{body}/V:{key_id}"
    digest = hmac.new(key, keyed.encode("ascii"), hashlib.sha256).digest()
    return f"{keyed}/K:{base64.b32encode(digest).decode()[:10]}"


def routing_text(
    kind: str,
    *,
    serial: str | None = None,
    box: str | None = None,
    case_type: str | None = None,
    branch: str | None = None,
    providers: Sequence[str] = (),
    document_kinds: Sequence[str] = (),
    account: str | None = None,
    address_code: str | None = None,
    meters: Sequence[str] = (),
    follow_up: str | None = None,
    sticker: bool = False,
    emptied: str | None = None,
    counted: int | None = None,
    key: tuple[str, bytes] | None = None,
) -> str:
    """Write the full text of a sheet. `key` is the key's id and the key: the text is then signed."""
    tags = {
        "S": serial,
        "B": box,
        "T": case_type,
        "R": branch,
        "P": "+".join(providers),
        "D": "+".join(document_kinds),
        "A": account,
        "M": address_code,
        "X": "+".join(meters),
        "F": follow_up,
        "L": "K" if sticker else None,
        "G": emptied,
        "N": None if counted is None else str(counted),
    }
    body = "/".join(["SKR1", kind, *(f"{tag}:{value}" for tag, value in tags.items() if value)])
    return closed(signed(body, *key) if key else body)


def short_text(kind: str, serial: str) -> str:
    """Write the text of the linear code: kind, serial and check only."""
    return closed(f"SKR1/{kind}/S:{serial}")


def damaged(text: str) -> str:
    """Change the check digits so that they are surely wrong."""
    return text[:-2] + f"{(int(text[-2:]) + 11) % 97:02d}"
