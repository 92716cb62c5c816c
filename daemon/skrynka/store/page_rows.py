"""Between a page's reading and its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert

from skrynka.core.model import Code, Disposition, PageReading, PageSource, Standing
from skrynka.store.tables import page

_ADD = insert(page)


@cache
def _codes() -> TypeAdapter[tuple[Code, ...]]:
    return TypeAdapter(tuple[Code, ...])


def insert_readings(connection: Connection, scan_id: str, readings: Sequence[PageReading]) -> None:
    """Write down what a reader saw on the pages of a scan.

    The text of a foreign code is dropped here, whoever let it come so far: it is never stored.
    """
    connection.execute(_ADD, [_row(scan_id, reading) for reading in readings])


def insert_unread(connection: Connection, scan_id: str, page_count: int, disposition: Disposition) -> None:
    """Account for the pages of a scan that nobody reads: duplicates, and scans in quarantine."""
    connection.execute(
        _ADD,
        [
            {"scan_id": scan_id, "number": number, "disposition": disposition.value}
            for number in range(1, page_count + 1)
        ],
    )


def reading_of(row: Row[Any]) -> PageReading:
    """Give the reading that a row holds."""
    return PageReading(
        number=row.number,
        width=row.width,
        height=row.height,
        rotation=row.rotation,
        source=PageSource(row.source),
        dpi=row.dpi,
        codes=_codes().validate_json(row.codes),
        marked=row.marked,
        blank=row.blank,
        ink=row.ink,
        fingerprint=row.fingerprint,
    )


def _row(scan_id: str, reading: PageReading) -> Mapping[str, object]:
    codes = tuple(replace(code, text=None) if code.standing is Standing.FOREIGN else code for code in reading.codes)
    return {
        "scan_id": scan_id,
        "number": reading.number,
        "width": reading.width,
        "height": reading.height,
        "rotation": reading.rotation,
        "source": reading.source.value,
        "dpi": reading.dpi,
        "marked": reading.marked,
        "blank": reading.blank,
        "ink": reading.ink,
        "fingerprint": reading.fingerprint,
        "codes": _codes().dump_json(codes).decode(),
    }
