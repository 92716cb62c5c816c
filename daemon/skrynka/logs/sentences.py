"""The small language of the catalogue's sentences.

{box}            the field's value; `?` when it isn't there
{pages:# page}   a count with its noun: "1 page", "2 pages"; `#one|many` where an s isn't enough
{reviews:+}      a count that counts as absent when it is zero
{claimed_at:clock}   hours and minutes on the station's clock
{seconds:s}      a duration: "0.4 s", "90 s"
{free_bytes:size}    "1.5 GB"
{reason:why}     the sentence of a quarantine's reason;  {reason:remedy}  what to do about it
{page_account}   "124 pages = 98 document + 13 sheet + 13 blank", from the counts of a scan or stack
[, {x} more]     what stands in brackets is left out when a field in it is absent
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo

from skrynka.core.model import Disposition
from skrynka.core.reasons import QuarantineReason
from skrynka.logs.fields import Value, as_text

_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_FIELD = re.compile(r"\{(\w+)(?::([^{}]*))?\}")
_IN_PAGE_ACCOUNT = frozenset({"pages", *(name.value for name in Disposition)})
_KILO = 1000
_WHOLE_SECONDS = 10
"""From here on nobody asks for tenths."""


def say(template: str, fields: Mapping[str, Value], zone: tzinfo | None) -> str:
    """Fill a sentence in; `zone` is the clock that people there look at, None for the machine's."""

    def optional(match: re.Match[str]) -> str:
        parts = match[1]
        present = all(_shown(name, spec, fields, zone) is not None for name, spec in _FIELD.findall(parts))
        return parts if present else ""

    def field(match: re.Match[str]) -> str:
        shown = _shown(match[1], match[2] or "", fields, zone)
        return "?" if shown is None else shown

    return _FIELD.sub(field, _OPTIONAL.sub(optional, template))


def named_in(template: str) -> frozenset[str]:
    """Give the fields that a sentence shows."""
    names = frozenset(name for name, _ in _FIELD.findall(template))
    return names - {"page_account"} | _IN_PAGE_ACCOUNT if "page_account" in names else names


def _shown(name: str, spec: str, fields: Mapping[str, Value], zone: tzinfo | None) -> str | None:
    """Show one field; None where it is absent."""
    if name == "page_account":
        return _page_account(fields)
    value = fields.get(name)
    if value is None or (spec == "+" and not value):
        return None
    if spec == "clock" and isinstance(value, datetime):
        return f"{value.astimezone(zone):%H:%M}"
    if spec in {"why", "remedy"}:
        return _about(as_text(value), remedy=spec == "remedy")
    if isinstance(value, int | float):
        return _quantity(value, spec)
    return ", ".join(value) if isinstance(value, tuple) else as_text(value)


def _quantity(value: float, spec: str) -> str:
    if spec.startswith("#"):
        return _counted(value, spec[1:].strip())
    if spec == "size":
        return _size(value)
    if spec == "s":
        return f"{value:.0f} s" if value >= _WHOLE_SECONDS else f"{value:.1f} s"
    return as_text(value)


def _counted(value: float, noun: str) -> str:
    one, _, many = noun.partition("|")
    return f"{value} {one}" if value == 1 else f"{value} {many or one + 's'}"


def _page_account(fields: Mapping[str, Value]) -> str | None:
    """Write the sum; should it not add up, the sentence says so rather than lie."""
    pages = fields.get("pages")
    if not isinstance(pages, int):
        return None
    counts = {name.value: fields.get(name.value) for name in Disposition}
    terms = {name: count for name, count in counts.items() if isinstance(count, int) and count}
    missing = pages - sum(terms.values())
    if missing > 0 and terms:
        terms["unaccounted"] = missing
    written = " + ".join(f"{count} {name}" for name, count in terms.items())
    if not written:
        return _counted(pages, "page")
    return f"{_counted(pages, 'page')} {'=' if missing >= 0 else 'but'} {written}"


def _size(value: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if value < _KILO:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _KILO
    return f"{value:.1f} GB"


def _about(reason: str, *, remedy: bool) -> str:
    """Give what is said of a reason; a reason that isn't a quarantine's is said as it is."""
    if reason not in list(QuarantineReason):
        return reason
    about = QuarantineReason(reason).about
    return about.remedy if remedy else about.sentence
