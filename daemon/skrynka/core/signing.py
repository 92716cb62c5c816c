"""Signatures on sheets: who holds a key can print sheets, and nobody else can.

A signature is HMAC-SHA256 over the code's ASCII text before `/K:`, its first 50 bits as ten characters of RFC 4648
base32. The serial is in that text, so a signature says nothing on another sheet. A photocopy carries it along: copies
are told by the serial.

Keys are judged by the day that a scan was claimed, by the station's clock, and never by a date on paper: whoever
forges a sheet writes its dates too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from skrynka.core.model import RoutingCode
from skrynka.core.reasons import ReviewReason
from skrynka.core.routing_code import compose, parse, signed_text

SHORTEST_SECRET = 16
"""Bytes, all of them random."""
_LETTERS = 10


class SigningMode(StrEnum):
    """What a station asks of the sheets that come back."""

    OFF = "off"
    """Signatures are written where there is a key, and not looked at."""
    ACCEPTED = "accepted"
    """A signature that is there must verify; a sheet without one counts: for the time of the change."""
    REQUIRED = "required"
    """A sheet counts only when its signature verifies."""


class Verdict(StrEnum):
    """What a signature turned out to be."""

    VERIFIED = "verified"
    UNSIGNED = "unsigned"
    KEY_UNKNOWN = "key_unknown"
    KEY_EXPIRED = "key_expired"
    """It is right, and its key had ended."""
    WRONG = "wrong"


_OBJECTIONS = {
    Verdict.UNSIGNED: ReviewReason.SIGNATURE_MISSING,
    Verdict.KEY_UNKNOWN: ReviewReason.KEY_UNKNOWN,
    Verdict.KEY_EXPIRED: ReviewReason.KEY_EXPIRED,
    Verdict.WRONG: ReviewReason.SIGNATURE_WRONG,
}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that signs sheets from a day on, and whose signatures are good until another."""

    id: str
    """What `V` says: capital letters and digits, eight at most."""
    secret: bytes = field(repr=False)
    signs_from: date
    """The first day on which it signs. What it signed verifies wherever the key is known, before that day too: then
    several stations needn't get it in the same minute."""
    verifies_until: date | None = None
    """The last day, inclusive, for signing and for verifying; None: no end is set."""

    def ended(self, on: date) -> bool:
        """Say whether its last day was before this one."""
        return self.verifies_until is not None and on > self.verifies_until


@dataclass(frozen=True, slots=True)
class Signing:
    """A station's way with signatures: what it asks for, and the keys that it has."""

    mode: SigningMode = SigningMode.OFF
    keys: tuple[SigningKey, ...] = ()

    def on(self, day: date) -> Signatures:
        """Give what judges the sheets of a scan that was claimed on a day."""
        return Signatures(self, day)


@dataclass(frozen=True, slots=True)
class Signatures:
    """Judges signatures, on a day."""

    signing: Signing = Signing()
    day: date = date.min

    def judge(self, text: str) -> Verdict | None:
        """Judge the signature on a code, given its text as it was read; None where signatures aren't looked at."""
        if self.signing.mode is SigningMode.OFF:
            return None
        return verify(text, self.signing.keys, self.day)

    def objection(self, verdict: Verdict | None) -> ReviewReason | None:
        """Say what there is against a sheet with this verdict; None: it counts."""
        if verdict is None or (verdict is Verdict.UNSIGNED and self.signing.mode is SigningMode.ACCEPTED):
            return None
        return _OBJECTIONS.get(verdict)


NOT_LOOKED_AT = Signatures()
"""Signatures aren't looked at."""


def key_to_sign_with(keys: Sequence[SigningKey], on: date) -> SigningKey | None:
    """Give the newest key that signs on a day; None where none does."""
    current = [key for key in keys if key.signs_from <= on and not key.ended(on)]
    return max(current, key=lambda key: key.signs_from, default=None)


def sign(code: RoutingCode, key: SigningKey) -> RoutingCode:
    """Give the code with a key's id and signature. Raises ValueError where the grammar forbids what the code holds."""
    draft = replace(code, key_id=key.id, signature="A" * _LETTERS)
    return replace(draft, signature=_signature(signed_text(compose(draft)), key.secret))


def verify(text: str, keys: Sequence[SigningKey], on: date) -> Verdict:
    """Judge a code's signature, given the text as it was read. Raises CodeRejected for a text that is no code."""
    code = parse(text)
    if code.key_id is None or code.signature is None:
        return Verdict.UNSIGNED
    key = next((key for key in keys if key.id == code.key_id), None)
    if key is None:
        return Verdict.KEY_UNKNOWN
    if not hmac.compare_digest(_signature(signed_text(text), key.secret), code.signature):
        return Verdict.WRONG
    return Verdict.KEY_EXPIRED if key.ended(on) else Verdict.VERIFIED


def _signature(covered: str, secret: bytes) -> str:
    digest = hmac.digest(secret, covered.encode("ascii"), hashlib.sha256)
    return base64.b32encode(digest).decode("ascii")[:_LETTERS]
